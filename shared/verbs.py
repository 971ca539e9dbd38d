"""What the verbs of ``tocsin`` share: a parser whose help teaches, and one line where they fail."""

from __future__ import annotations

import argparse
import sys

GOOD, DAMAGED, MISUSED = 0, 1, 2
"""Exit statuses: done; found wanting; called wrongly, or what it needs is away."""


def parser_of(verb: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser of ``tocsin <verb>``; its help ends in ``epilog``, the examples."""
    return argparse.ArgumentParser(
        prog=f"tocsin {verb}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def refuse(reason: object) -> int:
    """Say what is wrong in one line; the exit status for it."""
    sys.stderr.write(f"error: {' '.join(str(reason).split())}\n")
    return MISUSED
