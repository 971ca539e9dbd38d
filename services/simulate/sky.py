"""The part of the sky that the night's fields cover, as the models ask for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.simulate import catalogs
from services.simulate.cadence import Visits
from services.simulate.distances import distance_modulus_mag, draw_redshifts
from services.simulate.models.base import BandArray, FloatArray, IntArray, Sources, plain_sources
from services.simulate.telescopes import Telescope

_CATALOGUED_SHARE = 0.35
"""Part of the supernovae whose host is a catalogued galaxy, where the redshift allows it."""
_WITHIN_SCALE_LENGTHS = 3.2
"""Nothing explodes outside its host's catalogued axes."""
_ECLIPTIC_POLE = np.array([0.0, -0.3977771559, 0.9174820621])


class NightSky:
    """Positions in the fields of one night (``services.simulate.models.base.Sky``)."""

    def __init__(self, telescope: Telescope, visits: Visits, rng: np.random.Generator) -> None:
        self._telescope = telescope
        self._visits = visits
        self._rng = rng
        stars = catalogs.variable_stars()
        covered = visits.index_of(stars.ra_deg, stars.dec_deg) >= 0
        self._star_ra, self._star_dec = stars.ra_deg[covered], stars.dec_deg[covered]
        self._star_class = stars.class_code[covered]
        self._class_codes = stars.classes
        self._star_free = np.ones(len(self._star_ra), dtype=bool)
        galaxies = catalogs.galaxies()
        self._galaxies = galaxies
        self._galaxy_rows = np.flatnonzero(visits.index_of(galaxies.ra_deg, galaxies.dec_deg) >= 0)
        self._galaxy_free = np.ones(len(self._galaxy_rows), dtype=bool)
        self.mjd = float(np.mean(visits.mjd_tai[visits.is_tonight]))
        self.star_mag_range = telescope.star_mag_range
        self.max_redshift = telescope.max_redshift
        self.bands = telescope.bands

    def variables(self, n: int, classes: Sequence[str]) -> tuple[FloatArray, FloatArray]:
        """Positions of at most ``n`` stars of these classes; none is given twice."""
        codes = [self._class_codes[name] for name in classes if name in self._class_codes]
        free = np.flatnonzero(self._star_free & np.isin(self._star_class, codes))
        rows = self._rng.permutation(free)[:n]
        self._star_free[rows] = False
        return self._star_ra[rows], self._star_dec[rows]

    def galaxies(self, n: int) -> tuple[Sources, FloatArray]:
        """At most ``n`` galaxies seen at their nuclei, none twice, and their redshifts."""
        free = np.flatnonzero(self._galaxy_free)
        chosen = self._rng.permutation(free)[:n]
        self._galaxy_free[chosen] = False
        rows = self._galaxy_rows[chosen]
        sources = self._at_galaxies(rows, np.zeros(len(rows)), np.zeros(len(rows)))
        return sources, self._galaxies.redshift[rows]

    def in_galaxies(self, n: int, max_redshift: float) -> Sources:
        """``n`` places inside galaxies: catalogued ones, and fainter ones that no catalog has."""
        near = self._galaxy_rows[self._galaxies.redshift[self._galaxy_rows] < max_redshift]
        n_near = int(self._rng.binomial(n, _CATALOGUED_SHARE)) if len(near) else 0
        rows = self._rng.choice(near, n_near) if n_near else np.zeros(0, dtype=np.int64)
        across, along = self._within_disc(n_near)
        catalogued = self._at_galaxies(rows, across, along)
        return Sources.concatenate([catalogued, self._anonymous(n - n_near, max_redshift)])

    def _within_disc(self, n: int) -> tuple[FloatArray, FloatArray]:
        """Places in an exponential disc, in scale lengths along its minor and major axis."""
        radius = np.minimum(self._rng.gamma(2.0, 1.0, n), _WITHIN_SCALE_LENGTHS)
        angle = self._rng.uniform(0.0, 2.0 * np.pi, n)
        return radius * np.cos(angle), radius * np.sin(angle)

    def _at_galaxies(self, rows: IntArray, across: FloatArray, along: FloatArray) -> Sources:
        g = self._galaxies
        east, north = _sky_offset(
            across * g.radius_arcsec[rows] * g.axis_ratio[rows],
            along * g.radius_arcsec[rows],
            g.angle_deg[rows],
        )
        dec = np.clip(g.dec_deg[rows] + north / 3600.0, -89.99, 89.99)
        ra = g.ra_deg[rows] + east / 3600.0 / np.cos(np.radians(dec))
        return plain_sources(
            self._rng,
            ra % 360.0,
            dec,
            host_mag=g.mag[rows],
            host_east_arcsec=-east,
            host_north_arcsec=-north,
            host_radius_arcsec=g.radius_arcsec[rows],
            host_axis_ratio=g.axis_ratio[rows],
            host_angle_deg=g.angle_deg[rows],
            redshift=g.redshift[rows],
        )

    def _anonymous(self, n: int, max_redshift: float) -> Sources:
        ra, dec = self.anywhere(n)
        redshift = draw_redshifts(self._rng, n, max_redshift)
        absolute = self._rng.normal(-20.2, 1.0, n)
        radius = catalogs.disc_radius_arcsec(absolute, redshift)
        ratio, angle = self._rng.uniform(0.25, 1.0, n), self._rng.uniform(0.0, 180.0, n)
        across, along = self._within_disc(n)
        east, north = _sky_offset(across * radius * ratio, along * radius, angle)
        return plain_sources(
            self._rng,
            ra,
            dec,
            host_mag=absolute + distance_modulus_mag(redshift),
            host_east_arcsec=-east,
            host_north_arcsec=-north,
            host_radius_arcsec=radius,
            host_axis_ratio=ratio,
            host_angle_deg=angle,
            redshift=redshift,
        )

    def anywhere(self, n: int) -> tuple[FloatArray, FloatArray]:
        """``n`` positions, uniform over the night's fields."""
        field = self._rng.choice(self._visits.fields, n)
        return self._visits.grid.position_in(field, self._rng.random(n), self._rng.random(n))

    def near_ecliptic(self, n: int, scatter_deg: float) -> tuple[FloatArray, FloatArray]:
        """``n`` positions in the fields, a Gaussian in ecliptic latitude where it can be."""
        ra, dec = self.anywhere(8 * n)
        vectors = np.stack(
            [
                np.cos(np.radians(dec)) * np.cos(np.radians(ra)),
                np.cos(np.radians(dec)) * np.sin(np.radians(ra)),
                np.sin(np.radians(dec)),
            ],
            axis=1,
        )
        latitude = np.degrees(np.arcsin(np.clip(vectors @ _ECLIPTIC_POLE, -1.0, 1.0)))
        weight = np.exp(-0.5 * (latitude / scatter_deg) ** 2) + 1e-12
        rows = self._rng.choice(len(ra), n, replace=False, p=weight / weight.sum())
        return ra[rows], dec[rows]

    def visits_at(
        self, ra_deg: FloatArray, dec_deg: FloatArray
    ) -> tuple[IntArray, FloatArray, BandArray, FloatArray]:
        """Tonight's visits of each position: position index, mjd TAI, band, sigma in nJy."""
        position, visit = pairs_of(self._visits, self._visits.index_of(ra_deg, dec_deg))
        tonight = self._visits.is_tonight[visit]
        position, visit = position[tonight], visit[tonight]
        v = self._visits
        return position, v.mjd_tai[visit], v.band[visit], v.sigma_njy[visit]


def pairs_of(visits: Visits, field_index: IntArray) -> tuple[IntArray, IntArray]:
    """Every pair of a position and a visit of its field, shape (m,) each, in order of both.

    ``field_index`` is that of ``Visits.index_of``; a position in no field has no visits.
    """
    inside = field_index >= 0
    counts = np.where(inside, np.diff(visits.offsets)[field_index], 0)
    first = np.where(inside, visits.offsets[field_index], 0)
    position = np.repeat(np.arange(len(field_index)), counts)
    starts = np.cumsum(counts) - counts
    visit = np.arange(len(position)) - starts[position] + first[position]
    return position, visit.astype(np.int64)


def _sky_offset(
    across: FloatArray, along: FloatArray, angle_deg: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Offsets along a minor and major axis as offsets east and north, same unit."""
    sine, cosine = np.sin(np.radians(angle_deg)), np.cos(np.radians(angle_deg))
    east: npt.NDArray[np.float64] = along * sine + across * cosine
    north: npt.NDArray[np.float64] = along * cosine - across * sine
    return east, north
