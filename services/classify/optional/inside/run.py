"""Runs an extra's half that stands beside its package, in the Python that has the package.

Imports nothing of Tocsin: that Python need not have it. ``python -I run.py FOLDER`` reads
``job.json`` and ``curves.npz`` there and writes ``answers.jsonl``, one line an object.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import resource
import sys
from pathlib import Path

MOST_MEMORY_BYTES = 12 << 30
MOST_FILE_BYTES = 1 << 30


def main() -> int:
    """Answer the job in the folder named on the command line."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE_BYTES, MOST_FILE_BYTES))
    folder = Path(sys.argv[1])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    with (folder / "answers.jsonl").open("w", encoding="utf-8") as sink:
        missing = [name for name in job["modules"] if importlib.util.find_spec(name) is None]
        if missing:
            sink.write(json.dumps({"missing": missing}) + "\n")
            return 0
        version = importlib.metadata.version(job["distribution"])
        sink.write(json.dumps({"version": version}) + "\n")
        sink.flush()
        # At the end of the path: nothing here can stand for a package.
        sys.path.append(str(Path(__file__).parent))
        half = importlib.import_module(f"ask_{job['extra']}")
        for answer in half.answers(job, _arrays(folder)):
            sink.write(json.dumps(answer) + "\n")
            sink.flush()
    return 0


def _arrays(folder: Path) -> dict[str, object]:
    import numpy as np  # noqa: PLC0415  # this Python may have none: then `missing` says so

    with np.load(folder / "curves.npz", allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


if __name__ == "__main__":
    sys.exit(main())
