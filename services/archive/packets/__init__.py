"""Untouched survey packets in append-only segment files, found by topic, partition and offset.

``packets/<topic>/<partition>/<base offset>.segment`` holds packets end to end, each take from the
beginning of a disk block; ``.index`` beside it holds one fixed-size entry for each packet. The
last entry that is whole and whose packet bears its checksum decides where writing resumes, so a
kill at any moment costs nothing.
"""

from services.archive.packets.packet_store import PacketStore, packets_at, packets_root
from services.archive.packets.partition_log import LogPolicy

__all__ = ["LogPolicy", "PacketStore", "packets_at", "packets_root"]
