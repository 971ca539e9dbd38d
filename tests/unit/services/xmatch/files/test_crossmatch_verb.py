"""``tocsin crossmatch`` on files of every format, with the sample catalogs."""

from __future__ import annotations

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq
import pytest
from astropy.table import MaskedColumn, Table

from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import CatalogRows
from services.xmatch.files import verb
from services.xmatch.files.joining import ADDED
from services.xmatch.indexing import index_rows

ADDED_NAMES = [field.name for field in ADDED]
PLACES = {
    "name": ["gal, near", "nowhere", "crab", "007"],
    "ra": [40.0, 200.0, 83.633, 10.0],
    "dec": [10.05, -60.0, 22.0145, -5.5],
    "count": [1, 2, None, 4],
}
EXPECTED = [
    ("gal, near", "N2"),
    ("gal, near", "N1"),
    ("nowhere", None),
    ("crab", "G1"),
    ("007", "V1"),
]


def catalog_of(name, ra, dec, reach, ids, **columns):
    nothing = pa.nulls(len(ids), pa.string())
    rows = CatalogRows(np.array(ra), np.array(dec), reach, pa.array(ids), nothing, **columns)
    return index_rows(CATALOGS[name], rows, "r1")


@pytest.fixture(autouse=True)
def catalogs_of_few_rows(monkeypatch):
    """Two galaxies, the larger one 180 arcsec off; two stars, one of which moves."""
    by_name = {
        "openngc": catalog_of(
            "openngc", [40.0, 40.0], [10.0, 10.049], np.array([300.0, 5.0]), ["N1", "N2"],
            redshift=np.array([0.01, np.nan]),
        ),
        "gcvs": catalog_of("gcvs", [83.633], [22.0145], 1.5, ["G1"]),
        "vsx": catalog_of(
            "vsx", [10.0], [-5.5], 1.5, ["V1"],
            pm_ra_masyr=np.array([0.0]), pm_dec_masyr=np.array([1_000.0]),
        ),
    }  # fmt: skip
    monkeypatch.setattr(verb, "open_named", lambda name, folder: by_name[name])


def write(path, columns=PLACES):
    """The table in the format of the file's name; returns the path as a word of a command."""
    table = pa.table(columns)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".csv":
        pc_csv.write_csv(table, path)
    else:
        masked = {}
        for name, values in columns.items():
            mask = [value is None for value in values]
            filled = [0 if value is None else value for value in values]
            masked[name] = MaskedColumn(filled, mask=mask) if any(mask) else filled
        Table(masked).write(path, format="fits" if path.suffix == ".fits" else "votable")
    return str(path)


def run(capsys, *words):
    """Exit status, rows of CSV on standard output, standard error."""
    status = verb.main([*words, "--catalogs", "openngc,gcvs,vsx"])
    printed = capsys.readouterr()
    return status, list(csv.DictReader(io.StringIO(printed.out))), printed.err


def names(rows):
    return [(row["name"], row["match_id"] or None) for row in rows]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".vot"])
def test_every_format_in(suffix, tmp_path, capsys):
    status, rows, told = run(capsys, write(tmp_path / f"in{suffix}"))
    assert status == 0
    assert list(rows[0]) == [*PLACES, *ADDED_NAMES]
    assert names(rows) == EXPECTED
    nowhere, crab = rows[2], rows[3]
    assert nowhere["catalog"] == nowhere["separation_arcsec"] == nowhere["redshift"] == ""
    assert float(nowhere["ra"]) == 200.0
    assert (nowhere["count"], crab["count"]) == ("2", "")
    assert [row["separation_arcsec"] for row in rows[:2]] == ["3.6", "180"]
    assert rows[1]["redshift"] == "0.01"
    assert "4 rows; 3 with a match in openngc, gcvs, vsx; 5 rows written" in told


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".fits", ".vot"])
def test_every_format_out(suffix, tmp_path, capsys):
    out = tmp_path / f"out{suffix}"
    status, printed, _ = run(capsys, write(tmp_path / "in.csv"), "-o", str(out))
    assert (status, printed) == (0, [])
    if suffix == ".csv":
        rows = list(csv.DictReader(out.open()))
    elif suffix == ".parquet":
        table = pq.read_table(out)
        assert table.schema.field("ra").type == pa.float64()
        assert table.schema.field("count").type == pa.int64()
        assert table.schema.field("redshift").type == pa.float32()
        rows = table.to_pylist()
        assert rows[2]["separation_arcsec"] is None
        assert rows[1]["redshift"] == pytest.approx(0.01)
    else:
        table = Table.read(out, format="fits" if suffix == ".fits" else "votable")
        assert np.ma.is_masked(table["redshift"][0]) or np.isnan(table["redshift"][0])
        assert np.ma.is_masked(table["count"][3])
        ids = [None if np.ma.is_masked(word) else str(word) or None for word in table["match_id"]]
        rows = [{"name": str(n), "match_id": i} for n, i in zip(table["name"], ids, strict=True)]
    assert names(rows) == EXPECTED
    assert sorted(path.name for path in tmp_path.iterdir() if "out" in path.name) == [out.name]


