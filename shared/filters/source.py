"""A relation that a prepared query reads, whose rows change from run to run."""

from __future__ import annotations

import pyarrow as pa


class Source:
    """A relation whose rows are those of ``table`` at the time of each run."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.table.schema.__arrow_c_schema__()


def first_line(error: BaseException) -> str:
    """An error's kind and first line: what a filter's owner is told."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
