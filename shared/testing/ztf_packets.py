"""Real ZTF packets as batches, decoded the slow plain way: independent of ingest."""

from __future__ import annotations

import io
import math
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import fastavro
import pyarrow as pa

from shared.alert_batch import AlertBatch
from shared.light_curves.bands import DETECTION, UPPER_LIMIT
from shared.light_curves.photometry import flux_err_njy_of, flux_njy_of, mjd_tai_of_utc
from shared.schemas.alert import INGESTED, ingested_schema

_BAND = {1: ("g", 1), 2: ("r", 2), 3: ("i", 3)}


def records_of(content: bytes) -> Iterator[dict[str, Any]]:
    """The packets of an Avro object container, as fastavro gives them."""
    for record in fastavro.reader(io.BytesIO(content)):
        yield cast(dict[str, Any], record)


def records_of_archive(path: Path) -> Iterator[dict[str, Any]]:
    """The packets of every ``.avro`` member of a tar archive."""
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(".avro") else None
            if content is not None:
                yield from records_of(content.read())


def _point(candidate: dict[str, Any]) -> tuple[float, float, float, int, int]:
    mjd = float(mjd_tai_of_utc(candidate["jd"] - 2_400_000.5)) + 15.0 / 86_400.0
    code = _BAND[candidate["fid"]][1]
    if candidate.get("magpsf") is None:
        limit = float(flux_njy_of(candidate["diffmaglim"] or math.nan))
        return mjd, math.nan, limit / 5.0, code, UPPER_LIMIT
    sign = 1.0 if candidate["isdiffpos"] in ("t", "1") else -1.0
    flux = float(flux_njy_of(candidate["magpsf"]))
    err = float(flux_err_njy_of(flux, candidate["sigmapsf"]))
    return mjd, sign * flux, err, code, DETECTION


def _row(packet: dict[str, Any]) -> dict[str, Any]:
    candidate = packet["candidate"]
    newest = _point(candidate)
    points = sorted({_point(c) for c in packet.get("prv_candidates") or [] if c["fid"]} | {newest})
    near_known = (candidate.get("ssdistnr") or -999.0) >= 0.0 and candidate["ssdistnr"] < 5.0
    return {
        "alert_id": str(packet["candid"]),
        "survey": "ztf",
        "object_id": packet["objectId"],
        "schema_version": str(packet["schemavsn"]),
        "ra_deg": candidate["ra"],
        "dec_deg": candidate["dec"],
        "healpix29": 0,
        "mjd_tai": newest[0],
        "emitted_ms": 0,
        "ingested_ms": 0,
        "band": _BAND[candidate["fid"]][0],
        "flux_njy": newest[1],
        "flux_err_njy": newest[2],
        "reliability": candidate.get("drb") or candidate.get("rb"),
        "is_solar_system": near_known,
        "is_simulated": False,
        "lc_mjd_tai": [p[0] for p in points],
        "lc_flux_njy": [p[1] for p in points],
        "lc_flux_err_njy": [p[2] for p in points],
        "lc_band": [p[3] for p in points],
        "lc_kind": [p[4] for p in points],
        "origin_topic": "test",
        "origin_partition": 0,
        "origin_offset": 0,
    }


def batch_of(packets: Iterable[dict[str, Any]]) -> AlertBatch:
    """Packets as a batch, without ``survey_fields`` and without what Kafka would tell."""
    rows = [_row(packet) for packet in packets]
    own = pa.struct([pa.field("drb", pa.float32())])
    schema = ingested_schema(own)
    arrays = [pa.array([row[f.name] for row in rows], f.type) for f in INGESTED]
    arrays.append(pa.nulls(len(rows), own))
    return AlertBatch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def supernova_2021rhu(shelf: Path) -> AlertBatch:
    """The 34 alerts of ZTF21abiuvdk, a type Ia in NGC 7814, in order of time."""
    packets = records_of_archive(shelf / "ztf" / "pittgoogle_84.tar.xz")
    mine = [packet for packet in packets if packet["objectId"] == "ZTF21abiuvdk"]
    return batch_of(sorted(mine, key=lambda packet: packet["candidate"]["jd"]))
