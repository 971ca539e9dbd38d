"""Untouched survey packets in append-only segment files: how they lie, and how one is found.

``packets/<topic>/<partition>/<base offset>.segment`` holds packets end to end, each take from the
beginning of a disk block; ``.index`` beside it holds one fixed-size entry for each packet.
``services/archive/packets`` writes them.
"""

from shared.archive.packets.reading import packets_at, packets_root

__all__ = ["packets_at", "packets_root"]
