"""The ``solar_system`` column: the survey's word first, then the ephemeris."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from services.xmatch.solar_system.ephemeris import Ephemeris
from services.xmatch.solar_system.survey_bodies import survey_bodies
from shared.alert_batch import AlertBatch
from shared.schemas.matched import SOLAR_SYSTEM
from shared.sky.cone_search import Queries

_SOURCES = pa.array(["survey", "ephemeris"])
_FIELDS = list(SOLAR_SYSTEM.type)


def bodies_column(
    batch: AlertBatch, queries: Queries, ephemeris: Ephemeris | None
) -> tuple[pa.StructArray, npt.NDArray[np.bool_]]:
    """The ``solar_system`` column, and where it is not null, shape (n,).

    Parameters
    ----------
    batch, queries
        The alerts, and where they are.
    ephemeris
        Orbits to look in where the survey names nothing; None to do without.
    """
    here, names, apart = survey_bodies(batch)
    computed = np.zeros(len(batch), bool)
    if ephemeris is not None:
        found = ephemeris.nearest(queries, batch.floats("mjd_tai"), batch.survey)
        computed = found.here & ~here
        if computed.any():
            by_orbit = pa.array(computed)
            names = pc.if_else(by_orbit, found.names(), names)
            apart = pc.if_else(by_orbit, found.separations(), apart)
    known = here | computed
    if not known.any():
        return pa.nulls(len(batch), SOLAR_SYSTEM.type), known
    sources = _SOURCES.take(pa.array(computed.astype(np.int8)))
    column = pa.StructArray.from_arrays(
        [names, apart, sources], fields=_FIELDS, mask=pa.array(~known)
    )
    return column, known
