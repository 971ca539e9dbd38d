"""Galaxies that do not exist, to try the estimator where no spectroscopic catalog is at hand.

Their spectra are a caricature with what carries the redshift: a power law of a
slope that runs from red (ellipticals) to blue (star-forming), broken at 4000 and 912 Angstrom,
the break deeper the redder; magnitudes are its mean in top-hat bands, AB, with the noise of a
survey of given depth. Luminosities are of a Schechter function, redshifts of its volume. No model
made from them is fit for real galaxies.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from services.xmatch.redshift.cosmology import luminosity_distance_mpc

BANDS: dict[str, tuple[float, float]] = {
    "u": (3300.0, 3900.0),
    "g": (4000.0, 5500.0),
    "r": (5500.0, 7000.0),
    "i": (6900.0, 8200.0),
    "z": (8200.0, 9600.0),
}
"""Edges of the bands, Angstrom."""
DEPTH_MAG = 24.0
"""Magnitude at which the error is a fifth of the flux, in every band."""
BREAK_ANGSTROM, LYMAN_ANGSTROM = 4000.0, 912.0
CHARACTERISTIC_MAG = -21.0

Floats = npt.NDArray[np.float64]


def simulated_galaxies(galaxies: int, seed: int = 0) -> dict[str, Floats]:
    """Columns ``redshift``, ``<band>_mag`` and ``<band>_mag_err``, shape (galaxies,)."""
    rng = np.random.default_rng(seed)
    redshift = np.clip(rng.gamma(3.0, 0.16, galaxies), 0.02, 2.0)
    redness = rng.beta(1.2, 1.2, galaxies)
    absolute = CHARACTERISTIC_MAG + rng.gumbel(0.3, 0.7, galaxies)
    modulus = 5.0 * np.log10(luminosity_distance_mpc(redshift)) + 25.0
    columns = {"redshift": redshift}
    reference = _mean_flux(redshift, redness, *BANDS["r"], rest=True)
    for band, (low, high) in BANDS.items():
        shape = _mean_flux(redshift, redness, low, high) / reference
        magnitude = absolute + modulus - 2.5 * np.log10(shape * (1.0 + redshift))
        flux = 10.0 ** (-0.4 * (magnitude - DEPTH_MAG))
        noise = np.hypot(0.2, 0.02 * flux)
        seen = flux + noise * rng.standard_normal(galaxies)
        found = seen > 2.0 * noise
        safe = np.where(found, seen, 1.0)
        columns[f"{band}_mag"] = np.where(found, DEPTH_MAG - 2.5 * np.log10(safe), np.nan)
        columns[f"{band}_mag_err"] = np.where(found, 1.0857 * noise / safe, np.nan)
    return columns


def _mean_flux(
    redshift: Floats, redness: Floats, low: float, high: float, *, rest: bool = False
) -> Floats:
    """Mean flux density per frequency in a band, observed or at rest, shape (n,)."""
    observed = np.linspace(low, high, 24)
    stretch = np.ones_like(redshift) if rest else 1.0 + redshift
    wavelength = observed / stretch[:, None]
    slope = 0.3 + 2.2 * redness[:, None]
    flux = (wavelength / 5500.0) ** slope
    depth = 0.25 + 0.55 * redness[:, None]
    flux = np.where(wavelength < BREAK_ANGSTROM, flux * (1.0 - depth), flux)
    flux = np.where(wavelength < LYMAN_ANGSTROM, flux * 1e-3, flux)
    return np.asarray(flux.mean(axis=1), dtype=np.float64)
