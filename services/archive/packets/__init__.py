"""Survey packets into append-only segment files (how they lie: ``shared/archive/packets``).

The last entry of an index that is whole and whose packet bears its checksum decides where writing
resumes, so a kill at any moment costs nothing.
"""

from services.archive.packets.packet_store import PacketStore
from services.archive.packets.partition_log import LogPolicy

__all__ = ["LogPolicy", "PacketStore"]
