"""What an envelope must be before anybody works on it: kernels read its memory unchecked.

Written by our own services, envelopes are sound. But a wrong offset or a band code of 127 ends
a worker at once, Kafka delivers the envelope again, and nothing behind it ever comes through.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from shared.light_curves.bands import BANDS, UPPER_LIMIT
from shared.schemas.alert import INGESTED

_MOST_SCHEMAS = 64


class UnsoundEnvelopeError(ValueError):
    """The bytes are an Arrow stream, but not an envelope of ours."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """A schema that has ingest's columns, and where they are."""

    schema: pa.Schema
    not_null: tuple[int, ...]
    light_curve: tuple[int, ...]
    bands: int
    kinds: int


_layouts: dict[bytes, _Layout] = {}
"""By the schema's bytes: reading and judging one costs more than the rest of an envelope."""


def read_alerts(payload: bytes) -> pa.RecordBatch:
    """The one record batch of an Arrow stream, ingest's columns and its memory checked.

    Raises
    ------
    UnsoundEnvelopeError, pa.ArrowException, StopIteration, EOFError, OSError, struct.error
        With what is wrong.
    """
    messages = pa.ipc.MessageReader.open_stream(pa.py_buffer(payload))
    layout = _layout_of(messages.read_next_message())
    message = messages.read_next_message()
    if message.type != "record batch":
        raise UnsoundEnvelopeError(f"a {message.type} where the record batch should be")
    if _is_compressed(bytes(message.metadata)):
        # A few kilobytes of zstd are gigabytes of columns, and Arrow has no limit to give.
        raise UnsoundEnvelopeError("the record batch is compressed")
    batch = pa.ipc.read_record_batch(message, layout.schema)
    batch.validate(full=True)
    _check(batch.columns, layout)
    return batch


def _check(columns: list[Any], layout: _Layout) -> None:
    for index in layout.not_null:
        if columns[index].null_count:
            raise UnsoundEnvelopeError(f"column {layout.schema.field(index).name} holds null")
    offsets = [columns[index].offsets.to_numpy() for index in layout.light_curve]
    lengths = np.diff(offsets[0])
    if any(not np.array_equal(lengths, np.diff(other)) for other in offsets[1:]):
        raise UnsoundEnvelopeError("the lists of the light curves differ in length")
    for index, most in ((layout.bands, len(BANDS) - 1), (layout.kinds, UPPER_LIMIT)):
        codes = columns[index].flatten()
        # As unsigned numbers, what is negative is large.
        if codes.null_count or (len(codes) and codes.to_numpy().view(np.uint8).max() > most):
            raise UnsoundEnvelopeError(f"codes in {layout.schema.field(index).name} that are none")


def _layout_of(message: Any) -> _Layout:
    """The schema in the stream's first message."""
    key = bytes(message.metadata)
    layout = _layouts.get(key)
    if layout is None:
        if message.type != "schema":  # pyarrow itself would read on, and end the process
            raise UnsoundEnvelopeError(f"a {message.type} where the schema should be")
        layout = _laid_out(pa.ipc.read_schema(message))
        if len(_layouts) >= _MOST_SCHEMAS:
            _layouts.clear()
        _layouts[key] = layout
    return layout


def _laid_out(schema: pa.Schema) -> _Layout:
    """Columns that stages add are their own business: they grow from version to version."""
    places: dict[str, int] = {}
    for field in INGESTED:
        found = schema.get_all_field_indices(field.name)
        if len(found) != 1:
            raise UnsoundEnvelopeError(f"{len(found)} columns {field.name}")
        type_ = schema.field(found[0]).type
        if not type_.equals(field.type):
            raise UnsoundEnvelopeError(f"column {field.name} is {type_}, not {field.type}")
        places[field.name] = found[0]
    return _Layout(
        schema,
        tuple(places[field.name] for field in INGESTED if not field.nullable),
        tuple(index for name, index in places.items() if name.startswith("lc_")),
        places["lc_band"],
        places["lc_kind"],
    )


def _is_compressed(metadata: bytes) -> bool:
    """Whether a verified RecordBatch message has the field ``compression`` (Arrow's Message.fbs).

    Flatbuffers: a table begins with the distance back to its vtable, which holds its own size,
    the table's, and the place of each field, 0 if absent.
    """

    def place(table: int, number: int) -> int:
        vtable = table - struct.unpack_from("<i", metadata, table)[0]
        size: int = struct.unpack_from("<H", metadata, vtable)[0]
        at = 4 + 2 * number
        offset: int = struct.unpack_from("<H", metadata, vtable + at)[0] if at < size else 0
        return table + offset if offset else 0

    message: int = struct.unpack_from("<I", metadata, 0)[0]
    header = place(message, 2)
    record_batch: int = header + struct.unpack_from("<I", metadata, header)[0]
    return place(record_batch, 3) != 0
