"""How a column is declared: an Arrow field whose metadata says unit, frame, range and null."""

from __future__ import annotations

import pyarrow as pa


def column(
    name: str,
    type_: pa.DataType,
    meaning: str,
    *,
    unit: str = "",
    source: str = "",
    null: str = "",
    nullable: bool = True,
) -> pa.Field:
    """Declare one column of a schema.

    Parameters
    ----------
    name
        Snake case, with the unit as a suffix where there is one.
    type_
        Arrow type.
    meaning
        One sentence: what it is, in which frame, in which range.
    unit
        Astropy-style unit string (``deg``, ``nJy``, ``d``).
    source
        Standard, paper or survey field it comes from.
    null
        What a null means. Required for nullable columns of the alert.
    nullable
        Whether the column may be null.
    """
    metadata = {"meaning": meaning, "unit": unit, "source": source, "null": null}
    return pa.field(name, type_, nullable, {k: v for k, v in metadata.items() if v})
