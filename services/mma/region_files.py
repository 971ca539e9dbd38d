"""The region in a file: a FITS sky map, or any notice that says a place."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from services.mma.notice_files import read_path
from services.mma.regions import region_of
from services.mma.skymaps.base import Region
from services.mma.skymaps.fits import MAX_FILE_MAP_BYTES, read_sky_map
from shared.errors import RejectedRecordError

_FITS_MAGIC = b"SIMPLE"


def read_region(path: Path) -> Region:
    """Compile the region in a file.

    Parameters
    ----------
    path
        FITS sky map (multi-order or flat, gzipped or not), VOEvent or JSON notice.

    Raises
    ------
    RejectedRecordError
        ``unreadable_file``, ``too_large``, ``bad_sky_map``, ``no_place`` (a notice that says no
        position), or what ``read_notice`` says.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_MAP_BYTES:
            raise RejectedRecordError(
                "too_large", f"{size} bytes; a sky map has at most {MAX_FILE_MAP_BYTES}"
            )
        with path.open("rb") as file:
            start = _unzipped_start(file.read(4096))
            if start.startswith(_FITS_MAGIC):
                file.seek(0)
                return read_sky_map(file.read(MAX_FILE_MAP_BYTES), MAX_FILE_MAP_BYTES)
    except OSError as error:
        raise RejectedRecordError("unreadable_file", error.strerror or str(error)) from error
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in {b"<", b"{"}:
        raise RejectedRecordError(
            "unknown_format", "neither a FITS sky map nor a notice (VOEvent XML, JSON)"
        )
    region = region_of(read_path(path))
    if region is None:
        raise RejectedRecordError("no_place", "the notice says no position and holds no map")
    return region


def _unzipped_start(start: bytes) -> bytes:
    """The first bytes behind gzip, if that is what it is."""
    if not start.startswith(b"\x1f\x8b"):
        return start
    try:
        with gzip.open(io.BytesIO(start)) as stream:
            return stream.read(64)
    except (EOFError, OSError, zlib.error):
        return start
