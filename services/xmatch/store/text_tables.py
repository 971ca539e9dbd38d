"""Reads tables in text: CSV and the like, plain, gzip or zip, with or without a line of names.

Every column is read as text and becomes a number where a number is wanted, so that a column
that starts with a page of blanks is not taken for another type than it has further down.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.csv as pc_csv

from services.xmatch.catalogs.base import CatalogUnavailableError, TextLayout

BLOCK_BYTES = 1 << 24
LONGEST_LINE = 1 << 20
MOST_PREFACE_LINES = 2_000
"""Comments before the names: Gaia's have about a thousand."""


def read_text(path: Path, layout: TextLayout, columns: tuple[str, ...]) -> Iterator[pa.Table]:
    """Tables of text columns, about 16 MB of the file at a time.

    Raises
    ------
    CatalogUnavailableError
        If a row has another number of columns than the names, or the file cannot be unpacked.
    """
    with ExitStack() as open_files:
        stream = _opened(path, open_files)
        names, delimiter = _header(stream, layout, columns)
        seen = 0
        try:
            reader = pc_csv.open_csv(
                pa.PythonFile(stream, mode="r"),
                read_options=pc_csv.ReadOptions(
                    column_names=names, block_size=BLOCK_BYTES, use_threads=False
                ),
                parse_options=pc_csv.ParseOptions(delimiter=delimiter, newlines_in_values=False),
                convert_options=pc_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=_wanted(names, columns),
                    strings_can_be_null=False,
                ),
            )
            for batch in reader:
                seen += batch.num_rows
                yield pa.Table.from_batches([batch])
        except (pa.ArrowInvalid, UnicodeDecodeError) as error:
            told = " ".join(str(error).split())
            raise CatalogUnavailableError(
                f"it is damaged after row {seen}: {told} (rows of the file, names not counted)"
            ) from error
        except (EOFError, OSError, zipfile.BadZipFile) as error:
            raise CatalogUnavailableError(
                f"it cannot be unpacked after row {seen}: {error}"
            ) from error


def _opened(path: Path, open_files: ExitStack) -> IO[bytes]:
    """The text, unpacked."""
    raw = open_files.enter_context(path.open("rb"))
    magic = raw.read(4)
    raw.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        unpacked = gzip.GzipFile(fileobj=raw)
        open_files.callback(unpacked.close)
        return cast(IO[bytes], unpacked)
    if magic == b"PK\x03\x04":
        try:
            archive = open_files.enter_context(zipfile.ZipFile(raw))
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise CatalogUnavailableError(f"the zip holds {len(members)} files, not one")
            return open_files.enter_context(archive.open(members[0]))
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise CatalogUnavailableError(f"the zip is damaged: {error}") from error
    return raw


def _header(
    stream: IO[bytes], layout: TextLayout, columns: tuple[str, ...]
) -> tuple[list[str], str]:
    """The names of the columns and what parts them; the stream then is at the first row."""
    if layout.names:
        for _ in range(layout.skip_lines):
            stream.readline(LONGEST_LINE)
        return list(layout.names), layout.delimiter
    known = {column.lower() for column in columns}
    may_skip = layout.skip_lines
    for _ in range(MOST_PREFACE_LINES):
        try:
            line = stream.readline(LONGEST_LINE)
        except (EOFError, OSError) as error:
            raise CatalogUnavailableError(f"it cannot be unpacked: {error}") from error
        if not line:
            break
        text = line.decode("utf-8", "replace").strip("\r\n\ufeff")
        if not text.strip() or text.startswith("#"):
            continue
        if text.startswith("SIMPLE  ="):
            raise CatalogUnavailableError("it is packed FITS: unpack it first (gunzip, unzip)")
        if b"\0" in line:
            raise CatalogUnavailableError("it is no Parquet, FITS, VOTable or text file")
        delimiter = "\t" if layout.delimiter == "," and "\t" in text else layout.delimiter
        names = _names(text, delimiter)
        if may_skip and not known & {name.lower() for name in names}:
            may_skip -= 1
            continue
        return names, delimiter
    raise CatalogUnavailableError("it has no line of names")


def _names(line: str, delimiter: str) -> list[str]:
    names = [name.strip().strip('"').strip() for name in line.split(delimiter)]
    if len(set(names)) != len(names):
        raise CatalogUnavailableError(f"columns share a name: {line[:200]}")
    return names


def _wanted(names: list[str], columns: tuple[str, ...]) -> list[str] | None:
    lowered = {column.lower() for column in columns}
    return [name for name in names if name.lower() in lowered] if columns else None
