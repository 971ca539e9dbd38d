"""Columnar Avro: a writer's schema and a projection make a table; one compiled kernel walks it."""

from services.ingest.avro.columns import Decoded, Ragged
from services.ingest.avro.decode import decode
from services.ingest.avro.program import (
    Program,
    Projection,
    SlowSchemaError,
    TooMuchAtOnceError,
    UnsupportedSchemaError,
    compile_program,
)

__all__ = [
    "Decoded",
    "Program",
    "Projection",
    "Ragged",
    "SlowSchemaError",
    "TooMuchAtOnceError",
    "UnsupportedSchemaError",
    "compile_program",
    "decode",
]
