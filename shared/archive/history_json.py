"""An object's history as JSON, for ``tocsin object --json`` and the portal."""

from __future__ import annotations

import orjson

from shared.archive.history import ObjectHistory, distinct_matches
from shared.light_curves.bands import BANDS

KINDS = ("detection", "forced", "upper_limit")
"""Words for ``lc_kind`` in JSON."""


def history_json(history: ObjectHistory) -> bytes:
    """The history as JSON: ``alerts`` in order of time, ``light_curve`` as arrays of one length."""
    curve = history.light_curve
    light_curve = {
        "mjd_tai": curve.mjd_tai.tolist(),
        "flux_njy": curve.flux_njy.tolist(),
        "flux_err_njy": curve.flux_err_njy.tolist(),
        "band": [BANDS[code] if code >= 0 else None for code in curve.band.tolist()],
        "kind": [KINDS[code] for code in curve.kind.tolist()],
    }
    return orjson.dumps(
        {
            "survey": history.survey,
            "object_id": history.object_id,
            "ra_deg": history.latest["ra_deg"],
            "dec_deg": history.latest["dec_deg"],
            "alerts": history.alerts,
            "light_curve": light_curve,
            "matches": distinct_matches(history),
            "associations": history.associations,
            "updates": [update.model_dump(mode="json") for update in history.updates],
        },
        default=repr,
    )
