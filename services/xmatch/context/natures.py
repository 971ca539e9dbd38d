"""What kind of thing a catalog row is, from the catalog's kind and its own words for the row."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import IntEnum
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa


class Nature(IntEnum):
    """Kinds of things that the context rules tell apart."""

    OTHER = 0
    """No evidence: nebulae, clusters, wide error circles, watchlists, known transients."""
    CATACLYSMIC = 1
    ACTIVE_NUCLEUS = 2
    VARIABLE_STAR = 3
    STAR = 4
    GALAXY = 5
    HOST_GALAXY = 6
    """A galaxy of a catalog the host search knows, which judges it by its ellipse."""


NATURE_OF_KIND: dict[str, Nature] = {
    "galaxies": Nature.GALAXY,
    "stars": Nature.STAR,
    "variables": Nature.VARIABLE_STAR,
    "agn": Nature.ACTIVE_NUCLEUS,
}
"""What a row is if the catalog has no word for it, by ``Catalog.kind``."""

_EDGE = r"(?:^|[/+|:\s,]){}(?:$|[/+|:?\s,*])"
_CATACLYSMIC = re.compile(
    # VSX and GCVS: dwarf novae, nova-likes, novae, polars; SIMBAD: CV*, No*; words.
    _EDGE.format(r"(?:UG\w*|NL|N[ABCLR]?|AM|DQ|CV\w*|VY|IBWD|No|CataclyV)") + "|(?i:cataclysm)"
)
_ACTIVE = re.compile(
    _EDGE.format(r"(?i:AGN\w*|QSO|BLLAC|BLL|FSRQ|BCU|Bla|SyG?|Sy[12]\w*|LIN|Q|rdg|NLSY1|ssrq|css)")
    + "|(?i:quasar|blazar|seyfert|bl lac|active gal)"
)
_GALAXY = re.compile(
    _EDGE.format(r"(?i:G|GAL|GiC|GiG|GiP|BiC|EmG|SBG|H2G|LSB|bCG)") + "|(?i:galax)"
)
_NO_GALAXY = re.compile(r"(?i:group|cluster)")
_TRANSIENT = re.compile(_EDGE.format(r"(?i:SN\w*|TDE|GRB|LRN|KN)"))
_STAR = re.compile(r"(?i:\bstar\b|^\*$|^star$|^PSF$)")
_NOT_A_POINT = re.compile(r"(?i:nebula|cluster|association|HII|remnant|group|cloud|nonexist)")


@lru_cache(maxsize=65_536)
def nature_of(kind: str, word: str | None) -> Nature:
    """The nature of a row.

    Parameters
    ----------
    kind
        ``Catalog.kind``.
    word
        The catalog's class of the row; None if it has none.
    """
    if kind in {"high_energy", "transients", "watchlist", "region"}:
        return Nature.OTHER
    usual = NATURE_OF_KIND.get(kind, Nature.OTHER)
    if not word or kind == "agn":
        return usual
    if _TRANSIENT.search(word):
        return Nature.OTHER
    if _ACTIVE.search(word):
        return Nature.ACTIVE_NUCLEUS
    if kind in {"galaxies", "sources"}:
        if _GALAXY.search(word) and not _NO_GALAXY.search(word):
            return Nature.GALAXY
        if _NOT_A_POINT.search(word):
            return Nature.OTHER
    if kind in {"variables", "sources"} and _CATACLYSMIC.search(word):
        return Nature.CATACLYSMIC
    if _GALAXY.search(word) and kind == "variables":
        return Nature.OTHER
    if kind in {"galaxies", "sources"} and _STAR.search(word):
        return Nature.STAR
    return usual


def natures_of(
    catalog: pa.StringArray,
    words: pa.StringArray,
    kinds: Mapping[str, str],
    hosted: Collection[str],
) -> npt.NDArray[np.int8]:
    """The nature of each match, shape (m,).

    Parameters
    ----------
    catalog, words
        ``catalog`` and ``source_class`` of the matches.
    kinds
        ``Catalog.kind`` by catalog name; matches of others are ``OTHER``.
    hosted
        Names of the catalogs whose galaxies the host search knows.
    """
    names, texts = catalog.dictionary_encode(), words.dictionary_encode()
    name_list, text_list = names.dictionary.to_pylist(), texts.dictionary.to_pylist()
    width = len(text_list) + 1
    name_code = names.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    text_code = texts.indices.fill_null(len(text_list)).to_numpy(zero_copy_only=False)
    pair = name_code * width + text_code
    text_list.append(None)
    table = np.zeros(len(name_list) * width, np.int8)
    for code in np.unique(pair).tolist():
        name = name_list[code // width]
        nature = nature_of(kinds.get(name, "region"), text_list[code % width])
        is_hosted = nature is Nature.GALAXY and name in hosted
        table[code] = Nature.HOST_GALAXY if is_hosted else nature
    return np.asarray(table[pair], dtype=np.int8)
