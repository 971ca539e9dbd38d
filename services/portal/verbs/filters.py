"""``tocsin filters check|create|backtest|activate|pause|retire|list|show``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from services.portal.verbs import filter_check
from services.portal.verbs.client import PortalClient, carried_out, portal_client, segment
from services.portal.verbs.filter_report import report_lines
from shared.filters.check import UNNAMED, read_filter_file
from shared.filters.user_filter import FilterFileError, UserFilter

_ABOUT = """\
A filter is one SELECT on the alerts; what it selects goes to the topic out.<name>.
docs/filters.md has the columns and functions. Nothing but check works without the portal
(TOCSIN_PORTAL_URL) and a token (TOCSIN_TOKEN, or the one `tocsin up` has written).
"""
_EXAMPLES = """\
examples:
  echo "SELECT object_id, ra_deg, dec_deg, magnitude_ab FROM alerts
        WHERE magnitude_ab < 19 AND days_since_first_detection < 3" > rising.sql
  tocsin filters check rising.sql            would it be accepted? (no server)
  tocsin filters backtest rising.sql         what would it have sent in the last 7 nights?
  tocsin filters create rising.sql --description "Young and bright"
  tocsin filters activate rising             from now on its alerts are on out.rising
  tocsin watch out.rising                    see them
  tocsin filters pause rising
"""


def main(argv: list[str] | None = None) -> int:
    """Carry out one of the verbs; returns the exit status."""
    given = sys.argv[1:] if argv is None else argv
    if given[:1] == ["check"]:
        return filter_check.main(given[1:])
    arguments = _parser().parse_args(given)

    def work() -> int:
        with portal_client() as portal:
            status: int = arguments.do(portal, arguments)
            return status

    try:
        return carried_out(work)
    except FilterFileError as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin filters", description=_ABOUT, epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    verbs.add_parser("check", help="would a file's filters be accepted? needs no server")
    create = verbs.add_parser("create", help="keep a draft, or a new version of one")
    create.add_argument("file", type=Path, metavar="FILE", help=".sql, .json or .toml")
    create.add_argument("--name", help="its name; if not given, the file's")
    create.add_argument("--description", default="", help="what it is for")
    create.add_argument("--survey", help="only alerts of this survey")
    create.add_argument("--group", help="group whose members may see and change it")
    create.add_argument("--public", action="store_true", help="everybody may see and read it")
    create.add_argument("--retention-hours", type=float, help="its topic keeps messages so long")
    create.set_defaults(do=_create)
    backtest = verbs.add_parser("backtest", help="what it would have sent")
    backtest.add_argument("what", metavar="NAME|FILE", help="a filter's name, or a file")
    backtest.add_argument("--nights", type=int, default=7, help="last nights of the archive")
    backtest.add_argument("--version", type=int, help="which; the newest if not given")
    backtest.add_argument("--json", action="store_true", help="the report as JSON")
    backtest.add_argument("--plot", type=Path, metavar="FILE.png", help="examples' light curves")
    backtest.set_defaults(do=_backtest)
    for name, help_ in (
        ("activate", "run it, if a backtest says that it wants no more than it may"),
        ("pause", "set it aside"),
        ("retire", "end it"),
    ):
        verb = verbs.add_parser(name, help=help_)
        verb.add_argument("name", metavar="NAME")
        verb.add_argument("--version", type=int, help="which; the newest if not given")
        verb.set_defaults(do=_move, move=name)
    listing = verbs.add_parser("list", help="filters that you may see")
    listing.add_argument("--state", choices=["draft", "active", "paused", "retired"])
    listing.add_argument("--json", action="store_true", help="JSON lines")
    listing.set_defaults(do=_list)
    show = verbs.add_parser("show", help="a filter's versions")
    show.add_argument("name", metavar="NAME")
    show.add_argument("--json", action="store_true", help="JSON lines")
    show.set_defaults(do=_show)
    return parser


def _create(portal: PortalClient, arguments: argparse.Namespace) -> int:
    for each in read_filter_file(arguments.file):
        if each.name == UNNAMED and not arguments.name:
            raise FilterFileError(
                f"{arguments.file}: a filter's name begins with a-z and has a-z, 0-9 and _: "
                "give one with --name, or to the file"
            )
        body = {
            **_text_of(each),
            "name": arguments.name or each.name,
            "description": arguments.description or each.description or f"{arguments.file.name}",
            "survey": arguments.survey or getattr(each, "survey", None),
            "group": arguments.group,
            "visibility": "public" if arguments.public else "private",
            "retention_hours": arguments.retention_hours,
        }
        kept = portal.post("/filters", body)
        print(f"{kept['name']} version {kept['version']} is a draft: "
              f"tocsin filters activate {kept['name']}")  # fmt: skip
    return 0


def _text_of(each: UserFilter) -> dict[str, Any]:
    python = getattr(each, "python", None)
    return {"select": each.select, **({"python": python} if python else {})}


def _backtest(portal: PortalClient, arguments: argparse.Namespace) -> int:
    path = Path(arguments.what)
    if path.suffix in {".sql", ".json", ".toml"}:
        reports = [
            (each.name, portal.ask(
                "POST", "/filters/backtest", json=_text_of(each),
                params={"nights": arguments.nights},
            ).json())
            for each in read_filter_file(path)
        ]  # fmt: skip
    else:
        params = {"nights": arguments.nights, "version": arguments.version}
        given = {key: value for key, value in params.items() if value is not None}
        where = f"/filters/{segment(arguments.what)}/backtest"
        reports = [(arguments.what, portal.ask("POST", where, params=given).json())]
    for name, report in reports:
        print(json.dumps(report) if arguments.json else "\n".join(report_lines(name, report)))
        if arguments.plot is not None:
            from services.portal.verbs.filter_plot import plot_examples  # noqa: PLC0415  # slow

            plot_examples(name, report["examples"], arguments.plot)
    return 0


def _move(portal: PortalClient, arguments: argparse.Namespace) -> int:
    version = {} if arguments.version is None else {"version": arguments.version}
    kept = portal.ask(
        "POST", f"/filters/{segment(arguments.name)}/{arguments.move}", params=version
    ).json()
    line = f"{kept['name']} version {kept['version']} is {kept['state']}"
    if kept["state"] == "active":
        share = (kept["guard"] or {}).get("share")
        tried = "no alert to try it on" if share is None else f"{share:.2%} of those tried"
        line += f" ({tried}): its alerts go to {kept['topic']}"
    print(line)
    return 0


def _list(portal: PortalClient, arguments: argparse.Namespace) -> int:
    listed = portal.all_pages("/filters", state=arguments.state)
    for one in listed:
        print(json.dumps(one) if arguments.json else _line(one))
    if not listed:
        which = f"{arguments.state} filters" if arguments.state else "filters yet"
        print(f"no {which}; how to write one: tocsin filters --help", file=sys.stderr)
    return 0


def _show(portal: PortalClient, arguments: argparse.Namespace) -> int:
    for one in portal.get(f"/filters/{segment(arguments.name)}"):
        if arguments.json:
            print(json.dumps(one))
            continue
        print(_line(one))
        print("  " + one["select"].strip().replace("\n", "\n  "))
        if one["reason"]:
            print(f"  {one['reason']}")
    return 0


def _line(one: dict[str, Any]) -> str:
    whose = one["owner"] + (f" ({one['group']})" if one["group"] else "")
    return (
        f"{one['name']:<28} v{one['version']:<3} {one['state']:<8} {one['visibility']:<8}"
        f" {whose:<20} {one['description'].splitlines()[0][:60]}"
    )


if __name__ == "__main__":
    sys.exit(main())
