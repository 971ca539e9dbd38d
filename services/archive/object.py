"""``tocsin object``: one object's history in the terminal, as JSON, and drawn."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from services.archive.settings import ArchiveSettings
from services.archive.summary import print_summary
from services.archive.wording import cutout_words
from shared.archive.cutouts import Cutout, read_cutouts
from shared.archive.history import ObjectHistory, read_histories
from shared.archive.history_json import history_json
from shared.archive.packets import packets_root
from shared.archive.provenance import PacketMissingError, packet_of
from shared.errors import RejectedRecordError, UpstreamUnavailableError
from shared.settings import ServiceSettings
from shared.store import open_store

_EPILOG = """\
examples:
  tocsin object ZTF21abiuvdk                    what is known about it
  tocsin object ZTF21abiuvdk --png sn.png       the same, drawn, with cutouts
  tocsin object ZTF21abiuvdk --png sn.png --units flux
  tocsin object ZTF21abiuvdk --json | jq .light_curve

The history is merged from all alerts in the archive's database; cutouts are read from the
untouched packets below TOCSIN_STATE_DIR. Exit status: 0 found, 1 not found, 2 cannot say.
"""


def main(argv: list[str] | None = None) -> int:
    """Show an object; returns the exit status."""
    arguments = _parser().parse_args(argv)
    settings = ArchiveSettings()
    try:
        histories = asyncio.run(_read(settings, arguments.object_id))
    except UpstreamUnavailableError as error:
        print(f"{error}\nIs it running? tocsin status", file=sys.stderr)
        return 2
    if arguments.survey:
        histories = [one for one in histories if one.survey == arguments.survey]
    if not histories:
        print(f"no alert of {arguments.object_id} is in the archive", file=sys.stderr)
        return 1
    if len(histories) > 1:
        names = ", ".join(one.survey for one in histories)
        print(f"{names} each have a {arguments.object_id}: choose with --survey", file=sys.stderr)
        return 2
    _show(histories[0], arguments, settings)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin object",
        description="Show an object: light curve, matches, classes, associations, cutouts.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("object_id", help="the survey's name of it, e.g. ZTF21abiuvdk")
    parser.add_argument("--survey", help="where two surveys use the same name: ztf, lsst")
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw it")
    parser.add_argument(
        "--units", choices=("auto", "mag", "flux"), default="auto",
        help="ordinate of the drawing; auto: magnitudes unless it has faded (default)",
    )  # fmt: skip
    parser.add_argument("--alert", metavar="ALERT_ID", help="cutouts of this alert; else brightest")
    parser.add_argument("--no-cutouts", action="store_true", help="draw without cutouts")
    parser.add_argument("--all", action="store_true", help="list every alert, not the last 20")
    parser.add_argument("--json", action="store_true", help="write JSON, nothing else")
    return parser


async def _read(settings: ServiceSettings, object_id: str) -> list[ObjectHistory]:
    store = open_store(settings)
    try:
        return await read_histories(store, object_id)
    finally:
        store.close()


def _show(history: ObjectHistory, arguments: argparse.Namespace, settings: ServiceSettings) -> None:
    if arguments.png is not None:
        _draw(history, arguments, settings)
    if arguments.json:
        sys.stdout.buffer.write(history_json(history) + b"\n")
    else:
        print_summary(history, last=None if arguments.all else 20)


def _draw(history: ObjectHistory, arguments: argparse.Namespace, settings: ServiceSettings) -> None:
    from services.archive.figure import draw_object  # noqa: PLC0415  # matplotlib is slow

    alert = chosen_alert(history, arguments.alert)
    cutouts: list[Cutout] = []
    if alert is None:
        print(f"no alert {arguments.alert} of this object; no cutouts", file=sys.stderr)
    elif not arguments.no_cutouts:
        cutouts = find_cutouts(packets_root(settings.state_dir), alert)
    caption = cutout_words(alert) if alert is not None else ""
    draw_object(history, cutouts, arguments.png, units=arguments.units, caption=caption)
    print(f"drawn: {arguments.png}", file=sys.stderr)


def chosen_alert(history: ObjectHistory, alert_id: str | None) -> dict[str, Any] | None:
    """The alert called ``alert_id``, None if there is none; of the strongest detection if None."""
    if alert_id is None:
        return max(history.alerts, key=lambda alert: abs(alert["flux_njy"] or 0.0))
    return next((one for one in history.alerts if one["alert_id"] == alert_id), None)


def find_cutouts(root: Path, alert: dict[str, Any]) -> list[Cutout]:
    """The alert's cutouts from its packet; none, with a word on stderr, if they cannot be had."""
    try:
        return read_cutouts(packet_of(root, alert), alert["survey"])
    except (PacketMissingError, RejectedRecordError) as error:
        print(f"no cutouts of alert {alert['alert_id']}: {error}", file=sys.stderr)
        return []


if __name__ == "__main__":
    sys.exit(main())
