"""Survey packets outside Kafka: files, archives, tables, and the two framings they come in."""

from shared.packets.files import PacketFile, iter_packets

__all__ = ["PacketFile", "iter_packets"]
