"""The physics of the models, against what is known of each kind of source."""

from typing import ClassVar

import numpy as np
import pytest

from services.simulate.distances import distance_modulus_mag, draw_redshifts, redshift_of_mpc
from services.simulate.models import MODELS
from services.simulate.models.afterglow import Afterglow
from services.simulate.models.agn import N_WAVES, walk
from services.simulate.models.core_collapse import CoreCollapse
from services.simulate.models.eclipsing_binary import EclipsingBinary
from services.simulate.models.kilonova import Kilonova
from services.simulate.models.microlensing import Microlensing, magnification
from services.simulate.models.rr_lyrae import RrLyrae, saw_tooth
from services.simulate.models.type_ia import TypeIa
from shared.light_curves.bands import BAND_CODES
from shared.light_curves.photometry import flux_njy_of, magnitude_ab_of

G, R, Z = BAND_CODES["g"], BAND_CODES["r"], BAND_CODES["z"]


def light_curve(model, parameters, days, band):
    full = {name: np.full(len(days), float(value)) for name, value in parameters.items()}
    return model.flux_njy(full, days, np.full(len(days), band, dtype=np.int8))


def test_names_are_unique_and_shares_add_up():
    assert len({model.name for model in MODELS}) == len(MODELS)
    assert sum(model.share for model in MODELS) == pytest.approx(1.0)


def test_distances():
    # Wright's cosmology calculator (2006): H0 70, Om 0.3, flat.
    assert distance_modulus_mag(0.1) == pytest.approx(38.32, abs=0.01)
    assert distance_modulus_mag(0.5) == pytest.approx(42.26, abs=0.01)
    assert redshift_of_mpc(460.3) == pytest.approx(0.1, abs=1e-3)
    drawn = draw_redshifts(np.random.default_rng(0), 20_000, 0.1)
    assert np.mean(drawn < 0.05) == pytest.approx(0.125, abs=0.03)  # nearly as the cube


class TestTypeIa:
    parameters: ClassVar = {
        "peak_mjd": 0.0,
        "redshift": 0.03,
        "stretch": 0.0,
        "color": 0.0,
        "peak_mag": -19.25,
    }
    days = np.arange(-20.0, 80.0, 0.25)

    def peak(self, band=G, **changed):
        flux = light_curve(TypeIa(), self.parameters | changed, self.days, band)
        return self.days[np.argmax(flux)], magnitude_ab_of(flux.max())

    def test_peak_magnitude(self):
        _, mag = self.peak()
        assert mag - distance_modulus_mag(0.03) == pytest.approx(-19.25, abs=0.1)

    def test_slow_ones_are_brighter_and_wider(self):
        flux = light_curve(TypeIa(), self.parameters, self.days, G)
        slow = light_curve(
            TypeIa(), self.parameters | {"stretch": 2.0, "peak_mag": -19.25 - 0.28}, self.days, G
        )
        assert slow.max() > flux.max()
        assert np.sum(slow > slow.max() / 2) > np.sum(flux > flux.max() / 2)

    def test_time_dilation(self):
        near = light_curve(TypeIa(), self.parameters, self.days, G)
        width_near = np.sum(near > near.max() / 2)
        far = light_curve(TypeIa(), self.parameters | {"redshift": 0.3}, self.days, R)
        width_far = np.sum(far > far.max() / 2)
        assert width_far / width_near == pytest.approx(1.3 / 1.03, rel=0.15)

    def test_red_ones_are_redder(self):
        assert self.peak(G, color=0.3)[1] - self.peak(R, color=0.3)[1] > 0.15 + (
            self.peak(G)[1] - self.peak(R)[1]
        )

    def test_nothing_before_explosion_and_a_second_maximum_in_z(self):
        flux = light_curve(TypeIa(), self.parameters, np.array([-30.0, -18.5]), G)
        assert np.all(flux == 0.0)
        z = light_curve(TypeIa(), self.parameters, np.array([0.0, 12.0, 24.0]), Z)
        assert z[1] < z[2]

    def test_fifteen_day_decline(self):
        flux = light_curve(
            TypeIa(), self.parameters | {"redshift": 0.001}, np.array([0.0, 15.0]), G
        )
        assert 2.5 * np.log10(flux[0] / flux[1]) == pytest.approx(0.9, abs=0.25)  # about 1.1 in B


def test_plateau_is_flat_then_drops():
    parameters = {
        "explosion_mjd": 0.0, "redshift": 0.01, "kind": 0.0, "peak_mag": -16.9,
        "plateau_days": 100.0, "width_days": 18.0, "extinction_v": 0.0,
    }  # fmt: skip
    days = np.array([-1.0, 30.0, 80.0, 130.0])
    flux = light_curve(CoreCollapse(), parameters, days, R)
    mag = magnitude_ab_of(flux)
    assert flux[0] == 0.0
    assert abs(mag[1] - mag[2]) < 0.4
    assert mag[3] - mag[2] > 1.2
    assert mag[1] - distance_modulus_mag(0.01) == pytest.approx(-17.0, abs=0.5)


