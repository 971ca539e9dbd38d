"""A telescope that does not exist: nights of survey packets, and the replay of real ones.

In: models of the sky, catalogs from packages, or files of packets. Out: packets on a survey's
topic (or in files), framed and encoded as the survey does, marked as simulated.
It must never write to any other topic, touch a replayed packet's bytes, or pass off a
simulated alert as a real one (ZTF ``publisher``, LSST ``observation_reason``).
It is a command, not a worker: ``tocsin simulate`` and ``tocsin replay``.
"""
