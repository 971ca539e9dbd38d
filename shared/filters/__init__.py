"""The filter language: SQL over one documented view of an alert, judged, tried and run fused.

The same text runs on the stream (distribute), on the archive (portal) and on a user's own table.
"""
