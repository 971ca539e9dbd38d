"""Light curves from a CSV or Parquet file, as a batch the classifiers understand.

Columns: ``object_id``, ``mjd``, ``band``, and ``flux``, ``flux_err`` (AB nanojansky, difference
flux, sign included) or ``mag``, ``mag_err``. Further columns, one value per object: ``redshift``
(of the host), ``ra_deg``, ``dec_deg``, ``label``. Each object becomes one alert that holds its
whole light curve; its newest point stands for the detection.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from shared.alert_batch import AlertBatch
from shared.light_curves.bands import BAND_CODES, DETECTION, FORCED, NEAREST_BAND
from shared.light_curves.photometry import (
    ASSUMED_MAGNITUDE_ERROR,
    flux_err_njy_of,
    flux_njy_of,
)
from shared.light_curves.ragged import RaggedLightCurves
from shared.schemas.alert import MATCHED

MAX_ROWS = 50_000_000
_DETECTION_SNR = 5.0
_LEAST_JULIAN_DATE = 1e6
_MOST_NJY = 1e15
"""Brighter than Sirius: no flux in nanojansky, and none whose square single precision holds."""
_OUR_NAMES = {"mjd_tai": "mjd", "flux_njy": "flux", "flux_err_njy": "flux_err"}
"""What the portal calls the columns of a light curve, and what they are called here."""
_NEEDED = "object_id, mjd, band and either flux, flux_err (AB nJy) or mag, mag_err"
FloatArray = npt.NDArray[np.float64]


class LightCurveFileError(ValueError):
    """The file is not what is documented; the message says what to mend."""


@dataclass(frozen=True, slots=True)
class LightCurveFile:
    """What a file held."""

    object_id: npt.NDArray[np.str_]
    """Shape (n,), sorted."""
    curves: RaggedLightCurves
    redshift: FloatArray
    """Shape (n,), NaN where not given."""
    ra_deg: FloatArray
    dec_deg: FloatArray
    label: npt.NDArray[np.str_]
    """Shape (n,), empty where not given."""
    dropped: dict[str, int]
    """Points left out, by reason."""

    def __len__(self) -> int:
        """How many objects there are."""
        return len(self.object_id)

    def as_of(self, days: float) -> LightCurveFile:
        """As it was ``days`` after each object's first point of S/N 5; later points are left out.

        Objects without such a point keep none.
        """
        curves = self.curves
        strong = curves.flux_njy >= _DETECTION_SNR * curves.flux_err_njy
        first = np.full(len(self), np.inf)
        np.minimum.at(first, curves.alert_index[strong], curves.mjd_tai[strong])
        end = np.where(np.isfinite(first), first + days, -np.inf)[curves.alert_index]
        cut = curves.points(curves.mjd_tai <= end)
        return self._with(cut)

    def without_median(self) -> LightCurveFile:
        """Total fluxes made difference fluxes: each band's median is subtracted."""
        curves = self.curves
        group = curves.alert_index.astype(np.int64) * 8 + curves.band
        order = np.lexsort((curves.flux_njy, group))
        groups, starts, counts = np.unique(group[order], return_index=True, return_counts=True)
        sorted_flux = curves.flux_njy[order].astype(np.float64)
        middle = starts + (counts - 1) // 2
        median = 0.5 * (sorted_flux[middle] + sorted_flux[starts + counts // 2])
        flux = curves.flux_njy - median[np.searchsorted(groups, group)]
        every = np.ones(len(flux), dtype=bool)
        return self._with(_ragged(curves.offsets, curves.mjd_tai, flux, curves, every))

    def _with(self, curves: RaggedLightCurves) -> LightCurveFile:
        return LightCurveFile(
            self.object_id,
            curves,
            self.redshift,
            self.ra_deg,
            self.dec_deg,
            self.label,
            self.dropped,
        )

    def batch(self, start: int = 0, stop: int | None = None) -> AlertBatch:
        """Objects ``start`` to ``stop`` as alerts."""
        rows = np.arange(start, len(self) if stop is None else min(stop, len(self)))
        curves = self.curves.curves(rows)
        last = np.maximum(curves.offsets[1:] - 1, 0)
        some = curves.lengths > 0
        newest = _last(curves.mjd_tai, last, some)
        offsets = pa.array(curves.offsets)

        def ragged(values: npt.NDArray[Any], type_: pa.DataType) -> pa.Array:
            return pa.ListArray.from_arrays(offsets, pa.array(values, type_))

        columns = {
            "survey": pa.array(["file"] * len(rows)),
            "object_id": pa.array(self.object_id[rows].tolist(), pa.string()),
            "ra_deg": pa.array(self.ra_deg[rows]),
            "dec_deg": pa.array(self.dec_deg[rows]),
            "mjd_tai": pa.array(newest),
            # A file's newest point says nothing about which way the object went.
            "flux_njy": pa.array(np.full(len(rows), np.nan)),
            "reliability": pa.nulls(len(rows), pa.float32()),
            "is_solar_system": pa.array(np.zeros(len(rows), dtype=bool)),
            "lc_mjd_tai": ragged(curves.mjd_tai, pa.float64()),
            "lc_flux_njy": ragged(curves.flux_njy, pa.float32()),
            "lc_flux_err_njy": ragged(curves.flux_err_njy, pa.float32()),
            "lc_band": ragged(curves.band, pa.int8()),
            "lc_kind": ragged(curves.kind, pa.int8()),
            "matches": _matches(self.redshift[rows]),
        }
        return AlertBatch(pa.RecordBatch.from_pydict(columns))


def _last(values: FloatArray, last: npt.NDArray[Any], some: npt.NDArray[np.bool_]) -> FloatArray:
    newest = np.full(len(last), np.nan)
    newest[some] = values[last[some]]
    return newest


def _matches(redshift: FloatArray) -> pa.Array:
    """The given redshift as a match, the way xmatch would report a host."""
    entries = [
        [{"catalog": "file", "separation_arcsec": 0.0, "redshift": z}] if z > 0 else []
        for z in redshift.tolist()
    ]
    return pa.array(entries, MATCHED[0].type)


def read_light_curves(path: Path) -> LightCurveFile:
    """Read a file.

    Raises
    ------
    LightCurveFileError
        If it cannot be read, misses columns or holds no usable point.
    """
    table = _renamed(_table(path), path)
    if table.num_rows > MAX_ROWS:
        raise LightCurveFileError(f"{path}: {table.num_rows} rows, at most {MAX_ROWS}; split it")
    ids = _text(table, "object_id", path)
    mjd = _numbers(table, "mjd", path)
    names = _of_ztf(_text(table, "band", path))
    flux, error, is_flux = _photometry(table, names, path)
    if _is_julian(mjd):
        raise LightCurveFileError(
            f"{path}: column mjd holds Julian dates; subtract 2400000.5 to make them MJD"
        )
    distinct, row = np.unique(names, return_inverse=True)
    band = np.array([_code(name) for name in distinct.tolist()], dtype=np.int8)[row]
    dropped, keep = {}, np.ones(len(mjd), dtype=bool)
    for reason, bad in (
        ("no object_id", ids == ""),
        ("unknown band", band < 0),
        ("no time", ~np.isfinite(mjd)),
        ("no flux", ~np.isfinite(flux)),
        ("no positive error", ~(error > 0.0)),
    ):
        if np.any(bad & keep):
            dropped[reason] = int(np.sum(bad & keep))
            keep &= ~bad
    if not keep.any():
        why = ", ".join(f"{n} points: {reason}" for reason, n in dropped.items()) or "no rows"
        seen = ", ".join(sorted(set(names.tolist()))[:8])
        raise LightCurveFileError(
            f"{path} holds no usable point ({why}); bands are u g r i z y, ztfg, ZTF_r, lsstr,"
            f" 0 to 5, Johnson's and Cousins' U B V R I; it has: {seen}"
        )
    order = np.lexsort((mjd, ids))
    order = order[keep[order]]
    objects, starts = np.unique(ids[order], return_index=True)
    offsets = np.append(starts, len(order)).astype(np.int32)
    plain = RaggedLightCurves(
        offsets,
        mjd[order],
        flux[order].astype(np.float32),
        error[order].astype(np.float32),
        band[order],
        band[order],
    )
    first = order[starts]
    return LightCurveFile(
        object_id=objects,
        curves=_ragged(offsets, mjd[order], flux[order], plain, is_flux[order]),
        redshift=_optional_numbers(table, "redshift", first, path),
        ra_deg=_optional_numbers(table, "ra_deg", first, path),
        dec_deg=_optional_numbers(table, "dec_deg", first, path),
        label=_optional_text(table, "label", first, path),
        dropped=dropped,
    )


def _ragged(
    offsets: npt.NDArray[np.int32],
    mjd: FloatArray,
    flux: FloatArray,
    like: RaggedLightCurves,
    is_flux: npt.NDArray[np.bool_],
) -> RaggedLightCurves:
    """Curves whose weak points are forced photometry; a magnitude is always a detection."""
    strong = np.abs(flux) >= _DETECTION_SNR * like.flux_err_njy
    kind = np.where(strong | ~is_flux, DETECTION, FORCED)
    return RaggedLightCurves(
        offsets=offsets,
        mjd_tai=mjd,
        flux_njy=flux.astype(np.float32),
        flux_err_njy=like.flux_err_njy,
        band=like.band,
        kind=kind.astype(np.int8),
    )


def _table(path: Path) -> pa.Table:
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return pq.read_table(path)
        return pa_csv.read_csv(path)
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise LightCurveFileError(f"cannot read {path} as CSV or Parquet: {reason}") from error


def _renamed(table: pa.Table, path: Path) -> pa.Table:
    """The light curve of one object, as Tocsin's own portal gives it, under this file's names."""
    if "mjd_tai" not in table.column_names or "mjd" in table.column_names:
        return table
    table = table.rename_columns([_OUR_NAMES.get(name, name) for name in table.column_names])
    if "object_id" in table.column_names:
        return table
    return table.append_column("object_id", pa.array([path.stem] * table.num_rows, pa.string()))


def _column(table: pa.Table, name: str, path: Path) -> pa.ChunkedArray:
    if name not in table.column_names:
        has = ", ".join(table.column_names[:12])
        raise LightCurveFileError(f"{path} has no column {name}; needed: {_NEEDED}; it has: {has}")
    return table.column(name)


def _text(table: pa.Table, name: str, path: Path) -> npt.NDArray[np.str_]:
    return np.array(
        pc.fill_null(_column(table, name, path).cast(pa.string()), "").to_pylist(), dtype=np.str_
    )


def _numbers(table: pa.Table, name: str, path: Path) -> FloatArray:
    """A column as numbers, NaN where one entry is none; raises if not one is."""
    column = _column(table, name, path)
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        pass
    try:
        words = column.cast(pa.string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise LightCurveFileError(f"{path}: column {name} is {column.type}, not numbers") from error
    numbers = np.array([_number(word) for word in words], dtype=np.float64)
    if np.isnan(numbers).all():
        raise LightCurveFileError(f"{path}: column {name} is not numbers, but {words[0]!r}")
    return numbers


def _number(word: str | None) -> float:
    try:
        return float(word or "nan")
    except ValueError:
        return float("nan")


def _photometry(
    table: pa.Table, bands: npt.NDArray[np.str_], path: Path
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Flux and error in nanojansky, and which rows gave fluxes; a flux goes before a magnitude."""
    has = set(table.column_names)
    if not has & {"flux", "mag"}:
        _column(table, "flux", path)
    flux, error = np.full((2, table.num_rows), np.nan)
    if "flux" in has:
        flux, error = _numbers(table, "flux", path), _numbers(table, "flux_err", path)
    is_flux = np.isfinite(flux)
    if "mag" in has:
        names, row = np.unique(bands, return_inverse=True)
        offset = np.array([NEAREST_BAND.get(name, ("", 0.0))[1] for name in names.tolist()])[row]
        own = flux_njy_of(_numbers(table, "mag", path) + offset)
        given = np.full(table.num_rows, np.nan)
        if "mag_err" in has:
            given = _numbers(table, "mag_err", path)
        # A missing error, or zero, which catalogs write for one, counts as a tenth.
        given = np.where(np.isnan(given) | (given == 0.0), ASSUMED_MAGNITUDE_ERROR, given)
        flux = np.where(is_flux, flux, own)
        error = np.where(is_flux, error, flux_err_njy_of(own, given))
    flux = np.where(np.abs(flux) < _MOST_NJY, flux, np.nan)
    return flux, error, is_flux


def _is_julian(mjd: FloatArray) -> bool:
    finite = mjd[np.isfinite(mjd)]
    return bool(len(finite) and np.median(finite) > _LEAST_JULIAN_DATE)


def _of_ztf(bands: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    """ZTF's own r, which ANTARES calls R, as r: a file of nothing but g, R and i is ZTF's.

    Taken for Cousins' it would be 0.21 mag brighter, and every supernova too red.
    """
    found = set(bands.tolist())
    is_ztf = {"g", "R"} <= found <= {"g", "R", "i", ""}
    return np.where(bands == "R", "r", bands) if is_ztf else bands


def _code(name: str) -> int:
    nearest = NEAREST_BAND.get(name)
    return -1 if nearest is None else BAND_CODES[nearest[0]]


def _optional_numbers(table: pa.Table, name: str, rows: npt.NDArray[Any], path: Path) -> FloatArray:
    if name not in table.column_names:
        return np.full(len(rows), np.nan)
    values: FloatArray = _numbers(table, name, path)[rows]
    return values


def _optional_text(
    table: pa.Table, name: str, rows: npt.NDArray[Any], path: Path
) -> npt.NDArray[np.str_]:
    if name not in table.column_names:
        return np.full(len(rows), "", dtype=np.str_)
    values: npt.NDArray[np.str_] = _text(table, name, path)[rows]
    return values
