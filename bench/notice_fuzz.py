"""``python -m bench.notice_fuzz``: hostile notices and sky maps through the parsers of mma.

Real and made-up notices are cut, spliced, and their numbers and words replaced; so are FITS maps
inside and outside of them. Each must be understood or refused with a reason, within seconds and
without memory growing. The same seed gives the same inputs again.
"""

from __future__ import annotations

import argparse
import base64
import faulthandler
import json
import os
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from services.mma.notices import read_notice
from services.mma.regions import region_of
from services.mma.skymaps.fits import read_sky_map
from shared.errors import RejectedRecordError
from shared.testing.notices import SAMPLES, base_cells_map, gcn_json, lvk_json

SLOWEST_S = 20.0
NUMBERS = (b"0", b"-1", b"360", b"1e308", b"-1e308", b"1e-320", b"nan", b"inf", b"2147483648",
           b"18446744073709551616", b"9" * 400, b"null", b'""', b"[]", b"{}", b"[1,2,3]", b"true",
           b"9999-12-31T23:59:59Z", b"0001-01-01", b"\xff\xfe", b"A" * 5000)  # fmt: skip
WORDS = ("", "0", "-1", "1e308", "nan", "inf", "-90.0001", "360", "1e-320", "2147483648", "true",
         "9999-12-31T23:59:60Z", "0001-01-01T00:00:00", "2016-12-31T23:59:60Z", "UTC-ICRS-TOPO",
         "TDB", "A" * 3000, "\u202e\u0000", "-", "ivo://x#y")  # fmt: skip
_TOKEN = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\"[^\"]{0,60}\"|<[^<>]{1,80}>")


def seeds() -> list[bytes]:
    """Samples of every type, official examples where they are, maps and notices around maps."""
    found = [*SAMPLES.values(), base_cells_map(), lvk_json()]
    encoded = base64.b64encode(base_cells_map()).decode()
    found.append(gcn_json("burstcube/alert", healpix_file=encoded))
    shelf = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "notices"
    for pattern in ("gcn_schema_examples/**/*.example.json", "voevent_fixtures/*.xml"):
        found += [path.read_bytes() for path in sorted(shelf.glob(pattern))]
    return found


def mutated(payload: bytes, known: list[bytes], rng: Random) -> bytes:
    """One to four changes: a token replaced, bytes flipped, cut, doubled or from another seed."""
    data = bytearray(payload)
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        match rng.randrange(7):
            case 0 | 1 | 2:
                tokens = list(_TOKEN.finditer(data))
                if tokens:
                    token = rng.choice(tokens)
                    data[token.start() : token.end()] = rng.choice(NUMBERS)
            case 3:
                for _ in range(rng.randint(1, 8)):
                    data[rng.randrange(len(data))] = rng.randrange(256)
            case 4:
                del data[rng.randrange(len(data)) :]
            case 5:
                start = rng.randrange(len(data))
                part = data[start : start + rng.randint(1, 2000)]
                data[start:start] = part * rng.randint(1, 20)
            case _:
                other = rng.choice(known)
                start = rng.randrange(max(1, len(other)))
                at = rng.randrange(len(data))
                data[at : at + 200] = other[start : start + 400]
    return bytes(data[:2_000_000])


def grammatical(payload: bytes, rng: Random) -> bytes:
    """Some values replaced so that it still parses; maps inside it are cut and flipped."""
    if payload.startswith(b"{"):
        document = json.loads(payload)
        for _ in range(rng.randint(1, 3)):
            _replace_leaf(document, rng)
        return json.dumps(document).encode()
    spans = [m.span(1) for m in re.finditer(rb'(?:value|role|cite|ivorn)="([^"]*)"', payload)]
    spans += [m.span(1) for m in re.finditer(rb">([^<>]+)<", payload)]
    data = bytearray(payload)
    for start, end in sorted(rng.sample(spans, min(len(spans), rng.randint(1, 3))), reverse=True):
        data[start:end] = rng.choice(WORDS).encode()
    return bytes(data)


def _replace_leaf(node: Any, rng: Random) -> None:
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = rng.choice(keys)
        if key in {"skymap", "healpix_file"} and rng.random() < 0.8:
            hostile = mutated(base_cells_map(), [base_cells_map()], rng)
            node[key] = base64.b64encode(hostile).decode()
            return
        if not isinstance(node[key], dict | list) or rng.random() < 0.3:
            word = rng.choice([*WORDS, 1e308, -1e308, 1e-320, 0, -1, 359.99, 90.0, 2**63, 10**30,
                               None, True, [], {}, [1.0], [1, 0], [[1, 2], [3, 4], [2, 9]],
                               {"a": 1e400}, [0.1, 1e-300, 1e300]])  # fmt: skip
            node[key] = word
            return
        node = node[key]


def outcome(payload: bytes) -> str:
    """What becomes of one input; anything but a refusal with a reason is let through."""
    try:
        if payload.startswith(b"SIMPLE"):
            read_sky_map(payload)
            return "map"
        notice = read_notice(payload, received_ms=0)
        notice.to_json()
        region = region_of(notice)
        if region is not None:
            region.searched_area_deg2(0.9)
            region.cap(0.95)
    except RejectedRecordError as error:
        return f"refused: {error.reason}"
    return notice.notice_type


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for inputs that found something")
    options = parser.parse_args()
    rng, known, counts = Random(options.seed), seeds(), Counter[str]()
    slowest, problems = 0.0, []
    first_mb = 0.0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        seed = rng.choice(known)
        is_text = seed.startswith((b"{", b"<"))
        payload = (
            grammatical(seed, rng) if is_text and rng.random() < 0.7 else mutated(seed, known, rng)
        )
        faulthandler.dump_traceback_later(SLOWEST_S, exit=True, file=sys.stderr)
        started = time.process_time()
        try:
            counts[outcome(payload)] += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            problems.append(f"{type(error).__name__}: {error}"[:200])
            if options.keep is not None:
                (options.keep / f"input_{len(problems)}").write_bytes(payload)
        slowest = max(slowest, time.process_time() - started)
        if counts.total() == 2000:
            first_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps({
        "inputs": counts.total() + len(problems), "problems": Counter(problems).most_common(20),
        "slowest_s": round(slowest, 3), "peak_after_2000_mb": first_mb,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "outcomes": dict(counts.most_common()),
    }, indent=1))  # fmt: skip
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
