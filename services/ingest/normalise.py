"""Survey packets to alerts: framing, decoding, conversion, judgement. No clock, no network.

Every packet comes out exactly once: as a row of a batch, as refused, or as sent before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.ingest.avro import Decoded, TooMuchAtOnceError, decode
from services.ingest.avro import instructions as op
from services.ingest.avro.reference import decode_by_reference
from services.ingest.framing import Framed, SchemaBook, Writer
from services.ingest.recent import DUPLICATE, NEW, RecentAlerts, keys_of, origins_of
from services.ingest.surveys import SURVEYS
from services.ingest.surveys.base import SurveyAlerts, band_names, common_refusals, nullable
from shared.alert_batch import AlertBatch
from shared.errors import RejectedRecordError
from shared.kafka.records import Packet
from shared.schemas.alert import ingested_schema
from shared.sky.healpix import healpix29_of

Rows = npt.NDArray[np.int64]
Part = tuple[pa.RecordBatch, Rows]
"""Sound alerts, and the index of each one's packet."""
MAX_UNPACKED_BYTES = 64 << 20
"""Of records unpacked and not yet decoded: 60 KB of deflate may hold 64 MB."""
SCHEMAS = {name: ingested_schema(survey.survey_fields) for name, survey in SURVEYS.items()}
"""What ``alerts`` holds, by survey."""


@dataclass(frozen=True)
class Refused:
    """A packet that does not go on."""

    packet: int
    """Its index among the packets given."""
    reason: str
    detail: str
    alert_id: str | None = None
    schema_version: str | None = None
    """None where the schema is what was wrong, or was not reached."""


@dataclass(frozen=True)
class SurveyBatch:
    """New alerts of one survey, in the order of their packets."""

    batch: AlertBatch
    packets: Rows
    """Shape (n,): index of each alert's packet."""
    keys: Rows
    """Shape (n,): for ``RecentAlerts.remember``, once the alerts are acknowledged."""
    origins: Rows


@dataclass
class Normalised:
    """What became of a take of packets."""

    batches: list[SurveyBatch] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    sent_before: int = 0
    """Packets delivered to us again although their alerts had been sent: nothing to do."""


def normalise(
    packets: Sequence[Packet], book: SchemaBook, recent: RecentAlerts | None, ingested_ms: int
) -> Normalised:
    """Turn packets into alerts.

    Parameters
    ----------
    packets
        In any mixture of surveys and schemas.
    book
        The schemas; asked for those it has not seen.
    recent
        Alerts that were sent already; None to take every packet for new.
    ingested_ms
        The present time, Unix milliseconds.

    Raises
    ------
    UpstreamUnavailableError
        If a schema must be asked for and cannot be.
    """
    result = Normalised()
    found: dict[str, list[Part]] = {}
    for members in _groups(packets, book, result):
        indices = np.array([index for index, _ in members], np.int64)
        writer = members[0][1].writer
        parts = _group(writer, [f for _, f in members], indices, packets, ingested_ms, result)
        found.setdefault(writer.survey.name, []).extend(parts)
    for survey, parts in found.items():
        if not parts:
            continue
        merged, indices = _in_order(parts)
        judged = _judged(survey, AlertBatch(merged), indices, packets, recent, result)
        if len(judged.batch):
            result.batches.append(judged)
    result.refused.sort(key=lambda refused: refused.packet)
    return result


def _groups(
    packets: Sequence[Packet], book: SchemaBook, result: Normalised
) -> Iterator[list[tuple[int, Framed]]]:
    """Framed packets with their indices, by schema; not too many unpacked ones at a time."""
    groups: dict[int, list[tuple[int, Framed]]] = {}
    unpacked = 0
    for index, packet in enumerate(packets):
        try:
            framed = book.frame(packet.value)
        except RejectedRecordError as error:
            result.refused.append(Refused(index, error.reason, error.detail))
            continue
        groups.setdefault(id(framed.writer), []).append((index, framed))
        unpacked += len(framed.payload) if framed.payload is not packet.value else 0
        if unpacked > MAX_UNPACKED_BYTES:
            yield from groups.values()
            groups, unpacked = {}, 0
    yield from groups.values()


def _group(
    writer: Writer,
    framed: list[Framed],
    indices: Rows,
    packets: Sequence[Packet],
    ingested_ms: int,
    result: Normalised,
) -> list[Part]:
    """Packets of one schema as alerts: one part, more only if memory wants it."""
    try:
        decoded = _decode(writer, framed)
    except TooMuchAtOnceError:
        middle = len(framed) // 2
        first = _group(writer, framed[:middle], indices[:middle], packets, ingested_ms, result)
        return first + _group(
            writer, framed[middle:], indices[middle:], packets, ingested_ms, result
        )
    for row in np.flatnonzero(decoded.faults != op.OK):
        reason, detail = op.FAULTS[int(decoded.faults[row])]
        about = f"{writer.survey.name} {writer.version}".strip()
        result.refused.append(
            Refused(int(indices[row]), reason, f"{about}: {detail}", None, writer.version)
        )
    if not len(decoded):
        return []
    indices = indices[decoded.rows]
    with np.errstate(over="ignore", invalid="ignore"):  # absurd values are refused below
        alerts = writer.survey.to_alerts(decoded, writer.version)
    sound = _refuse(alerts, indices, result)
    batch = _record_batch(writer.survey.name, alerts, [packets[i] for i in indices], ingested_ms)
    if sound.all():
        return [(batch, indices)]
    if not sound.any():
        return []
    return [(batch.filter(pa.array(sound)), indices[sound])]


