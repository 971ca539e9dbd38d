"""Merging what overlapping alerts say about one object."""

import math

import numpy as np
import pyarrow as pa

from services.archive.wording import update_words
from shared.archive.history import merge, read_updates
from shared.light_curves.bands import DETECTION, FORCED, UPPER_LIMIT
from shared.schemas.classification import EARLY_SN_IA, VERDICT
from shared.schemas.update import MatchChange, Update
from shared.store import Collection
from shared.testing.batches import made_up_batch

SECOND = 1 / 86_400


def alert(alert_id, mjd_tai, points):
    """One alert; ``points`` are (mjd, flux, band, kind)."""
    batch = made_up_batch(1).record_batch
    replaced = {
        "alert_id": [alert_id],
        "mjd_tai": [mjd_tai],
        "lc_mjd_tai": [[p[0] for p in points]],
        "lc_flux_njy": [[p[1] for p in points]],
        "lc_flux_err_njy": [[1.0] * len(points)],
        "lc_band": [[p[2] for p in points]],
        "lc_kind": [[p[3] for p in points]],
    }
    for name, values in replaced.items():
        place = batch.schema.get_field_index(name)
        field = batch.schema.field(place)
        batch = batch.set_column(place, field, pa.array(values, field.type))
    return type(made_up_batch(0))(batch)


def test_overlapping_light_curves_become_one_in_order_of_time():
    first = alert("a", 11.0, [(10.0, 1.0, 1, DETECTION), (11.0, 2.0, 1, DETECTION)])
    second = alert("b", 12.0, [(11.0, 2.0, 1, DETECTION), (12.0, 3.0, 2, DETECTION)])
    history = merge("ztf", "o", [second, first])
    assert [a["alert_id"] for a in history.alerts] == ["a", "b"]
    assert history.light_curve.mjd_tai.tolist() == [10.0, 11.0, 12.0]
    assert history.light_curve.band.tolist() == [1, 1, 2]


def test_the_later_alert_is_right_about_a_point():
    early = alert("a", 11.0, [(10.0, 1.0, 1, DETECTION)])
    late = alert("b", 12.0, [(10.0 + 0.3 * SECOND, 5.0, 1, DETECTION)])
    for order in ([early, late], [late, early]):
        assert merge("ztf", "o", order).light_curve.flux_njy.tolist() == [5.0]


def test_bands_and_kinds_of_one_epoch_are_kept_apart():
    points = [
        (10.0, 1.0, 1, DETECTION),
        (10.0, 1.1, 1, FORCED),
        (10.0, math.nan, 2, UPPER_LIMIT),
        (10.0 + 3 * SECOND, 1.0, 1, DETECTION),
    ]
    assert len(merge("ztf", "o", [alert("a", 11.0, points)]).light_curve) == 4


def test_an_alert_delivered_twice_counts_once():
    one = alert("a", 11.0, [(10.0, 1.0, 1, DETECTION)])
    history = merge("ztf", "o", [one, one])
    assert len(history.alerts) == len(history.light_curve) == 1


def test_an_alert_without_any_light_curve_is_borne():
    history = merge("ztf", "o", [alert("a", 11.0, [])])
    assert len(history.light_curve) == 0
    assert history.light_curve.mjd_tai.dtype == np.float64


def test_envelopes_of_before_and_after_a_schema_has_grown_are_merged():
    verdict = pa.array([{"probability": 0.9, "reason": "ok", "model_version": "m"}], VERDICT)
    old = alert("a", 11.0, [(10.0, 1.0, 1, DETECTION)])
    new = alert("b", 12.0, [(12.0, 1.0, 1, DETECTION)]).with_columns({EARLY_SN_IA: verdict})
    history = merge("ztf", "o", [old, new])
    assert history.classifiers == ["early_sn_ia"]
    assert history.latest["early_sn_ia"]["reason"] == "ok"
    assert "early_sn_ia" not in history.alerts[0]


def update(asked_ms, source="simbad", **fields):
    return Update(
        source=source, survey="ztf", object_id="o", alert_id=fields.pop("alert_id", "a"),
        ra_deg=1.0, dec_deg=2.0, asked_ms=asked_ms, answered_ms=asked_ms + 5, **fields,
    )  # fmt: skip


class Updates:
    """A store that has these records in its collection of updates."""

    def __init__(self, *values):
        self.documents = [{"value": value} for value in values]

    async def find(self, collection, query, *, fields):
        assert (collection, query) == (Collection.UPDATES, {"fields.object_id": "o"})
        return self.documents


async def test_the_latest_statement_of_each_source_about_an_alert_counts():
    values = [
        update(30, matches=({"source_id": "new"},)), update(10, matches=({"source_id": "old"},)),
        update(20, "rematch"), update(5, alert_id="b"),
    ]  # fmt: skip
    found = await read_updates(Updates(*[one.to_json() for one in values], b"not JSON"), "o")
    assert [(one.source, one.alert_id, one.asked_ms) for one in found] == [
        ("simbad", "b", 5), ("rematch", "a", 20), ("simbad", "a", 30),
    ]  # fmt: skip


def test_an_update_in_words():
    source = {"catalog": "simbad", "source_id": "M 31", "source_class": "G",
              "separation_arcsec": 1.5}  # fmt: skip
    assert update_words(update(0, matches=(source, source))) == (
        "1970-01-01 00:00: M 31 (G, simbad), 1.5″ and 1 more"
    )
    assert update_words(update(0)) == "1970-01-01 00:00: nothing known here"
    change = MatchChange(what="added", catalog="vsx", source_id="J1")
    assert update_words(update(0, changes=(change,) * 4)) == (
        "1970-01-01 00:00: " + ", ".join(["added J1 (vsx)"] * 3) + " and 1 more"
    )
