"""Objects by their place on the sky: nights that are packed, and alerts that came since."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
from cdshealpix.nested import cone_search

from services.portal.formats.tables import field_of
from services.portal.reading.recent import Cone, PlaceRow, RecentAlerts
from services.portal.reading.seen import Sight
from shared.archive.query import archive_connection
from shared.archive.snapshots import archive_root, snapshots_for
from shared.filters.guard import Limits
from shared.sky.healpix import DEEPEST_ORDER
from shared.sky.separation import separation_arcsec

_LIMITS = Limits(memory_mib=512, seconds=30.0, threads=1)
_MOST_RANGES = 64
LARGEST_RADIUS_DEG = 10.0

PLACE_FIELDS = (
    field_of("object_id", pa.string(), "The survey's name of the object", ucd="meta.id;meta.main"),
    field_of("survey", pa.string(), "Survey of the object", ucd="meta.dataset"),
    field_of("ra_deg", pa.float64(), "Right ascension, ICRS, of the latest alert", unit="deg",
             ucd="pos.eq.ra;meta.main"),
    field_of("dec_deg", pa.float64(), "Declination, ICRS, of the latest alert", unit="deg",
             ucd="pos.eq.dec;meta.main"),
    field_of("separation_arcsec", pa.float64(), "Distance from the place asked for",
             unit="arcsec", ucd="pos.angDistance"),
    field_of("first_mjd_tai", pa.float64(), "First alert, MJD, TAI", unit="d", ucd="time.start"),
    field_of("last_mjd_tai", pa.float64(), "Latest alert, MJD, TAI", unit="d", ucd="time.end"),
    field_of("n_alerts", pa.int64(), "Alerts in the cone", ucd="meta.number"),
)  # fmt: skip
"""Columns of a list of objects by place."""


def packed_inside(state_dir: Path, cone: Cone, sight: Sight, limit: int) -> list[PlaceRow]:
    """Objects with packed alerts in the cone. CPU-bound: call it in a thread.

    Raises
    ------
    duckdb.Error
        If it takes more than its limits.
    """
    cells = _ranges(cone)
    snapshots = snapshots_for(archive_root(state_dir), sight.reader, sight.private)
    if not snapshots:
        return []
    within = " OR ".join(f"(healpix29 >= {low} AND healpix29 < {high})" for low, high in cells)
    half = (
        f"pow(sin(radians(dec_deg - {cone.dec_deg!r}) / 2), 2) + cos(radians(dec_deg)) * "
        f"cos(radians({cone.dec_deg!r})) * pow(sin(radians(ra_deg - {cone.ra_deg!r}) / 2), 2)"
    )
    sql = (
        "SELECT survey, object_id, arg_max(ra_deg, mjd_tai), arg_max(dec_deg, mjd_tai), "  # noqa: S608  # numbers of ours
        "min(mjd_tai), max(mjd_tai), count(*) FROM archived_alerts "
        f"WHERE ({within}) AND 2 * asin(sqrt(least(1, {half}))) <= "
        f"{math.radians(cone.radius_deg)!r} GROUP BY survey, object_id LIMIT {limit}"
    )
    with archive_connection(snapshots, sight.reader, _LIMITS, cells29=cells) as connection:
        rows: list[PlaceRow] = connection.execute(sql).fetchall()
        return rows


def _ranges(cone: Cone) -> list[tuple[int, int]]:
    """Ranges of HEALPix cells of order 29 that cover the cone, at most `_MOST_RANGES`."""
    import astropy.units as u  # noqa: PLC0415  # half a second: only here
    from astropy.coordinates import Latitude, Longitude  # noqa: PLC0415

    radius_deg = max(cone.radius_deg, 1e-6)
    # Cells about as large as the cone: a dozen of them cover it.
    order = int(np.clip(math.floor(math.log2(58.6 / radius_deg)), 0, 14))
    cells, depths, _ = cone_search(
        Longitude(cone.ra_deg * u.deg), Latitude(cone.dec_deg * u.deg), radius_deg * u.deg, order
    )
    shifts = 2 * (DEEPEST_ORDER - depths.astype(np.int64))
    ranges = sorted(
        (int(cell) << int(shift), (int(cell) + 1) << int(shift))
        for cell, shift in zip(cells, shifts, strict=True)
    )
    return ranges[:_MOST_RANGES] if len(ranges) <= _MOST_RANGES else [(ranges[0][0], ranges[-1][1])]


def places_table(rows: list[PlaceRow], cone: Cone, limit: int) -> pa.Table:
    """Objects, the nearest first; one that is packed and came again is one row."""
    merged: dict[tuple[str, str], PlaceRow] = {}
    for row in rows:
        before = merged.get(row[:2])
        if before is not None:
            newer = row if row[5] >= before[5] else before
            first, last = min(row[4], before[4]), max(row[5], before[5])
            row = (*newer[:4], first, last, row[6] + before[6])  # noqa: PLW2901  # the two as one
        merged[row[:2]] = row
    kept = list(merged.values())
    ra = np.array([row[2] for row in kept], np.float64)
    dec = np.array([row[3] for row in kept], np.float64)
    apart = separation_arcsec(ra, dec, cone.ra_deg, cone.dec_deg) if kept else np.zeros(0)
    order = np.argsort(apart, kind="stable")[:limit].tolist()
    columns = [
        [kept[i][1] for i in order], [kept[i][0] for i in order], ra[order], dec[order],
        apart[order], [kept[i][4] for i in order], [kept[i][5] for i in order],
        [kept[i][6] for i in order],
    ]  # fmt: skip
    arrays = [pa.array(values, f.type) for values, f in zip(columns, PLACE_FIELDS, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(PLACE_FIELDS))


async def objects_inside(
    recent: RecentAlerts, state_dir: Path, cone: Cone, sight: Sight, limit: int
) -> pa.Table:
    """Objects in a cone, the nearest first, columns as ``PLACE_FIELDS``."""
    packed = await asyncio.to_thread(packed_inside, state_dir, cone, sight, 20 * limit)
    rows = [*packed, *await recent.inside(cone, sight)]
    return places_table(rows, cone, limit)
