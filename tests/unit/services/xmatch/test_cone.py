from __future__ import annotations

import json

import pytest

from services.xmatch import cone


@pytest.fixture(autouse=True)
def samples_instead_of_packages(monkeypatch, sample_indexes):
    def open_samples(names, folder):
        return [index for index in sample_indexes if index.name in names or "all" in names]

    monkeypatch.setattr(cone, "open_catalogs", open_samples)


def test_json(capsys):
    assert cone.main(["40", "10.05", "--json"]) == 0
    known = json.loads(capsys.readouterr().out)
    assert [m["source_id"] for m in known["matches"]] == ["NGC90002", "NGC90001"]
    assert known["matches"][1]["redshift"] == 0.01
    assert known["not_searched"] == []
    assert int(known["healpix29"]) > 0


def test_radius_widens_and_catalogs_choose(capsys):
    words = ["10", "-05:30:10", "--radius", "10.5", "--json", "--catalogs", "vsx,absent"]
    assert cone.main(words) == 0
    known = json.loads(capsys.readouterr().out)
    assert [m["separation_arcsec"] for m in known["matches"]] == [pytest.approx(10.0, abs=1e-4)]
    assert known["not_searched"] == ["absent"]


def test_table(capsys):
    assert cone.main(["02:40:00", "+10:03:00"]) == 0
    assert "NGC90001" in capsys.readouterr().out
    assert cone.main(["100", "-70"]) == 0
    assert "nothing known here" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["1"], ["1", "91"], ["x", "1"], ["1", "2:3"], ["1", "nan"], ["1", "2", "--radius=-1"]]
)
def test_refuses_what_is_not_a_position(words):
    with pytest.raises(SystemExit) as ended:
        cone.main(words)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("text", "is_ra", "degrees"),
    [
        ("00:03:15.0", True, 0.8125),
        ("-00:30:00", False, -0.5),
        (" -41.5", False, -41.5),
        ("+16:08:44.4", False, 16.1456666667),
    ],
)
def test_angles(text, is_ra, degrees):
    assert cone.angle_deg(text, is_ra=is_ra) == pytest.approx(degrees)
