import json
import os

import pytest

from services.distribute.filters import DEFAULT_FILE
from services.portal.verbs.filter_check import main

GOOD = "magnitude_ab < 19 AND cone(10, 20, 3600)"


TABLE = """[[filter]]
name = "f{}"
description = "d"
owner = "o"
where = '''
{}'''
{}
"""


def toml(tmp_path, *wheres, extra=""):
    path = tmp_path / "mine.toml"
    path.write_text("".join(TABLE.format(n, w, extra) for n, w in enumerate(wheres)))
    return path


def sql(tmp_path, text):
    path = tmp_path / "mine.sql"
    path.write_text(text)
    return path


def test_the_shipped_filters_are_accepted(capsys):
    assert main([str(DEFAULT_FILE)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert all("accepted for ztf, lsst" in line for line in lines)


@pytest.mark.parametrize("text", [GOOD, f"select *\nFROM alerts WHERE {GOOD};\n", GOOD + " -- why"])
def test_a_clause_or_a_whole_select_in_a_file(tmp_path, capsys, text):
    assert main([str(sql(tmp_path, text))]) == 0


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("flux_njy > 1\n  AND getenv('HOME') = ''", 2, 7, "getenv is not allowed"),
        ("flux_njy > 1\n  AND flx_njy > 2", 2, 7, 'Candidate bindings: "flux_njy"'),
        ("cone(1, 2, 3) AND\nfoo > 1", 2, 1, '"foo" not found'),
        ("SELECT * FROM alerts\nWHERE true AND AND", 2, 16, "syntax error"),
        ("flux_njy + 1", 1, 1, "is double, not true or false"),
        ("flux_njy > 'abc'::DOUBLE", 1, 1, "Could not convert string 'abc'"),
        ("band > 1 AND survey_fields.nothing > 1", 1, 1, 'Could not find key "nothing"'),
    ],
)
def test_the_place_of_an_error(tmp_path, capsys, text, line, column, reason):
    path = sql(tmp_path, text)
    assert main([str(path), "--json"]) == 2
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["status"], verdict["file"]) == ("refused", str(path))
    assert reason in verdict["reason"]
    assert (verdict["line"], verdict["column"]) == (line, column)


def test_the_place_in_a_toml_file(tmp_path, capsys):
    path = toml(tmp_path, GOOD, "true\nAND sleep(3)")
    assert main([str(path)]) == 2
    good, bad = capsys.readouterr().out.splitlines()
    assert good == f"{path}:6:1: filter f0 accepted for ztf, lsst"
    assert bad.startswith(f"{path}:14:5: filter f1 refused: function sleep is not allowed")


def test_a_filter_for_one_survey_says_so(tmp_path, capsys):
    assert main([str(sql(tmp_path, "survey_fields.drb > 0.9"))]) == 0
    out = capsys.readouterr().out
    assert "accepted for ztf" in out
    assert 'not for lsst: Could not find key "drb"' in out


def test_a_survey_that_does_not_exist(tmp_path, capsys):
    assert main([str(toml(tmp_path, GOOD, extra='survey = "sdss"\n'))]) == 2
    assert "no survey 'sdss'; there are: ztf, lsst" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    ["", "[[filter]]\n", "[[filter]\n", '[[filter]]\nname = "Bad Name"\n', "filter = 3\n", "\xff"],
)
def test_a_file_that_holds_no_filters(tmp_path, capsys, content):
    path = tmp_path / "bad.toml"
    path.write_text(content, encoding="latin-1")
    assert main([str(path)]) == 2
    assert str(path) in capsys.readouterr().err
    assert main([str(tmp_path / "absent.sql")]) == 2


def test_a_select_says_what_it_sends(tmp_path, capsys):
    path = sql(tmp_path, "SELECT object_id, mag(flux_njy) AS m FROM alerts WHERE band = 'g'")
    assert main([str(path), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["columns"] == ["object_id", "m"]
    assert verdict["schema_id"] > 1
    assert main([str(path)]) == 0
    assert "sends object_id, m" in capsys.readouterr().out


def test_a_match_document(tmp_path, capsys):
    path = tmp_path / "mine.json"
    path.write_text('{"magnitude_ab": {"$lt": 19}, "band": {"$in": ["g", "r"]}}')
    assert main([str(path)]) == 0
    path.write_text('{"magnitude_ab": {"$sleep": 19}}')
    assert main([str(path)]) == 2
    assert "no operator '$sleep'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.sql", b"", "says nothing"),
        ("remarks.sql", b"-- rising;\n\n-- later\n;", "says nothing"),
        ("old.sql", "-- größe\ntrue".encode("latin-1"), "byte 6 is not UTF-8"),
        ("bytes.sql", bytes(range(256)), "is not UTF-8"),
        ("deep.json", b"[" * 100_000, "nested too deep"),
        ("deep.toml", b"x = " + b"[" * 100_000, "nested too deep"),
        ("large.sql", b"true" + b" AND true" * 500_000, "larger than 4194304 bytes"),
        ("long.sql", b"true" + b" AND true" * 1000, "longer than 8192 bytes"),
        ("open.sql", b"/*" * 500_000, "longer than 8192 bytes"),
        ("two.sql", b"SELECT * FROM alerts; SELECT * FROM alerts", "only one SELECT"),
    ],
)
def test_odd_files_are_refused_in_one_line(tmp_path, capsys, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content)
    assert main([str(path)]) == 2
    said = capsys.readouterr()
    assert reason in said.out + said.err
    assert len((said.out + said.err).splitlines()) == 1


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.sql")
    assert main([str(tmp_path / "pipe.sql"), str(tmp_path), str(tmp_path / "none.sql")]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert [
        next(why for why in ("is no file", "No such file") if why in line) for line in errors
    ] == ["is no file", "is no file", "No such file"]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\r\n"])
def test_a_text_as_other_editors_keep_it(tmp_path, start):
    path = tmp_path / "mine.sql"
    path.write_bytes(start + b"SELECT OBJECT_ID FROM ALERTS\r\nWHERE ALERTS.MAGNITUDE_AB < 19;\r\n")
    assert main([str(path)]) == 0
