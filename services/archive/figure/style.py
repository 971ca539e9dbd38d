"""Colours, markers and letters of all figures."""

from __future__ import annotations

from typing import Any

BAND_STYLE: dict[str, tuple[str, str]] = {
    "u": ("#0c71ff", "D"),
    "g": ("#2f9e44", "o"),
    "r": ("#c61c00", "s"),
    "i": ("#e8a200", "^"),
    "z": ("#d6409f", "P"),
    "y": ("#5d0000", "X"),
}
"""Colour and marker of each band: Rubin's palette for light backgrounds (RTN-045), g, i darker."""
VERDICT_COLOURS = ("#3b4cc0", "#b40426", "#00876c", "#bc5090", "#8a6d00", "#555555")
EVENT_COLOUR = "#6d3fa0"
INK, FAINT, LINE, GRID = "#1d2433", "#6b7280", "#9aa1ad", "#e6e8ec"

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "legend.fontsize": 9,
    "legend.framealpha": 0.92,
    "legend.edgecolor": GRID,
}
