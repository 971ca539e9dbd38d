"""Hostile bytes for the decoders: every input is accepted or refused with a reason.

Real packets are taken apart into their numbers, lengths, counts, branches and texts; those are
changed where they stand, the framing is mended or broken on purpose, and the schemas are bent
too. What an outcome that was not seen before came from becomes a packet to go on from.
"""
