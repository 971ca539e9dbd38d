"""Every column an alert has when it leaves the mesh, in order: what the world may rely on.

A service reads only the columns of the stages before it; this is the sum of all stages, for
the Avro schema, the data dictionary and the test that the schema only grows.
"""

from __future__ import annotations

import pyarrow as pa

from shared.schemas.alert import CORRELATED, INGESTED, MATCHED, SURVEY_FIELDS
from shared.schemas.classification import FEATURES, classified
from shared.schemas.fields import column
from shared.schemas.matched import DESCRIBED
from shared.schemas.watched import WATCHED

SURVEY_FIELDS_COLUMN = column(
    SURVEY_FIELDS,
    pa.struct([]),
    "The survey's own scalars, under its own names: a struct here, a map in Avro.",
    null="never; its members may be",
    nullable=False,
)
"""Stands for the struct whose members differ by survey."""

CLASSIFIED: tuple[pa.Field, ...] = classified(pa.struct([]))
"""What classify adds; the members of ``features`` are declared beside the feature code."""

OPEN_STRUCTS: dict[str, tuple[str, ...]] = {
    SURVEY_FIELDS: ("null", "double", "long", "boolean", "string"),
    FEATURES: ("null", "float"),
}
"""Structs whose members are not fixed here: maps in Avro, and the union of their values."""

PUBLISHED: tuple[pa.Field, ...] = (
    *INGESTED,
    SURVEY_FIELDS_COLUMN,
    *MATCHED,
    *DESCRIBED,
    *WATCHED,
    *CLASSIFIED,
    *CORRELATED,
)
"""The published alert."""

STAGES: tuple[tuple[str, tuple[pa.Field, ...]], ...] = (
    ("ingest", (*INGESTED, SURVEY_FIELDS_COLUMN)),
    ("xmatch", (*MATCHED, *DESCRIBED, *WATCHED)),
    ("classify", CLASSIFIED),
    ("mma", CORRELATED),
)
"""Which service writes which columns."""