def test_csv_comes_out_character_by_character(tmp_path, capsys):
    path = tmp_path / "odd.tsv"
    path.write_text('ID\tRA_deg\tDE\tdec_deg\n007\t+83.63300\t"a ""b"" c"\t22.01450\n')
    _, rows, _ = run(capsys, str(path))
    assert (rows[0]["ID"], rows[0]["RA_deg"]) == ("007", "+83.63300")
    assert rows[0]["match_id"] == "G1"


def test_bad_rows_are_told_and_kept(tmp_path, capsys):
    path = tmp_path / "bad.csv"
    path.write_text(
        "name,ra,dec\na,,1\nb,10.0,-5.5\nc,12:30:00,1\nd,nan,1\ne,361,1\nf,1,90.5\ng,x,1\n"
    )
    status, rows, told = run(capsys, str(path))
    assert status == 0
    assert [row["name"] for row in rows] == list("abcdefg")
    assert [bool(row["match_id"]) for row in rows] == [False, True, *[False] * 5]
    for line in ("row 1: ra is missing", "row 3: ra is '12:30:00', not a number; give degrees",
                 "row 4: ra is 'nan', not a number", "row 5: ra is 361, outside [-360, 360]",
                 "row 6: dec is 90.5, outside [-90, 90]", "row 7: ra is 'x', not a number",
                 "7 rows, 6 without a position kept with nulls; 1 with a match"):  # fmt: skip
        assert line in told
    assert "row 2" not in told


