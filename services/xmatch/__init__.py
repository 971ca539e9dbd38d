"""Cross-match: what is already known at an alert's position.

In come envelopes from ``alerts``; out they go to ``alerts.matched`` with two more columns, the
nearest sources of every catalog and the galactic latitude. It must never ask the network, never
drop an alert because a catalog is missing, and never invent a match.
"""