def test_kilonova_is_like_at2017gfo():
    """Measured at 40 Mpc (Drout et al. 2017): g and r about 17.3 at 0.5 d, r 17.3 at 1 d."""
    parameters = {
        "merger_mjd": 0.0, "redshift": redshift_of_mpc(40.0),
        "luminosity": 1e42, "temperature": 11_000.0,
    }  # fmt: skip
    days = np.array([-0.1, 0.5, 1.0, 4.4])
    g = magnitude_ab_of(light_curve(Kilonova(), parameters, days, G))
    r = magnitude_ab_of(light_curve(Kilonova(), parameters, days, R))
    assert np.isnan(g[0])
    assert g[1] == pytest.approx(17.3, abs=0.5)
    assert r[2] == pytest.approx(17.3, abs=0.5)
    assert g[3] - r[3] > 1.0  # it reddens fast
    assert g[3] - g[1] > 3.0  # and fades fast


def test_afterglow_fades_as_its_power_law():
    parameters = {
        "burst_mjd": 0.0, "flux_half_day": 1e5, "decay": 1.0,
        "jet_break_days": 2.0, "spectral_slope": 0.7,
    }  # fmt: skip
    flux = light_curve(Afterglow(), parameters, np.array([-1.0, 0.5, 1.0, 4.0, 8.0]), R)
    assert flux[0] == 0.0
    assert flux[1] == pytest.approx(1e5)
    assert flux[2] / flux[1] == pytest.approx(0.5)
    assert flux[4] / flux[3] == pytest.approx(0.25)


def test_paczynski():
    assert magnification(np.array([1.0]))[0] == pytest.approx(3.0 / np.sqrt(5.0))
    parameters = {
        "peak_mjd": 0.0, "crossing_days": 20.0, "least_u": 0.1, "blend": 1.0,
        "star_mag": 18.0, "star_color": 0.0,
    }  # fmt: skip
    days = np.array([-20.0, 0.0, 20.0, 5000.0])
    flux = light_curve(Microlensing(), parameters, days, R)
    assert flux[1] / flux_njy_of(18.0) == pytest.approx(10.037 - 1.0, rel=1e-3)
    assert flux[0] == pytest.approx(flux[2])
    assert flux[3] == pytest.approx(0.0, abs=1e-3)
    assert light_curve(Microlensing(), parameters, days, G) == pytest.approx(flux)  # achromatic


def test_rr_lyrae_repeats_and_rises_faster_than_it_falls():
    parameters = {
        "period_days": 0.55, "epoch_mjd": 0.3, "amplitude_g": 1.0, "is_c": 0.0,
        "star_mag": 16.0, "star_color": 0.2,
    }  # fmt: skip
    days = np.linspace(0.0, 0.55, 200)
    once = light_curve(RrLyrae(), parameters, days, G)
    later = light_curve(RrLyrae(), parameters, days + 100 * 0.55, G)
    assert later == pytest.approx(once, rel=1e-6, abs=1.0)
    phase = np.linspace(0.0, 1.0, 1001)
    offset = saw_tooth(phase)
    brightest, faintest = phase[np.argmin(offset)], phase[np.argmax(offset)]
    assert np.ptp(offset) == pytest.approx(1.0, abs=1e-3)
    assert (brightest - faintest) % 1.0 < 0.3
    r = light_curve(RrLyrae(), parameters, days, R) / flux_njy_of(16.0)
    assert np.ptp(r) < np.ptp(once / flux_njy_of(16.2))


def test_detached_binaries_only_fade_and_contact_ones_do_both():
    days = np.linspace(0.0, 3.0, 3001)
    parameters = {
        "period_days": 1.0, "epoch_mjd": 0.0, "primary_depth": 0.5, "secondary_depth": 0.2,
        "eclipse_width": 0.03, "is_contact": 0.0, "star_mag": 16.0, "star_color": 0.5,
    }  # fmt: skip
    star = flux_njy_of(16.0)
    detached = light_curve(EclipsingBinary(), parameters, days, R) / star
    assert detached.max() <= 1e-9
    assert detached.min() == pytest.approx(-0.5, abs=1e-3)
    assert np.median(detached) == pytest.approx(0.0, abs=1e-3)
    contact = light_curve(EclipsingBinary(), parameters | {"is_contact": 1.0}, days, R)
    assert contact.min() < 0.0 < contact.max()


def test_agn_walk_is_damped():
    rng = np.random.default_rng(3)
    n, tau = 4000, 100.0
    parameters = {
        "frequency": np.tan(np.pi * (rng.random((n, N_WAVES)) - 0.5)) / tau,
        "phase": rng.uniform(0.0, 2.0 * np.pi, (n, N_WAVES)),
    }
    now = walk(parameters, np.zeros(n))
    assert np.var(now) == pytest.approx(1.0, abs=0.1)
    for days in (20.0, 100.0, 300.0):
        later = walk(parameters, np.full(n, days))
        assert np.mean(now * later) == pytest.approx(np.exp(-days / tau), abs=0.06)
