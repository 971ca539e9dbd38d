from __future__ import annotations

import argparse

import numpy as np
import pytest

from services.mma import plot
from services.mma.candidates import Candidates
from services.mma.search import _ordered, inside, mjd_of_argument
from services.mma.skymaps.fisher import error_circle
from shared.testing.notices import base_cells_map, lvk_json
from shared.testing.placed_alerts import alerts_at


def test_times_are_utc_or_mjd():
    assert mjd_of_argument("60324.5") == 60324.5
    assert mjd_of_argument("2024-01-15") == pytest.approx(60324 + 37 / 86400)
    assert mjd_of_argument("2024-01-15T12:00") == pytest.approx(60324.5 + 37 / 86400)
    with pytest.raises(argparse.ArgumentTypeError, match="nor an MJD"):
        mjd_of_argument("yesterday")


def test_only_what_is_inside_comes_best_first():
    region = error_circle(150.0, 20.0, 1.0, 0.9)
    alerts = alerts_at([150.0, 150.0, 150.0], [20.5, 20.1, 25.0], 60325.0)
    table = _ordered(inside(region, Candidates.of_alerts(alerts), 0.95), every_alert=True)
    assert table["dec_deg"].to_pylist() == [20.1, 20.5]
    assert table["credible_level"].to_pylist() == pytest.approx(
        [1 - 0.1**0.01, 1 - 0.1**0.25], rel=1e-3
    )
    assert table["searched_area_deg2"][1].as_py() == pytest.approx(np.pi / 4, rel=1e-3)


@pytest.mark.parametrize("content", [lvk_json(), base_cells_map()], ids=["notice", "map"])
def test_a_file_is_drawn(tmp_path, capsys, content):
    path, out = tmp_path / "event", tmp_path / "event.png"
    path.write_bytes(content)
    marks = tmp_path / "marks.csv"
    marks.write_text("object_id,ra_deg,dec_deg\nZTF1,0,0\n")
    assert plot.main([str(path), "--candidates", str(marks), "-o", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    assert out.stat().st_size > 10_000


def test_what_cannot_be_drawn_is_said_in_one_line(tmp_path, capsys):
    path = tmp_path / "event"
    path.write_text("nothing")
    assert plot.main([str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
