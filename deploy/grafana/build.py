"""Writes the dashboards' JSON: ``python -m deploy.grafana.build`` (``--check`` only looks)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from deploy.grafana import delivery, learning, mesh, science, stores
from deploy.grafana.panels import Board, Panel

BOARDS = (mesh.BOARD, science.BOARD, delivery.BOARD, learning.BOARD, stores.BOARD)
FOLDER = Path(__file__).parent / "json"
_WIDTH, _HEIGHT = 24, 7


def built(board: Board) -> str:
    """The dashboard's JSON, as Grafana's provisioning reads it."""
    made = (
        dashboard.Dashboard(board.title)
        .uid(f"tocsin-{board.name}")
        .tags(["tocsin"])
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("utc")
        .with_variable(dashboard.DatasourceVariable("datasource").type("prometheus"))
    )
    for row in board.rows:
        made = made.with_row(dashboard.Row(row.title))
        for panel in row.panels:
            made = made.with_panel(_panel(panel, _WIDTH // len(row.panels)))
    return str(JSONEncoder(indent=1, sort_keys=True).encode(made.build())) + "\n"


def _panel(panel: Panel, width: int) -> Any:
    made: Any = stat.Panel() if panel.kind == "number" else timeseries.Panel()
    made = (
        made.title(panel.title)
        .description(panel.description)
        .unit(panel.unit)
        .datasource(DataSourceRef(type_val="prometheus", uid="${datasource}"))
        .height(_HEIGHT)
        .span(width)
    )
    for letter, (expression, legend) in zip("ABCDEF", panel.queries, strict=False):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(letter)
        made = made.with_target(query)
    return made


def main(argv: list[str] | None = None) -> int:
    """Write the files, or look whether they are current."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.grafana.build", description="Write the dashboards' JSON."
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    check = parser.parse_args(argv).check
    stale = 0
    for board in BOARDS:
        path, text = FOLDER / f"{board.name}.json", built(board)
        if path.is_file() and path.read_text() == text:
            continue
        stale += 1
        if check:
            sys.stdout.write(f"not current: {path.name}\n")
        else:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(text)
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
