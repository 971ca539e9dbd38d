"""What the archive's verbs share: their parsers, and how they fail."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from shared.archive.nights import night_from
from shared.errors import TocsinError, UpstreamUnavailableError
from shared.telemetry.logs import configure_logs

GOOD, DAMAGED, MISUSED = 0, 1, 2


def parser(verb: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser whose help ends in examples."""
    return argparse.ArgumentParser(
        prog=f"tocsin archive {verb}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def refuse(reason: object) -> int:
    """Say what is wrong in one line; exit status 2."""
    sys.stderr.write(f"error: {' '.join(str(reason).split())}\n")
    return MISUSED


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
