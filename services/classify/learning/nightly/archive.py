"""Nights from the archive: alerts of a night, features computed anew, labels from the topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from services.classify.features import NAMES, compute_features
from services.classify.learning.nightly.source import Known, NightAlerts
from services.classify.learning.streams.base import HOST_FEATURES
from services.classify.learning.targets.pool import CLASSES, newest_night
from services.classify.settings import ClassifySettings
from shared.kafka.envelopes import read_envelope
from shared.labels.reading import read_labels
from shared.labels.resolve import resolve
from shared.schemas.label import Label
from shared.store import Collection, open_store

_KEEP = [k for k, name in enumerate(NAMES) if not name.startswith(HOST_FEATURES)]
_MJD_OF_UNIX = 40_587
_DAY_MS = 86_400_000
LEAST_DETECTIONS = 3


@dataclass(frozen=True, slots=True)
class ArchivedNight:
    """One night and all labels, read beforehand: the steps of the loop wait for nobody."""

    night: int
    found: NightAlerts
    said: tuple[Label, ...]
    classes: tuple[str, ...] = CLASSES
    features: tuple[str, ...] = tuple(NAMES[k] for k in _KEEP)

    def alerts(self, night: int) -> NightAlerts:
        """The night's alerts; none of other nights."""
        if night == self.night:
            return self.found
        return NightAlerts(self.found.object_id[:0], self.found.rows[:0])

    def labels(self, as_of_ms: int) -> Mapping[str, Known]:
        """Resolved classes as they were known then; what is disputed teaches nothing."""
        return {
            name: Known(one.class_name, one.taken_ms)
            for name, one in resolve(self.said, as_of_ms).items()
            if one.class_name is not None
        }

    def end_ms(self, night: int) -> int:
        """18 UTC of the next day: noon at 90 degrees west, where the archive's nights change."""
        return int((night + 1.75 - _MJD_OF_UNIX) * _DAY_MS)


async def read_nights(
    settings: ClassifySettings, night: int | None, *, simulated: bool = False
) -> ArchivedNight:
    """Read a night's alerts and all labels from the database.

    Parameters
    ----------
    settings
        Where the database is.
    night
        MJD of the evening; None for the newest that has such alerts.
    simulated
        The simulated alerts and none else, instead of the real ones and none else.

    Raises
    ------
    UpstreamUnavailableError
        If the database does not answer.
    ValueError
        If there is no such night.
    """
    store = open_store(settings)
    newest: dict[str, tuple[float, np.ndarray]] = {}
    try:
        if night is None:
            night = await newest_night(store, simulated=simulated)
        if night is None:
            raise ValueError(f"the archive has no {'simulated ' * simulated}alerts yet")
        query = {"night": night, "is_simulated": simulated}
        async for document in store.stream(Collection.ENVELOPES, query, fields=["batch"]):
            batch = read_envelope(document["batch"])
            if not len(batch):
                continue
            features = compute_features(batch)
            enough = features.of("n_detections") >= LEAST_DETECTIONS
            rows, mjd = features.values[_KEEP].T, batch.floats("mjd_tai")
            names = batch.strings("object_id")
            for k in np.flatnonzero(enough).tolist():
                if names[k] not in newest or newest[names[k]][0] <= mjd[k]:
                    newest[names[k]] = (float(mjd[k]), np.array(rows[k], dtype=np.float32))
        labels = await read_labels(store)
    finally:
        store.close()
    names = sorted(newest)
    rows = np.zeros((len(names), len(_KEEP)), dtype=np.float32)
    for k, name in enumerate(names):
        rows[k] = newest[name][1]
    return ArchivedNight(night, NightAlerts(np.array(names, dtype=str), rows), tuple(labels))
