"""The made-up training sets: what physics and a survey's image would have them be."""

from pathlib import Path

import numpy as np
import pytest

from services.classify.training.datasets.bright_survey import (
    FIRST_DAY,
    LAST_DAY,
    detections,
    light_curves,
    photometry,
    visits,
)
from services.classify.training.datasets.fast_simulated import dwarf_nova, kilonova, supernova
from services.classify.training.datasets.stars_simulated import STARS_SIMULATED, eclipses, saw_tooth
from shared.light_curves.bands import BAND_CODES

STEFAN = 5.670e-8
ERG_PER_J = 1e7
LIGHT_M_PER_DAY = 2.998e8 * 86_400.0
SEED = 5


def test_the_same_seed_gives_the_same_images() -> None:
    one, again, other = (visits(np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.days, again.days)
    assert not np.array_equal(one.days[:5], other.days[:5])
    assert one.days.min() > FIRST_DAY - 1.0
    assert one.days.max() < LAST_DAY + 1.0


def test_what_is_not_detected_says_its_limit_and_nothing_else() -> None:
    rng = np.random.default_rng(SEED)
    seen = visits(rng)
    flux = np.where(np.arange(len(seen.days)) % 2 == 0, 50.0, 0.5) * seen.limit_njy
    days, measured, error, band = photometry(flux, seen, rng)
    silent = measured == 0.0
    np.testing.assert_array_equal(days, seen.days)
    np.testing.assert_allclose(error[silent], seen.limit_njy[silent] / 5.0)
    assert silent[1::2].mean() > 0.95
    assert not silent[::2].all()
    assert (np.abs(measured[~silent]) >= 5.0 * error[~silent]).all()
    assert set(band.tolist()) <= {float(BAND_CODES[name]) for name in "griz"}
    assert detections(np.stack([days, measured, error, band])) == int((measured > 0.0).sum())


def test_kilonovae_shine_as_the_radioactive_ejecta_of_a_merger() -> None:
    """Villar et al. 2017: 1e41 to 1e42 erg/s at a day; never faster than light, ever cooler."""
    rng = np.random.default_rng(SEED)
    days = np.geomspace(0.01, 120.0, 300)
    luminosity = []
    for _ in range(50):
        heat, radius = kilonova(rng)
        assert heat.shape == radius.shape
        assert heat.shape[1] == len(days)
        assert (radius <= 0.35 * LIGHT_M_PER_DAY * days * 1.001).all()
        assert (np.diff(heat[:, days > 1.0]) < 1e-6).all()
        power = np.sum(4.0 * np.pi * STEFAN * radius**2 * heat**4, axis=0) * ERG_PER_J
        luminosity.append(np.interp([1.0, 10.0], days, power))
    at_one_day, at_ten_days = np.array(luminosity).T
    assert 5e40 < np.median(at_one_day) < 2e42
    assert at_one_day.min() > 5e39
    assert at_one_day.max() < 1e43
    assert np.median(at_ten_days / at_one_day) < 0.2


def test_dwarf_novae_stay_hot_and_supernovae_cool() -> None:
    rng = np.random.default_rng(SEED)
    assert min(dwarf_nova(rng)[0].min() for _ in range(20)) > 6_000.0
    for _ in range(20):
        (heat,), _ = supernova(rng)
        assert (np.diff(heat) < 0.0).all()
        assert heat[-1] > 4_000.0


def test_shapes_of_stars_go_back_to_where_they_began() -> None:
    rng = np.random.default_rng(SEED)
    phase = np.linspace(0.0, 1.0, 200)
    for shape in (saw_tooth, eclipses):
        period, fainter = shape(rng)
        assert 0.2 < period < 10.0
        assert fainter(phase[:1]) == pytest.approx(fainter(phase[-1:]), abs=0.05)
        assert fainter(phase).min() >= 0.0
        assert fainter(phase).max() > 0.1


def test_stars_are_as_often_fainter_than_the_reference_as_brighter() -> None:
    made = STARS_SIMULATED.load(Path("no such folder"))
    assert {"RR Lyrae", "eclipsing binary", "Mira"} < set(made.truth.class_name.tolist())
    assert not made.truth.is_sn_ia.any()
    flux, index = made.curves.flux_njy, made.curves.alert_index
    brighter = np.bincount(index, flux > 0.0, len(made))
    fainter = np.bincount(index, flux < 0.0, len(made))
    assert brighter.min() >= 3
    assert 0.35 < np.mean(brighter > fainter) < 0.65
    dips = made.truth.class_name == "eclipsing binary"
    assert np.median((fainter / (brighter + fainter))[dips]) < 0.5


def test_light_curves_keep_their_class_and_their_order() -> None:
    one = np.array([[2.0, 1.0], [5.0, 7.0], [1.0, 1.0], [1.0, 2.0]])
    later = one + np.array([[1.0], [0.0], [0.0], [0.0]])
    made = light_curves("made", ["Mira", "RR Lyrae"], [one, later])
    assert made.truth.object_id.tolist() == ["made0", "made1"]
    assert made.truth.class_name.tolist() == ["Mira", "RR Lyrae"]
    assert made.curves.mjd_tai.tolist() == [60_001.0, 60_002.0, 60_002.0, 60_003.0]
    assert made.curves.flux_njy.tolist() == [7.0, 5.0, 7.0, 5.0]
