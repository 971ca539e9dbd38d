"""``python -m services.portal.filters.backtest_process``: a backtest in a process of its own.

A line of JSON on standard input says what to ask, then envelopes follow, each after its survey
(one byte of length, the text) and its length (four bytes); the report comes back as JSON. The
process has no database and no Kafka, and the system limits its memory. ``run_backtest_apart`` is
the other end.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from services.portal.filters.backtest import Backtest, BacktestFailedError, newest_nights
from shared.archive.readers import Reader
from shared.archive.snapshots import archive_root, snapshots_for
from shared.filters.apart import ApartFailedError, answer_apart, ask_apart
from shared.filters.guard import Limits
from shared.filters.user_filter import UserFilter
from shared.kafka.envelopes import read_envelope

_LENGTH = struct.Struct(">I")


async def run_backtest_apart(
    each: UserFilter,
    *,
    state_dir: Path,
    nights: int,
    surveys: Sequence[str],
    envelopes: Sequence[tuple[str, bytes]],
    private_surveys: Mapping[str, frozenset[str]],
    limits: Limits,
    seconds: float,
) -> dict[str, Any]:
    """Backtest a filter on the last nights of the archive and on some envelopes.

    Returns
    -------
    dict
        ``Report.document``.

    Raises
    ------
    FilterRefusedError
        If the filter is not acceptable.
    BacktestFailedError
        If it fails, or its process needs too much time or memory.
    """
    asked = {
        "filter": each.model_dump(),
        "state_dir": str(state_dir),
        "nights": nights,
        "surveys": list(surveys),
        "private_surveys": {name: sorted(groups) for name, groups in private_surveys.items()},
        "memory_mib": limits.memory_mib,
        "batch_seconds": limits.seconds,
        "seconds": seconds,
    }
    parts = [json.dumps(asked).encode() + b"\n"]
    for survey, envelope in envelopes:
        name = survey.encode()[:255]
        parts += [bytes([len(name)]), name, _LENGTH.pack(len(envelope)), envelope]
    try:
        return await ask_apart(
            "services.portal.filters.backtest_process",
            b"".join(parts),
            text=each.select,
            seconds=seconds,
        )
    except ApartFailedError as error:
        raise BacktestFailedError(str(error)) from error


def main() -> int:
    """Carry out what standard input asks for."""
    asked = json.loads(sys.stdin.buffer.readline())
    return answer_apart(asked["memory_mib"], lambda: _finite(_outcome(asked, sys.stdin.buffer)))


def _outcome(asked: dict[str, Any], stream: IO[bytes]) -> dict[str, Any]:
    private = {name: frozenset(groups) for name, groups in asked["private_surveys"].items()}
    limits = Limits(asked["memory_mib"], asked["batch_seconds"])
    try:
        test = Backtest(
            UserFilter.model_validate(asked["filter"]), limits, private, asked["seconds"]
        )
        everybody = Reader(is_operator=True)  # the engine knows what the filter may see
        root = archive_root(Path(asked["state_dir"]))
        snapshots = snapshots_for(root, everybody, private, asked["surveys"])
        nights = newest_nights(snapshots, asked["nights"])
        packed = {(snapshot.survey, night) for snapshot in snapshots for night in snapshot.nights}
        packed = {(survey, night) for survey, night in packed if night in nights}
        test.ask_batches(_envelopes(stream), packed)
        for snapshot in snapshots:
            test.ask_snapshot(snapshot, [night for night in nights if night in snapshot.nights])
    except pa.ArrowException as error:
        raise BacktestFailedError(str(error) or type(error).__name__) from error
    return test.finished().document()


def _envelopes(stream: IO[bytes]) -> Iterator[tuple[str, pa.RecordBatch]]:
    while length := stream.read(1):
        survey = stream.read(length[0]).decode()
        (size,) = _LENGTH.unpack(stream.read(_LENGTH.size))
        batch = read_envelope(stream.read(size)).record_batch
        if batch.num_rows:
            yield survey, batch


def _finite(value: Any) -> Any:
    """The same with null for what JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return value


if __name__ == "__main__":
    sys.exit(main())
