"""The VOEvent broker: VTP 2.0, for Comet, pygcn and whoever speaks it.

In: the packets of ``voevents``, which distribute writes, and those that whitelisted authors hand
in, which go to ``voevents.received`` first and are acknowledged when Kafka has them. Out: every
packet, byte for byte, to every subscriber whose filters it passes. It must never let one
subscriber hold up another, nor evaluate a filter in its own process.
"""
