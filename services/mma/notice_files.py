"""Notices in files: reading them, and telling what they say in one line of JSON."""

from __future__ import annotations

import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from services.mma.notices import BY_NAME, read_notice, read_notice_file
from services.mma.regions import region_of
from shared.errors import RejectedRecordError
from shared.schemas.notice import MAX_NOTICE_BYTES, Notice

NOTICE_SUFFIXES = (".xml", ".json", ".json.gz", ".xml.gz", ".voevent")
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
MAX_ARCHIVE_MEMBERS = 1_000_000


def notice_paths(paths: Sequence[Path]) -> Iterator[Path]:
    """The files themselves, and every notice-like file below the folders, sorted."""
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.name.endswith(NOTICE_SUFFIXES))
        else:
            yield path


def read_path(path: Path) -> Notice:
    """Read the notice in a file, gzipped or not.

    Raises
    ------
    RejectedRecordError
        ``unreadable_file``, ``too_large``, or what ``read_notice`` says.
    """
    try:
        with path.open("rb") as file:
            # One byte more than is allowed, so that too much is seen as too much.
            content = file.read(MAX_NOTICE_BYTES + 1)
    except OSError as error:
        raise RejectedRecordError("unreadable_file", str(error)) from error
    return read_notice(read_notice_file(content), received_ms=int(time.time() * 1000))


def notices_in(paths: Sequence[Path]) -> Iterator[tuple[str, Notice | RejectedRecordError]]:
    """Every notice of files, folders and tar archives by name, or why it is none.

    Archives are streamed; nothing is unpacked to disk, links and devices are passed over.
    """
    for path in notice_paths(paths):
        if path.name.endswith(_TAR_SUFFIXES):
            yield from _in_archive(path)
            continue
        try:
            yield str(path), read_path(path)
        except RejectedRecordError as error:
            yield str(path), error


def _in_archive(path: Path) -> Iterator[tuple[str, Notice | RejectedRecordError]]:
    received_ms = int(time.time() * 1000)
    try:
        with tarfile.open(path, "r|*") as archive:
            for count, member in enumerate(archive):
                name = f"{path}:{member.name}"
                if count >= MAX_ARCHIVE_MEMBERS:
                    yield name, RejectedRecordError("too_large", "more members than are read")
                    return
                if not member.isfile():
                    continue
                stream = archive.extractfile(member)
                content = b"" if stream is None else stream.read(MAX_NOTICE_BYTES + 1)
                try:
                    yield name, read_notice(read_notice_file(content), received_ms)
                except RejectedRecordError as error:
                    yield name, error
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        yield str(path), RejectedRecordError("unreadable_file", str(error))


def summary(path: Path | str, notice: Notice) -> dict[str, Any]:
    """What a notice says, without its payload, and how large its 90 % region is."""
    said = notice.model_dump(mode="json", exclude={"payload"}, exclude_none=True)
    region = region_of(notice)
    window = BY_NAME[notice.notice_type].window
    return {
        "file": str(path),
        "status": "accepted",
        **said,
        "area_50_deg2": None if region is None else region.searched_area_deg2(0.5),
        "area_90_deg2": None if region is None else region.searched_area_deg2(0.9),
        "window_mjd_tai": [
            notice.event_mjd_tai - window.before_days,
            notice.event_mjd_tai + window.after_days,
        ],
    }


def refusal(path: Path | str, error: RejectedRecordError) -> dict[str, Any]:
    """Why a file was refused."""
    return {
        "file": str(path),
        "status": "rejected",
        "reason": error.reason,
        "detail": error.detail,
    }
