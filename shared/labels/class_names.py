"""From the words of observers to the classes that models are trained on.

The mapping has a version of its own: labels keep what was said, so they can be read again under a
better mapping.
"""

from __future__ import annotations

MAPPING_VERSION = "1"
"""Counted up whenever a word below changes its class."""

_EXACT = {
    "ia": "SN Ia", "ia-norm": "SN Ia", "ia-91t": "SN Ia", "ia-91t-like": "SN Ia",
    "ia-91bg": "SN Ia-91bg", "ia-91bg-like": "SN Ia-91bg",
    "agn": "AGN", "qso": "AGN", "quasar": "AGN", "blazar": "AGN",
    "tde": "TDE", "kilonova": "kilonova", "kn": "kilonova",
    "cv": "cataclysmic variable", "nova": "nova", "lbv": "other", "ilrt": "other", "lrn": "other",
    "microlensing": "microlensing", "ulens": "microlensing",
    "rr lyrae": "RR Lyrae", "rrl": "RR Lyrae", "eb": "eclipsing binary",
    "eclipsing binary": "eclipsing binary", "mira": "Mira", "m dwarf": "M-dwarf flare",
    "m-dwarf flare": "M-dwarf flare", "varstar": "variable star",
    "variable star": "variable star", "cataclysmic variable": "cataclysmic variable",
    "galaxy": "bogus", "bogus": "bogus", "artefact": "bogus", "other": "other",
}  # fmt: skip
_BEGINNINGS = (
    ("ia-02cx", "SN Iax"), ("iax", "SN Iax"), ("ia-91bg", "SN Ia-91bg"), ("ia-csm", "other"),
    ("ia-pec", "other"), ("ia-sc", "other"), ("ia", "SN Ia"), ("slsn", "SLSN"), ("tde", "TDE"),
    ("ib", "SN Ibc"), ("ic", "SN Ibc"), ("ii", "SN II"),
)  # fmt: skip
"""How a word begins, and our class; tried in order, after the exact words."""


def class_of(name: str) -> str | None:
    """Our class for a word of TNS, an observer or Tocsin; None for one that says no class.

    Examples
    --------
    >>> class_of("SN Ia-91T-like"), class_of("SLSN-I"), class_of("SN")
    ('SN Ia', 'SLSN', None)
    """
    plain = name.strip().lower()
    bare = plain.removeprefix("sn").strip(" -*?")
    for word in (plain, bare):
        if word in _EXACT:
            return _EXACT[word]
    return next((own for begins, own in _BEGINNINGS if bare.startswith(begins)), None)
