"""Subscribers' XPath filters, evaluated in a process that may be killed.

XPath 1.0 can be made to run for as long as one likes (``//*[//*[//*]]``), inside native code that
nothing can interrupt. So a text is looked at first; it is compiled and run in a process of its own
with bounded memory; one that takes too long is ended with its process and never run again.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import resource
import signal
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import orjson
import structlog
from lxml import etree

from shared.errors import RejectedRecordError
from shared.vtp import parsed

log = structlog.get_logger()

MAX_FILTER_CHARS = 1000
_MAX_NESTING = 4
_MAX_SEARCHES = 8
_MAX_COMPILED = 5000
_MOST_BANNED = 10_000
MAX_MEMORY_BYTES = 1024**3
_START_S = 20.0
_FUNCTIONS = frozenset(
    [
        "last",
        "position",
        "count",
        "id",
        "local-name",
        "namespace-uri",
        "name",
        "string",
        "concat",
        "starts-with",
        "contains",
        "substring-before",
        "substring-after",
        "substring",
        "string-length",
        "normalize-space",
        "translate",
        "boolean",
        "not",
        "true",
        "false",
        "lang",
        "number",
        "sum",
        "floor",
        "ceiling",
        "round",
        "node",
        "text",
        "comment",
        "processing-instruction",
        "and",
        "or",
        "div",
        "mod",
    ]
)
"""XPath 1.0's core functions and node tests; words before a bracket that are operators."""
_CALL = re.compile(r"([A-Za-z_][\w.:-]*)\s*\(")
_WIDE_AXIS = re.compile(r"(?:descendant|preceding|following|ancestor)")
_LITERAL = re.compile(r"\"[^\"]*\"|'[^']*'")


def refusal(expression: str) -> str | None:
    """Why a filter is refused by its text alone; None if it may be tried."""
    if len(expression) > MAX_FILTER_CHARS:
        return f"longer than {MAX_FILTER_CHARS} characters"
    if not expression.isprintable():
        return "control characters"
    bare = _LITERAL.sub("''", expression)
    if "$" in bare:
        return "variables are not known here"
    unknown = sorted({name for name in _CALL.findall(bare) if name not in _FUNCTIONS})
    if unknown:
        return f"no function {unknown[0]}; XPath 1.0's core functions are known"
    depth = deepest = 0
    for letter in bare:
        depth += (letter == "[") - (letter == "]")
        deepest = max(deepest, depth)
    if deepest > _MAX_NESTING:
        return f"predicates nested more than {_MAX_NESTING} deep"
    searches = bare.count("//") + len(
        re.findall(r"(descendant|preceding|following|ancestor)", bare)
    )
    if searches > _MAX_SEARCHES:
        return f"more than {_MAX_SEARCHES} searches through the whole packet"
    return None


def is_positive(found: Any) -> bool:
    """Comet's reading of a result: true, not zero, not empty."""
    return bool(found)


def serve(pipe: Connection, progress: Any) -> None:
    """Body of the worker: packets and expressions in, a list of True, False or None out."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    compiled: dict[str, etree.XPath | None] = {}
    while True:
        try:
            expressions = orjson.loads(pipe.recv_bytes())
            packet = pipe.recv_bytes()
        except EOFError:
            return
        results: list[bool | None] = []
        root = None
        try:
            root = parsed(packet)
        except RejectedRecordError:
            results = [None] * len(expressions)
        if root is not None:
            for number, expression in enumerate(expressions):
                progress.value = number
                results.append(_evaluated(compiled, expression, root))
        progress.value = len(expressions)
        pipe.send_bytes(orjson.dumps(results))


def _evaluated(
    compiled: dict[str, etree.XPath | None], expression: str, root: etree._Element
) -> bool | None:
    """Whether the packet passes; None for an expression that is none, or that fails."""
    try:
        if expression not in compiled:
            if len(compiled) >= _MAX_COMPILED:
                compiled.clear()
            compiled[expression] = None
            compiled[expression] = etree.XPath(expression, regexp=False, smart_strings=False)
        xpath = compiled[expression]
        return None if xpath is None else is_positive(xpath(root))
    except (etree.XPathError, MemoryError, ValueError):
        return None


class FilterJudge:
    """The process, and what it may not run again.

    Parameters
    ----------
    longest_s
        Time of one filter on one packet.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._context = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._progress: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="filters")
        self.banned: set[str] = set()
        """Filters that took too long once."""

    async def passed(self, packet: bytes, expressions: Sequence[str]) -> dict[str, bool | None]:
        """Which of ``expressions`` the packet passes; None for those that cannot be run."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._passed, packet, [*expressions])

    def _passed(self, packet: bytes, expressions: list[str]) -> dict[str, bool | None]:
        verdicts: dict[str, bool | None] = dict.fromkeys(expressions)
        while left := [e for e in expressions if e not in self.banned]:
            culprit, results = self._run(packet, left)
            if results is not None:
                verdicts |= dict(zip(left, results, strict=True))
                break
            # At worst as many rounds as there are filters: each takes one of them out.
            slow = left[min(culprit, len(left) - 1)]
            if len(self.banned) >= _MOST_BANNED:
                self.banned.clear()
            self.banned.add(slow)
            log.warning("vtp_filter_banned", filter=slow)
        return verdicts

    def _run(self, packet: bytes, expressions: list[str]) -> tuple[int, list[bool | None] | None]:
        """One try: results, or the number of the filter during which the process was ended."""
        pipe = self._started()
        self._progress.value = 0
        try:
            pipe.send_bytes(orjson.dumps(expressions))
            pipe.send_bytes(packet)
            seen = -1
            while True:
                if pipe.poll(self._longest_s):
                    results: list[bool | None] = orjson.loads(pipe.recv_bytes())
                    return 0, results
                if self._progress.value == seen:
                    break
                seen = self._progress.value
        except (EOFError, OSError):
            pass
        culprit = int(self._progress.value)
        self._end()
        return culprit, None

    def _started(self) -> Connection:
        if self._process is None or not self._process.is_alive() or self._pipe is None:
            self._end()
            ours, theirs = self._context.Pipe()
            self._progress = self._context.Value("i", 0, lock=False)
            process = self._context.Process(
                target=serve, args=(theirs, self._progress), daemon=True, name="vtp-filters"
            )
            process.start()
            theirs.close()
            ours.send_bytes(b"[]")
            ours.send_bytes(b"<VOEvent/>")
            if not ours.poll(_START_S):
                process.kill()
                raise OSError("the process of filters did not start")
            ours.recv_bytes()
            self._process, self._pipe = process, ours
        return self._pipe

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(5.0)
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def close(self) -> None:
        """End the process."""
        self._thread.submit(self._end).result(10.0)
        self._thread.shutdown(wait=False)
