from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest

from services.mma import locate, overlap, positions
from shared.testing.notices import base_cells_map, lvk_json, multi_order_map, voevent


@pytest.fixture
def sky_map(tmp_path):
    path = tmp_path / "map.fits"
    path.write_bytes(base_cells_map(0.8))
    return path


def table_of(tmp_path, text="name,ra_deg,dec_deg\na,0,0\nb,180,0\n"):
    path = tmp_path / "positions.csv"
    path.write_text(text)
    return path


def test_the_answers_stand_beside_what_came(tmp_path, sky_map):
    out = tmp_path / "out.csv"
    arguments = ["--map", str(sky_map), "--positions", str(table_of(tmp_path)), "-o", str(out)]
    assert locate.main(arguments) == 0
    table = pa_csv.read_csv(out)
    assert table.column_names == ["name", "ra_deg", "dec_deg", *locate.ANSWERS]
    near, far = table.to_pylist()
    assert near["credible_level"] == pytest.approx(0.8)
    assert near["searched_area_deg2"] == pytest.approx(41252.96 / 12)
    assert near["density_per_sr"] == pytest.approx(0.8 * 12 / (4 * np.pi))
    assert near["volume_level"] is None
    assert far["credible_level"] > 0.8


def test_parquet_in_parquet_out_and_a_summary(tmp_path, sky_map, capsys):
    given, out = tmp_path / "p.parquet", tmp_path / "out.parquet"
    table = pa.table({"ra_deg": [-360.0, 719.9], "dec_deg": [0.0, 0.0], "credible_level": [5, 5]})
    pa_parquet.write_table(table, given)
    arguments = ["--map", str(sky_map), "--positions", str(given), "-o", str(out), "--summary"]
    assert locate.main(arguments) == 0
    assert pa_parquet.read_table(out)["credible_level"].to_pylist() == pytest.approx([0.8, 0.8])
    said = json.loads(capsys.readouterr().out)
    assert said["A50_deg2"] == pytest.approx(41252.96 / 12 * 0.5 / 0.8)
    assert said["cells"] == 12


def test_without_a_file_the_table_goes_to_stdout_alone(tmp_path, sky_map, capfdbinary):
    positions_csv = table_of(tmp_path)
    assert locate.main(["--map", str(sky_map), "--positions", str(positions_csv), "--summary"]) == 0
    said = capfdbinary.readouterr()
    assert said.out.count(b"\n") == 3
    assert json.loads(said.err)["distance_mpc"] is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,ra_deg\na,1\n", "needs one column dec_deg"),
        ("ra_deg,dec_deg\n1,2\n3,91\n", "row 2: dec_deg is 91.0"),
        ("ra_deg,dec_deg\n1,2\n721,3\n", "row 2: ra_deg is 721"),
        ("ra,ra ,dec_deg\n1,2,3\n", "needs one column ra_deg"),
        ("ra_deg,dec_deg\none,2\n", "column ra_deg"),
        ("ra_deg,dec_deg,distance_mpc\n1,2,-3\n", "row 1: distance_mpc is -3"),
        ("ra_deg,dec_deg\n1\n", "CSV"),
        ("", "CSV"),
    ],
)
def test_bad_positions_are_refused_in_one_line(tmp_path, sky_map, capsys, text, words):
    arguments = ["--map", str(sky_map), "--positions", str(table_of(tmp_path, text))]
    assert locate.main(arguments) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_odd_tables_are_understood_and_passed_on(tmp_path, sky_map, capfd):
    text = "\ufeff ra , DEC,id,note\n 10.50 ,-90,007,True\n,5,NA,\nnan,5,8,x\n-0.1,90,,y\n"
    given, out = table_of(tmp_path, text), tmp_path / "out.csv"
    assert locate.main(["--map", str(sky_map), "--positions", str(given), "-o", str(out)]) == 0
    assert "2 of 4 rows have no position" in capfd.readouterr().err
    lines = [line.split(",") for line in out.read_text().splitlines()]
    assert lines[0] == [" ra ", " DEC", "id", "note", *locate.ANSWERS]
    assert [line[:4] for line in lines[1:]] == [
        ["10.5", "-90", "007", "True"], ["", "5", "NA", ""], ["", "5", "8", "x"],
        ["-0.1", "90", "", "y"]]  # fmt: skip
    assert lines[2][4:] == lines[3][4:] == [""] * 4
    assert all(0.8 < float(lines[row][4]) < 1 for row in (1, 4))


