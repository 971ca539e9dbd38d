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
        return self._with(_ragged(curves.offsets, curves.mjd_tai, flux, curves, is_flux=True))

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
    table = _table(path)
    if table.num_rows > MAX_ROWS:
        raise LightCurveFileError(f"{path}: {table.num_rows} rows, at most {MAX_ROWS}; split it")
    ids = _text(table, "object_id", path)
    mjd = _numbers(table, "mjd", path)
    names = _text(table, "band", path)
    flux, error, is_flux = _photometry(table, names, path)
    band = np.array([_code(name) for name in names], dtype=np.int8)
    dropped, keep = {}, np.ones(len(mjd), dtype=bool)
    for reason, bad in (
        ("unknown band", band < 0),
        ("no time", ~np.isfinite(mjd)),
        ("no flux", ~np.isfinite(flux)),
        ("no positive error", ~(error > 0.0)),
    ):
        if np.any(bad & keep):
            dropped[reason] = int(np.sum(bad & keep))
            keep &= ~bad
    if not keep.any():
        known = ", ".join(NEAREST_BAND)
        raise LightCurveFileError(f"{path} holds no usable point ({dropped}); bands: {known}")
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
        curves=_ragged(offsets, mjd[order], flux[order], plain, is_flux=is_flux),
        redshift=_optional_numbers(table, "redshift", first),
        ra_deg=_optional_numbers(table, "ra_deg", first),
        dec_deg=_optional_numbers(table, "dec_deg", first),
        label=_optional_text(table, "label", first),
        dropped=dropped,
    )


def _ragged(
    offsets: npt.NDArray[np.int32],
    mjd: FloatArray,
    flux: FloatArray,
    like: RaggedLightCurves,
    *,
    is_flux: bool,
) -> RaggedLightCurves:
    """Curves whose weak points are forced photometry; a magnitude is always a detection."""
    strong = np.abs(flux) >= _DETECTION_SNR * like.flux_err_njy
    kind = np.where(strong, DETECTION, FORCED) if is_flux else np.full(len(flux), DETECTION)
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
    column = _column(table, name, path)
    try:
        numbers = column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise LightCurveFileError(f"{path}: column {name} is not numbers: {reason}") from error
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def _photometry(
    table: pa.Table, bands: npt.NDArray[np.str_], path: Path
) -> tuple[FloatArray, FloatArray, bool]:
    """Flux and error in nanojansky, and whether the file gave fluxes."""
    if "flux" in table.column_names:
        return _numbers(table, "flux", path), _numbers(table, "flux_err", path), True
    if "mag" not in table.column_names:
        _column(table, "flux", path)
    offset = np.array([NEAREST_BAND.get(name, ("", 0.0))[1] for name in bands.tolist()])
    flux = flux_njy_of(_numbers(table, "mag", path) + offset)
    error = _numbers(table, "mag_err", path)
    error = np.where(np.isnan(error), ASSUMED_MAGNITUDE_ERROR, error)
    return flux, flux_err_njy_of(flux, error), False


def _code(name: str) -> int:
    nearest = NEAREST_BAND.get(name)
    return -1 if nearest is None else BAND_CODES[nearest[0]]


def _optional_numbers(table: pa.Table, name: str, rows: npt.NDArray[Any]) -> FloatArray:
    if name not in table.column_names:
        return np.full(len(rows), np.nan)
    values: FloatArray = _numbers(table, name, Path())[rows]
    return values


def _optional_text(table: pa.Table, name: str, rows: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    if name not in table.column_names:
        return np.full(len(rows), "", dtype=np.str_)
    values: npt.NDArray[np.str_] = _text(table, name, Path())[rows]
    return values