def test_row_numbers_run_through_the_pieces(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(verb, "SLICE_ROWS", 7)
    dec = np.where(np.arange(100) % 40 == 39, np.nan, -5.5)
    path = write(tmp_path / "long.parquet", {"name": [""] * 100, "ra": [10.0] * 100, "dec": dec})
    _, rows, told = run(capsys, path)
    assert len(rows) == 100
    assert [line.split(":")[0] for line in told.splitlines()[:2]] == ["row 40", "row 80"]


def test_many_bad_rows_are_counted(tmp_path, capsys):
    dec = [*[99.0] * 500, 1.0]
    path = write(tmp_path / "many.parquet", {"name": [""] * 501, "ra": [1.0] * 501, "dec": dec})
    _, _, told = run(capsys, path)
    assert len(told.splitlines()) == 22
    assert "500 without a position" in told


def test_radius_replaces_every_catalogs_own(tmp_path, capsys):
    path = write(tmp_path / "in.csv")
    # N1 reaches 300 arcsec on its own; it is 180 away.
    rows = run(capsys, path, "--radius-arcsec", "100")[1]
    assert [row["match_id"] for row in rows if row["name"] == "gal, near"] == ["N2"]
    rows = run(capsys, path, "--radius-arcsec", "0.0001")[1]
    assert len(rows) == 4
    rows = run(capsys, path, "--radius-arcsec", "200")[1]
    assert names(rows) == EXPECTED


def test_nearest_of_each_catalog(tmp_path, capsys):
    rows = run(capsys, write(tmp_path / "in.csv"), "--nearest")[1]
    assert [row["match_id"] for row in rows if row["name"] == "gal, near"] == ["N2"]


def test_stars_are_where_they_were(tmp_path, capsys):
    columns = {"name": ["then", "now"], "ra": [10.0] * 2, "dec": [-5.5, -5.5 + 26 / 3_600]}
    columns["t"] = [51_544.5, 61_041.0]
    path = write(tmp_path / "in.csv", columns)
    assert names(run(capsys, path)[1]) == [("then", "V1"), ("now", None)]
    assert names(run(capsys, path, "--mjd", "T")[1]) == [("then", "V1"), ("now", "V1")]
    assert names(run(capsys, path, "--epoch", "2026")[1]) == [("then", None), ("now", "V1")]


def test_columns_by_name_and_names_that_are_taken(tmp_path, capsys):
    columns = {"name": ["x"], "redshift": [0.5], "Alpha": [10.0], "Delta": [-5.5], "catalog": ["m"]}
    path = write(tmp_path / "in.parquet", columns)
    status, rows, told = run(capsys, path, "--ra", "ALPHA", "--dec", "Delta")
    assert status == 0
    assert rows[0]["redshift"] == "0.5"
    assert rows[0]["xmatch_catalog"] == "vsx"
    assert rows[0]["xmatch_redshift"] == ""
    assert "the match's is called xmatch_redshift" in told


def test_lists_and_times_go_to_csv_and_parquet_but_not_to_fits(tmp_path, capsys):
    columns = {
        "name": ["x"],
        "ra": [10.0],
        "dec": [-5.5],
        "flux": [[1.0, 2.5]],
        "seen": pa.array([0], pa.timestamp("s")),
    }
    path = write(tmp_path / "in.parquet", columns)
    assert run(capsys, path)[1][0]["flux"] == "[1.0,2.5]"
    assert run(capsys, path, "-o", str(tmp_path / "out.parquet"))[0] == 0
    status, _, told = run(capsys, path, "-o", str(tmp_path / "out.fits"))
    assert status == 2
    assert "column flux holds list" in told
    assert not (tmp_path / "out.fits").exists()


def test_vectors_of_a_fits_table_are_left_out_and_told(tmp_path, capsys):
    table = Table({"name": ["x"], "ra": [10.0], "dec": [-5.5], "spectrum": [[1.0, 2.0]]})
    table.write(tmp_path / "in.fits")
    status, rows, told = run(capsys, str(tmp_path / "in.fits"))
    assert status == 0
    assert "spectrum" not in rows[0]
    assert "left out, more than one number in a row: spectrum" in told


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        (None, [], "No such file"),
        ("", [], "is empty"),
        ("name,ra,dec\n", [], "holds no rows"),
        (
            "a,b\n1,2\n",
            [],
            "no columns ra and dec; name yours with --ra COL --dec COL: its columns are a, b",
        ),
        ("ra,dec\n1,2\n", ["--ra", "x", "--dec", "dec"], "no column x: its columns are ra, dec"),
        ("ra,dec\n1,2\n", ["--mjd", "t"], "no column t"),
        ("ra,dec\n1,2\n1,2,3\n", [], "damaged after row"),
        ("ra,dec\n05:30:00,2\n", [], "no row has a position, row 1: ra is '05:30:00'"),
        ("PAR1 not really", [], "not whole Parquet"),
        ("SIMPLE  =", [], "FITS"),
        ("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><VOTABLE/>", [], "refused"),
        ("ra,dec\n1,2\n", ["-o", "out.xyz"], "end its name in .csv"),
        ("ra,dec\n1,2\n", ["-o", "no/where/out.csv"], "there is no folder"),
    ],
)
def test_unusable_files_are_refused_in_one_line(text, words, told, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "in.csv").write_text(text)
    status, rows, said = run(capsys, "in.csv", *words)
    assert (status, rows) == (2, [])
    assert told in said
    assert len([line for line in said.splitlines() if not line.startswith("row ")]) == 1
    assert len(list(tmp_path.iterdir())) == (0 if text is None else 1)


def test_never_writes_over_its_input_nor_half_a_file(tmp_path, capsys):
    path = write(tmp_path / "in.csv")
    assert run(capsys, path, "-o", path)[0] == 2
    (tmp_path / "cut.csv").write_text("ra,dec\n" + "1,2\n" * 10 + "1,2,3\n")
    (tmp_path / "out.csv").write_text("precious")
    assert run(capsys, str(tmp_path / "cut.csv"), "-o", str(tmp_path / "out.csv"))[0] == 2
    assert (tmp_path / "out.csv").read_text() == "precious"


@pytest.mark.parametrize(
    "words",
    [["--ra", "ra"], ["--radius-arcsec", "0"], ["--radius-arcsec", "nan"], ["--epoch", "20000"],
     ["--epoch", "2000", "--mjd", "t"], ["--all", "--nearest"]],
)  # fmt: skip
def test_refuses_options_that_mean_nothing(words, tmp_path):
    with pytest.raises(SystemExit) as ended:
        verb.main([write(tmp_path / "in.csv"), *words])
    assert ended.value.code == 2


def test_names_the_catalogs_there_are(tmp_path, capsys):
    assert verb.main([write(tmp_path / "in.csv"), "--catalogs", "gcvs,absent"]) == 2
    assert "no catalog is named 'absent'; there are" in capsys.readouterr().err


def test_help_teaches(capsys):
    with pytest.raises(SystemExit):
        verb.main(["--help"])
    shown = capsys.readouterr().out
    for word in ("examples:", "--nearest", "stays, with nulls", "Exit status"):
        assert word in shown
