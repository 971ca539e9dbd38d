"""The compiled encoder writes what fastavro writes."""

import io

import fastavro
import numpy as np
import pytest

from services.simulate.avro_rows import RowEncoder

SCHEMA = {
    "type": "record",
    "name": "point",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "n", "type": ["null", "int"]},
        {"name": "m", "type": ["int", "null"]},
        {"name": "x", "type": "double"},
        {"name": "y", "type": ["null", "float"]},
        {"name": "ok", "type": ["null", "boolean"]},
        {"name": "word", "type": ["null", "string"]},
        {"name": "name", "type": "string"},
        {"name": "when", "type": ["null", {"type": "long", "logicalType": "timestamp-micros"}]},
        {
            "name": "inner",
            "type": {
                "type": "record",
                "name": "inner",
                "fields": [{"name": "z", "type": "float"}],
            },
        },
    ],
}


def test_rows_equal_fastavro():
    ids = np.array([0, -1, 63, 64, -65, 2**62, -(2**62), 3005140370015010009])
    rows = len(ids)
    rng = np.random.default_rng(1)
    y = rng.normal(size=rows).astype(np.float32)
    y[2] = np.nan
    n = np.array([1.0, np.nan, 3, 4, 5, 6, 7, -200])
    words = ["a", None, "Sérsic", "", "a", "b" * 70, None, "z"]
    columns = {
        "id": ids,
        "n": n,
        "m": 7,
        "x": rng.normal(size=rows),
        "y": y,
        "ok": np.arange(rows) % 2 == 0,
        "word": words,
        "name": "same",
        "z": rng.normal(size=rows).astype(np.float32),
    }
    encoded = RowEncoder(SCHEMA).encode(rows, columns)
    schema = fastavro.parse_schema(SCHEMA)
    for row, written in enumerate(encoded):
        record = {
            "id": int(ids[row]),
            "n": None if np.isnan(n[row]) else int(n[row]),
            "m": 7,
            "x": columns["x"][row],
            "y": None if np.isnan(y[row]) else float(y[row]),
            "ok": row % 2 == 0,
            "word": words[row],
            "name": "same",
            "when": None,
            "inner": {"z": float(columns["z"][row])},
        }
        expected = io.BytesIO()
        fastavro.schemaless_writer(expected, schema, record)
        assert bytes(written) == expected.getvalue()
    together = list(encoded.slices(np.array([0, 3, 3, rows])))
    assert b"".join(together) == bytes(encoded.buffer)
    assert len(together[1]) == 0


def test_refuses_unknown_columns_and_missing_values():
    encoder = RowEncoder(SCHEMA)
    with pytest.raises(ValueError, match="no field nonsense"):
        encoder.encode(1, {"nonsense": 1})
    with pytest.raises(ValueError, match="id must not be null"):
        encoder.encode(1, {"x": 1.0, "name": "a", "z": 1.0})
