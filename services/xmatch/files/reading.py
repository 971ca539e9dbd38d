"""Reads a table of any known format in pieces, with all of its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

from services.xmatch.catalogs.base import CatalogUnavailableError, TextLayout
from services.xmatch.files.errors import UnusableFileError
from services.xmatch.store.fits_tables import read_fits
from services.xmatch.store.text_tables import read_text
from services.xmatch.store.votables import read_votable

PIECE_ROWS = 100_000
HEAD_BYTES = 512
COUNT_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class UserTable:
    """A file with a table; ``pieces`` may be read more than once."""

    path: Path
    format: str
    """``parquet``, ``fits``, ``votable`` or ``text``."""
    rows: int | None
    """How many there are; None if only reading tells."""
    left_out: tuple[str, ...]
    """Columns that are not read: those of a FITS table with more than one number in a row."""
    _read: Callable[[], Iterator[pa.Table]]

    def pieces(self) -> Iterator[pa.Table]:
        """The table's rows in order, some 100,000 at a time; columns of text files are text.

        Raises
        ------
        UnusableFileError
            If the file is damaged.
        """
        try:
            yield from self._read()
        except CatalogUnavailableError as error:
            raise UnusableFileError(f"{self.path}: {error}") from error
        except (pa.ArrowException, OSError, EOFError) as error:
            told = " ".join(str(error).split())
            raise UnusableFileError(
                f"{self.path} is damaged or cannot be read: {told}; get or write it anew"
            ) from error


def open_table(path: Path) -> UserTable:
    """Find out what a file is by its first bytes.

    Raises
    ------
    UnusableFileError
        If it is missing, empty or of no known format.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise UnusableFileError(f"{path}: {error.strerror or error}") from error
    if not head:
        raise UnusableFileError(f"{path} is empty; give a table with a line of names")
    if head.startswith(b"PAR1"):
        return _parquet(path)
    if head.startswith(b"SIMPLE  ="):
        return _fits(path)
    if b"<VOTABLE" in head or head.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<?xml"):
        return UserTable(path, "votable", None, (), lambda: read_votable(path, PIECE_ROWS))
    packed = head.startswith((b"\x1f\x8b", b"PK\x03\x04"))
    rows = None if packed else _lines(path)
    if rows == 0:
        raise UnusableFileError(f"{path} holds no rows")
    return UserTable(path, "text", rows, (), lambda: read_text(path, TextLayout(), ()))


def _parquet(path: Path) -> UserTable:
    try:
        with pq.ParquetFile(path) as file:
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        told = " ".join(str(error).split())
        raise UnusableFileError(
            f"{path} is not whole Parquet: {told}; get or write it anew"
        ) from error

    def read() -> Iterator[pa.Table]:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=PIECE_ROWS):
                yield pa.Table.from_batches([batch])

    return UserTable(path, "parquet", rows, (), read)


def _fits(path: Path) -> UserTable:
    try:
        with fits.open(path, memmap=True, lazy_load_hdus=True) as units:
            table = next((unit for unit in units if isinstance(unit, fits.BinTableHDU)), None)
            if table is None:
                raise UnusableFileError(f"{path} is a FITS file without a binary table")
            rows, names = int(table.header["NAXIS2"]), list(table.columns.names)
    except (OSError, ValueError, TypeError, KeyError, fits.VerifyError) as error:
        raise UnusableFileError(f"{path} is not good FITS: {error}; get it anew") from error
    # The reader knows which columns it takes; a table without rows would not be read at all.
    taken = next((set(piece.column_names) for piece in _first(path)), set(names))
    left_out = tuple(name for name in names if name not in taken)
    return UserTable(path, "fits", rows, left_out, lambda: read_fits(path, (), PIECE_ROWS))


def _first(path: Path) -> Iterator[pa.Table]:
    try:
        yield from read_fits(path, (), 1)
    except CatalogUnavailableError as error:
        raise UnusableFileError(f"{path}: {error}; get it anew") from error


def _lines(path: Path) -> int:
    """About how many rows a text file has, for the progress bar."""
    lines, end = 0, b"\n"
    with path.open("rb") as stream:
        while block := stream.read(COUNT_BYTES):
            lines += block.count(b"\n")
            end = block[-1:]
    return max(lines - 1 + (end != b"\n"), 0)