def test_texts_with_commas_come_back_quoted(tmp_path, sky_map):
    given, out = table_of(tmp_path, 'ra_deg,dec_deg,note\n1,2,"a, ""b"""\n'), tmp_path / "out.csv"
    assert locate.main(["--map", str(sky_map), "--positions", str(given), "-o", str(out)]) == 0
    assert pa_csv.read_csv(out)["note"].to_pylist() == ['a, "b"']


def test_the_equator_belongs_to_the_north_as_in_astropy_healpix(tmp_path, sky_map):
    path = table_of(tmp_path, "ra_deg,dec_deg\n0,0\n45,0\n90,0\n22.5,0\n")
    # Cells of astropy-healpix 1.1 at order 29, coarsened to order 2.
    cells = positions.read_positions(path).healpix29 >> 54
    assert cells.tolist() == [76, 0, 92, 71]


BOMB = b'<!DOCTYPE v [<!ENTITY a "aaaa">]><voe:VOEvent xmlns:voe="x">&a;</voe:VOEvent>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (base_cells_map()[:3000], "does not end"),
        (base_cells_map()[:-2800], "not a readable FITS"),
        (multi_order_map([4 + c for c in range(12)], [0.1] * 12), "sum is"),
        (BOMB, "document type"),
        (b"\x80\x04\x95pickle", "neither a FITS"),
        (b"", "neither a FITS"),
        (voevent("ivo://e/s#1", place=(0, 0, 0)), "no position"),
    ],
    ids=["truncated header", "truncated table", "sum", "entities", "pickle", "empty", "no place"],
)
def test_bad_maps_are_refused_in_one_line(tmp_path, capsys, content, words):
    path = tmp_path / "map"
    path.write_bytes(content)
    assert locate.main(["--map", str(path), "--summary"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


def test_a_map_that_is_nearly_normalised_is_repaired_and_said(tmp_path, capsys):
    path = tmp_path / "map.fits"
    density = 0.995 / (4 * np.pi)
    path.write_bytes(multi_order_map([4 + c for c in range(12)], [density] * 12))
    assert locate.main(["--map", str(path), "--summary"]) == 0
    said = capsys.readouterr()
    assert "0.995; it was normalised" in said.err
    assert json.loads(said.out)["A90_deg2"] == pytest.approx(0.9 * 41252.96)


def test_too_large_is_refused_before_it_is_read(tmp_path, sky_map, capsys, monkeypatch):
    monkeypatch.setattr(positions, "MAX_POSITIONS_BYTES", 10)
    assert locate.main(["--map", str(sky_map), "--positions", str(table_of(tmp_path))]) == 2
    assert "at most 10" in capsys.readouterr().err


def test_a_notice_serves_as_a_map(tmp_path, capsys):
    path = tmp_path / "notice.json"
    path.write_bytes(lvk_json())
    assert locate.main(["--map", str(path), "--summary"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 12


def test_overlap_of_files(tmp_path, sky_map, capsys):
    circle = tmp_path / "burst.xml"
    circle.write_bytes(voevent("ivo://e/s#1", place=(0.0, 0.0, 1.0)))
    assert overlap.main([str(sky_map), str(circle)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["overlap"] == pytest.approx(0.8 * 12, rel=1e-3)
    assert overlap.main([str(sky_map), str(tmp_path / "nothing")]) == 2
    assert "No such file" in capsys.readouterr().err
