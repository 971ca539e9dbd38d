"""Nights of the database as Parquet in HATS layout (``shared/archive/snapshots.py``)."""
