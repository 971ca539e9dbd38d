"""Reads MPCORB.DAT, the Minor Planet Center's file of orbits, all at once.

Fixed columns, described at https://minorplanetcenter.net/iau/info/MPOrbitFormat.html; the file
may be gzipped, and what comes before the line of dashes is skipped.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from services.xmatch.solar_system.orbits import Orbits, orbits_of
from shared.errors import TocsinError

log = structlog.get_logger()

Bytes = npt.NDArray[np.uint8]

EPOCH = slice(20, 25)
NUMBERS: dict[str, slice] = {
    "mean_anomaly_deg": slice(26, 35),
    "perihelion_deg": slice(37, 46),
    "node_deg": slice(48, 57),
    "inclination_deg": slice(59, 68),
    "eccentricity": slice(70, 79),
    "semi_major_au": slice(92, 103),
}
MAGNITUDE = slice(8, 13)
PACKED_NAME, READABLE_NAME = slice(0, 7), slice(166, 194)
SHORTEST = 103
"""Bytes of a line that has all elements."""
LARGEST_BYTES = 2_000_000_000
"""A larger file is not MPCORB, which has 0.3 GB."""


class OrbitFileError(TocsinError):
    """A file is not MPCORB; the message says why and how to mend it."""


def read_mpcorb(path: Path) -> Orbits:
    """Read the orbits of a file; lines without an orbit are counted, and the first is named.

    Raises
    ------
    OrbitFileError
        If the file is missing, too large or holds no orbit.
    """
    content = _content(path)
    ends = np.flatnonzero(content == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else np.zeros(0, np.int64)
    dashes = content[np.minimum(starts, len(content) - 1)] == ord("-")
    header = int(np.flatnonzero(dashes)[0]) + 1 if dashes[:200].any() else 0
    starts, lengths = starts[header:], (ends - starts)[header:]
    numbered = header + 1 + np.arange(len(starts))
    filled = lengths > 0
    whole = lengths >= SHORTEST
    lines = starts[whole]
    bad = {int(n) for n in numbered[filled & ~whole][:3]}
    columns, good = {}, np.ones(len(lines), bool)
    for name, place in NUMBERS.items():
        columns[name], read = _numbers(content, lines, place)
        good &= read
    epoch, read = _epochs(content, lines)
    magnitude, _ = _numbers(content, lines, MAGNITUDE)
    good &= read & (columns["eccentricity"] < 1.0) & (columns["semi_major_au"] > 0.0)
    bad |= {int(n) for n in numbered[whole][~good][:3]}
    if not good.any():
        raise OrbitFileError(f"{path} holds no orbit in MPCORB's columns; give MPCORB.DAT")
    refused = int((filled & ~whole).sum() + (~good).sum())
    if refused:
        log.warning("orbits_refused", file=str(path), lines=refused, first_line=min(bad))
    return orbits_of(
        names=_names(content, lines[good], lengths[whole][good]),
        epoch_mjd_tt=epoch[good],
        magnitude=magnitude[good],
        **{name: values[good] for name, values in columns.items()},
    )


def _content(path: Path) -> Bytes:
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as stream:
                raw = stream.read(LARGEST_BYTES + 1)
        else:
            with path.open("rb") as stream:
                raw = stream.read(LARGEST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise OrbitFileError(f"{path}: {error}; give the path of MPCORB.DAT") from error
    if not raw or len(raw) > LARGEST_BYTES:
        raise OrbitFileError(f"{path} is empty or larger than {LARGEST_BYTES} bytes")
    return np.frombuffer(raw if raw.endswith(b"\n") else raw + b"\n", np.uint8)


def _cells(content: Bytes, lines: npt.NDArray[np.int64], place: slice) -> Bytes:
    """The bytes of one field of every line, shape (lines, width); ``?`` for what is no ASCII."""
    cells = content[lines[:, None] + np.arange(place.start, place.stop)]
    cells[(cells < 32) | (cells > 126)] = ord("?")
    return cells


def _numbers(
    content: Bytes, lines: npt.NDArray[np.int64], place: slice
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """A numeric field, and where it is one; NaN elsewhere."""
    cells = _cells(content, lines, place)
    text = pa.array(np.ascontiguousarray(cells).view(f"S{cells.shape[1]}").ravel())
    text = pc.utf8_trim_whitespace(text.cast(pa.string(), safe=False))
    is_number = pc.match_substring_regex(text, r"^[+-]?(\d+\.?\d*|\.\d+)$")
    values = pc.if_else(is_number, text, None).cast(pa.float64())
    found: npt.NDArray[np.float64] = values.to_numpy(zero_copy_only=False)
    return found, np.isfinite(found)


def _code(byte: Bytes) -> npt.NDArray[np.int64]:
    """Digits, then letters from A = 10; -1 for anything else."""
    value = byte.astype(np.int64)
    digit = np.where((value >= 48) & (value <= 57), value - 48, -1)
    return np.where((value >= 65) & (value <= 90), value - 55, digit)


def _epochs(
    content: Bytes, lines: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Packed epochs (``K239D`` is 2023 September 13.0) as MJD in TT, and where they are dates."""
    century, ten, one, month, day = _code(_cells(content, lines, EPOCH)).T
    read = (century >= 16) & (century <= 21) & (ten >= 0) & (ten <= 9) & (one >= 0) & (one <= 9)
    read &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    year = np.where(read, 100 * century + 10 * ten + one, 2000)
    months = (year - 1970) * 12 + np.where(read, month, 1) - 1
    days = months.astype("M8[M]").astype("M8[D]").astype(np.int64) + np.where(read, day, 1) - 1
    return np.asarray(days + 40_587.0, dtype=np.float64), np.asarray(read, dtype=bool)


def _names(
    content: Bytes, lines: npt.NDArray[np.int64], lengths: npt.NDArray[Any]
) -> pa.StringArray:
    """Readable names where the line has one, else packed designations."""
    packed = np.ascontiguousarray(_cells(content, lines, PACKED_NAME)).view("S7").ravel()
    names = pc.utf8_trim_whitespace(pa.array(packed).cast(pa.string(), safe=False))
    long = lengths >= READABLE_NAME.stop
    if not long.any():
        return names
    cells = _cells(content, np.where(long, lines, lines[np.argmax(long)]), READABLE_NAME)
    width = READABLE_NAME.stop - READABLE_NAME.start
    text = pa.array(np.ascontiguousarray(cells).view(f"S{width}").ravel())
    text = pc.utf8_trim_whitespace(text.cast(pa.string(), safe=False))
    usable = pc.and_(pa.array(long), pc.not_equal(text, ""))
    return pc.if_else(usable, text, names)
