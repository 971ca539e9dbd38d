"""A filter or query that will not be run: why, where in its text, and how to mend it."""

from __future__ import annotations


class FilterRefusedError(Exception):
    """Refused; ``position`` is the character of ``text`` that is meant, counted from 0.

    Attributes
    ----------
    why
        The reason, one sentence.
    hint
        How to mend it; empty if the reason says so already.
    line, column
        The same place, counted from 1.
    """

    def __init__(self, why: str, position: int = 0, *, text: str = "", hint: str = "") -> None:
        super().__init__(f"{why}; {hint}" if hint else why)
        self.why = why
        self.position = position if not text or position <= len(text) else 0
        self.text = text
        self.hint = hint

    @property
    def line(self) -> int:
        """Line of the place in the text; 1 if the text is not known."""
        return self.text[: self.position].count("\n") + 1

    @property
    def column(self) -> int:
        """Column of the place in its line."""
        return self.position - (self.text.rfind("\n", 0, self.position) + 1) + 1

    def of(self, text: str, before: str = "") -> FilterRefusedError:
        """The same refusal, of this text, with words before the reason."""
        return FilterRefusedError(before + self.why, self.position, text=text, hint=self.hint)
