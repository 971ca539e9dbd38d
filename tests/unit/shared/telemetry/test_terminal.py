"""Hostile text stays text."""

import pytest
from rich.console import Console

from shared.telemetry.terminal import as_markup, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ZTF18abcdefg", "ZTF18abcdefg"),
        ("two\nlines\t", "two\nlines\t"),
        ("α Ori ☉", "α Ori ☉"),
        ("\x1b[31mred\x07\r\x00", "\\x1b[31mred\\x07\\r\\x00"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202egpj", "abc\\u202egpj"),
        (7, "7"),
    ],
)
def test_control_characters_are_written_out(text: object, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["[red]x", "[/]", "[/bold] y", "[link=http://x]y[/link]", "a\\[b"])
def test_markup_is_printed_as_it_is(text: str) -> None:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(f"[bold]{as_markup(text)}[/]")
    assert text.replace("\\[", "[") in capture.get().replace("\\[", "[")
