"""All lists and regions as one index of memory-mapped arrays, for a worker to look things up."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.watchlists.entries import Entry, WatchlistError
from services.xmatch.watchlists.positions import WatchRows
from services.xmatch.watchlists.segments import Segments, cut_sphere
from shared.schemas.watched import REGIONS
from shared.sky.cone_search import SortedCatalog
from shared.sky.sorted_catalog import sort_catalog

FORMAT = 1
CARD = "card.json"
WHOSE = list(REGIONS.type.value_type)
"""What a hit says of its list: name, owner, version, is_public."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Everything that is watched, ready to be searched."""

    identity: str
    """Which compilation it is."""
    lists: pa.StructArray
    """``WHOSE`` of each list."""
    regions: pa.StructArray
    """``WHOSE`` of each region."""
    positions: SortedCatalog
    list_of: npt.NDArray[np.int32]
    """Which list each row of ``positions`` is of, shape (m,)."""
    targets: pa.Array
    """The lists' names of the rows, shape (m,)."""
    segments: Segments


def save_watched(
    folder: Path,
    lists: Sequence[tuple[Entry, WatchRows]],
    regions: Sequence[tuple[Entry, npt.NDArray[np.int64]]],
) -> None:
    """Compile lists and regions into ``folder``, which appears complete or not at all."""
    rows = [part for _, part in lists]

    def joined(name: str) -> npt.NDArray[np.float64]:
        return np.concatenate([getattr(part, name) for part in rows] or [np.zeros(0)])

    positions, order = sort_catalog(joined("ra_deg"), joined("dec_deg"), joined("radius_arcsec"))
    list_of = np.repeat(np.arange(len(rows), dtype=np.int32), [len(part.ra_deg) for part in rows])
    targets = pa.concat_arrays([part.target for part in rows] or [pa.nulls(0, pa.string())])
    segments = cut_sphere([ranges for _, ranges in regions])
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for prefix, columns in (("position", positions), ("segment", segments)):
        for field in fields(columns):
            np.save(making / f"{prefix}_{field.name}.npy", getattr(columns, field.name))
    np.save(making / "list_of.npy", list_of[order])
    batch = pa.record_batch({"target": targets.take(pa.array(order))})
    write_batch(making / "targets.arrow", batch)
    card = {
        "format": FORMAT,
        "lists": [_whose(entry) for entry, _ in lists],
        "regions": [_whose(entry) for entry, _ in regions],
        "files": {path.name: path.stat().st_size for path in sorted(making.iterdir())},
    }
    (making / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    making.rename(folder)


def write_batch(path: Path, batch: pa.RecordBatch) -> None:
    """Write one record batch as an Arrow file that can be mapped."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as out:
        out.write_batch(batch)


def _whose(entry: Entry) -> dict[str, str | bool]:
    return {
        "name": entry.name,
        "owner": entry.owner,
        "version": str(entry.version),
        "is_public": entry.is_public,
    }


def open_watched(folder: Path) -> Watched:
    """Map a compilation.

    Raises
    ------
    WatchlistError
        If it is damaged; importing anything, or ``tocsin watchlists compile``, makes it anew.
    """
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if card["format"] != FORMAT:
            raise ValueError(f"format {card['format']}, not {FORMAT}")
        for name, size in card["files"].items():
            if (folder / name).stat().st_size != size:
                raise ValueError(f"{name} is not {size} bytes long")
        mapped = {
            path.stem: np.load(path, mmap_mode="r").view(np.ndarray)
            for path in folder.glob("*.npy")
        }
        targets = pa.ipc.open_file(pa.memory_map(str(folder / "targets.arrow"))).get_batch(0)
        struct = pa.struct(WHOSE)
        return Watched(
            identity=folder.name,
            lists=pa.array(card["lists"], struct),
            regions=pa.array(card["regions"], struct),
            positions=SortedCatalog(
                **{f.name: mapped[f"position_{f.name}"] for f in fields(SortedCatalog)}
            ),
            list_of=mapped["list_of"],
            targets=targets.column("target"),
            segments=Segments(**{f.name: mapped[f"segment_{f.name}"] for f in fields(Segments)}),
        )
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise WatchlistError(
            f"{folder} is damaged ({error}); run: tocsin watchlists compile"
        ) from error
