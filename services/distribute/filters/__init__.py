"""Filters: who wants which alerts, as SQL over one documented view, all run in one query."""
