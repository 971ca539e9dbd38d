"""Filters written in Python, for what SQL cannot say: a literal tuple, reviewed like any code.

To add one, write its file here and its line below. A filter uses it by ``python = "<name>"``; its
``select``, if it has one, is applied first and says what is sent.
"""

from __future__ import annotations

from shared.filters.python.base import PythonFilter
from shared.filters.python.steady_riser import SteadyRiser
from shared.registry import registry

PYTHON_FILTERS: dict[str, PythonFilter] = registry((SteadyRiser(),))
"""Every filter in Python by name."""
