"""``tocsin accounts create|list|token|tokens|revoke|close``: who may use the portal."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

from services.portal.verbs.client import PortalClient, carried_out, portal_client, segment

_ABOUT = """\
Who may use the portal. An account has a role (reader: reads; user: also makes filters, labels
and subscriptions; operator: everything) and groups, whose filters and lists its members share.

Needs an operator's token: `tocsin up` writes one into the state folder; else TOCSIN_TOKEN.
"""
_EXAMPLES = """\
examples:
  tocsin accounts create vera --role user --group novae
  tocsin accounts token vera --days 30        prints a token, this once
  tocsin accounts tokens vera                 which there are, when they were used
  tocsin accounts revoke vera 9f86d081
  tocsin accounts list

then, as vera:
  export TOCSIN_TOKEN=tcn_9f86d081_...
  curl -H "Authorization: Bearer $TOCSIN_TOKEN" http://127.0.0.1:19116/api/v1/account
"""


def main(argv: list[str] | None = None) -> int:
    """Carry out one of the verbs; returns the exit status."""
    arguments = _parser().parse_args(argv)

    def work() -> int:
        with portal_client() as portal:
            status: int = arguments.do(portal, arguments)
            return status

    return carried_out(work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tocsin accounts", description=_ABOUT, epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    create = verbs.add_parser("create", help="make an account, or change its role and groups")
    create.add_argument("user")
    create.add_argument("--role", choices=["reader", "user", "operator"], default="user")
    create.add_argument("--group", action="append", default=[], metavar="NAME")
    create.set_defaults(do=_create)
    verbs.add_parser("list", help="all accounts").set_defaults(do=_list)
    token = verbs.add_parser("token", help="make a token and print it")
    token.add_argument("user")
    token.add_argument(
        "--scope", action="append", choices=["read", "write", "operate"],
        help="what it may do; everything that the role may, if not given",
    )  # fmt: skip
    token.add_argument("--days", type=float, default=90.0, help="it ends after so many [90]")
    token.add_argument("--purpose", default="", help="a word to know it by")
    token.set_defaults(do=_token)
    tokens = verbs.add_parser("tokens", help="an account's tokens")
    tokens.add_argument("user")
    tokens.set_defaults(do=_tokens)
    revoke = verbs.add_parser("revoke", help="end a token")
    revoke.add_argument("user")
    revoke.add_argument("prefix", help="its eight digits after tcn_")
    revoke.set_defaults(do=_revoke)
    close = verbs.add_parser("close", help="end an account and all its tokens")
    close.add_argument("user")
    close.set_defaults(do=_close)
    return parser


def _create(portal: PortalClient, arguments: argparse.Namespace) -> int:
    portal.put(
        f"/accounts/{segment(arguments.user)}", {"role": arguments.role, "groups": arguments.group}
    )
    print(f"{arguments.user}: {arguments.role}", file=sys.stderr)
    return 0


def _list(portal: PortalClient, arguments: argparse.Namespace) -> int:
    del arguments
    for one in portal.get("/accounts"):
        groups = ",".join(one["groups"]) or "-"
        print(f"{one['name']:<24} {one['role']:<9} {one['state']:<7} {groups}")
    return 0


def _token(portal: PortalClient, arguments: argparse.Namespace) -> int:
    wanted = {
        "scopes": arguments.scope, "days": arguments.days, "purpose": arguments.purpose
    }  # fmt: skip
    print(portal.post(f"/accounts/{segment(arguments.user)}/tokens", wanted)["token"])
    print("Keep it: it is not shown again.", file=sys.stderr)
    return 0


def _tokens(portal: PortalClient, arguments: argparse.Namespace) -> int:
    for one in portal.get(f"/accounts/{segment(arguments.user)}/tokens"):
        state = "revoked" if one["revoked_ms"] else f"until {_day(one['expires_ms'])}"
        used = _day(one["last_used_ms"]) if one["last_used_ms"] else "never used"
        print(f"{one['prefix']} {','.join(one['scopes']):<20} {state:<17} {used} {one['purpose']}")
    return 0


def _revoke(portal: PortalClient, arguments: argparse.Namespace) -> int:
    portal.delete(f"/accounts/{segment(arguments.user)}/tokens/{segment(arguments.prefix)}")
    print(f"{arguments.prefix} is revoked", file=sys.stderr)
    return 0


def _close(portal: PortalClient, arguments: argparse.Namespace) -> int:
    portal.delete(f"/accounts/{segment(arguments.user)}")
    print(f"{arguments.user} is closed", file=sys.stderr)
    return 0


def _day(unix_ms: Any) -> str:
    return datetime.fromtimestamp(unix_ms / 1000, UTC).date().isoformat()


if __name__ == "__main__":
    sys.exit(main())
