"""Rubin's scalars that travel as ``survey_fields``, under Rubin's names, by Arrow type.

Schemas 7.0 to 11.1 together. Units: fluxes nJy, angles degrees, errors of angles degrees, times
MJD TAI. Meanings: https://sdm-schemas.lsst.io/apdb.html
"""

from __future__ import annotations

import pyarrow as pa

DIA_SOURCE: dict[str, str] = {
    "int64": """
        diaSourceId visit diaObjectId ssObjectId parentDiaSourceId
    """,
    "int32": """
        detector psfNdata trailNdata trailAlgorithm dipoleNdata bboxSize
    """,
    "float64": """
        midpointMjdTai ra dec trailRa trailDec timeProcessedMjdTai timeWithdrawnMjdTai
    """,
    "float32": """
        exposureTime raErr decErr ra_dec_Cov x xErr y yErr apFlux apFluxErr snr psfFlux
        psfFluxErr psfLnL psfChi2 trailFlux trailFluxErr trailRaErr trailDecErr
        trailLength trailLengthErr trailAngle trailAngleErr trailChi2 dipoleMeanFlux
        dipoleMeanFluxErr dipoleFluxDiff dipoleFluxDiffErr dipoleLength dipoleAngle
        dipoleChi2 scienceFlux scienceFluxErr templateFlux templateFluxErr ixx iyy ixy
        ixxPSF iyyPSF ixyPSF extendedness reliability
    """,
    "bool": """
        centroid_flag apFlux_flag apFlux_flag_apertureTruncated isNegative psfFlux_flag
        psfFlux_flag_edge psfFlux_flag_noGoodPixels trail_flag_edge trail_flag
        forced_PsfFlux_flag forced_PsfFlux_flag_edge forced_PsfFlux_flag_noGoodPixels
        shape_flag shape_flag_no_pixels shape_flag_not_contained shape_flag_parent_source
        isDipole dipoleFitAttempted pixelFlags pixelFlags_bad pixelFlags_cr
        pixelFlags_crCenter pixelFlags_edge pixelFlags_nodata pixelFlags_nodataCenter
        pixelFlags_interpolated pixelFlags_interpolatedCenter pixelFlags_offimage
        pixelFlags_saturated pixelFlags_saturatedCenter pixelFlags_suspect
        pixelFlags_suspectCenter pixelFlags_streak pixelFlags_streakCenter
        pixelFlags_injected pixelFlags_injectedCenter pixelFlags_injected_template
        pixelFlags_injected_templateCenter glint_trail
    """,
    "string": """
        reliabilityVersion band
    """,
}
"""Of the detection itself: ``diaSource``. Arrow type to names, separated by blanks."""

_PER_BAND = {
    "float32": "psfFluxMean psfFluxMeanErr psfFluxSigma psfFluxMin psfFluxMax psfFluxMaxSlope "
    "scienceFluxMean",
    "int32": "psfFluxNdata",
}

DIA_OBJECT: dict[str, str] = {
    "float64": "firstDiaSourceMjdTai lastDiaSourceMjdTai",
    **{
        alias: " ".join(f"{band}_{name}" for band in "ugrizy" for name in names.split())
        for alias, names in _PER_BAND.items()
    },
}
"""Of the object it belongs to, chosen: ``diaObject``."""

SS_SOURCE: dict[str, str] = {
    "string": "designation",
    "float64": "eclLambda eclBeta galLon galLat",
    "float32": "elongation phaseAngle topoRange topoRangeRate helioRange helioRangeRate ephVmag "
    "ephRate ephOffset",
    "int32": "diaDistanceRank",
}
"""Of the solar-system body it is matched with, chosen: ``ssSource`` (10.0 on)."""

TOP: dict[str, str] = {"string": "observation_reason target_name"}
"""Of the packet itself."""

_RECORDS = (("", TOP), ("diaSource.", DIA_SOURCE), ("diaObject.", DIA_OBJECT),
            ("ssSource.", SS_SOURCE))  # fmt: skip

PATHS: dict[str, str] = {
    name: record + name for record, group in _RECORDS for names in group.values()
    for name in names.split()
} | {"nDiaSources": "diaObject.nDiaSources"}  # fmt: skip
"""Field to its path in the packet."""

TYPES: dict[str, pa.DataType] = {
    name: pa.type_for_alias(alias)
    for _, group in _RECORDS
    for alias, names in group.items()
    for name in names.split()
} | {"nDiaSources": pa.int32()}
"""Arrow type of each field."""
