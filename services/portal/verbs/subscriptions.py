"""``tocsin subscriptions``: have alerts sent by webhook, chat, e-mail, TNS or HERMES."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx

from services.portal.verbs.client import (
    PortalClient,
    PortalError,
    carried_out,
    portal_client,
    segment,
)

_ABOUT = """\
Have what comes by on a topic sent to you: out.<filter>, voevents, associations or targets.

Examples:
  tocsin subscriptions create hook --to out.bright_new_transients --channel webhook \\
      --set url=https://example.org/hook --secret-from HOOK_KEY
  tocsin subscriptions create room --to out.rising --channel slack --secret-from SLACK_URL
  tocsin subscriptions create digest --to out.rising --channel mail \\
      --set to=me@example.org --set every_minutes=60
  tocsin subscriptions list
  tocsin subscriptions deliveries hook --state failed
  tocsin subscriptions pause|resume|delete hook

A subscription is named by its name or, where you see two of one name, by its id in the list.

A secret (signing key, chat URL, API key) is taken from an environment variable or, with -, from
standard input: never from the command line, which others can see. Settings of each channel:
docs/consume.md.

Exit status: 0 done, 1 no such subscription, 2 refused."""
_LONGEST_SECRET = 2000
_IDENTITY = re.compile(r"[0-9a-f]{12}")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one of the verbs; returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.verb is None:
        parser.print_help()
        return 2

    def work() -> int:
        with portal_client() as portal:
            return int(arguments.work(portal, arguments))

    return carried_out(work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin subscriptions",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    create = verbs.add_parser("create", help="subscribe")
    create.add_argument("name", help="what you call it")
    create.add_argument("--to", required=True, metavar="TOPIC", help="out.<filter>, voevents, ...")
    create.add_argument(
        "--channel", required=True, choices=("webhook", "slack", "mail", "tns", "hermes")
    )
    create.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the channel"
    )
    create.add_argument(
        "--secret-from", metavar="VARIABLE", help="variable with the secret; - for standard input"
    )
    create.add_argument("--group", help="group whose members may see it too")
    create.add_argument("--rate", type=int, default=60, help="most deliveries a minute [60]")
    create.set_defaults(work=_create)
    listing = verbs.add_parser("list", help="yours and your groups'")
    listing.add_argument("--json", action="store_true", help="one JSON line each")
    listing.set_defaults(work=_list)
    for verb in ("pause", "resume", "delete"):
        one = verbs.add_parser(verb)
        one.add_argument("subscription", metavar="NAME|ID")
        one.set_defaults(work=_change)
    deliveries = verbs.add_parser("deliveries", help="what became of each message")
    deliveries.add_argument("subscription", metavar="NAME|ID")
    deliveries.add_argument("--state", choices=("queued", "sending", "sent", "confirmed", "failed"))
    deliveries.add_argument("--limit", type=int, default=20, help="newest first [20]")
    deliveries.add_argument("--json", action="store_true", help="one JSON line each")
    deliveries.set_defaults(work=_deliveries)
    return parser


def settings_from(pairs: Sequence[str]) -> dict[str, Any]:
    """Settings from ``name=value``; a name that comes twice, or ``to``, is a list.

    Numbers and true/false are read as JSON has them.

    Raises
    ------
    ValueError
        If one is not ``name=value``.
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not (name and equals):
            raise ValueError(f"{pair!r} is not NAME=VALUE")
        value: Any = text
        if text in {"true", "false"} or text.replace(".", "", 1).isdecimal():
            value = json.loads(text)
        if name == "to" or name in settings:
            before = settings.get(name, [])
            settings[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            settings[name] = value
    return settings


def _secret(source: str | None) -> str | None:
    """The secret; from the environment or standard input, without its line's end.

    Raises
    ------
    ValueError
        If it is not there.
    """
    if source is None:
        return None
    text = sys.stdin.readline(_LONGEST_SECRET) if source == "-" else os.environ.get(source, "")
    if not text.strip():
        raise ValueError(f"no secret in {'standard input' if source == '-' else source}")
    return text.rstrip("\r\n")


def _create(portal: PortalClient, arguments: argparse.Namespace) -> int:
    try:
        body = {
            "name": arguments.name,
            "source": arguments.to,
            "channel": arguments.channel,
            "settings": settings_from(arguments.set),
            "secret": _secret(arguments.secret_from),
            "group": arguments.group,
            "rate_per_minute": arguments.rate,
        }
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    made = portal.post("/subscriptions", body)
    print(f"{made['subscription_id']}  {made['name']}: {made['source']} by {made['channel']}")
    return 0


def _list(portal: PortalClient, arguments: argparse.Namespace) -> int:
    listed = portal.all_pages("/subscriptions")
    for one in listed:
        if arguments.json:
            print(json.dumps(one))
            continue
        why = f" ({one['reason']})" if one["reason"] else ""
        where = " ".join(
            f"{k}={v}" for k, v in one["settings"].items() if k in {"url", "to", "topic"}
        )
        print(
            f"{one['subscription_id']}  {one['state']:7}{why} {one['source']} by"
            f" {one['channel']} {where}  {one['name']}, of {one['owner']}"
        )
    if not listed:
        print("no subscriptions yet; tocsin subscriptions create --help", file=sys.stderr)
    return 0


def _path(portal: PortalClient, named: str) -> str:
    """Where the portal has the subscription of this id or name.

    Raises
    ------
    PortalError
        If none that the user sees has the name, or several have it.
    """
    found = [
        one["subscription_id"]
        for one in portal.all_pages("/subscriptions")
        if named in {one["subscription_id"], one["name"]}
    ]
    if len(found) > 1 and named not in found:
        raise PortalError(f"{len(found)} subscriptions are named {named}: {', '.join(found)}")
    if not found and not _IDENTITY.fullmatch(named):
        raise PortalError(
            f"no subscription {named!r}: tocsin subscriptions list", httpx.codes.NOT_FOUND
        )
    return f"/subscriptions/{segment(named if named in found or not found else found[0])}"


def _change(portal: PortalClient, arguments: argparse.Namespace) -> int:
    path = _path(portal, arguments.subscription)
    if arguments.verb == "delete":
        portal.delete(path)
    else:
        portal.post(f"{path}/{arguments.verb}")
    return 0


def _deliveries(portal: PortalClient, arguments: argparse.Namespace) -> int:
    path = f"{_path(portal, arguments.subscription)}/deliveries"
    page = portal.get(path, state=arguments.state, limit=max(1, min(arguments.limit, 1000)))
    for one in page["items"]:
        if arguments.json:
            print(json.dumps(one))
            continue
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one["queued_ms"] / 1000))
        words = " ".join(filter(None, (one["reference"], one["reason"])))
        print(f"{at} {one['state']:9} {one['subject']} tries {one['tries']} {words}".rstrip())
    counts = portal.get(f"{path}/tally")["counts"]
    if not arguments.json:
        told = ", ".join(f"{number} {state}" for state, number in counts.items())
        none = "no deliveries yet: nothing has come by on its topic"
        print(told if any(counts.values()) else none, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
