from __future__ import annotations

import json

import pytest

from services.xmatch.catalogs import CATALOGS
from services.xmatch.commands import importing, listing, removing, showing, verifying


@pytest.fixture(autouse=True)
def own_state(monkeypatch, tmp_path):
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def my_file(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("name,ra,dec,z,type\nA,10,10,0.1,Ia\nB,20,20,,\nC,nan,1,0.2,II\n")
    return path


IMPORT = ["my_list", "--radius-arcsec", "2", "--id", "name", "--class", "type",
          "--column", "redshift=z"]  # fmt: skip


def test_from_import_to_removal(my_file, capsys):
    assert importing.main([*IMPORT, "--file", str(my_file), "--release", "v1"]) == 0
    out = capsys.readouterr().out
    assert "2 rows" in out
    assert "f.csv row 3" in out
    assert listing.main(["--json"]) == 0
    entries = {entry["name"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert set(entries) == {*CATALOGS, "my_list"}
    assert entries["my_list"]["from"] == "import"
    assert entries["my_list"]["rows"] == 2
    assert entries["tns"]["version"] is None
    assert showing.main(["my_list", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["version"] == entries["my_list"]["version"]
    assert {row["source_id"]: row["redshift"] for row in shown["sample"]} == {
        "A": pytest.approx(0.1), "B": None}  # fmt: skip
    assert verifying.main(["--all"]) == 0
    assert "whole" in capsys.readouterr().out
    assert removing.main(["my_list"]) == 0
    assert verifying.main(["my_list"]) == 2
    assert "not imported" in capsys.readouterr().err


def test_what_was_said_once_need_not_be_said_again(my_file, capsys):
    assert importing.main([*IMPORT, str(my_file)]) == 0
    my_file.write_text("name,ra,dec,z,type\nD,30,30,0.3,Ib\n")
    assert importing.main(["my_list", str(my_file)]) == 0
    capsys.readouterr()
    assert showing.main(["my_list", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["sample"][0]["redshift"] == pytest.approx(0.3)
    assert shown["radius_arcsec"] == 2.0
    assert len(shown["versions"]) == 2


def test_tables_for_people(my_file, capsys):
    importing.main([*IMPORT, str(my_file)])
    assert listing.main([]) == 0
    assert showing.main(["my_list"]) == 0
    out = capsys.readouterr().out
    assert "my_list" in out
    assert "licence" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["my_list", "absent.csv", "--radius-arcsec", "2"], "absent.csv does not exist"),
        (["my_list", "absent.csv"], "needs --radius-arcsec"),
        (["My-List", "absent.csv"], "cannot name a catalog"),
        (["tns"], "not imported, and no package brings it"),
        (["vsx", "x.csv", "--ra", "r"], "knows its columns; leave out --ra"),
        (["my_list", "--radius-arcsec", "2"], "give its FILE"),
        (["my_list", "x", "--radius-arcsec", "2", "--column", "z"], "write STANDARD=COL"),
        (["my_list", "x", "--radius-arcsec", "2", "--column", "zed=z"], "no standard column"),
        (["my_list", "x", "--radius-arcsec", "-2"], "radius must be"),
        (["my_list", "x", "--radius-arcsec", "2", "--release", "a b"], "does not exist"),
    ],
)
def test_import_refuses_in_one_line(words, told, capsys):
    assert importing.main(words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_damage_is_reported_with_exit_code_1(my_file, capsys, tmp_path):
    importing.main([*IMPORT, str(my_file)])
    (cells,) = (tmp_path / "state").rglob("cells29.npy")
    cells.write_bytes(cells.read_bytes()[:-1])
    capsys.readouterr()
    assert verifying.main(["my_list"]) == 1
    assert "DAMAGED" in capsys.readouterr().out
    assert showing.main(["my_list"]) == 2
