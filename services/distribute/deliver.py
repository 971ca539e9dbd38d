"""The verb: which messages go to which topic, for the alerts and associations of one take."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from services.distribute.gcn.notice import gcn_notice
from services.distribute.messages import (
    DELIVERY_ID,
    ByRow,
    Partitions,
    selected_columns,
    whole_alerts,
)
from services.distribute.voevents.packet import Author, voevent
from shared.errors import RejectedRecordError
from shared.filters.engine import FilterEngine, Mask
from shared.filters.sight import private_eyes
from shared.kafka.records import Envelope, Message, Record
from shared.kafka.topics import Topic, out_topic
from shared.privacy import private_owners, seen_by
from shared.schemas.association import Association

__all__ = ["DELIVERY_ID", "Outgoing", "outgoing_alerts", "outgoing_voevents"]

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
        partitions = _partitions(group)
        for name, messages in _of_table(engine, table, survey, partitions):
            outgoing.setdefault(out_topic(name, prefix), []).extend(messages)
    return outgoing


def _of_table(
    engine: FilterEngine, table: pa.Table, survey: str, partitions: Partitions
) -> Iterator[tuple[str, list[Message]]]:
    """Each filter's messages, each filter run on what its owner may see, and sent that."""
    private = private_owners(table)
    public = seen_by(table, None) if private else table
    masks = engine.select(public, survey)
    owners = {name: private_eyes(each) for name, each in engine.filters.items()}
    insiders = {owner: rows for owner, rows in private.items() if owner in owners.values()}
    views = {owner: seen_by(table, owner) for owner in insiders}
    for owner, rows in insiders.items():
        theirs = {name for name, whose in owners.items() if whose == owner}
        found = engine.select(views[owner].filter(pa.array(rows)), survey)
        masks |= _own_masks(masks, found, theirs, rows)
    masks = {name: mask for name, mask in masks.items() if mask.any()}
    narrow = engine.outputs.keys() & masks.keys()
    whole = {name: mask for name, mask in masks.items() if name not in narrow}
    found_by: dict[str, ByRow] = {}
    if whole:
        wanted = np.logical_or.reduce(list(whole.values()))
        messages = whole_alerts(public, wanted, partitions)
        own = {
            owner: messages | whole_alerts(views[owner], wanted & rows, partitions)
            for owner, rows in insiders.items()
        }
        found_by = {name: own.get(owners[name] or "", messages) for name in whole}
    if narrow:
        chosen = {name: masks[name] for name in narrow}
        found_by |= selected_columns(engine, public, survey, chosen, partitions)
        for owner, rows in insiders.items():
            mine = {n: masks[n] & rows for n in narrow if owners[n] == owner}
            again = selected_columns(engine, views[owner], survey, mine, partitions)
            for name, by_row in again.items():
                found_by[name] = found_by.get(name, {}) | by_row
    for name, mask in masks.items():
        if name in found_by and name not in engine.paused:
            yield name, [found_by[name][row] for row in np.flatnonzero(mask).tolist()]


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


def _partitions(envelopes: Sequence[Envelope]) -> Partitions:
    """Partition of the river each alert came by, shape (n,)."""
    return np.repeat(
        np.array([e.record.partition for e in envelopes]), [len(e.batch) for e in envelopes]
    )


def outgoing_statements(
    records: Sequence[Record], author: Author, prefix: str, private: Container[str] = ()
) -> Outgoing:
    """A VOEvent and a GCN notice for each association, each on its topic.

    Both are for everybody, so there is none about an alert of a ``private`` survey.

    Raises
    ------
    RejectedRecordError
        ``bad_association``, if a record is none.
    """
    public = [record for record in records if _association(record).survey not in private]
    return {
        Topic.VOEVENTS.named(prefix): outgoing_voevents(public, author),
        Topic.GCN_NOTICES.named(prefix): [_statement(r, author, gcn_notice) for r in public],
    }


def outgoing_voevents(records: Iterable[Record], author: Author) -> list[Message]:
    """A VOEvent for each association; raises as ``outgoing_statements``."""
    return [_statement(record, author, voevent) for record in records]


def _statement(
    record: Record, author: Author, write: Callable[[Association, Author, int], bytes]
) -> Message:
    association = _association(record)
    try:
        text = write(association, author, record.timestamp_ms)
    except ValueError as error:  # pydantic's own error is one
        raise RejectedRecordError("bad_association", str(error)) from error
    return Message(
        value=text,
        key=association.key,
        partition=record.partition,
        headers=(
            (DELIVERY_ID, association.delivery_id.encode()),
            ("state", association.state.encode()),
            ("role", association.role.encode()),
        ),
    )


def _association(record: Record) -> Association:
    try:
        return Association.from_json(record.value)
    except ValueError as error:  # pydantic's own error is one
        raise RejectedRecordError("bad_association", str(error)) from error
