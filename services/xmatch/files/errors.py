"""What is wrong with a user's file, in one line."""

from __future__ import annotations

from shared.errors import TocsinError


class UnusableFileError(TocsinError):
    """A file cannot be read or written; the message names it, the place and the mend."""
