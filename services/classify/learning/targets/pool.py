"""Tonight's pool from the archive: the newest alert of every object that is followed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.classify.learning.active.strategies import Opinions, entropy
from services.classify.learning.targets.candidates import Candidates
from shared.alert_batch import AlertBatch
from shared.kafka.envelopes import read_envelope
from shared.labels.reading import read_labels
from shared.labels.resolve import resolve
from shared.light_curves.photometry import AB_ZERO_POINT_NJY
from shared.schemas.classification import TRANSIENT_CLASSES
from shared.store import Collection, Store

CLASSES = tuple(name for _, name in TRANSIENT_CLASSES)
NOT_FOLLOWED = frozenset(
    {"AGN", "Mira", "eclipsing binary", "RR Lyrae", "microlensing", "M-dwarf flare"}
)
"""Most probable classes that a spectrograph's night is not for, above ``SURE``."""
SURE = 0.9
_COLUMNS = ("survey", "object_id", "ra_deg", "dec_deg", "mjd_tai", "band", "flux_njy",
            "is_simulated")  # fmt: skip


@dataclass(frozen=True, slots=True)
class TonightsPool:
    """Candidates, and the objects that need no spectrum."""

    candidates: Candidates
    model_id: str
    """Of the newest verdict."""
    classified: frozenset[str]


def candidate_rows(batch: AlertBatch) -> pa.Table:
    """Rows of a batch that have a verdict and a positive flux, with what a list needs of them."""
    names = batch.record_batch.schema.names
    if "transient" not in names or "rate" not in names:
        return pa.table({})
    verdict, rate = batch.column("transient"), batch.column("rate")
    columns: dict[str, Any] = {name: batch.column(name) for name in _COLUMNS}
    probabilities = pc.struct_field(verdict, "probabilities")
    for member, _ in TRANSIENT_CLASSES:
        columns[f"p_{member}"] = pc.struct_field(probabilities, member)
    columns["mag_per_day"] = pc.struct_field(rate, "fade_mag_per_day")
    columns["model"] = pc.struct_field(verdict, "model_version")
    table = pa.table(columns)
    return table.filter(pc.and_(pc.greater(table["flux_njy"], 0.0), pc.is_valid(table["p_sn_ia"])))


def candidates_of(tables: Iterable[pa.Table]) -> tuple[Candidates, str]:
    """The newest row of every object, and the model that judged the newest of all."""
    filled = [one for one in tables if one.num_rows]
    if not filled:
        return _none(), "none"
    table = pa.concat_tables(filled, promote_options="permissive")
    order = pc.sort_indices(table, [("object_id", "ascending"), ("mjd_tai", "ascending")])
    table = table.take(order)
    names = table["object_id"].to_numpy()
    last = np.append(names[1:] != names[:-1], True)
    table = table.filter(pa.array(last))

    def floats(name: str) -> np.ndarray:
        return np.asarray(table[name].to_numpy(), dtype=np.float64)

    p = np.stack([floats(f"p_{member}") for member, _ in TRANSIENT_CLASSES], axis=1)
    p = np.clip(p, 0.0, 1.0)
    p /= p.sum(axis=1, keepdims=True)
    found = Candidates(
        object_id=table["object_id"].to_numpy().astype(str),
        survey=table["survey"].to_numpy().astype(str),
        ra_deg=floats("ra_deg"), dec_deg=floats("dec_deg"),
        mag_now=AB_ZERO_POINT_NJY - 2.5 * np.log10(floats("flux_njy")),
        mag_per_day=floats("mag_per_day"), mjd_now=floats("mjd_tai"),
        band=np.array([one or "" for one in table["band"].to_pylist()], dtype=str),
        classes=CLASSES, probabilities=p, information=entropy(Opinions(p[None])),
        is_simulated=np.asarray(table["is_simulated"].to_numpy(zero_copy_only=False), dtype=bool),
    )  # fmt: skip
    sure = np.array([CLASSES[k] in NOT_FOLLOWED for k in found.predicted.tolist()])
    sure &= p.max(axis=1) >= SURE
    newest = int(np.argmax(found.mjd_now))
    return found.of(~sure), str(table["model"][newest].as_py() or "none")


def _none() -> Candidates:
    text, number = np.zeros(0, dtype=str), np.zeros(0)
    return Candidates(
        text, text, number, number, number, number, number, text, CLASSES,
        np.zeros((0, len(CLASSES))), number, np.zeros(0, dtype=bool),
    )  # fmt: skip


async def newest_night(store: Store, *, simulated: bool) -> int | None:
    """The newest night with such alerts, MJD of its evening; None if there is none."""
    found = await store.find(
        Collection.ENVELOPES, {"is_simulated": simulated}, fields=["night"],
        sort=[("night", -1)], limit=1,
    )  # fmt: skip
    return int(found[0]["night"]) if found else None


async def read_pool(store: Store, evening_mjd: int, days: int, *, simulated: bool) -> TonightsPool:
    """The pool of a night from alerts of the ``days`` nights before it.

    Simulated objects are a pool of their own: real lists never hold one.
    """
    query = {
        "night": {"$gte": evening_mjd - days, "$lte": evening_mjd}, "is_simulated": simulated
    }  # fmt: skip
    tables = [
        candidate_rows(read_envelope(document["batch"]))
        async for document in store.stream(Collection.ENVELOPES, query, fields=["batch"])
    ]
    candidates, model_id = candidates_of(tables)
    candidates = candidates.of(candidates.is_simulated == simulated)
    labels = await read_labels(store)
    classified = frozenset(
        name for name, one in resolve(labels).items() if one.class_name is not None
    )
    return TonightsPool(candidates, model_id, classified)
