"""The filters that come with Tocsin; the language they are written in is ``shared.filters``."""

from __future__ import annotations

from pathlib import Path

DEFAULT_FILE = Path(__file__).with_name("default.toml")
"""The filters that come with Tocsin."""
