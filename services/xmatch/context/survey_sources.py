"""What a survey itself says is near: the sources of its reference survey, in ``survey_fields``.

ZTF gives the three nearest sources of Pan-STARRS 1 with a star/galaxy score (Tachibana & Miller
2018, PASP 130, 128001: 0 galaxy, 1 star) and the nearest bright star of Gaia.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.context.rules import CENTRE_ARCSEC
from shared.alert_batch import AlertBatch
from shared.schemas.alert import SURVEY_FIELDS

STAR_SCORE = 0.76
"""Least score of a star, as the Bright Transient Survey uses (Perley et al. 2020, ApJ 904, 35)."""
GALAXY_SCORE = 0.24
"""Greatest score of a galaxy: as far from undecided on the other side."""
NEAR_ARCSEC = 3.0
"""A galaxy-like source within this is the host of an alert in 97 of 100 cases: Pan-STARRS has
15,000 galaxies brighter than r = 22 in a square degree."""
GLARE_ARCSEC = 20.0
GLARE_MAGNITUDE = 12.0
"""Around stars brighter than G = 12, as the Bright Transient Survey rejects."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class SurveySources:
    """What the survey's reference says of each alert, shape (n,)."""

    on_star: Mask
    on_galaxy: Mask
    near_galaxy: Mask
    in_glare: Mask
    source_id: pa.Array
    """Identifier of the nearest reference source."""
    catalog: str
    """Name by which the evidence is known."""
    glare_catalog: str


def survey_sources(batch: AlertBatch) -> SurveySources | None:
    """The survey's own neighbours of a batch; None if the survey gives none."""
    if len(batch) == 0 or batch.survey != "ztf":
        return None
    fields = batch.column(SURVEY_FIELDS)

    def number(name: str) -> npt.NDArray[np.float64]:
        index = fields.type.get_field_index(name)
        if index < 0:
            return np.full(len(batch), np.nan)
        values = fields.field(index).to_numpy(zero_copy_only=False)
        return np.asarray(values, dtype=np.float64)

    distance, score = number("distpsnr1"), number("sgscore1")
    glare_distance, glare_magnitude = number("neargaiabright"), number("maggaiabright")
    on_source = (distance >= 0.0) & (distance <= CENTRE_ARCSEC)
    is_galaxy = (score >= 0.0) & (score <= GALAXY_SCORE)
    return SurveySources(
        on_star=on_source & (score >= STAR_SCORE),
        on_galaxy=on_source & is_galaxy,
        near_galaxy=(distance > CENTRE_ARCSEC) & (distance <= NEAR_ARCSEC) & is_galaxy,
        in_glare=(glare_distance >= 0.0)
        & (glare_distance <= GLARE_ARCSEC)
        & (glare_magnitude <= GLARE_MAGNITUDE),
        source_id=fields.field("objectidps1")
        if fields.type.get_field_index("objectidps1") >= 0
        else pa.nulls(len(batch), pa.int64()),
        catalog="ps1_in_ztf",
        glare_catalog="gaia_in_ztf",
    )
