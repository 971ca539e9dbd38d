"""Where each simulated telescope stands, what it sees and how deep.

ZTF: Bellm et al. 2019, PASP 131, 018002 (field 47 deg², 30 s, 8 s overhead, 20.8 g, 20.6 r in
dark time). LSST: Ivezić et al. 2019, ApJ 873, 111 table 2 and PSTN-054 (9.6 deg², 30 s, single
visit depths), here with fields on a square grid.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.light_curves.bands import BAND_CODES


@dataclass(frozen=True, slots=True)
class Telescope:
    """A survey's telescope, as far as the simulator needs it."""

    survey: str
    longitude_deg: float
    latitude_deg: float
    field_step_deg: float
    """Fields are about squares of this side."""
    detectors: int
    """Read-out units along one side of the field."""
    exposure_s: float
    slot_s: float
    """From one exposure's start to the next's."""
    band_pairs: tuple[tuple[str, str], ...]
    """A field is seen twice a night, in one of these pairs."""
    depth_mag: dict[str, float]
    """5-sigma depth in dark time at median seeing, AB."""
    fwhm_arcsec: float
    pixel_arcsec: float
    electrons_per_njy: float
    """Detected photons of one exposure for each nanojansky."""
    saturation_mag: float
    star_mag_range: tuple[float, float]
    """Reference magnitudes (r) of the variable stars that are drawn."""
    max_redshift: float
    """Supernovae beyond are never seen."""
    revisit_probability: float
    """That a field is visited in a clear night."""

    @property
    def bands(self) -> tuple[int, ...]:
        """Codes of the bands this telescope uses."""
        return tuple(BAND_CODES[band] for band in self.depth_mag)


ZTF = Telescope(
    survey="ztf",
    longitude_deg=-116.8597,
    latitude_deg=33.3563,
    field_step_deg=6.86,
    detectors=8,
    exposure_s=30.0,
    slot_s=38.0,
    band_pairs=(("g", "r"), ("r", "g")),
    depth_mag={"g": 20.8, "r": 20.6},
    fwhm_arcsec=2.0,
    pixel_arcsec=1.012,
    electrons_per_njy=0.0515,  # zero point 26.2 mag for one DN in 30 s, 6.2 electrons per DN
    saturation_mag=12.5,
    star_mag_range=(13.0, 19.8),
    max_redshift=0.16,
    revisit_probability=0.5,
)

LSST = Telescope(
    survey="lsst",
    longitude_deg=-70.7494,
    latitude_deg=-30.2446,
    field_step_deg=3.1,
    detectors=14,
    exposure_s=30.0,
    slot_s=37.0,
    band_pairs=(("g", "r"), ("r", "i"), ("i", "z"), ("z", "y"), ("u", "g"), ("g", "i")),
    depth_mag={"u": 23.8, "g": 24.5, "r": 24.03, "i": 23.41, "z": 22.74, "y": 21.96},
    fwhm_arcsec=0.8,
    pixel_arcsec=0.2,
    electrons_per_njy=1.82,  # 28.36 mag for one electron per second in r (SMTN-002), 30 s
    saturation_mag=16.0,
    star_mag_range=(16.5, 23.0),
    max_redshift=0.8,
    revisit_probability=0.45,
)

TELESCOPES = {telescope.survey: telescope for telescope in (ZTF, LSST)}
