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
