"""Columns of words (names, classes) in files that are mapped, whatever the number of rows.

``<name>.bytes`` holds all words one after the other in UTF-8, ``<name>.offsets.npy`` where each
starts and the last one ends; whole numbers are a plain ``<name>.npy``. An empty word is none.
Arrow's own files hold at most 2 GB of words in a piece, and its ``take`` from many pieces costs
several times that from one.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

OFFSETS_AT_ONCE = 1 << 20


def as_words(column: pa.Array) -> pa.Array:
    """A column as an index holds it: 64-bit integers, or large strings with "" for null."""
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    return column.cast(pa.large_string()).fill_null("")


def parts_of(words: pa.Array) -> tuple[npt.NDArray[np.int64], memoryview]:
    """The length of every word, shape (m,), and the words' bytes."""
    _, offsets, content = words.buffers()
    starts = np.frombuffer(offsets, np.int64, len(words) + 1, words.offset * 8)
    if content is None:
        return np.zeros(len(words), np.int64), memoryview(b"")
    return np.diff(starts), memoryview(content)[int(starts[0]) : int(starts[-1])]


def save_words(folder: Path, name: str, words: pa.Array) -> None:
    """Write a column of ``as_words``."""
    if pa.types.is_integer(words.type):
        np.save(folder / f"{name}.npy", words.to_numpy(zero_copy_only=False))
        return
    lengths, content = parts_of(words)
    (folder / f"{name}.bytes").write_bytes(content)
    write_offsets(folder, name, [lengths], len(words))


def write_offsets(
    folder: Path, name: str, lengths: Iterable[npt.NDArray[np.int64]], rows: int
) -> None:
    """Write where words start, of their lengths in order, piece by piece."""
    header = {"descr": np.dtype(np.int64).str, "fortran_order": False, "shape": (rows + 1,)}
    end = 0
    with (folder / f"{name}.offsets.npy").open("wb") as out:
        np.lib.format.write_array_header_1_0(out, header)
        out.write(np.zeros(1, np.int64).tobytes())
        for piece in lengths:
            ends = end + np.cumsum(piece, dtype=np.int64)
            out.write(ends.tobytes())
            end = int(ends[-1]) if len(ends) else end


def map_words(folder: Path, names: Sequence[str]) -> dict[str, pa.Array]:
    """The columns, memory-mapped.

    Raises
    ------
    OSError, ValueError
        If a file is missing or is not what it should be.
    """
    return {name: _mapped(folder, name) for name in names}


def _mapped(folder: Path, name: str) -> pa.Array:
    whole = folder / f"{name}.npy"
    if whole.is_file():
        return pa.array(np.load(whole, mmap_mode="r").view(np.ndarray))
    offsets: npt.NDArray[Any] = np.load(folder / f"{name}.offsets.npy", mmap_mode="r")
    with (folder / f"{name}.bytes").open("rb") as stream:
        size = stream.seek(0, 2)
        content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    if offsets.dtype != np.int64 or offsets.ndim != 1 or int(offsets[-1]) != size:
        raise ValueError(f"{folder / name}.bytes does not fit its offsets")
    return pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.view(np.ndarray)), pa.py_buffer(content)
    )
