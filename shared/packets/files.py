"""Packets out of files: containers, raw Kafka messages, Parquet tables, folders, tar archives.

One packet at a time, so that an archive of any size is read in bounded memory.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from typing import IO

import pyarrow as pa

from shared.errors import RejectedRecordError
from shared.packets.containers import MAGIC, read_header, schema_name
from shared.packets.parquet import packets_of_parquet
from shared.packets.several_records import split_container

MAX_FILE_BYTES = 64 << 20
"""Largest packet, or Parquet table inside an archive, that is read."""
MAX_ARCHIVE_DEPTH = 2
"""Archives within archives that are opened."""
TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
PACKET_SUFFIXES = (".avro", ".bin", ".parquet")


@dataclass(frozen=True, slots=True)
class PacketFile:
    """One packet as it would stand on the survey's topic, or what kept it from being read."""

    name: str
    """Where it comes from: a path, ``archive.tar:member``, ``table.parquet:row 7``."""
    payload: bytes
    """The packet, framing included; empty if ``reason`` is set."""
    survey: str | None
    """``ztf`` or ``lsst`` if the framing or the schema's name says so; a hint, not a check."""
    reason: str | None = None
    """None, or why there is no packet: ``unreadable``, ``no_packets``, ``too_large``..."""
    detail: str = ""


def iter_packets(
    paths: Iterable[Path | str], on_skip: Callable[[str], None] = lambda _: None
) -> Iterator[PacketFile]:
    """Every packet in ``paths``, in the order given; folders by name, archives as they are packed.

    A container of several records gives one packet per record. What cannot be read gives an
    entry with a ``reason``, and the rest goes on.

    Parameters
    ----------
    paths
        Avro containers, raw Confluent messages (``.bin``), Parquet tables of packets, tar
        archives (plain, gz, bz2, xz), or folders of these.
    on_skip
        Told the name of every file in a folder or archive that is no packet (``README.md``).
    """
    for path in map(Path, paths):
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file())
            for file in files:
                yield from _of_file(file, on_skip, named=False)
            if not files:
                yield PacketFile(str(path), b"", None, "no_packets", "the folder is empty")
        else:
            yield from _of_file(path, on_skip, named=True)


def survey_hint(payload: bytes) -> str | None:
    """The survey that a packet's framing or schema name points to, if any."""
    if payload[:1] == b"\x00":
        return "lsst"
    try:
        name = schema_name(read_header(payload).schema_json)
    except RejectedRecordError:
        return None
    survey = name.partition(".")[0]
    return survey if survey in {"ztf", "lsst"} else None


def _of_file(path: Path, on_skip: Callable[[str], None], *, named: bool) -> Iterator[PacketFile]:
    name = str(path)
    try:
        with path.open("rb") as file:
            if _is_archive(name):
                yield from _of_archive(name, file, on_skip)
                return
            start = file.read(len(MAGIC))
            file.seek(0)
            if named or _is_packet(name, start):
                yield from _of_stream(name, file)
            else:
                on_skip(name)
    except OSError as error:
        yield PacketFile(name, b"", None, "unreadable", f"{error.strerror or error}")


def _of_archive(
    name: str, file: IO[bytes], on_skip: Callable[[str], None], depth: int = 0
) -> Iterator[PacketFile]:
    if depth > MAX_ARCHIVE_DEPTH:
        detail = f"archives within archives, more than {MAX_ARCHIVE_DEPTH} deep"
        yield PacketFile(name, b"", None, "too_deep", detail)
        return
    found = False
    try:
        with tarfile.open(fileobj=file, mode="r|*") as archive:
            for member in archive:
                # tarfile remembers every member; an archive of a whole night has 200,000.
                archive.members = []  # type: ignore[attr-defined]
                opened = archive.extractfile(member) if member.isfile() else None
                if opened is None:
                    continue
                inner = f"{name}:{member.name}"
                start = opened.peek(len(MAGIC))[: len(MAGIC)]  # type: ignore[attr-defined]
                if _is_archive(member.name):
                    yield from _of_archive(inner, opened, on_skip, depth + 1)
                elif _is_packet(member.name, start):
                    yield from _of_stream(inner, opened)
                else:
                    on_skip(inner)
                    continue
                found = True
    except (tarfile.TarError, EOFError, OSError, ValueError, LZMAError, zlib.error) as error:
        found = True
        yield PacketFile(name, b"", None, "unreadable", f"not a whole tar archive: {error}")
    if not found:
        yield PacketFile(name, b"", None, "no_packets", "the archive holds no packet")


def _is_archive(name: str) -> bool:
    return name.lower().endswith(TAR_SUFFIXES)


def _is_packet(name: str, start: bytes) -> bool:
    return name.lower().endswith(PACKET_SUFFIXES) or start == MAGIC


def _of_stream(name: str, file: IO[bytes]) -> Iterator[PacketFile]:
    if name.lower().endswith(".parquet"):
        yield from _of_parquet(name, file)
        return
    payload = file.read(MAX_FILE_BYTES + 1)
    if len(payload) > MAX_FILE_BYTES:
        detail = f"more than {MAX_FILE_BYTES >> 20} MB in one file that is no table"
        yield PacketFile(name, b"", None, "too_large", detail)
        return
    if not payload:
        yield PacketFile(name, b"", None, "empty", "the file has no bytes")
        return
    hint = survey_hint(payload)
    for row, packet in enumerate(split_container(payload)):
        yield PacketFile(name if packet is payload else f"{name}:{row}", packet, hint)


def _of_parquet(name: str, file: IO[bytes]) -> Iterator[PacketFile]:
    if isinstance(file, tarfile.ExFileObject):  # it can only be read forward
        content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            detail = f"a table of more than {MAX_FILE_BYTES >> 20} MB inside an archive"
            yield PacketFile(name, b"", None, "too_large", detail)
            return
        file = io.BytesIO(content)
    row = 0
    try:
        for packet in packets_of_parquet(file):
            yield PacketFile(f"{name}:row {row}", packet, survey_hint(packet))
            row += 1
    except RejectedRecordError as error:
        yield PacketFile(name, b"", None, error.reason, error.detail)
        return
    except (pa.ArrowException, OSError, ValueError) as error:
        yield PacketFile(name, b"", None, "unreadable", f"not a Parquet table of packets: {error}")
        return
    if row == 0:
        yield PacketFile(name, b"", None, "no_packets", "the table has no row")
