"""Kubernetes manifests: ``generate.py`` writes ``base/``; overlays are written by hand."""
