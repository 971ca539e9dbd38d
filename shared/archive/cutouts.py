"""Cutouts out of untouched packets: the three stamps as arrays, whatever the survey's framing."""

from __future__ import annotations

import io
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from shared.errors import RejectedRecordError
from shared.packets.containers import iter_blocks, read_header, unpack
from shared.packets.lsst_schemas import official_schema_json
from shared.packets.several_records import record_walker

FIELDS = (
    ("science", "cutoutScience"),
    ("template", "cutoutTemplate"),
    ("difference", "cutoutDifference"),
)
"""Our name and the field in the packet; ZTF and LSST agree on it."""
MAX_STAMP_BYTES = 32 << 20
_DEFAULT_SCALE_ARCSEC = {"ztf": 1.012}
"""Arcseconds per pixel where the stamp bears no coordinates (ZTF: Masci et al. 2019, table 1)."""
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Cutout:
    """One stamp, as the survey cut it: not rotated to north."""

    name: str
    pixels: npt.NDArray[np.float64]
    """Shape (height, width), the survey's units; NaN where the image has none."""
    scale_arcsec: float | None
    """Arcseconds per pixel; None if it is not known."""


def read_cutouts(packet: bytes, survey: str) -> list[Cutout]:
    """The stamps in a packet, science, template, difference, those that are there.

    Raises
    ------
    RejectedRecordError
        If the packet or a stamp cannot be read.
    """
    record = decode_packet(packet)
    found = []
    for name, field in FIELDS:
        stamp = record.get(field)
        content = stamp.get("stampData") if isinstance(stamp, dict) else stamp
        if isinstance(content, bytes) and content:
            found.append(_read_stamp(name, content, survey))
    return found


def decode_packet(packet: bytes) -> dict[str, Any]:
    """The packet as a dictionary under the survey's own names: for one packet, not for the river.

    Raises
    ------
    RejectedRecordError
        ``bad_avro``, ``unknown_schema``: see ``shared.packets``.
    """
    import fastavro  # noqa: PLC0415  # only readers of single packets need it

    try:
        if packet[:1] == b"\0":
            major, minor = divmod(int.from_bytes(packet[1:5], "big"), 100)
            schema = fastavro.parse_schema(orjson.loads(official_schema_json(major, minor)))
            record: Any = fastavro.schemaless_reader(io.BytesIO(packet[5:]), schema, None)
        else:
            _walk(packet)
            record = next(iter(fastavro.reader(io.BytesIO(packet))))
    except (ValueError, LookupError, EOFError, StopIteration, TypeError, OverflowError) as error:
        raise RejectedRecordError("bad_avro", f"the packet cannot be decoded: {error}") from error
    if not isinstance(record, dict):
        raise RejectedRecordError("bad_avro", "the packet is not a record")
    return record


def _walk(container: bytes) -> None:
    """Refuse a container whose first record fastavro would not survive: depth, counts, sizes."""
    header = read_header(container)
    walk = record_walker(header.schema_json)
    for count, start, end in iter_blocks(container, header):
        if count:
            walk(unpack(container[start:end], header.codec), 0)
            return


def _read_stamp(name: str, content: bytes, survey: str) -> Cutout:
    from astropy.io import fits  # noqa: PLC0415  # takes half a second: only when drawing
    from astropy.utils.exceptions import AstropyWarning  # noqa: PLC0415

    if content.startswith(_GZIP):
        content = _gunzip(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # ZTF's cards are not quite FITS
            with fits.open(io.BytesIO(content), memmap=False) as units:
                image = next(unit for unit in units if unit.data is not None)
                pixels = np.asarray(image.data, dtype=np.float64)
                scale = _scale_arcsec(image.header)
    except (OSError, ValueError, TypeError, StopIteration, KeyError) as error:
        raise RejectedRecordError("bad_cutout", f"{name}: not FITS: {error}") from error
    if pixels.ndim != 2:
        raise RejectedRecordError("bad_cutout", f"{name}: {pixels.ndim} axes, not 2")
    return Cutout(name, pixels, scale or _DEFAULT_SCALE_ARCSEC.get(survey))


def _scale_arcsec(header: Any) -> float | None:
    """Pixel size from the header's linear transformation (FITS standard 4.0, section 8.1)."""
    for kind, unit in (("CD", 1.0), ("PC", header.get("CDELT1", 1.0))):
        (a, b), (c, d) = [[header.get(f"{kind}{i}_{j}") for j in (1, 2)] for i in (1, 2)]
        if all(isinstance(value, float) for value in (a, b, c, d)):
            return float(np.sqrt(abs(a * d - b * c)) * abs(unit) * 3600.0)
    return None


def _gunzip(content: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        stamp = inflater.decompress(content, MAX_STAMP_BYTES)
    except zlib.error as error:
        raise RejectedRecordError("bad_cutout", f"not gzip: {error}") from error
    if inflater.unconsumed_tail:
        raise RejectedRecordError("bad_cutout", f"more than {MAX_STAMP_BYTES} bytes unpacked")
    return stamp
