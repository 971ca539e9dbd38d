"""A report as one HTML page beside its plots."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "img{max-width:100%}pre{background:#f4f5f7;padding:1rem;overflow:auto}"
)


def write_page(
    folder: Path, title: str, sections: Sequence[tuple[str, Mapping[str, Any], Sequence[str]]]
) -> Path:
    """Write ``report.html``; returns its path.

    Parameters
    ----------
    folder
        Where the plots are.
    title
        Of the page.
    sections
        Heading, numbers (shown as JSON) and file names of plots.
    """
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style><h1>{html.escape(title)}</h1>"
    ]
    for heading, numbers, plots in sections:
        parts.append(f"<h2>{html.escape(heading)}</h2>")
        parts += [f'<p><img src="{html.escape(p)}" alt="{html.escape(p)}">' for p in plots]
        if numbers:
            parts.append(f"<pre>{html.escape(json.dumps(numbers, indent=1))}</pre>")
    page = folder / "report.html"
    folder.mkdir(parents=True, exist_ok=True)
    page.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return page
