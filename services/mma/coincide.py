"""``tocsin mma coincide``: which of some events may be one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from services.mma.coincidences import Coincidence, coincidences
from services.mma.event_store import EventStore
from services.mma.locate import located
from services.mma.notice_files import notices_in
from services.mma.positions import read_positions, write_table
from services.mma.skymaps.write_fits import multi_order_fits
from shared.errors import RejectedRecordError

DESCRIPTION = """\
Compare the events of notices with each other: gravitational waves with bursts, fast radio bursts
and neutrinos, bursts with neutrinos, in RAVEN's windows. One JSON line for each pair, the surest
first: overlap integral, joint false alarm rate (raven_far_hz with the event's own rate,
joint_far_hz with the rate of such events where that is larger), area of the combined map."""

EXAMPLES = """\
examples:
  tocsin mma coincide S240115x.json.gz gbm.xml
  tocsin mma coincide night/ --combined joint.fits
  tocsin mma coincide S240115x.json.gz gbm.xml --positions inside.csv -o ranked.csv

--combined writes the combined map of the surest pair; --positions ranks a table against it, with
the columns of `tocsin mma locate`.
Exit status: 0 done (also if nothing coincides), 2 a file that cannot be used."""


def said(one: Coincidence) -> dict[str, Any]:
    """A pair in one line."""
    joint = one.joint_map()
    return {
        "first": one.first.notice.event_id,
        "second": one.second.notice.event_id,
        "role": one.first.notice.role,
        "offset_s": one.offset_s,
        "overlap": one.overlap,
        "raven_far_hz": one.raven_far_hz,
        "joint_far_hz": one.joint_far_hz,
        "A90_first_deg2": one.first.region.searched_area_deg2(0.9),
        "A90_second_deg2": one.second.region.searched_area_deg2(0.9),
        "A90_combined_deg2": None if joint is None else joint.searched_area_deg2(0.9),
    }


def _ranked(one: Coincidence, positions_path: Path, output: Path | None) -> None:
    joint = one.joint_map()
    if joint is None:
        raise RejectedRecordError("no_overlap", "the two localisations exclude each other")
    positions = read_positions(positions_path)
    table = positions.table
    for name, values in located(joint, positions).items():
        table = table.append_column(name, pa.array(values, from_pandas=True))
    write_table(table.sort_by([("credible_level", "ascending")]), output)


def main(argv: list[str] | None = None) -> int:
    """Compare the events in the files of ``argv``."""
    parser = argparse.ArgumentParser(
        prog="tocsin mma coincide",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE", help="notices, folders")
    parser.add_argument("--combined", type=Path, metavar="FITS", help="write the combined map")
    parser.add_argument("--positions", type=Path, metavar="FILE", help="CSV or Parquet to rank")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="where the ranking goes")
    options = parser.parse_args(argv)
    store = EventStore()
    try:
        for name, notice in notices_in(options.paths):
            if isinstance(notice, RejectedRecordError):
                raise RejectedRecordError(notice.reason, f"{name}: {notice.detail}")
            store.add(notice)
        found = coincidences(store.snapshot().events)
        lines = [orjson.dumps(said(one)).decode() for one in found]
        # A ranking on stdout must not have other lines in it.
        into = sys.stderr if options.positions and options.output is None else sys.stdout
        into.write("".join(f"{line}\n" for line in lines))
        if found and options.combined is not None and found[0].overlap > 0:
            joint = found[0].joint_map()
            if joint is not None:
                options.combined.write_bytes(multi_order_fits(joint))
        if found and options.positions is not None:
            _ranked(found[0], options.positions, options.output)
    except RejectedRecordError as error:
        sys.stderr.write(f"tocsin mma coincide: {error.detail}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"tocsin mma coincide: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
