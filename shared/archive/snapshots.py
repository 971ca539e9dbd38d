"""How the archive's Parquet lies, and how it is found: ``<root>/<survey>/current``.

A survey's Parquet is a chain of snapshots, each whole and never changed once it is there::

    <root>/<survey>/versions/000017/manifest.json     every file: rows, bytes, SHA-256, nights
                                    alerts/           a HATS catalog, open it with lsdb
                                    alerts/dataset/Norder=1/Dir=0/Npix=5/60000.parquet
                                    private/60000.parquet
    <root>/<survey>/current -> versions/000017

A night adds files of its own below the pixels; those of other nights are the same files in the
next snapshot (hard links), and ``current`` moves in one step. So whoever reads sees all of a night
or nothing of it, and a writer that is killed leaves what was there. Private hits of watchlists
are not in the catalog: ``private/`` holds the lists in full, for the alerts that have any.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.archive.readers import Reader
from shared.errors import TocsinError
from shared.sky.healpix import DEEPEST_ORDER

ALERTS = "alerts"
PRIVATE = "private"
CURRENT = "current"
VERSIONS = "versions"
MANIFEST = "manifest.json"
LAYOUT_VERSION = 1


class ArchiveDamagedError(TocsinError):
    """A snapshot is not what its manifest says; the message says which file."""


@dataclass(frozen=True, slots=True)
class ParquetFile:
    """One file of a snapshot."""

    place: str
    """Below the snapshot's folder."""
    size_bytes: int
    sha256: str
    schema: str
    """Files that share it have the same columns."""
    nights: dict[int, int]
    """Rows of each night."""
    cells29: tuple[int, int] = (0, (12 << (2 * DEEPEST_ORDER)) - 1)
    """First and last HEALPix cell of order 29."""

    @property
    def rows(self) -> int:
        """Alerts in it."""
        return sum(self.nights.values())

    @property
    def is_private(self) -> bool:
        """Whether it holds private hits and no alerts."""
        return self.place.startswith(f"{PRIVATE}/")


@dataclass(frozen=True, slots=True)
class Night:
    """What is known of a night's packing."""

    alerts: int
    envelopes: int
    """Documents of the database that were read: more there means that alerts came late."""
    packed_at: str
    """UTC, ISO 8601."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of a survey's Parquet."""

    folder: Path
    survey: str
    version: int
    order: int
    """HEALPix order of its pixels."""
    nights: Mapping[int, Night] = field(default_factory=dict)
    files: tuple[ParquetFile, ...] = ()

    @property
    def catalog(self) -> Path:
        """The folder of the HATS catalog."""
        return self.folder / ALERTS

    @property
    def alerts(self) -> int:
        """Alerts of all nights."""
        return sum(night.alerts for night in self.nights.values())

    def alert_files(
        self,
        nights: Collection[int] | None = None,
        cells29: Iterable[tuple[int, int]] | None = None,
    ) -> list[ParquetFile]:
        """Files that may hold alerts of ``nights`` in ranges of cells (end not included)."""
        ranges = None if cells29 is None else list(cells29)
        return [
            file
            for file in self.files
            if not file.is_private
            and (nights is None or not file.nights.keys().isdisjoint(nights))
            and (
                ranges is None
                or any(low <= file.cells29[1] and file.cells29[0] < high for low, high in ranges)
            )
        ]

    def private_files(self, nights: Collection[int] | None = None) -> list[ParquetFile]:
        """Files of private hits of ``nights``."""
        return [
            file
            for file in self.files
            if file.is_private and (nights is None or not file.nights.keys().isdisjoint(nights))
        ]

    def path(self, file: ParquetFile) -> Path:
        """Where a file is."""
        return self.folder / file.place

    def manifest_json(self) -> str:
        """The manifest's text."""
        content = {
            "layout": LAYOUT_VERSION,
            "survey": self.survey,
            "version": self.version,
            "order": self.order,
            "nights": {
                str(number): {
                    "alerts": night.alerts,
                    "envelopes": night.envelopes,
                    "packed_at": night.packed_at,
                }
                for number, night in sorted(self.nights.items())
            },
            "files": {
                file.place: {
                    "bytes": file.size_bytes,
                    "sha256": file.sha256,
                    "schema": file.schema,
                    "nights": {str(night): rows for night, rows in sorted(file.nights.items())},
                    "cells29": list(file.cells29),
                }
                for file in sorted(self.files, key=lambda one: one.place)
            },
        }
        return json.dumps(content, indent=1) + "\n"


def archive_root(state_dir: Path) -> Path:
    """Where the archive's Parquet is kept, below the folder of this machine's state."""
    return state_dir / "archive"


def surveys_in(root: Path) -> list[str]:
    """Surveys that have a snapshot, in order of their names."""
    return sorted(place.parent.parent.name for place in root.glob(f"*/{CURRENT}/{MANIFEST}"))


def current_snapshot(root: Path, survey: str) -> Snapshot | None:
    """The snapshot of a survey that is current now; None if nothing is packed yet.

    It names the version's own folder, so that a reader stays with one version to the end.

    Raises
    ------
    ArchiveDamagedError
        If its manifest cannot be read.
    """
    pointer = root / survey / CURRENT
    return read_snapshot(pointer.resolve()) if pointer.exists() else None


def snapshots_for(
    root: Path, reader: Reader, private: dict[str, frozenset[str]], surveys: Iterable[str] = ()
) -> list[Snapshot]:
    """Current snapshots of ``surveys`` (none: all) as far as a reader may see them."""
    wanted = set(surveys)
    names = [name for name in surveys_in(root) if not wanted or name in wanted]
    found = [current_snapshot(root, name) for name in names if reader.may_see(name, private)]
    return [snapshot for snapshot in found if snapshot is not None]


def read_snapshot(folder: Path) -> Snapshot:
    """The snapshot in a folder.

    Raises
    ------
    ArchiveDamagedError
        If its manifest cannot be read.
    """
    try:
        content = json.loads((folder / MANIFEST).read_text())
        if content["layout"] != LAYOUT_VERSION:
            raise ArchiveDamagedError(
                f"{folder / MANIFEST} is of layout {content['layout']}; this Tocsin reads layout "
                f"{LAYOUT_VERSION}"
            )
        return Snapshot(
            folder=folder,
            survey=content["survey"],
            version=content["version"],
            order=content["order"],
            nights={int(number): Night(**facts) for number, facts in content["nights"].items()},
            files=tuple(_file(place, facts) for place, facts in content["files"].items()),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArchiveDamagedError(f"{folder / MANIFEST} cannot be read: {error!r}") from error


def _file(place: str, facts: Mapping[str, Any]) -> ParquetFile:
    if place.startswith("/") or ".." in Path(place).parts:
        raise ValueError(f"{place!r} leads out of the snapshot")
    return ParquetFile(
        place=place,
        size_bytes=facts["bytes"],
        sha256=facts["sha256"],
        schema=facts["schema"],
        nights={int(night): rows for night, rows in facts["nights"].items()},
        cells29=(facts["cells29"][0], facts["cells29"][1]),
    )
