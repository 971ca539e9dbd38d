"""The verb: which messages go to which topic, for the alerts and associations of one take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.distribute.voevents.packet import Author, voevent
from shared.errors import RejectedRecordError
from shared.filters.engine import FilterEngine, Mask
from shared.kafka.records import Envelope, Message, Record
from shared.kafka.topics import out_topic
from shared.privacy import private_owners, seen_by
from shared.schemas.association import Association
from shared.schemas.avro.encode import encode_alerts
from shared.schemas.avro.schema import SCHEMA_NAME

DELIVERY_ID = "delivery_id"
"""Header by which a repeat is known: an alert's origin, or an association's own identity."""

Outgoing = dict[str, list[Message]]
"""Messages by full name of the topic, each with the partition of the record it comes from."""


def outgoing_alerts(engine: FilterEngine, envelopes: Sequence[Envelope], prefix: str) -> Outgoing:
    """One Avro message for each alert and each filter that wants it.

    Parameters
    ----------
    engine
        The filters.
    envelopes
        Correlated alerts, of any surveys.
    prefix
        Of topic names.

    Returns
    -------
    dict
        In the order of the alerts. An alert is encoded once, however many filters want it, and
        once more for those whose owner sees more of it than others (``privacy``).
    """
    outgoing: Outgoing = {}
    for survey, group in _of_one_schema(envelopes):
        table = pa.Table.from_batches([e.batch.record_batch for e in group])
        private = private_owners(table)
        public = seen_by(table, None) if private else table
        masks = engine.select(public, survey)
        owners = {name: each.owner for name, each in engine.filters.items()}
        insiders = {owner: rows for owner, rows in private.items() if owner in owners.values()}
        for owner, rows in insiders.items():
            theirs = {name for name, whose in owners.items() if whose == owner}
            found = engine.select(seen_by(table.filter(pa.array(rows)), owner), survey)
            masks |= _own_masks(masks, found, theirs, rows)
        masks = {name: mask for name, mask in masks.items() if mask.any()}
        if not masks:
            continue
        partitions = _partitions(group)
        wanted = np.logical_or.reduce(list(masks.values()))
        messages = _by_row(public, wanted, partitions)
        own = {
            owner: messages | _by_row(seen_by(table, owner), wanted & rows, partitions)
            for owner, rows in insiders.items()
        }
        for name, mask in masks.items():
            mine = own.get(owners[name], messages)
            chosen = [mine[row] for row in np.flatnonzero(mask).tolist()]
            outgoing.setdefault(out_topic(name, prefix), []).extend(chosen)
    return outgoing


def _own_masks(
    masks: Mapping[str, Mask],
    found: Mapping[str, Mask],
    theirs: set[str],
    rows: Mask,
) -> dict[str, Mask]:
    """Masks of an owner's filters, with what they found in the rows that the owner sees best."""
    own = {}
    for name in theirs & (masks.keys() | found.keys()):
        mask = masks[name].copy() if name in masks else np.zeros(len(rows), np.bool_)
        mask[rows] = found.get(name, False)
        own[name] = mask
    return own


def _by_row(table: pa.Table, wanted: Mask, partitions: npt.NDArray[np.int64]) -> dict[int, Message]:
    """The wanted alerts as messages, by row."""
    rows = np.flatnonzero(wanted)
    if not len(rows):
        return {}
    return dict(zip(rows.tolist(), _messages(table, rows, partitions), strict=True))


def _of_one_schema(envelopes: Iterable[Envelope]) -> Iterator[tuple[str, list[Envelope]]]:
    """Envelopes grouped by survey and schema, each group in order: what one query can take."""
    groups: list[tuple[str, list[Envelope]]] = []
    for envelope in envelopes:
        if not len(envelope.batch):
            continue
        survey, schema = envelope.batch.survey, envelope.batch.record_batch.schema
        for known, members in groups:
            if known == survey and members[0].batch.record_batch.schema.equals(schema):
                members.append(envelope)
                break
        else:
            groups.append((survey, [envelope]))
    yield from groups


def _partitions(envelopes: Sequence[Envelope]) -> npt.NDArray[np.int64]:
    """Partition of the river each alert came by, shape (n,)."""
    return np.repeat(
        np.array([e.record.partition for e in envelopes]), [len(e.batch) for e in envelopes]
    )


def _messages(
    table: pa.Table, rows: npt.NDArray[np.int64], partitions: npt.NDArray[np.int64]
) -> list[Message]:
    """The wanted alerts as messages."""
    wanted = table.take(pa.array(rows)).combine_chunks().to_batches()[0]
    schema_name = SCHEMA_NAME.encode()

    def values(name: str) -> list[object]:
        column: list[object] = wanted.column(name).to_pylist()
        return column

    return [
        Message(
            value=body,
            key=str(object_id).encode(),
            partition=int(partition),
            headers=(
                (DELIVERY_ID, f"{topic}/{origin_partition}/{offset}".encode()),
                ("alert_id", str(alert_id).encode()),
                ("survey", str(survey).encode()),
                ("schema", schema_name),
            ),
        )
        for body, object_id, alert_id, survey, topic, origin_partition, offset, partition in zip(
            encode_alerts(wanted),
            values("object_id"),
            values("alert_id"),
            values("survey"),
            values("origin_topic"),
            values("origin_partition"),
            values("origin_offset"),
            partitions[rows],
            strict=True,
        )
    ]


def outgoing_voevents(records: Iterable[Record], author: Author) -> list[Message]:
    """A VOEvent for each association.

    Raises
    ------
    RejectedRecordError
        ``bad_association``, if a record is none.
    """
    return [_voevent_message(record, author) for record in records]


def _voevent_message(record: Record, author: Author) -> Message:
    try:
        association = Association.from_json(record.value)
        packet = voevent(association, author, record.timestamp_ms)
    except ValueError as error:  # pydantic's own error is one
        raise RejectedRecordError("bad_association", str(error)) from error
    return Message(
        value=packet,
        key=association.key,
        partition=record.partition,
        headers=(
            (DELIVERY_ID, association.delivery_id.encode()),
            ("state", association.state.encode()),
            ("role", association.role.encode()),
        ),
    )
