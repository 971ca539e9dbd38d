"""``tocsin mma overlap``: how well two localisations agree."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson

from services.mma.region_files import read_region
from services.mma.skymaps.compiled import compiled
from services.mma.skymaps.multi_order import MultiOrderMap
from services.mma.skymaps.overlap import combined, overlap
from shared.errors import RejectedRecordError

DESCRIPTION = """\
Print the spatial overlap integral of two localisations, I = 4 pi * integral p1 p2, as one JSON
line: 1 for a map that says nothing, above 1 if they point to the same place, 0 if they exclude
each other (Ashton et al. 2018). It is exact: the cells of both maps are intersected as ranges.
Circles and ellipses of notices are first compiled to maps."""

EXAMPLES = """\
examples:
  tocsin mma overlap bayestar.multiorder.fits glg_healpix_all_bn180116026.fit
  tocsin mma overlap S240115x.json.gz swift-bat.xml | jq .overlap

Exit status: 0 done, 2 a file that cannot be used."""


def _map_of(path: Path) -> MultiOrderMap:
    try:
        region = compiled(read_region(path))
    except RejectedRecordError as error:
        raise RejectedRecordError(error.reason, f"{path}: {error.detail}") from error
    for remark in region.remarks:
        sys.stderr.write(f"tocsin mma overlap: {path}: {remark}\n")
    return region


def main(argv: list[str] | None = None) -> int:
    """Overlap of the two files of ``argv``."""
    parser = argparse.ArgumentParser(
        prog="tocsin mma overlap",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("first", type=Path, metavar="A", help="FITS sky map or notice")
    parser.add_argument("second", type=Path, metavar="B", help="FITS sky map or notice")
    options = parser.parse_args(argv)
    try:
        first, second = _map_of(options.first), _map_of(options.second)
    except RejectedRecordError as error:
        sys.stderr.write(f"tocsin mma overlap: {error.detail}\n")
        return 2
    integral = overlap(first, second)
    line = {
        "a": str(options.first),
        "b": str(options.second),
        "overlap": integral,
        "A90_a_deg2": first.searched_area_deg2(0.9),
        "A90_b_deg2": second.searched_area_deg2(0.9),
        "A90_combined_deg2": (
            combined(first, second).searched_area_deg2(0.9) if integral > 0 else None
        ),
    }
    sys.stdout.write(orjson.dumps(line).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
