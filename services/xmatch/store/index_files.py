"""Writes the index that xmatch maps, partition by partition, in memory that does not grow."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.catalog_index import COLUMNS, PHOTOMETRY, SOURCES, WORDS
from services.xmatch.catalogs.base import NUMERIC_COLUMNS, Catalog
from services.xmatch.indexing import write_provenance
from services.xmatch.sky_rows import sky_rows
from services.xmatch.store.standard import photometry_names, rows_of
from services.xmatch.words import as_words, parts_of, write_offsets
from shared.sky.catalog_files import SortedCatalogFiles

COPY_BYTES = 1 << 22
PARTS = ".parts"


class IndexFiles:
    """The folder of a ``CatalogIndex``: ``add`` every partition in order, then ``finish``."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        """Write into ``folder``, which is made."""
        for part in (COLUMNS, PHOTOMETRY, SOURCES, PARTS):
            (folder / part).mkdir(parents=True)
        self._catalog = catalog
        self._folder = folder
        self._sky = SortedCatalogFiles(folder, catalog.epoch_year)
        self._streams: dict[tuple[str, int], IO[bytes]] = {}
        self._types: dict[str, np.dtype[Any]] = {}
        self.rows = 0

    def __enter__(self) -> Self:
        """For use in ``with``: what is unfinished leaves no files open."""
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Close what is open."""
        self._sky.__exit__(kind, error, trace)
        for stream in self._streams.values():
            stream.close()

    def add(self, table: pa.Table) -> None:
        """Append one partition of standard columns."""
        rows = rows_of(table, self._catalog.radius_arcsec)
        every = np.arange(len(rows))
        for layer, taken in self._sky.add(sky_rows(self._catalog, rows, every)):
            for name in NUMERIC_COLUMNS:
                values = getattr(rows, name)
                if values is not None:
                    kind = np.dtype(np.uint8 if name == "redshift_kind" else np.float32)
                    self._append(f"{COLUMNS}/{name}", layer, values[taken], kind)
            for name in photometry_names(table.schema):
                values = rows.photometry[name][taken]
                self._append(f"{PHOTOMETRY}/{name}", layer, values, np.dtype(np.float32))
            for name in WORDS:
                words = as_words(getattr(rows, name)).take(pa.array(taken))
                self._append_words(name, layer, words)
        self.rows += len(rows)

    def _append(self, name: str, layer: int, values: npt.NDArray[Any], kind: np.dtype[Any]) -> None:
        self._types[name] = kind
        self._stream(name, layer).write(np.ascontiguousarray(values, kind).tobytes())

    def _stream(self, name: str, layer: int) -> IO[bytes]:
        if (name, layer) not in self._streams:
            path = self._folder / PARTS / f"{name.replace('/', '.')}.{layer}"
            self._streams[name, layer] = path.open("w+b")
        return self._streams[name, layer]

    def _append_words(self, name: str, layer: int, words: pa.Array) -> None:
        if pa.types.is_integer(words.type):
            numbers = words.to_numpy(zero_copy_only=False)
            self._append(f"{SOURCES}/{name}", layer, numbers, np.dtype(np.int64))
            return
        lengths, content = parts_of(words)
        self._append(f"{SOURCES}/{name}.lengths", layer, lengths, np.dtype(np.int64))
        self._stream(f"{SOURCES}/{name}.bytes", layer).write(content)

    def finish(self, provenance: dict[str, Any]) -> None:
        """Put the layers behind one another and write ``provenance.json``."""
        layers = self._sky.finish()
        for name, kind in self._types.items():
            if name.endswith(".lengths"):
                self._join_words(name.removesuffix(".lengths"), layers)
            else:
                self._join(name, kind, layers)
        shutil.rmtree(self._folder / PARTS)
        columns = [name.split("/")[1] for name in self._types if name.startswith(COLUMNS)]
        photometry = [name.split("/")[1] for name in self._types if name.startswith(PHOTOMETRY)]
        about = {**provenance, "rows": self.rows, "columns": columns, "photometry": photometry}
        write_provenance(self._folder, about)

    def _join(self, name: str, kind: np.dtype[Any], layers: Iterable[int]) -> None:
        header = {"descr": kind.str, "fortran_order": False, "shape": (self.rows,)}
        with (self._folder / f"{name}.npy").open("wb") as out:
            np.lib.format.write_array_header_1_0(out, header)
            self._copy(name, layers, out)

    def _join_words(self, name: str, layers: Iterable[int]) -> None:
        with (self._folder / f"{name}.bytes").open("wb") as out:
            self._copy(f"{name}.bytes", layers, out)
        lengths = (
            np.frombuffer(chunk, np.int64)
            for layer in layers
            for chunk in self._chunks(f"{name}.lengths", layer)
        )
        folder, _, last = name.rpartition("/")
        write_offsets(self._folder / folder, last, lengths, self.rows)

    def _copy(self, name: str, layers: Iterable[int], out: IO[bytes]) -> None:
        for layer in layers:
            for chunk in self._chunks(name, layer):
                out.write(chunk)

    def _chunks(self, name: str, layer: int) -> Iterator[bytes]:
        """What was appended for a layer, which is deleted then."""
        with self._streams.pop((name, layer)) as stream:
            stream.seek(0)
            while chunk := stream.read(COPY_BYTES):
                yield chunk
        Path(stream.name).unlink()
