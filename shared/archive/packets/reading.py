"""Finding one packet among a partition's segments; any number may read while one writes."""

from __future__ import annotations

import bisect
from pathlib import Path
from urllib.parse import quote

from shared.archive.packets.index import checksum, position_of, read_index


def packets_root(state_dir: Path) -> Path:
    """Where packets are kept, below the folder of this machine's state."""
    return state_dir / "packets"


def partition_folder(root: Path, topic: str, partition: int) -> Path:
    """Folder of one partition; a topic's name cannot lead out of ``root``."""
    name = quote(topic, safe="")
    return root / (f"%2E{name[1:]}" if name.startswith(".") else name) / str(int(partition))


def packets_at(root: Path, topic: str, partition: int, offset: int) -> list[bytes]:
    """Packets kept for an offset, newest first: more than one only if the topic was made anew.

    Raises
    ------
    ValueError
        If a packet's bytes do not bear their checksum.
    """
    folder = partition_folder(root, topic, partition)
    aside = sorted(folder.parent.glob(f"{folder.name}.before-*"), reverse=True)
    found = (read_from_folder(place, offset) for place in [folder, *aside])
    return [packet for packet in found if packet is not None]


def segment_paths(folder: Path) -> list[Path]:
    """Segments of a partition's folder in order of their first offset."""
    return sorted(folder.glob("*.segment"), key=base_offset) if folder.is_dir() else []


def read_from_folder(folder: Path, offset: int) -> bytes | None:
    """The packet of ``offset``, or None; looks first in the segment that begins nearest below.

    Packets that came late lie in a segment of their own, so segments may overlap.
    """
    paths = segment_paths(folder)
    nearest = bisect.bisect([base_offset(path) for path in paths], offset)
    for path in reversed(paths[:nearest]):
        packet = read_packet(path, offset)
        if packet is not None:
            return packet
    return None


def base_offset(path: Path) -> int:
    """The offset a segment's name begins with: that of its first packet."""
    return int(path.stem)


def last_offset(path: Path) -> int:
    """The offset of a segment's last entry; one less than its name says if it has none."""
    index = read_index(path)
    return int(index["offset"][-1]) if len(index) else base_offset(path) - 1


def read_packet(path: Path, offset: int) -> bytes | None:
    """The packet of ``offset`` in a segment; None if the segment has no entry for it.

    Raises
    ------
    ValueError
        If the bytes do not bear their checksum: the disk has spoilt them.
    """
    index = read_index(path)
    row = position_of(index, offset)
    if row is None:
        return None
    packet = bytes_at(path, int(index["position"][row]), int(index["length"][row]))
    if checksum(packet) != int(index["crc32c"][row]):
        raise ValueError(f"packet of offset {offset} in {path} does not bear its checksum")
    return packet


def bytes_at(path: Path, position: int, length: int) -> bytes:
    """``length`` bytes of a file from ``position`` on; fewer where it ends before."""
    with path.open("rb") as file:
        file.seek(position)
        return file.read(length)
