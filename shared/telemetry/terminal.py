"""Text from outside on a terminal: what it says, and nothing that it does."""

from __future__ import annotations

import unicodedata

from rich.markup import escape

_KEPT = "\n\t"


def visible(text: object) -> str:
    r"""``text`` with control and direction characters written out (``\x1b``).

    A name from a packet or a notice must not move the cursor, clear the screen or turn the line
    around.
    """
    return "".join(
        letter
        if letter in _KEPT or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        else letter.encode("unicode_escape").decode()
        for letter in str(text)
    )


def as_markup(text: object) -> str:
    """The same where rich reads markup: ``[red]`` is five letters."""
    return escape(visible(text))
