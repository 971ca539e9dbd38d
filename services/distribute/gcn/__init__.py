"""Associations as notices of GCN's unified schema."""
