"""Catalogs on disk: read from the files they are published in, sorted, checked, kept by version."""
