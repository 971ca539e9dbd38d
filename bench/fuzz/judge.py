"""A take through ingest's verb: what is wrong with how it came out, and what came out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from services.ingest.framing import SchemaBook
from services.ingest.normalise import Normalised, normalise
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.kafka.records import Packet

_DIGITS = re.compile(r"[0-9]+|'[^']*'|\"[^\"]*\"")
_NULLABLE = ("flux_njy", "flux_err_njy", "reliability", "band")
Outcome = tuple[Any, ...]


@dataclass
class Verdict:
    """Of one take."""

    problem: str = ""
    """Empty if every packet was accepted or refused with a reason, and sound ones came through."""
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    """What became of each packet, in kind: two packets with the same one went the same way."""


def judged(payloads: Sequence[bytes], sound: int, book: SchemaBook) -> Verdict:
    """Run a take in which packet ``sound`` is one that must be accepted."""
    packets = [Packet("fuzz", 0, k, 0, None, payload) for k, payload in enumerate(payloads)]
    result = normalise(packets, book, None, 0)
    verdict = Verdict(outcomes=_outcomes(result))
    known = [row for one in result.batches for row in one.packets.tolist()]
    refused = [one.packet for one in result.refused]
    if sorted(known + refused) != list(range(len(packets))):
        verdict.problem = "a packet is not accounted for, or twice"
    elif sound not in known:
        verdict.problem = "a sound neighbour was lost"
    elif not all(one.reason and one.detail for one in result.refused):
        verdict.problem = "a packet was refused without a reason"
    else:
        for one in result.batches:
            sent = write_envelope(one.batch)
            if write_envelope(read_envelope(sent)) != sent:
                verdict.problem = "an envelope does not come back as it was"
    return verdict


def _outcomes(result: Normalised) -> dict[int, Outcome]:
    outcomes: dict[int, Outcome] = {
        one.packet: ("refused", one.reason, _DIGITS.sub("#", one.detail)[:80], one.schema_version)
        for one in result.refused
    }
    for one in result.batches:
        batch = one.batch.record_batch
        lengths = np.diff(batch["lc_mjd_tai"].offsets.to_numpy())
        given = np.stack([np.asarray(batch[name].is_valid()) for name in _NULLABLE])
        kinds = zip(
            batch["schema_version"].to_pylist(),
            np.frexp(lengths)[1].tolist(),
            np.packbits(given, axis=0)[0].tolist(),
            strict=True,
        )
        for row, kind in zip(one.packets.tolist(), kinds, strict=True):
            outcomes[row] = (one.batch.survey, *kind)
    return outcomes
