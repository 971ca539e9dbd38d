"""``tocsin watch out.<filter>``: what a filter sends, one JSON line per alert, as it comes."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence

import httpx

from services.portal.verbs.client import ClientSettings, segment, token_of

_ABOUT = """\
Print what a filter sends, one JSON line per alert, until Ctrl-C.

Examples:
  tocsin watch out.bright_new_transients
  tocsin watch out.bright_new_transients --since earliest --count 10 | jq .object_id

A broken line is taken up again where it broke. Exit status: 0 done, 2 refused."""
_SILENCE_S = 60.0
"""The portal sends a comment every 15 s; longer silence is a broken line."""
_RETRY_S = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Print until the count is reached or the user leaves; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="tocsin watch",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("topic", help="out.<filter>")
    parser.add_argument(
        "--since", choices=("latest", "earliest"), default="latest", help="where to begin [latest]"
    )
    parser.add_argument("--count", type=int, default=0, help="leave after so many alerts")
    arguments = parser.parse_args(argv)
    prefix, dot, name = arguments.topic.partition(".")
    if prefix != "out" or not dot or not name:
        print(f"{arguments.topic!r} is not out.<filter>", file=sys.stderr)
        return 2
    try:
        return _follow(ClientSettings(), name, arguments.since, arguments.count)
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:  # head(1) has seen enough
        sys.stderr.close()
        return 0


def _follow(settings: ClientSettings, name: str, since: str, count: int) -> int:
    url = f"{settings.portal_url.rstrip('/')}/api/v1/filters/{segment(name)}/stream"
    headers = {"Accept": "text/event-stream"}
    if token := token_of(settings):
        headers["Authorization"] = f"Bearer {token}"
    printed, last_id = 0, ""
    with httpx.Client(timeout=httpx.Timeout(10.0, read=_SILENCE_S), trust_env=False) as client:
        while True:
            more = {"Last-Event-ID": last_id} if last_id else {}
            try:
                with client.stream(
                    "GET", url, params={"since": since}, headers=headers | more
                ) as answer:
                    if answer.is_error:
                        answer.read()
                        print(_refusal(answer), file=sys.stderr)
                        return 2
                    for identity, data in _events(answer.iter_lines()):
                        print(data, flush=True)
                        last_id = identity or last_id
                        printed += 1
                        if count and printed >= count:
                            return 0
            except httpx.HTTPError as error:
                print(f"{type(error).__name__}; trying again", file=sys.stderr)
            time.sleep(_RETRY_S)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Id and data of each event that has data."""
    identity, data = "", []
    for line in lines:
        if line.startswith("id:"):
            identity = line.removeprefix("id:").strip()
        elif line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and data:
            yield identity, "\n".join(data)
            data = []


def _refusal(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the portal says {answer.status_code} {answer.reason_phrase}"


if __name__ == "__main__":
    sys.exit(main())
