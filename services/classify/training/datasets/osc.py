"""Open Supernova Catalog 2010-2014: real light curves of spectroscopically typed supernovae.

Guillochon et al. 2017, ApJ 835, 64. Detections only, from many telescopes and in many systems;
kept are points in a band that stands near one of u, g, r, i, z, y
(``shared.light_curves.bands.NEAREST_BAND``), and objects whose claimed types agree on a class.
Where no error is given, a tenth of a magnitude is assumed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from services.classify.training.datasets.base import (
    DatasetDefinition,
    LabelledLightCurves,
    Surroundings,
    Truth,
    grouped,
)
from shared.light_curves.bands import BAND_CODES, NEAREST_BAND
from shared.light_curves.photometry import ASSUMED_MAGNITUDE_ERROR, flux_err_njy_of, flux_njy_of

_FOLDER = "light_curves/osc_2010_2014"
_CLASSES = (
    ("SN Ia-91bg", ("Ia-91bg",)),
    ("SN Iax", ("Iax", "Ia-02cx", "Ia-00cx")),
    ("SN Ia", ("Ia", "Ia-91T")),
    ("SLSN-I", ("SLSN",)),
    ("SN Ibc", ("Ib", "Ic")),
    ("SN II", ("II",)),
    ("TDE", ("TDE",)),
    ("cataclysmic variable", ("CV",)),
    ("other", ("LBV", "CC", "Impostor")),
)
"""Class, and how its claimed types begin; a normal Ia is named exactly."""


def class_of(claimed_types: str) -> str | None:
    """The one class all claimed types (joined by ``|``) agree on, or None.

    Bare ``Ia`` beside a peculiar subtype is no contradiction: the subtype counts.
    """
    found = {_class_of_one(name) for name in claimed_types.split("|") if name}
    if len(found) == 2 and "SN Ia" in found and found & {"SN Ia-91bg", "SN Iax"}:
        found.discard("SN Ia")
    return found.pop() if len(found) == 1 else None


def _class_of_one(name: str) -> str | None:
    for class_name, beginnings in _CLASSES:
        if class_name == "SN Ia":
            if name in beginnings:
                return class_name
        elif name.startswith(beginnings):
            return class_name
    return None


def load(data: Path) -> LabelledLightCurves:
    """Read the set from ``data``."""
    meta_path, points_path = OSC.paths(data)
    meta = pq.read_table(meta_path, columns=["name", "types"]).to_pydict()
    classes = {
        name: class_of(types) for name, types in zip(meta["name"], meta["types"], strict=True)
    }
    known = [name for name, class_name in classes.items() if class_name is not None]
    points = pq.read_table(points_path, columns=["name", "mjd", "band", "mag", "e_mag"])
    points = points.filter(pc.field("name").isin(known) & pc.field("band").isin(list(NEAREST_BAND)))
    nearest = [NEAREST_BAND[name] for name in points["band"].to_pylist()]
    flux = flux_njy_of(points["mag"].to_numpy() + np.array([offset for _, offset in nearest]))
    error = points["e_mag"].to_numpy(zero_copy_only=False).astype(np.float64)
    error = np.where(error > 0.0, error, ASSUMED_MAGNITUDE_ERROR)
    objects, curves = grouped(
        np.array(points["name"].to_pylist(), dtype=np.str_),
        {
            "mjd_tai": points["mjd"].to_numpy(),
            "flux_njy": flux,
            "flux_err_njy": flux_err_njy_of(flux, error),
            "band": np.array([BAND_CODES[band] for band, _ in nearest]),
        },
    )
    class_name = np.array([str(classes[name]) for name in objects.tolist()])
    truth = Truth(
        object_id=objects,
        class_name=class_name,
        is_sn_ia=class_name == "SN Ia",
        redshift=np.full(len(objects), np.nan),
    )
    return LabelledLightCurves("osc", curves, truth, Surroundings.unknown(len(objects)))


OSC = DatasetDefinition(
    name="osc",
    files=(f"{_FOLDER}/osc_meta.parquet", f"{_FOLDER}/osc_phot.parquet"),
    is_simulated=False,
    load=load,
)
