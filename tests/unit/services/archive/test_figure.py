"""The drawing and the wording: nothing an object may have or lack stops it."""

import math
import struct

import numpy as np
import pytest

from services.archive.figure import draw_object
from services.archive.figure.light_curve import drawn_points, uses_flux
from services.archive.summary import print_summary
from services.archive.wording import magnitude_words, sexagesimal, utc_of
from shared.archive.cutouts import Cutout
from shared.archive.history import LightCurve, merge
from shared.light_curves.bands import DETECTION, FORCED, UPPER_LIMIT
from shared.testing.batches import made_up_batch


def curve(*points):
    mjd, flux, err, band, kind = (np.array(values) for values in zip(*points, strict=True))
    return LightCurve(mjd * 1.0, flux * 1.0, err * 1.0, band.astype("i1"), kind.astype("i1"))


MIXED = curve(
    (1.0, 3631.0, 36.31, 1, DETECTION),
    (2.0, 10.0, 36.31, 1, FORCED),
    (3.0, math.nan, 726.2, 2, UPPER_LIMIT),
    (4.0, -500.0, 20.0, 1, DETECTION),
)


def test_magnitudes_limits_and_fluxes_are_exact():
    value, error, is_limit = drawn_points(MIXED, flux=False)
    # 3631 nJy is a billionth of 3631 Jy: 22.5 mag. Limits are five sigma.
    assert value[0] == pytest.approx(22.5, abs=1e-3)
    assert error[0] == pytest.approx(0.010857, rel=1e-3)
    assert value[2] == pytest.approx(22.5, abs=1e-3)
    assert value[1] == pytest.approx(22.5 - 2.5 * math.log10(5 * 36.31 / 3631), abs=1e-3)
    assert is_limit.tolist() == [False, True, True, False]
    assert math.isnan(value[3])
    value, error, is_limit = drawn_points(MIXED, flux=True)
    assert value == pytest.approx([3.631, 0.010, 3.631, -0.5])
    assert is_limit.tolist() == [False, False, True, False]


def test_an_object_that_has_faded_is_drawn_in_flux_unless_asked_otherwise():
    assert uses_flux(MIXED, "auto")
    assert not uses_flux(MIXED, "mag")
    assert not uses_flux(curve((1.0, 10.0, 1.0, 1, DETECTION), (2.0, -1.0, 1.0, 1, FORCED)), "auto")


@pytest.mark.parametrize("units", ["mag", "flux"])
@pytest.mark.parametrize("points", [(0, 0), (1, 1), (5, 30)])
def test_a_page_is_drawn_with_and_without_points_and_cutouts(tmp_path, units, points):
    history = merge("ztf", "ZTF26aaaaaaa", [made_up_batch(3, points=points)])
    cutouts = [Cutout("science", np.eye(9), 1.0)] if points[0] else []
    draw_object(history, cutouts, tmp_path / "o.png", units=units, caption="x")
    png = (tmp_path / "o.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (1820, 1120)


def test_the_summary_says_what_is_known(capsys):
    history = merge("ztf", "ZTF26aaaaaaa", [made_up_batch(30)])
    print_summary(history, last=20)
    out = capsys.readouterr().out
    assert "ZTF26aaaaaaa" in out
    assert "simulated" in out
    assert "10 earlier alerts" in out


@pytest.mark.parametrize(
    ("ra_deg", "dec_deg", "words"),
    [
        (0.0, 0.0, "00:00:00.00 +00:00:00.0"),
        (359.99999999, -0.5, "00:00:00.00 −00:30:00.0"),
        (83.633212, 22.01446, "05:34:31.97 +22:00:52.1"),  # the Crab pulsar
        (0.0, -89.99999999, "00:00:00.00 −90:00:00.0"),
    ],
)
def test_positions_are_rounded_and_never_show_60_seconds(ra_deg, dec_deg, words):
    assert sexagesimal(ra_deg, dec_deg) == words


def test_dates_are_utc():
    assert utc_of(59_000.0 + 37 / 86_400).isoformat(timespec="milliseconds") == (
        "2020-05-31T00:00:00.000+00:00"
    )


def test_a_negative_flux_has_no_magnitude():
    assert magnitude_words(-2_000.0, 10.0) == "-2.0 µJy"
    assert magnitude_words(None, None) == "–"
    assert magnitude_words(3631.0, 36.31) == "22.50 ± 0.01"
