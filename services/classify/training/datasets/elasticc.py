"""ELAsTiCC: simulated LSST alerts of the brokers' challenge (LSST DESC, 2022-2023).

An object's light curve is put together from the sources of all its alerts, by the packets of
schema 0.9. Packets hold no truth, as it should be: classes come from ``truth.csv`` beside the
archive, columns ``diaObjectId`` and ``gentype`` (the simulation's TRUE_GENTYPE). Objects without a
line there, all if there is no such file, are ``UNLABELLED``: no recipe trains on them.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import numpy as np

from services.classify.features.context import galactic_latitude_deg
from services.classify.training.datasets.base import (
    FLUXCAL_NJY,
    DatasetDefinition,
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)
from shared.light_curves.bands import BAND_CODES

UNLABELLED = "unlabelled"
_FOLDER = "lsst/elasticc"
_CLASSES = {
    **dict.fromkeys((10, 71), "SN Ia"),
    11: "SN Ia-91bg",
    12: "SN Iax",
    **dict.fromkeys((20, 21, 25, 26, 27, 73, 74), "SN Ibc"),
    **dict.fromkeys((30, 31, 32, 35, 36, 37, 72), "SN II"),
    40: "SLSN-I",
    42: "TDE",
    45: "ILOT",
    46: "CART",
    **dict.fromkeys((50, 51), "kilonova"),
    **dict.fromkeys((57, 58, 59), "PISN"),
    60: "AGN",
    80: "RR Lyrae",
    82: "M-dwarf flare",
    83: "eclipsing binary",
    84: "dwarf nova",
    **dict.fromkeys((87, 88, 89), "microlensing"),
    90: "Cepheid",
    91: "delta Scuti",
    98: "technosignature",
}
"""From TRUE_GENTYPE (elasticc_origmap.txt of LSSTDESC/elasticc); lensed supernovae are theirs."""


def load(data: Path) -> LabelledLightCurves:
    """Read the set from ``data``."""
    sources: dict[int, tuple[int, float, float, float, int]] = {}
    places: dict[int, tuple[float, float]] = {}
    for archive in ELASTICC.paths(data):
        for packet in _packets(archive):
            of_object = packet["diaObject"]
            key = int(packet["diaSource"]["diaObjectId"])
            places[key] = _surroundings(of_object)
            for source in (packet["diaSource"], *(packet["prvDiaSources"] or ())):
                sources[int(source["diaSourceId"])] = (
                    key,
                    float(source["midPointTai"]),
                    float(source["psFlux"]) * FLUXCAL_NJY,
                    float(source["psFluxErr"]) * FLUXCAL_NJY,
                    BAND_CODES[source["filterName"].lower()],
                )
    keys, mjd, flux, error, band = (
        np.array(column) for column in zip(*sources.values(), strict=True)
    )
    objects, curves = grouped(
        keys, {"mjd_tai": mjd, "flux_njy": flux, "flux_err_njy": error, "band": band}
    )
    types = _gentypes(data / _FOLDER / "truth.csv")
    class_name = np.array(
        [_CLASSES.get(types.get(int(one), -1), UNLABELLED) for one in objects.tolist()]
    )
    latitude, redshift = np.array([places[int(one)] for one in objects.tolist()]).T
    truth = Truth(
        object_id=objects.astype(np.str_),
        class_name=class_name,
        is_sn_ia=class_name == "SN Ia",
        redshift=np.full(len(objects), np.nan),
    )
    return LabelledLightCurves("elasticc", curves, truth, Surroundings(latitude, redshift))


def _packets(archive: Path) -> Iterator[dict[str, Any]]:
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member) if member.name.endswith(".avro") else None
            if content is not None:
                for packet in fastavro.reader(io.BytesIO(content.read())):
                    if isinstance(packet, dict):
                        yield packet


def _surroundings(of_object: dict[str, Any]) -> tuple[float, float]:
    """Galactic latitude in degrees and the host's photometric redshift, NaN if there is none."""
    latitude = galactic_latitude_deg(np.array([of_object["ra"]]), np.array([of_object["decl"]]))
    redshift = float(of_object.get("hostgal_zphot_q50") or np.nan)
    return float(latitude[0]), redshift if redshift > 0.0 else float("nan")


def _gentypes(path: Path) -> dict[int, int]:
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as lines:
        return {int(row["diaObjectId"]): int(row["gentype"]) for row in csv.DictReader(lines)}


ELASTICC = DatasetDefinition(
    name="elasticc",
    files=(f"{_FOLDER}/*elasticc*.tar.xz",),
    is_simulated=True,
    load=load,
)
