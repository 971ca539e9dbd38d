"""``tocsin dead-letters``: whatever stands in a letter, the terminal shows it and obeys nothing."""

from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from services.console import dead_letters
from shared.schemas.dead_letter import DeadLetter

EVIL = "[/bold] [red]x[/] \x1b[2J\x9b31m end"


@pytest.fixture
def topic(monkeypatch):
    letter = DeadLetter(
        stage="ingest", reason="bug", detail=EVIL, traceback=EVIL, origin_topic="ztf[/]",
        origin_partition=0, origin_offset=7, payload=b"x", set_aside_ms=2**62,
    )  # fmt: skip
    values = [b"not a letter", b'{"payload": "***"}', letter.to_json()]

    class Reader:
        def __init__(self, settings): ...

        def __enter__(self):
            return self

        def __exit__(self, *_): ...

        def topics(self):
            return ["tocsin.dead-letters"]

        def extents(self, topic):
            return topic

        def records(self, topic):
            return [
                SimpleNamespace(topic=topic, partition=0, offset=k, value=value)
                for k, value in enumerate(values)
            ]

    monkeypatch.setattr(dead_letters, "TopicReader", Reader)
    monkeypatch.setattr(dead_letters, "screen", dead_letters.Console(highlight=False, width=200))


@pytest.mark.parametrize("arguments", [["list"], ["show", "ztf[/]/0/7"], ["list", "--json"]])
def test_hostile_letters_are_shown_and_not_obeyed(topic, arguments):
    result = CliRunner().invoke(dead_letters.command, arguments)
    assert result.exit_code == 0, result.output
    assert "end" in result.output
    assert "\x1b" not in result.output
    assert "tocsin.dead-letters/0/0 is no dead letter" in result.stderr


def test_a_letter_does_not_choose_where_a_replay_writes(topic, monkeypatch):
    settings = dead_letters.mesh_settings()
    ours = dead_letters.Topic.MATCHED.named(settings.topic_prefix)
    letters = [
        DeadLetter(
            stage="classify", reason="bug", detail="", origin_topic="ztf_alerts",
            origin_partition=0, origin_offset=n, taken_from=target, payload=b"x",
        )
        for n, target in enumerate([ours, "ztf_alerts", "__consumer_offsets", "tocsin.out.mine"])
    ]  # fmt: skip
    monkeypatch.setattr(dead_letters, "letters_of", lambda *_: iter(letters))
    result = CliRunner().invoke(dead_letters.command, ["replay", "--dry-run"])
    assert result.exit_code == 0, result.output
    assert f"{ours}: 1 records would be sent" in result.output
    assert "ztf_alerts: 1 records would be sent" in result.output
    assert "__consumer_offsets" not in result.output
    assert "2 letters stay" in result.output


def test_an_empty_replay_says_so(topic):
    result = CliRunner().invoke(dead_letters.command, ["replay", "--stage", "mma"])
    assert result.exit_code == 0, result.output
    assert "No dead letters like these: nothing to send back" in result.output