def _decode(writer: Writer, framed: list[Framed]) -> Decoded:
    payloads = [one.payload for one in framed]
    starts = np.array([one.start for one in framed], np.int64)
    ends = np.array([one.end for one in framed], np.int64)
    if writer.program is not None:
        return decode(writer.program, payloads, starts, ends)
    return decode_by_reference(writer.schema, writer.survey.projection, payloads, starts, ends)


def _refuse(alerts: SurveyAlerts, indices: Rows, result: Normalised) -> npt.NDArray[np.bool_]:
    """Set unsound alerts aside, each for the first reason that applies; which are sound."""
    sound = np.ones(len(indices), np.bool_)
    for refusal in (*common_refusals(alerts), *alerts.refusals):
        for row in np.flatnonzero(refusal.rows & sound):
            detail, version = refusal.detail(int(row)), alerts.schema_version[int(row)].as_py()
            alert_id = alerts.alert_id[int(row)].as_py()
            result.refused.append(
                Refused(int(indices[row]), refusal.reason, detail, alert_id, version)
            )
        sound &= ~refusal.rows
    return sound


def _record_batch(
    survey: str, alerts: SurveyAlerts, packets: Sequence[Packet], ingested_ms: int
) -> pa.RecordBatch:
    n = len(packets)
    ra_deg = np.where(alerts.ra_deg == 360.0, 0.0, alerts.ra_deg)
    columns = {
        "alert_id": alerts.alert_id,
        "survey": pa.repeat(pa.scalar(survey), n),
        "object_id": alerts.object_id,
        "schema_version": alerts.schema_version,
        "ra_deg": pa.array(ra_deg),
        "dec_deg": pa.array(alerts.dec_deg),
        "healpix29": pa.array(healpix29_of(ra_deg, alerts.dec_deg)),
        "mjd_tai": pa.array(alerts.mjd_tai),
        "emitted_ms": pa.array([packet.timestamp_ms for packet in packets], pa.int64()),
        "ingested_ms": pa.repeat(pa.scalar(ingested_ms, pa.int64()), n),
        "band": band_names(alerts.band),
        "flux_njy": nullable(alerts.flux_njy, pa.float64()),
        "flux_err_njy": nullable(alerts.flux_err_njy, pa.float64()),
        "reliability": nullable(alerts.reliability, pa.float32()),
        "is_solar_system": pa.array(alerts.is_solar_system),
        "is_simulated": pa.array(alerts.is_simulated),
        **alerts.light_curve,
        "origin_topic": pa.array([packet.topic for packet in packets], pa.string()),
        "origin_partition": pa.array([packet.partition for packet in packets], pa.int32()),
        "origin_offset": pa.array([packet.offset for packet in packets], pa.int64()),
        "survey_fields": alerts.survey_fields,
    }
    schema = SCHEMAS[survey]
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _in_order(parts: list[Part]) -> Part:
    """Alerts of several schemas of one survey as one batch, in the order of their packets."""
    if len(parts) == 1:
        return parts[0]
    indices = np.concatenate([indices for _, indices in parts])
    order = np.argsort(indices)
    whole = pa.concat_batches([batch for batch, _ in parts])
    return whole.take(pa.array(order)), indices[order]


def _judged(
    survey: str,
    batch: AlertBatch,
    indices: Rows,
    packets: Sequence[Packet],
    recent: RecentAlerts | None,
    result: Normalised,
) -> SurveyBatch:
    """Only those alerts that were not sent before; duplicates are refused."""
    keys = keys_of(survey, batch.column("alert_id"))
    origins = origins_of(
        [packets[i].topic for i in indices],
        batch.integers("origin_partition"),
        batch.integers("origin_offset"),
    )
    if recent is None:
        return SurveyBatch(batch, indices, keys, origins)
    verdict = recent.judge(keys, origins)
    is_new = verdict == NEW
    if is_new.all():
        return SurveyBatch(batch, indices, keys, origins)
    ids = batch.column("alert_id")
    for row in np.flatnonzero(verdict == DUPLICATE):
        alert_id = ids[int(row)].as_py()
        detail = f"{survey} alert {alert_id} has been sent before, from another packet"
        result.refused.append(Refused(int(indices[row]), "duplicate", detail, alert_id))
    result.sent_before += int(np.count_nonzero(~is_new & (verdict != DUPLICATE)))
    return SurveyBatch(batch.rows(is_new), indices[is_new], keys[is_new], origins[is_new])
