"""Which objects filters wanted, read from their own topics ``out.<filter>``."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import fastavro
import fastavro.schema

from services.xmatch.remote.wanted import Wanted
from shared.errors import RejectedRecordError
from shared.kafka.records import Record
from shared.schemas.avro.encode import CONFLUENT_HEADER
from shared.schemas.avro.schema import SCHEMA_FILE

_SCHEMA = fastavro.schema.parse_schema(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def wanted_by_filters(records: Sequence[Record]) -> list[Wanted]:
    """Objects in the output of filters, each once, simulated ones and asteroids left out.

    Raises
    ------
    RejectedRecordError
        ``bad_out_message``, if a record is not an alert as distribute writes it.
    """
    by_object: dict[tuple[str, str], Wanted] = {}
    for record in records:
        alert = _alert(record)
        if alert["is_simulated"] or alert["is_solar_system"]:
            continue
        key = (alert["survey"], alert["object_id"])
        by_object[key] = Wanted(*key, alert["alert_id"], alert["ra_deg"], alert["dec_deg"])
    return list(by_object.values())


def _alert(record: Record) -> dict[str, Any]:
    head = len(CONFLUENT_HEADER)
    if record.value[:head] != CONFLUENT_HEADER:
        raise RejectedRecordError(
            "bad_out_message", f"begins with {record.value[:head].hex()}, not with our schema id"
        )
    try:
        alert = fastavro.schemaless_reader(io.BytesIO(record.value[head:]), _SCHEMA, None)
    except (EOFError, ValueError, IndexError, KeyError, UnicodeDecodeError) as error:
        raise RejectedRecordError("bad_out_message", f"not an alert of ours: {error!r}") from error
    if not isinstance(alert, dict):
        raise RejectedRecordError("bad_out_message", "not a record")
    return alert
