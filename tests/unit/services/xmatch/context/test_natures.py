from __future__ import annotations

import pyarrow as pa
import pytest

from services.xmatch.context.natures import Nature, nature_of, natures_of


@pytest.mark.parametrize(
    ("kind", "word", "nature"),
    [
        ("variables", "RRAB", Nature.VARIABLE_STAR),
        ("variables", None, Nature.VARIABLE_STAR),
        ("variables", "UGSS+E:", Nature.CATACLYSMIC),
        ("variables", "EA|UGSU", Nature.CATACLYSMIC),
        ("variables", "NL/VY", Nature.CATACLYSMIC),
        ("variables", "CV:", Nature.CATACLYSMIC),
        ("variables", "NA", Nature.CATACLYSMIC),
        ("variables", "AM+E", Nature.CATACLYSMIC),
        ("variables", "NSIN ELL", Nature.VARIABLE_STAR),
        ("variables", "AMCV?", Nature.VARIABLE_STAR),
        ("variables", "QSO", Nature.ACTIVE_NUCLEUS),
        ("variables", "AGN:", Nature.ACTIVE_NUCLEUS),
        ("variables", "SNIa", Nature.OTHER),
        ("variables", "GAL", Nature.OTHER),
        ("galaxies", "Galaxy", Nature.GALAXY),
        ("galaxies", "Galaxy Pair", Nature.GALAXY),
        ("galaxies", None, Nature.GALAXY),
        ("galaxies", "Group of galaxies", Nature.OTHER),
        ("galaxies", "Planetary Nebula", Nature.OTHER),
        ("galaxies", "Star cluster + Nebula", Nature.OTHER),
        ("galaxies", "Double star", Nature.STAR),
        ("agn", "bll", Nature.ACTIVE_NUCLEUS),
        ("stars", None, Nature.STAR),
        ("sources", "CataclyV*", Nature.CATACLYSMIC),
        ("sources", "QSO", Nature.ACTIVE_NUCLEUS),
        ("sources", "G", Nature.GALAXY),
        ("sources", None, Nature.OTHER),
        ("high_energy", "bll", Nature.OTHER),
        ("transients", "SN Ia", Nature.OTHER),
        ("watchlist", "Galaxy", Nature.OTHER),
    ],
)
def test_words(kind, word, nature):
    assert nature_of(kind, word) is nature


def test_of_many_matches_at_once():
    catalogs = pa.array(["vsx", "ngc", "vsx", "unknown", "ngc2"])
    words = pa.array(["CV", "Galaxy", None, "RRAB", "Galaxy"])
    kinds = {"vsx": "variables", "ngc": "galaxies", "ngc2": "galaxies"}
    found = natures_of(catalogs, words, kinds, {"ngc"})
    assert [Nature(code) for code in found] == [
        Nature.CATACLYSMIC, Nature.HOST_GALAXY, Nature.VARIABLE_STAR, Nature.OTHER, Nature.GALAXY,
    ]  # fmt: skip
    assert natures_of(catalogs[:0], words[:0], kinds, ()).tolist() == []
