"""The contract of a model of the sky: where its sources are, and how bright at any moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BandArray = npt.NDArray[np.int8]

BAND_WAVELENGTH_NM = np.array([367.0, 483.0, 622.0, 754.0, 869.0, 971.0])
"""Effective wavelengths of u, g, r, i, z, y (Rubin's, PSTN-054), by band code."""

POINT, DIPOLE, SPIKE, STREAK = range(4)
"""``shape``: a point source, or one of three kinds of artefact in the difference image."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Sources on the sky, shape (n,) each: what does not depend on the model's parameters."""

    ra_deg: FloatArray
    dec_deg: FloatArray
    star_mag: FloatArray
    """r magnitude of the star that the reference image shows here, AB; NaN if none."""
    star_color: FloatArray
    """g - r of that star."""
    host_mag: FloatArray
    """r magnitude of the host galaxy, AB; NaN if none."""
    host_east_arcsec: FloatArray
    """Where the host's nucleus is, seen from the source."""
    host_north_arcsec: FloatArray
    host_radius_arcsec: FloatArray
    """Scale length of its exponential disc along the major axis."""
    host_axis_ratio: FloatArray
    host_angle_deg: FloatArray
    """Position angle of the major axis, north through east."""
    redshift: FloatArray
    """NaN where it has no meaning."""
    reliability: FloatArray
    """What the survey's real-bogus classifier says, in [0, 1]."""
    shape: IntArray
    solar_system_name: npt.NDArray[np.object_]
    """Designation of the solar-system body, empty if none."""
    motion_arcsec_per_hour: FloatArray
    motion_angle_deg: FloatArray

    def __len__(self) -> int:
        """How many sources there are."""
        return len(self.ra_deg)

    def take(self, rows: npt.NDArray[Any]) -> Sources:
        """The sources at ``rows`` (indices or a mask)."""
        return Sources(**{f.name: getattr(self, f.name)[rows] for f in fields(Sources)})

    @staticmethod
    def concatenate(parts: Sequence[Sources]) -> Sources:
        """All sources of ``parts``, in order."""
        return Sources(
            **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Sources)}
        )


def plain_sources(
    rng: np.random.Generator, ra_deg: FloatArray, dec_deg: FloatArray, **columns: Any
) -> Sources:
    """Real point sources without star or host, to which ``columns`` are given."""
    n = len(ra_deg)
    nothing = np.full(n, np.nan)
    zero = np.zeros(n)
    plain = Sources(
        ra_deg=np.asarray(ra_deg, dtype=np.float64),
        dec_deg=np.asarray(dec_deg, dtype=np.float64),
        star_mag=nothing,
        star_color=zero,
        host_mag=nothing,
        host_east_arcsec=zero,
        host_north_arcsec=zero,
        host_radius_arcsec=np.ones(n),
        host_axis_ratio=np.ones(n),
        host_angle_deg=zero,
        redshift=nothing,
        reliability=rng.beta(18.0, 0.9, n),
        shape=np.full(n, POINT),
        solar_system_name=np.full(n, "", dtype=object),
        motion_arcsec_per_hour=zero,
        motion_angle_deg=zero,
    )
    return replace(plain, **columns)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Sources and the parameters of their light curves, arrays of first dimension n."""

    sources: Sources
    parameters: dict[str, FloatArray]


class Sky(Protocol):
    """What a model may ask of the night: see ``services.simulate.sky.NightSky``."""

    @property
    def mjd(self) -> float:
        """Middle of the night, TAI."""
        ...

    @property
    def star_mag_range(self) -> tuple[float, float]:
        """Magnitudes (r) of the stars worth drawing."""
        ...

    @property
    def max_redshift(self) -> float:
        """Beyond it nothing is seen."""
        ...

    @property
    def bands(self) -> tuple[int, ...]:
        """Codes of the survey's bands."""
        ...

    def variables(self, n: int, classes: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Positions of at most ``n`` catalogued variable stars of these classes, none twice."""
        ...

    def galaxies(self, n: int) -> tuple[Sources, FloatArray]:
        """At most ``n`` catalogued galaxies seen at their nuclei, and their distances in Mpc."""
        ...

    def in_galaxies(self, n: int, max_redshift: float) -> Sources:
        """``n`` places inside galaxies, hosts and redshifts given: where supernovae are."""
        ...

    def anywhere(self, n: int) -> tuple[FloatArray, FloatArray]:
        """``n`` positions, uniform over the night's fields."""
        ...

    def near_ecliptic(self, n: int, scatter_deg: float) -> tuple[FloatArray, FloatArray]:
        """``n`` positions in the night's fields, denser towards the ecliptic."""
        ...

    def visits_at(
        self, ra_deg: FloatArray, dec_deg: FloatArray
    ) -> tuple[IntArray, FloatArray, BandArray, FloatArray]:
        """Tonight's visits of each position: position index, mjd TAI, band, sigma in nJy."""
        ...


class SourceModel(Protocol):
    """One kind of source."""

    @property
    def name(self) -> str:
        """Registry key."""
        ...

    @property
    def share(self) -> float:
        """Its part of a night's alerts; the registry's parts add up to one."""
        ...

    def draw(self, rng: np.random.Generator, n: int, sky: Sky) -> Drawn:
        """At most ``n`` sources in the night's fields."""
        ...

    def flux_njy(
        self, parameters: Mapping[str, FloatArray], mjd_tai: FloatArray, band: BandArray
    ) -> FloatArray:
        """Difference flux.

        Parameters
        ----------
        parameters
            Those of ``draw``, one row per point.
        mjd_tai, band
            Shape (m,): mid-exposure, and band codes.

        Returns
        -------
        AB nanojansky, shape (m,): what is there now minus what the reference image holds.
        """
        ...
