"""The classifiers on real ZTF packets: SN 2021rhu alert by alert, and known variable stars.

    OMP_NUM_THREADS=1 python -m bench.classifiers.packets [--plot FILE]

Stars are alerts within 2 arcsec of a star of VSX. They are judged by their light curves alone, and
then by ``transient`` with their matches, as in the stream, where ``early_sn_ia``, ``kilonova`` and
``microlensing`` abstain for them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bench.classifiers.common import DATA
from services.classify.classifiers import load_classifiers
from services.classify.classifiers.transient import HIERARCHY
from services.classify.classify import classify
from shared.alert_batch import AlertBatch
from shared.schemas.alert import MATCHED
from shared.testing.ztf_packets import batch_of, supernova_2021rhu

mpl.use("Agg")
from matplotlib import pyplot as plt  # the backend must be chosen first

SUPERNOVAE = ("SN Ia", "SN Ia-91bg", "SN Iax", "SN II", "SN Ibc", "SLSN")


def plot_2021rhu(path: Path) -> None:
    classified = classify(supernova_2021rhu(DATA), load_classifiers())
    mjd = classified.floats("mjd_tai")
    first = min(curve.mjd_tai.min() for curve in [_detections(classified)])
    days = mjd - first
    figure, axes = plt.subplots(figsize=(8, 4.2), layout="constrained")
    for name, values in (
        ("early_sn_ia", _member(classified, "early_sn_ia", "probability")),
        ("transient, SN Ia", _of_class(classified, "sn_ia")),
        ("transient, p_unknown (of no known class)", _member(classified, "transient", "p_unknown")),
    ):
        axes.plot(days, values, "o-", ms=4, lw=1.2, label=name)
    axes.axhline(0.5, color="#c8ccd3", lw=1)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("days since the first detection")
    axes.set_ylabel("P(Ia)")
    axes.set_title("SN 2021rhu (type Ia), 34 ZTF alerts in order, no cross-match", fontsize=10)
    axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)
    early, late = _member(classified, "early_sn_ia", "probability"), _of_class(classified, "sn_ia")
    classes = classified.column("transient").field("class").to_pylist()
    for row in zip(days, early, late, classes, strict=True):
        print("{:6.2f} d  early {:.2f}  transient {:.2f}  {}".format(*row))


def _detections(batch: AlertBatch) -> pa.Array:
    curves = batch.light_curves
    return curves.points(curves.kind == 0)


def _member(batch: AlertBatch, column: str, member: str) -> npt.NDArray[np.float64]:
    return np.asarray(
        batch.column(column).field(member).to_numpy(zero_copy_only=False), dtype=np.float64
    )


def _of_class(batch: AlertBatch, member: str) -> npt.NDArray[np.float64]:
    probabilities = batch.column("transient").field("probabilities")
    return np.asarray(probabilities.field(member).to_numpy(zero_copy_only=False), dtype=np.float64)


def stars() -> None:
    """What the classifiers say of known variable stars."""
    night = pq.read_table(DATA / "ztf" / "night_20240115_849_no_cutouts.parquet").to_pylist()
    batch = batch_of(night)
    catalog = pq.read_table(DATA / "catalogs" / "vsx_subset_10arcmin_of_alerts.parquet")
    ra, dec = (catalog[name].to_numpy().astype(float) for name in ("RAJ2000", "DEJ2000"))
    types = catalog["VType"].to_pylist()
    matches: list[list[dict[str, object]]] = []
    for a, d in zip(batch.ra_deg, batch.dec_deg, strict=True):
        away = np.hypot((ra - a) * np.cos(np.radians(d)), dec - d) * 3600.0
        matches.append(
            [
                {"catalog": "vsx", "source_class": types[k], "separation_arcsec": float(away[k])}
                for k in np.flatnonzero(away < 2.0).tolist()
            ]
        )
    is_star = np.array([bool(one) for one in matches])
    lists, latitude = pa.array(matches, MATCHED[0].type), pa.nulls(len(batch), pa.float32())
    classifiers = load_classifiers()
    result = classify(batch, classifiers)
    early = _member(result, "early_sn_ia", "probability")
    answered = is_star & ~np.isnan(early)
    print(f"{len(batch)} alerts, {is_star.sum()} on VSX stars")
    print(f"early_sn_ia answers for {answered.sum()} of them: {(early[answered] > 0.5).sum()} above"
          f" 0.5, {(early[answered] > 0.7).sum()} above 0.7")  # fmt: skip
    kilonova = _member(result, "kilonova", "probability")
    for name, which in (("of them", is_star), ("of the others", ~is_star)):
        said_kn = kilonova[which & ~np.isnan(kilonova)]
        print(f"kilonova answers for {len(said_kn)} {name}: {(said_kn > 0.2).sum()} above 0.2,"
              f" {(said_kn > 0.5).sum()} above 0.5")  # fmt: skip
    classes = result.column("transient").field("class").to_pylist()
    unknown = _member(result, "transient", "p_unknown")
    best = _member(result, "transient", "probability")
    asked = [k for k in np.flatnonzero(is_star) if classes[k] is not None]
    said = {name: sum(classes[k] == name for k in asked) for name in sorted(set(classes) - {None})}
    called = [k for k in asked if classes[k] in SUPERNOVAE]
    sure = [k for k in called if best[k] > 0.5]
    believed = [k for k in sure if unknown[k] < 0.5]
    periodic = sum(classes[k] in HIERARCHY["periodic"] for k in asked)
    print(f"transient answers for {len(asked)}: {said}")
    print(f"  a supernova {len(called)}, above 0.5 {len(sure)}, and p_unknown < 0.5"
          f" {len(believed)}; periodic {periodic}")  # fmt: skip
    matched = batch.with_columns({MATCHED[0]: lists, MATCHED[1]: latitude})
    joined = classify(matched, classifiers).column("transient").field("class").to_pylist()
    said = {
        name: sum(joined[k] == name for k in asked) for name in sorted({joined[k] for k in asked})
    }
    print(f"  with their matches: {said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plot", type=Path, default=Path("docs/images/sn2021rhu_p_ia.png"))
    plot_2021rhu(parser.parse_args().plot)
    stars()


if __name__ == "__main__":
    main()
