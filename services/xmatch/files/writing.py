"""Writes the joined table: CSV, Parquet, FITS or VOTable, complete or not at all."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from astropy.table import MaskedColumn, Table

from services.xmatch.files.errors import UnusableFileError

SUFFIXES = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".fits": "fits",
    ".fit": "fits",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
}


class PieceSink(Protocol):
    """Takes the pieces of one format."""

    def write(self, piece: pa.Table) -> None:
        """Take one piece; all have the same columns."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class CsvSink:
    """Lines of text, null as nothing."""

    def __init__(self, stream: IO[str]) -> None:
        """Write to ``stream``, which stays open."""
        self._writer = csv.writer(stream, lineterminator="\n")
        self._named = False

    def write(self, piece: pa.Table) -> None:
        """Take one piece."""
        if not self._named:
            self._writer.writerow(piece.column_names)
            self._named = True
        self._writer.writerows(zip(*(_texts(column) for column in piece.columns), strict=True))

    def close(self) -> None:
        """Nothing is left."""


class ParquetSink:
    """Row groups, one for each piece."""

    def __init__(self, path: Path) -> None:
        """Write to ``path``."""
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, piece: pa.Table) -> None:
        """Take one piece."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, piece.schema, compression="zstd")
        self._writer.write_table(piece)

    def close(self) -> None:
        """Write the footer."""
        if self._writer is not None:
            self._writer.close()


class AstropySink:
    """FITS and VOTable, which must be written whole and so are held in memory."""

    def __init__(self, path: Path, kind: str) -> None:
        """Write to ``path`` as ``fits`` or ``votable``."""
        self._path, self._kind = path, kind
        self._pieces: list[pa.Table] = []

    def write(self, piece: pa.Table) -> None:
        """Take one piece."""
        self._pieces.append(piece)

    def close(self) -> None:
        """Write everything."""
        whole = pa.concat_tables(self._pieces).combine_chunks()
        columns = {name: _masked(name, whole.column(name)) for name in whole.column_names}
        Table(columns).write(self._path, format=self._kind)


class ResultFile:
    """Where the joined table goes: a file that appears when all is well, or standard output."""

    def __init__(self, path: Path | None) -> None:
        """Write to ``path``, or CSV to standard output if it is None.

        Raises
        ------
        UnusableFileError
            If the name's ending is of no known format, or its folder does not exist.
        """
        self._path = path
        self._making: Path | None = None
        if path is None:
            self.format = "csv"
            self._stream: IO[str] | None = sys.stdout
            self._sink: PieceSink = CsvSink(sys.stdout)
            return
        known = SUFFIXES.get(path.suffix.lower())
        if known is None:
            raise UnusableFileError(f"{path}: end its name in {', '.join(SUFFIXES)}")
        if not path.parent.is_dir():
            raise UnusableFileError(f"{path}: there is no folder {path.parent}")
        self.format = known
        self._making = path.with_name(f".{path.name}.{os.getpid()}")
        self._stream = None
        if known == "csv":
            self._stream = self._making.open("w", encoding="utf-8", newline="")
            self._sink = CsvSink(self._stream)
        elif known == "parquet":
            self._sink = ParquetSink(self._making)
        else:
            self._sink = AstropySink(self._making, known)

    def __enter__(self) -> Self:
        """For use in ``with``: the file appears at its end."""
        return self

    def write(self, piece: pa.Table) -> None:
        """Append one piece."""
        self._sink.write(piece)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put the file in its place, or leave nothing of it after an error."""
        try:
            if error is None:
                self._sink.close()
        finally:
            if self._making is not None and self._stream is not None:
                self._stream.close()
            if self._making is not None and error is not None:
                self._making.unlink(missing_ok=True)
        if self._making is not None and self._path is not None and error is None:
            self._making.replace(self._path)


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    """A column as text: numbers in their shortest form, lists as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        return [_json(value) for value in column.to_pylist()]
    texts: list[str | None] = column.cast(pa.string()).to_pylist()
    return texts


def _json(value: object) -> str | None:
    if value is None:
        return None
    return orjson.dumps(value, default=bytes.hex, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _masked(name: str, column: pa.ChunkedArray) -> MaskedColumn | npt.NDArray[np.generic]:
    """A column as astropy takes it.

    Raises
    ------
    UnusableFileError
        If it holds lists.
    """
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise UnusableFileError(f"column {name} holds {kind}; write .parquet or .csv instead")
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        texts = column.cast(pa.string()).to_pylist()
        mask = [text is None for text in texts]
        return MaskedColumn([text or "" for text in texts], mask=mask, dtype=np.str_)
    mask = column.is_null().to_numpy()
    values = pc.fill_null(column, pa.scalar(0).cast(kind)).to_numpy()
    return MaskedColumn(values, mask=mask) if mask.any() else values
