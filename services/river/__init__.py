"""ingest, xmatch, classify and mma in one process, for a small site.

Survey packets come in; ``alerts.correlated``, ``associations`` and dead letters go out, the same
as from four services. Between its stages alerts are handed on in memory, so the topics in between
stay empty; and the archive's raw packets are kept from the same takes. It must never hold code of
its own: what a stage does is that service's. ``reprocess`` sends a past night through the same
worker again, beside the live topics.
"""
