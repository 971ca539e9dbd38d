"""A question in a process of its own: what is said when the process gives no answer."""

import os
import sys

import pytest

from shared.filters.apart import ApartFailedError, ask_apart, how_it_ended
from shared.filters.refusal import FilterRefusedError

MODULE = "made_question_process"


def made_module(tmp_path, monkeypatch, body: str) -> None:
    """``python -m made_question_process`` does this."""
    (tmp_path / f"{MODULE}.py").write_text(f"import os, signal, sys\n{body}\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))


async def ask(seconds: float = 60.0) -> dict:
    return await ask_apart(MODULE, b"what?\n", text="SELECT\n oops", seconds=seconds)


async def test_the_answer_comes_back(tmp_path, monkeypatch):
    made_module(tmp_path, monkeypatch, "print('{\"said\": \"' + input() + '\"}')")
    assert await ask() == {"said": "what?"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed, as the system does when memory"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "ended by signal SIGSEGV, without a word"),
        ("sys.exit('the disk is full')", "status 1 and no answer: the disk is full"),
        ("import no_such_module", "status 1 and no answer: ModuleNotFoundError: No module named"),
        ("print('no JSON')", "status 0 and no answer, without a word"),
    ],
)
async def test_what_really_happened_is_said(tmp_path, monkeypatch, body, why):
    made_module(tmp_path, monkeypatch, body)
    with pytest.raises(ApartFailedError, match=why):
        await ask()


async def test_a_refusal_points_into_the_text(tmp_path, monkeypatch):
    told = '{"refused": {"why": "no", "position": 8, "hint": ""}}'
    made_module(tmp_path, monkeypatch, f"print('{told}')")
    with pytest.raises(FilterRefusedError) as caught:
        await ask()
    assert (caught.value.line, caught.value.column) == (2, 2)


async def test_a_failure_of_the_module_is_passed_on(tmp_path, monkeypatch):
    made_module(
        tmp_path,
        monkeypatch,
        "from shared.filters.apart import answer_apart\n"
        "sys.exit(answer_apart(64, lambda: bytearray(16 << 30)))",
    )
    with pytest.raises(ApartFailedError, match="more than 64 MiB of memory"):
        await ask()


def test_only_the_last_words_are_given():
    said = b"a warning\n\n" + b"x" * 1000 + b"\n"
    assert how_it_ended(1, said).endswith("x" * 300)
    assert "a warning" not in how_it_ended(1, said)
