import numpy as np
import pytest

from services.classify.features.paczynski import NAMES, paczynski_features
from shared.light_curves.bands import DETECTION
from shared.light_curves.ragged import RaggedLightCurves

T0, TE, U0 = 60_100.0, 22.0, 0.25


def curve(
    *, blend: float = 0.0, noise: float = 0.01, seed: int = 1, lens: bool = True
) -> RaggedLightCurves:
    rng = np.random.default_rng(seed)
    t = np.sort(60_000.0 + rng.uniform(0, 300, 220))
    u2 = U0**2 + ((t - T0) / TE) ** 2
    flux = 1_000.0 * (u2 + 2) / np.sqrt(u2 * (u2 + 4)) if lens else np.full(len(t), 1_000.0)
    err = noise * np.full(len(t), 1_000.0)
    return RaggedLightCurves(
        offsets=np.array([0, len(t)], dtype=np.int32),
        mjd_tai=t,
        flux_njy=(flux + blend + err * rng.standard_normal(len(t))).astype(np.float32),
        flux_err_njy=err.astype(np.float32),
        band=rng.integers(1, 4, len(t)).astype(np.int8),
        kind=np.full(len(t), DETECTION, dtype=np.int8),
    )


def named(curves: RaggedLightCurves) -> tuple[dict[str, float], float]:
    values, when = paczynski_features(curves)
    return dict(zip(NAMES, values[:, 0].tolist(), strict=True)), float(when[0])


def test_the_fit_finds_the_lens_that_was_put_in() -> None:
    found, t0 = named(curve())
    assert t0 == pytest.approx(T0, abs=1.0)
    assert found["lens_einstein_days"] == pytest.approx(TE, rel=0.15)
    assert found["lens_u0"] == pytest.approx(U0, abs=0.06)
    assert found["lens_improvement"] > 0.98
    assert found["lens_log_chi2_fit"] < 0.1  # errors have a floor of 1 % of the range


def test_a_constant_added_changes_nothing() -> None:
    found, _ = named(curve())
    shifted, _ = named(curve(blend=-1_000.0))  # a difference image
    for name in NAMES:
        assert shifted[name] == pytest.approx(found[name], rel=0.02, abs=0.02), name


def test_constant_light_is_not_improved_by_a_lens() -> None:
    found, _ = named(curve(lens=False))
    assert found["lens_improvement"] < 0.2
    assert found["lens_log_peak"] < 0.5


def test_too_few_points_are_not_fitted() -> None:
    whole = curve()
    few = whole.points(np.arange(len(whole.mjd_tai)) < 7)
    values, when = paczynski_features(few)
    assert np.isnan(values).all()
    assert np.isnan(when).all()
