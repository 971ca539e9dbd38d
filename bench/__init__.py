"""Benchmarks anyone can run: ``python -m bench.<name>``; ``bench.mesh`` is the whole mesh."""
