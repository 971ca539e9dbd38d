"""A night's packets through today's services again, beside the live topics and never on them.

Packets come from the archive's segments; a fused worker of its own reads and writes topics under a
prefix of its own, which are deleted afterwards; what comes out is packed as Parquet in a folder of
its own and compared with what the archive has.
"""
