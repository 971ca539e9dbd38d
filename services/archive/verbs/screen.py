"""What the archive's verbs share: their parsers, and how they fail."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from shared.archive.nights import night_from
from shared.errors import TocsinError, UpstreamUnavailableError
from shared.telemetry.logs import configure_logs
from shared.verbs import DAMAGED, GOOD, MISUSED, parser_of, refuse

__all__ = ["DAMAGED", "GOOD", "MISUSED", "guarded", "nights_argument", "parser", "refuse"]


def parser(verb: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser of ``tocsin archive <verb>``."""
    return parser_of(f"archive {verb}", description, epilog)


def guarded(verb: Callable[[], int]) -> int:
    """Carry out a verb; what it raises on purpose becomes one line and exit status 2."""
    configure_logs("archive", "ERROR")
    try:
        return verb()
    except UpstreamUnavailableError as error:
        return refuse(f"{error}; is it running? tocsin status")
    except (TocsinError, ValueError, OSError) as error:
        return refuse(error)


def nights_argument(text: str) -> tuple[int, ...]:
    """Nights as a user names them: ``60000``, ``2023-02-25``, ``60000:60030`` (both included).

    Raises
    ------
    ArgumentTypeError
        If it is none of these.
    """
    first, colon, last = text.partition(":")
    try:
        low = night_from(first)
        high = night_from(last) if colon else low
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not low <= high <= low + 36_525:
        raise argparse.ArgumentTypeError(f"{text}: the last night is before the first")
    return tuple(range(low, high + 1))
