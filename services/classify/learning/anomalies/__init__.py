"""Anomaly detection that follows each user's votes: one forest of shared trees, own weights."""
