"""What several models share: black bodies, and template light curves in the rest frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from services.simulate.distances import distance_modulus_mag
from services.simulate.models.base import BAND_WAVELENGTH_NM, BandArray, FloatArray
from shared.light_curves.photometry import flux_njy_of

PLANCK_NM_K = 1.438776877e7
"""hc/k in nanometre kelvin."""

# Star colours: m(band) - r for one magnitude of g - r, after the main-sequence locus
# (Covey et al. 2007, AJ 134, 2398), linearised.
STAR_COLOR_SLOPE = np.array([2.4, 1.0, 0.0, -0.38, -0.58, -0.68])


def star_flux_njy(star_mag: FloatArray, star_color: FloatArray, band: BandArray) -> FloatArray:
    """Flux of stars of given r and g - r in ``band``, nanojansky; NaN stays NaN."""
    return flux_njy_of(star_mag + star_color * STAR_COLOR_SLOPE[band])


def planck_ratio(
    wavelength_nm: FloatArray, temperature_k: FloatArray, reference_nm: float
) -> FloatArray:
    """B_nu at a wavelength over B_nu at ``reference_nm``, same temperature."""
    x = PLANCK_NM_K / (wavelength_nm * temperature_k)
    x0 = PLANCK_NM_K / (reference_nm * temperature_k)
    ratio = (reference_nm / wavelength_nm) ** 3 * np.expm1(x0) / np.expm1(np.minimum(x, 600.0))
    return np.asarray(ratio, dtype=np.float64)


def rest_frame(
    mjd_tai: FloatArray, band: BandArray, epoch_mjd: FloatArray, redshift: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Days since an epoch and wavelength in nanometres, both in the source's frame."""
    return (mjd_tai - epoch_mjd) / (1.0 + redshift), BAND_WAVELENGTH_NM[band] / (1.0 + redshift)


def redshifted_flux_njy(absolute_mag: FloatArray, redshift: FloatArray) -> FloatArray:
    """Flux of a source of rest-frame monochromatic absolute AB magnitude.

    ``m = M(lambda / (1+z)) + mu(z) - 2.5 log10(1+z)``: for AB magnitudes the K correction of
    a narrow band is the bandwidth term alone.
    """
    magnitude = absolute_mag + distance_modulus_mag(redshift) - 2.5 * np.log10(1.0 + redshift)
    return flux_njy_of(magnitude)


@dataclass(frozen=True)
class TemplateSurface:
    """Magnitudes below maximum on a grid of rest-frame days and wavelengths."""

    days: FloatArray
    wavelengths_nm: FloatArray
    magnitudes: FloatArray
    """Shape (days, wavelengths)."""

    def magnitude(self, day: FloatArray, wavelength_nm: FloatArray) -> FloatArray:
        """Bilinear interpolation; beyond the grid its edge (shape of the arguments)."""
        d = np.interp(day, self.days, np.arange(len(self.days)))
        w = np.interp(wavelength_nm, self.wavelengths_nm, np.arange(len(self.wavelengths_nm)))
        i = np.minimum(d.astype(np.int64), len(self.days) - 2)
        j = np.minimum(w.astype(np.int64), len(self.wavelengths_nm) - 2)
        a, b = d - i, w - j
        m = self.magnitudes
        early = m[i, j] * (1 - b) + m[i, j + 1] * b
        late = m[i + 1, j] * (1 - b) + m[i + 1, j + 1] * b
        return np.asarray(early * (1 - a) + late * a, dtype=np.float64)
