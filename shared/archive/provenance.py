"""The way back from an alert to the packet it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.archive.cutouts import decode_packet
from shared.archive.packets import packets_at
from shared.errors import RejectedRecordError, TocsinError
from shared.kafka.envelopes import read_envelope
from shared.store import Collection, Store

ORIGIN = ("alert_id", "survey", "origin_topic", "origin_partition", "origin_offset")
"""Columns that say where an alert's packet is."""


class PacketMissingError(TocsinError):
    """The packet of an alert is not kept here; the message says where it should be."""


async def find_origins(store: Store, alert_id: str) -> list[dict[str, Any]]:
    """``ORIGIN`` of the alerts of that name, each place once; maybe of several surveys."""
    places: dict[tuple[Any, ...], dict[str, Any]] = {}
    query = {"alert_ids": alert_id}
    async for document in store.stream(Collection.ENVELOPES, query, fields=["alert_ids", "batch"]):
        row = document["alert_ids"].index(alert_id)
        alert = read_envelope(document["batch"]).slice(row, 1).record_batch
        found = {name: alert.column(name)[0].as_py() for name in ORIGIN}
        places[tuple(found.values())] = found
    return list(places.values())


def packet_of(root: Path, alert: Mapping[str, Any]) -> bytes:
    """The packet of an alert, byte for byte, from the segments below ``root``.

    Where a topic was made anew several packets have borne one offset: it is the one that names
    the alert. A packet that cannot be decoded here is given if it is the only one.

    Raises
    ------
    PacketMissingError
        If there is none, or what is there is another alert's, or the disk has spoilt it.
    """
    place = f"{alert['origin_topic']}/{alert['origin_partition']}/{alert['origin_offset']}"
    try:
        packets = packets_at(
            root, alert["origin_topic"], alert["origin_partition"], alert["origin_offset"]
        )
    except ValueError as error:
        raise PacketMissingError(str(error)) from error
    if not packets:
        raise PacketMissingError(f"no packet of {place} below {root}; is TOCSIN_STATE_DIR right?")
    undecoded = []
    for packet in packets:
        try:
            if names_alert(decode_packet(packet), alert["alert_id"]):
                return packet
        except RejectedRecordError:
            undecoded.append(packet)
    if len(undecoded) == len(packets) == 1:
        return packets[0]
    raise PacketMissingError(f"the packet of {place} is not of alert {alert['alert_id']}")


def names_alert(record: Mapping[str, Any], alert_id: str) -> bool:
    """Whether a decoded packet bears an identifier, at its top or one level below."""
    inner = [value for member in record.values() if isinstance(member, dict)
             for value in member.values()]  # fmt: skip
    return any(isinstance(v, int | str) and str(v) == alert_id for v in (*record.values(), *inner))
