"""Says which columns of a published file are which standard columns: most catalogs need no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.catalogs.base import (
    NUMERIC_COLUMNS,
    REDSHIFT_KINDS,
    CatalogRows,
    CatalogUnavailableError,
)
from services.xmatch.catalogs.fields import Fields
from services.xmatch.designation import designations

Numbers = npt.NDArray[np.float64]
ARCSEC_PER_ARCMIN = 60.0
ARCSEC_PER_DEG = 3_600.0


@dataclass(frozen=True, slots=True)
class FileColumn:
    """A column of the published file, and how to make a standard one of it."""

    names: tuple[str, ...]
    """What it is called, in any case; some tables are served under several names."""
    scale: float = 1.0
    """Standard units in one unit of the file."""
    offset: float = 0.0
    """Added after scaling: from Vega to AB magnitudes."""
    above: float = -np.inf
    """Numbers of the file that are not above this are no values (-99, -999, z = 0)."""
    below: float = np.inf
    convert: Callable[[Numbers], Numbers] | None = None
    """In place of scale and offset."""
    written: Literal["", "hours", "degrees"] = ""
    """An angle that may be written with colons, in hours or degrees."""

    def read(self, fields: Fields) -> Numbers:
        """The standard column, NaN where there is no value."""
        values = (
            fields.angles(*self.names, hours=self.written == "hours")
            if self.written
            else fields.numbers(*self.names)
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where((values > self.above) & (values < self.below), values, np.nan)
            return self.convert(values) if self.convert else values * self.scale + self.offset

    def __str__(self) -> str:
        """For the reference: names and scale."""
        names = " or ".join(f"`{name}`" for name in self.names)
        if self.convert is not None:
            return f"{names}, converted"
        scaled = "" if self.scale == 1.0 else f" × {self.scale:g}"
        return names + scaled + ("" if self.offset == 0.0 else f" {self.offset:+g}")


def column(
    *names: str,
    scale: float = 1.0,
    offset: float = 0.0,
    above: float = -np.inf,
    below: float = np.inf,
    convert: Callable[[Numbers], Numbers] | None = None,
) -> FileColumn:
    """A ``FileColumn``, shorter to write."""
    return FileColumn(names, scale, offset, above, below, convert)


def ab_of_nanomaggies(flux: Numbers) -> Numbers:
    """AB magnitudes of fluxes in nanomaggies; NaN where they are not positive."""
    magnitude: Numbers = 22.5 - 2.5 * np.log10(np.where(flux > 0, flux, np.nan))
    return magnitude


AB_MINUS_VEGA = {"j": 0.91, "h": 1.39, "ks": 1.85, "w1": 2.699, "w2": 3.339, "w3": 5.174}
"""Blanton & Roweis 2007, AJ 133, 734 (2MASS); Jarrett et al. 2011, ApJ 735, 112 (WISE)."""


def minor_axis_of(*ratio: str) -> Finish:
    """Makes the minor axis of the major one and a column that holds their ratio."""

    def finish(fields: Fields, numbers: dict[str, Numbers]) -> None:
        if "major_axis_arcsec" in numbers and fields.has(*ratio):
            b_over_a = fields.numbers(*ratio)
            known = (b_over_a > 0.0) & (b_over_a <= 1.0)
            share = np.where(known, b_over_a, np.nan)
            numbers["minor_axis_arcsec"] = numbers["major_axis_arcsec"] * share

    return finish


Keep = Callable[[Fields], Mapping[str, npt.NDArray[np.bool_]]]
Finish = Callable[[Fields, dict[str, Numbers]], None]


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The standard columns of a catalog, by the columns of its published file."""

    radius_arcsec: float
    """Reach of a point source, and the least of all."""
    ra: FileColumn
    dec: FileColumn
    source_id: tuple[str, ...] = ()
    """Columns of the name; none: a designation is made of the position."""
    id_prefix: str = ""
    id_of: Callable[[Fields], pa.Array] | None = None
    """In place of ``source_id``: names made of several columns."""
    source_class: tuple[str, ...] = ()
    columns: Mapping[str, FileColumn] = field(default_factory=dict)
    """Standard numeric columns by name; one that the file lacks is left out."""
    photometry: Mapping[str, FileColumn] = field(default_factory=dict)
    most_reach_arcsec: float = np.inf
    """Cap of reaches made of axes, arcseconds."""
    leave_out: Keep | None = None
    """Rows to leave out, by reason."""
    finish: Finish | None = None
    """Changes or adds standard columns that take more than one column of the file."""
    kinds: tuple[str, Mapping[str, str]] | None = None
    """Column that says how a redshift was measured, and ``REDSHIFT_KINDS`` by its values."""
    also: tuple[str, ...] = ()
    """Columns that ``leave_out`` and ``finish`` read."""

    def rows(self, table: pa.Table) -> CatalogRows:
        """Rows in standard columns.

        Raises
        ------
        CatalogUnavailableError
            If the table lacks positions or names.
        """
        kept, left_out, file_row = self._kept(table)
        fields = Fields(kept)
        ra_deg, dec_deg = self.ra.read(fields), self.dec.read(fields)
        numbers = {n: c.read(fields) for n, c in self.columns.items() if fields.has(*c.names)}
        photometry = {n: c.read(fields) for n, c in self.photometry.items() if fields.has(*c.names)}
        if self.finish is not None:
            self.finish(fields, numbers)
        if not set(numbers) <= set(NUMERIC_COLUMNS):
            raise CatalogUnavailableError(
                f"no standard columns: {set(numbers) - set(NUMERIC_COLUMNS)}"
            )
        kinds = self._kinds(fields, numbers)
        numbers.pop("redshift_kind", None)
        return CatalogRows(
            ra_deg=ra_deg,
            dec_deg=dec_deg,
            reach_arcsec=self._reach(numbers),
            source_id=self._source_id(fields, ra_deg, dec_deg),
            source_class=self._source_class(fields),
            redshift_kind=kinds,
            photometry=photometry,
            left_out=left_out,
            file_row=file_row,
            **numbers,
        )

    def _kept(
        self, table: pa.Table
    ) -> tuple[pa.Table, dict[str, int], npt.NDArray[np.int64] | None]:
        if self.leave_out is None:
            return table, {}, None
        unwanted = self.leave_out(Fields(table))
        keep = np.ones(table.num_rows, dtype=bool)
        counts = {}
        for reason, mask in unwanted.items():
            counts[reason] = int((mask & keep).sum())
            keep &= ~mask
        found = {reason: count for reason, count in counts.items() if count}
        return table.filter(pa.array(keep)), found, np.flatnonzero(keep)

    def _reach(self, numbers: Mapping[str, Numbers]) -> float | Numbers:
        for name, share in (("error_major_arcsec", 1.0), ("major_axis_arcsec", 0.5)):
            if name in numbers:
                reach = np.minimum(numbers[name] * share, self.most_reach_arcsec)
                return np.fmax(reach, self.radius_arcsec)
        return self.radius_arcsec

    def _source_id(self, fields: Fields, ra_deg: Numbers, dec_deg: Numbers) -> pa.Array:
        if self.id_of is not None:
            return self.id_of(fields)
        if not self.source_id:
            return designations(ra_deg, dec_deg)
        names = fields.names_or_numbers(*self.source_id)
        if not self.id_prefix:
            return names
        text = names.cast(pa.string())
        return pc.binary_join_element_wise(self.id_prefix, text, "")

    def _source_class(self, fields: Fields) -> pa.Array:
        if self.source_class and fields.has(*self.source_class):
            return fields.words(*self.source_class)
        return pa.nulls(len(fields), pa.string())

    def _kinds(
        self, fields: Fields, numbers: Mapping[str, Numbers]
    ) -> npt.NDArray[np.uint8] | None:
        if "redshift_kind" in numbers:
            return numbers["redshift_kind"].astype(np.uint8)
        if self.kinds is None or "redshift" not in numbers or not fields.has(self.kinds[0]):
            return None
        name, meaning = self.kinds
        words = fields.words(name).to_pylist()
        codes = [REDSHIFT_KINDS.index(meaning.get(word or "", "")) for word in words]
        known = np.isfinite(numbers["redshift"])
        return np.where(known, np.array(codes, dtype=np.uint8), 0).astype(np.uint8)

    def file_columns(self) -> tuple[str, ...]:
        """Every column of the file that may be wanted, for readers that can leave others out."""
        mapped = (self.ra, self.dec, *self.columns.values(), *self.photometry.values())
        kind = (self.kinds[0],) if self.kinds else ()
        return tuple(
            dict.fromkeys(
                (
                    *self.source_id,
                    *self.source_class,
                    *kind,
                    *(name for source in mapped for name in source.names),
                    *self.also,
                )
            )
        )

    def meaning(self) -> dict[str, str]:
        """Standard columns and what of the file they are made of, for the reference."""
        made = {"ra_deg": str(self.ra), "dec_deg": str(self.dec)}
        for name, names in (("source_id", self.source_id), ("source_class", self.source_class)):
            if names:
                made[name] = " or ".join(f"`{n}`" for n in names)
        made.update({name: str(source) for name, source in self.columns.items()})
        made.update({f"photometry {name}": str(c) for name, c in self.photometry.items()})
        return made
