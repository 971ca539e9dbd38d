"""Optical passbands, and the small integers that stand for them inside light curves."""

from __future__ import annotations

BANDS: tuple[str, ...] = ("u", "g", "r", "i", "z", "y")
"""A band's code is its index here: u=0, g=1, r=2, i=3, z=4, y=5. Order never changes."""

BAND_CODES: dict[str, int] = {band: code for code, band in enumerate(BANDS)}

DETECTION = 0
"""``lc_kind``: a difference-image detection, flux and error given."""
FORCED = 1
"""``lc_kind``: forced photometry at the object's position; the flux may be insignificant."""
UPPER_LIMIT = 2
"""``lc_kind``: nothing found. Flux is NaN; the error is one fifth of the 5-sigma limiting flux."""

_UNFILTERED = ("C", "clear", "CLEAR", "w", "G", "g+r", "gr", "unfiltered")
NEAREST_BAND: dict[str, tuple[str, float]] = {
    **{band: (band, 0.0) for band in BANDS},
    **{f"{band}'": (band, 0.0) for band in BANDS},
    **{f"{band}p": (band, 0.0) for band in BANDS},
    **{
        f"{survey}{mark}{band}": (band, 0.0)
        for survey in ("ZTF", "ztf", "LSST", "lsst", "SDSS", "sdss", "PS1", "ps1", "DES", "des")
        for mark in ("_", "-", "")
        for band in BANDS
    },
    **{str(code): (band, 0.0) for band, code in BAND_CODES.items()},
    "U": ("u", 0.79),
    "B": ("g", -0.09),
    "V": ("g", 0.02),
    "R": ("r", 0.21),
    "R_c": ("r", 0.21),
    "Rc": ("r", 0.21),
    "I": ("i", 0.45),
    "I_c": ("i", 0.45),
    "Ic": ("i", 0.45),
    "F625W": ("r", 0.0),
    "Y": ("y", 0.63),
    **dict.fromkeys(_UNFILTERED, ("r", 0.0)),
}
"""By the names observers use: the nearest of ``BANDS``, and AB minus the magnitude as it is given.

Johnson and Cousins magnitudes are taken for Vega's; offsets from Blanton & Roweis 2007 (AJ 133,
734, table 1). Numbers are 0 to 5 for u to y, and so ZTF's 1, 2, 3 are g, r, i. Unfiltered
magnitudes are taken for r. Colour terms, a tenth or two, are not corrected.
"""
