"""Reference values of multi-messenger astronomy: expected, ours, tolerance.

``python -m bench.mma --reference [--files FOLDER]``. Maps are looked for in TOCSIN_DATA, in the
package gwcelery, and in FOLDER (the public files named under "where from"); what is not there is
said, not passed over.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import numpy as np

from services.mma.region_files import read_region
from services.mma.skymaps.base import Region
from services.mma.skymaps.compiled import compiled
from services.mma.skymaps.fisher import error_circle
from services.mma.skymaps.multi_order import MultiOrderMap, compile_map
from services.mma.skymaps.overlap import overlap
from services.mma.skymaps.tangent import QuadrantEllipse
from services.mma.skymaps.volume import log_volume_density, volume_levels
from services.mma.statistics.fink_legacy import ZTF_SKY_FRACTION, fink_legacy
from services.mma.statistics.raven import targeted_far_hz, untargeted_far_hz
from shared.sky.healpix import healpix29_of
from shared.sky.separation import separation_arcsec

GW190814 = "GW190814_S190814bv_LALInference.v1.fits.gz"
GW190425 = "GW190425_S190425z_bayestar_initial.fits.gz"
GUANO, SMALL = "swift_skymap.multiorder.fits", "rrt_small_area.fits"
S200129M, S200219AC = "S200129m_bayestar.multiorder.fits", "S200219ac_bayestar.fits.gz"
GBM_MAP = "glg_healpix_all_bn180116026.fit"
S230518H = "S230518h_initial.txt"
GW150914 = ("GW150914_LALInference_skymap.fits.gz", "GW150914_bayestar_gstlal_C01.fits.gz")
WHERE_FROM = {
    S200129M: "cds-astro/mocpy resources/bayestar.multiorder.fits",
    S200219AC: "astrolabsoftware/fink-object-api apps/routes/v1/ztf/skymap/bayestar.fits.gz",
    GBM_MAP: "growth-astro/growth-too-marshal growth/too/tests/data",
    S230518H: "FusRoman/Fink_MM fink_mm/test/test_data/VODB/lvk/initial.txt",
    GW150914[0]: "ggreco77/GWsky GWsky/LALInference_skymap.fits.gz",
    GW150914[1]: "RutongPei/gw_followup bayestar_gstlal_C01.fits.gz",
}
GBM = {
    "FLT": ((0.897, 7.52), (0.103, 55.6)),
    "GND": ((0.804, 3.72), (0.196, 13.7)),
    "FIN": ((0.900, 3.71), (0.100, 14.3)),
}


@dataclass(frozen=True)
class Row:
    """One value; ``tolerance`` is relative unless ``absolute``."""

    name: str
    what: str
    expected: float
    tolerance: float
    ours: Callable[[], float]
    absolute: bool = False


@dataclass(frozen=True)
class Files:
    """Where maps are."""

    folder: Path | None = None

    def find(self, name: str) -> Path:
        """Path of a file; raises ``FileNotFoundError`` that says where it can be had."""
        shelf = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "notices" / "skymaps"
        places = [shelf / name, *([self.folder / name] if self.folder else [])]
        for path in places:
            if path.exists():
                return path
        try:
            listed = files("gwcelery") or []
        except PackageNotFoundError:
            listed = []
        for file in listed:
            if file.name == name:
                return Path(str(file.locate()))
        raise FileNotFoundError(WHERE_FROM.get(name, name))

    def region(self, name: str) -> Region:
        """The compiled map; cached."""
        return _region(self.find(name))

    def map(self, name: str) -> MultiOrderMap:
        """The same, as a map."""
        return compiled(self.region(name))


@lru_cache(maxsize=32)
def _region(path: Path) -> Region:
    return read_region(path)


def level(region: Region, ra_deg: float, dec_deg: float) -> float:
    """Credible level of one position."""
    cell = healpix29_of(ra_deg, dec_deg)
    return float(region.credible_levels(np.array([ra_deg]), np.array([dec_deg]), cell)[0])


def density(region: Region, ra_deg: float, dec_deg: float) -> float:
    """Probability per steradian at one position."""
    cell = healpix29_of(ra_deg, dec_deg)
    return float(region.densities_per_sr(np.array([ra_deg]), np.array([dec_deg]), cell)[0])


def searched(region: Region, ra_deg: float, dec_deg: float) -> float:
    """Searched area of one position, square degrees."""
    cell = healpix29_of(ra_deg, dec_deg)
    return float(region.searched_areas_deg2(np.array([ra_deg]), np.array([dec_deg]), cell)[0])


def volume(sky_map: MultiOrderMap, ra_deg: float, dec_deg: float, mpc: float) -> float:
    """Volume level of one place."""
    return float(volume_levels(sky_map, healpix29_of(ra_deg, dec_deg), np.array([mpc]))[0])


def map_rows(at: Files) -> Iterator[Row]:
    """Values that need a file."""
    areas = [
        ("G1", "S190814bv LALInference", GW190814, 4.76, 23.08, 267.4, 51.6, 5e-3),
        ("G4", "S190425z BAYESTAR", GW190425, 2805.7, 10182.6, 154.6, 44.6, 1e-3),
        ("G7", "S200219ac BAYESTAR", S200219AC, None, 1250.7, 1510.2, 404.7, 1e-3),
        ("G8", "S200129m BAYESTAR", S200129M, 10.17, 53.05, 908.4, 202.2, 1e-3),
        ("G9", "S230518h igwn.gwalert", S230518H, None, 665.97, 277.9, 68.3, 1e-3),
        ("G10", "GW150914 LALInference", GW150914[0], None, 616.4, None, None, 1e-3),
        ("G10", "GW150914 BAYESTAR C01", GW150914[1], None, 398.1, None, None, 1e-3),
        ("B3", "GBM map bn180116026", GBM_MAP, 131.2, 571.8, None, None, 2e-3),
        ("S1", "S240621dy BAYESTAR", SMALL, None, 34.06, None, None, 1e-3),
    ]  # fmt: skip
    for name, what, file, a50, a90, mean, std, rtol in areas:
        if a50 is not None:
            yield Row(name, f"{what}: A50 (deg2)", a50, rtol,
                      partial(_area_deg2, at, file, 0.5))  # fmt: skip
        yield Row(name, f"{what}: A90 (deg2)", a90, rtol,
                  partial(_area_deg2, at, file, 0.9))  # fmt: skip
        if mean is not None and std is not None:
            yield Row(name, f"{what}: distance (Mpc)", mean, 1e-3,
                      partial(_distance_mpc, at, file))  # fmt: skip
            yield Row(name, f"{what}: its error (Mpc)", std, 2e-3,
                      partial(_distance_err_mpc, at, file))  # fmt: skip
    yield from _place_rows(at)
    yield from _overlap_rows(at)


def _place_rows(at: Files) -> Iterator[Row]:
    ngc = (11.888, -25.2888)
    zwicky = (258.34145, -9.96447)

    def g2() -> MultiOrderMap:
        return at.map(GW190814)

    def g5() -> MultiOrderMap:
        return at.map(GW190425)

    yield Row("G2", "… NGC 253: credible level", 0.30257, 1e-4, lambda: level(g2(), *ngc), True)
    yield Row("G2", "… searched area (deg2)", 2.4392, 1e-4, lambda: searched(g2(), *ngc))
    yield Row(
        "G2", "… volume level at 267 Mpc", 0.1278, 0.02, lambda: volume(g2(), *ngc, 267), True
    )
    yield Row(
        "G2",
        "… density per Mpc3",
        3.949e-5,
        0.02,
        lambda: float(
            np.exp(log_volume_density(g2(), g2().rows(healpix29_of(*ngc)), np.array([267.0])))[0]
        ),
    )
    yield Row("G4", "S190425z: mode RA (deg)", 242.578, 1e-3, lambda: g5().mode()[0], True)
    yield Row("G4", "S190425z: mode Dec (deg)", 22.831, 1e-3, lambda: g5().mode()[1], True)
    yield Row("G5", "… ZTF19aarykkb: credible level", 0.44143, 1e-4,
              lambda: level(g5(), *zwicky), True)  # fmt: skip
    yield Row("G5", "… searched area (deg2)", 2247.4, 1e-4, lambda: searched(g5(), *zwicky))
    yield Row("G5", "… overlap integral", 4.7296, 1e-4,
              lambda: 4 * math.pi * density(g5(), *zwicky))  # fmt: skip
    yield Row("G5", "… volume level at 106 Mpc", 0.2039, 0.02,
              lambda: volume(g5(), *zwicky, 106), True)  # fmt: skip
    for index, (name, expected) in enumerate(
        (("mu (Mpc)", 121.88), ("sigma (Mpc)", 36.02), ("norm (Mpc-2)", 6.1911e-5))
    ):
        # The reference is quoted to so many decimals; so is ours before they are compared.
        places = (2, 2, 9)[index]
        yield Row("G5", f"… line of sight: {name}", expected, 1e-4,
                  partial(_rounded_line_of_sight, g5, zwicky, index, places))  # fmt: skip
    yield Row(
        "G9",
        "S230518h: density at the mode (deg-2)",
        0.0054009,
        1e-3,
        lambda: float(at.map(S230518H).density_per_sr.max()) * (math.pi / 180) ** 2,
    )
    for share, rows in ((0.7, 8074), (0.9, 9704)):
        yield Row("G9", f"S230518h: rows within {share:.0%}", rows, 1e-3,
                  partial(_rows_within, at, share))  # fmt: skip


def _area_deg2(at: Files, file: str, level: float) -> float:
    return at.map(file).searched_area_deg2(level)


def _distance_mpc(at: Files, file: str) -> float:
    return at.map(file).distance_mpc or math.nan


def _distance_err_mpc(at: Files, file: str) -> float:
    return at.map(file).distance_err_mpc or math.nan


def _rows_within(at: Files, level: float) -> float:
    return float((at.map(S230518H).credible_level <= level).sum())


def _radius_90_deg(kind: str) -> float:
    return error_circle(0, 0, 5.0, 0.683, GBM[kind]).radius_deg(0.9)


def _rounded_line_of_sight(
    sky_map: Callable[[], MultiOrderMap], place: tuple[float, float], index: int, places: int
) -> float:
    return round(_line_of_sight(sky_map(), *place)[index], places)


def _line_of_sight(sky_map: MultiOrderMap, ra_deg: float, dec_deg: float) -> list[float]:
    if sky_map.layers is None:
        return [math.nan] * 3
    row = sky_map.layers.rows(sky_map.rows(healpix29_of(ra_deg, dec_deg)))
    return [float(v[0]) for v in (row.mu_mpc, row.sigma_mpc, row.norm_per_mpc2)]


def _overlap_rows(at: Files) -> Iterator[Row]:
    yield Row("R5", "overlap S190814bv x Swift-GUANO", 4.6025, 1e-3,
              lambda: overlap(at.map(GW190814), at.map(GUANO)))  # fmt: skip
    yield Row("R5", "overlap S190814bv x itself", 2841.8, 1e-3,
              lambda: overlap(at.map(GW190814), at.map(GW190814)))  # fmt: skip
    yield Row("R5", "overlap S200129m x itself", 1331.2, 1e-3,
              lambda: overlap(at.map(S200129M), at.map(S200129M)))  # fmt: skip


def formula_rows() -> Iterator[Row]:
    """Values that need nothing."""
    half = compile_map(np.zeros(12, int), np.arange(12), np.repeat([1.0, 0.0], 6) / (2 * math.pi))
    other = compile_map(np.zeros(12, int), np.arange(12), np.repeat([0.0, 1.0], 6) / (2 * math.pi))
    whole = compile_map(np.zeros(12, int), np.arange(12), np.full(12, 1 / (4 * math.pi)))
    circle = compiled(error_circle(10.0, 20.0, 5.0, 0.9))
    yield Row(
        "R6", "overlap of the whole sky and a circle", 1.0, 1e-9, lambda: overlap(whole, circle)
    )
    yield Row("R6", "overlap of equal half skies", 2.0, 1e-9, lambda: overlap(half, half))
    yield Row("R6", "overlap of opposite half skies", 0.0, 1e-9, lambda: overlap(half, other), True)
    far = untargeted_far_hz(1e-5, 310, 6.0)
    yield Row("R1", "RAVEN in time, 1e-5 Hz, 6 s, 310/yr (Hz)", 5.8980e-10, 1e-4, lambda: far)
    yield Row("R2", "GW170817 x GRB 170817A, I 32.286 (Hz)", 1.8268e-11, 1e-3, lambda: far / 32.286)
    yield Row(
        "R2", "… with the BAYESTAR map, I 10.392 (Hz)", 5.6755e-11, 1e-3, lambda: far / 10.392
    )
    yield Row("R3", "GW170817 x NGC 4993, I 1430.6 (Hz)", 4.12e-13, 1e-3, lambda: far / 1430.6)
    yield Row("R3", "… p(x) (sr-1)", 113.84, 1e-3, lambda: 1430.6 / (4 * math.pi))
    yield Row("R4", "sub-threshold GRB, 375/yr, 1e-9 Hz (Hz)", 7.1347e-14, 1e-4,
              lambda: untargeted_far_hz(1e-9, 375, 6.0))  # fmt: skip
    yield Row("R4", "targeted Swift, Z 6e-10 (Hz)", 5.2482e-9, 1e-4,
              lambda: targeted_far_hz(6e-10, 1.3889e-6))  # fmt: skip
    for kind, radius in (("FLT", 18.20), ("GND", 12.10), ("FIN", 10.24)):
        yield Row(
            "B1",
            f"GBM {kind}, 5 deg statistical: r90 (deg)",
            radius,
            0.01,
            partial(_radius_90_deg, kind),
            True,
        )
    yield from _place_formula_rows()
    for burst, days, radius_deg, expected in (
        ("GRB 210204A", 1.03, 3.1, 0.998510),
        ("GRB 210212B", 0.29, 36.327, 0.936975),
        ("GRB 230827B", 0.083279, 2.17, 0.999934),
    ):
        yield Row(
            "B4",
            f"fink_legacy {burst}",
            expected,
            1e-6,
            partial(fink_legacy, 250 * ZTF_SKY_FRACTION, days, radius_deg),
            True,
        )


def _place_formula_rows() -> Iterator[Row]:
    first = error_circle(176.8, -39.8, 11.6, 0.683, GBM["FLT"])
    kilonova = (197.45037, -23.38148)
    yield Row("B2", "GRB 170817A first position to AT2017gfo (deg)", 23.948, 1e-3,
              lambda: float(separation_arcsec(176.8, -39.8, *kilonova)) / 3600, True)  # fmt: skip
    yield Row("B2", "… credible level", 0.8858, 1e-3, lambda: level(first, *kilonova), True)
    yield Row("B2", "… overlap integral", 2.771, 1e-3,
              lambda: 4 * math.pi * density(first, *kilonova))  # fmt: skip
    txs, tde = (77.35818, 5.69315), (314.26234, 14.20441)
    gcn = QuadrantEllipse(77.43, 5.72, 1.30, 0.80, 0.70, 0.40)
    science = QuadrantEllipse(77.43, 5.72, 0.95, 0.65, 0.50, 0.30)
    stein = QuadrantEllipse(314.08, 12.94, 6.56, 2.26, 1.50, 1.47)
    yield Row("N1", "IC170922A to TXS 0506+056 (deg)", 0.0763, 1e-3,
              lambda: float(separation_arcsec(77.43, 5.72, *txs)) / 3600, True)  # fmt: skip
    yield Row("N1", "… credible level", 0.0285, 1e-3, lambda: level(gcn, *txs), True)
    yield Row("N1", "… with the errors of Science 2018", 0.0455, 1e-3,
              lambda: level(science, *txs), True)  # fmt: skip
    yield Row("N2", "IC191001A x AT2019dsg: r2", 0.7113, 1e-3, lambda: float(
        stein.scaled_radius2(np.array([tde[0]]), np.array([tde[1]]))[0]), True)  # fmt: skip
    yield Row("N2", "… credible level", 0.8056, 1e-3, lambda: level(stein, *tde), True)
    yield Row("N2", "… rectangle (deg2)", 25.53, 1e-3, stein.rectangle_area_deg2)


@dataclass(frozen=True)
class Outcome:
    """A row with what we found; ``missing`` names the file that is not here."""

    row: Row
    ours: float | None
    missing: str = ""

    @property
    def agrees(self) -> bool:
        """Whether ours is within the tolerance."""
        if self.ours is None:
            return False
        scale = 1.0 if self.row.absolute else abs(self.row.expected)
        return abs(self.ours - self.row.expected) <= self.row.tolerance * scale * (1 + 1e-9)


def outcomes(at: Files) -> Iterator[Outcome]:
    """Every row, computed."""
    for row in (*map_rows(at), *formula_rows()):
        try:
            yield Outcome(row, row.ours())
        except FileNotFoundError as error:
            yield Outcome(row, None, str(error))


def table(found: list[Outcome]) -> str:
    """Markdown."""
    lines = ["| | value | expected | ours | tolerance | |", "|---|---|---:|---:|---:|---|"]
    for one in found:
        ours = f"{one.ours:.6g}" if one.ours is not None else f"no file: {one.missing}"
        kind = "" if one.row.absolute else " rel."
        verdict = "agrees" if one.agrees else "" if one.ours is None else "**differs**"
        lines.append(
            f"| {one.row.name} | {one.row.what} | {one.row.expected:.6g} | {ours} "
            f"| {one.row.tolerance:g}{kind} | {verdict} |"
        )
    return "\n".join(lines) + "\n"
