"""Which alerts others are asked about, from batches and from filters' own topics."""

import numpy as np
import pyarrow as pa
import pytest

from services.xmatch.remote.memory import CELL_ORDER, CELL_WIDTH_ARCSEC, positions_of
from services.xmatch.remote.out_messages import wanted_by_filters
from services.xmatch.remote.wanted import Importance, Wanted, matters, wanted_of
from shared.errors import RejectedRecordError
from shared.kafka.records import Record
from shared.light_curves.photometry import magnitude_ab_of
from shared.schemas.alert import CORRELATED
from shared.schemas.avro.encode import encode_alerts
from shared.schemas.classification import EARLY_SN_IA, VERDICT
from shared.sky.healpix import healpix_of
from shared.sky.separation import separation_arcsec
from shared.testing.batches import made_up_batch


def batch_of(**columns):
    """Four faint, real, unclassified alerts, with columns replaced."""
    batch = made_up_batch(4).record_batch
    given = {
        "flux_njy": [1.0] * 4, "reliability": [0.9] * 4,
        "is_simulated": [False] * 4, "is_solar_system": [False] * 4, **columns,
    }  # fmt: skip
    for name, values in given.items():
        place = batch.schema.get_field_index(name)
        field = batch.schema.field(place)
        batch = batch.set_column(place, field, pa.array(values, field.type))
    return type(made_up_batch(0))(batch)


def test_bright_means_brighter_than_the_magnitude():
    flux = 10 ** (0.4 * (31.4 - 18.5))
    assert magnitude_ab_of(flux) == pytest.approx(18.5)
    batch = batch_of(flux_njy=[flux * 1.001, flux * 0.999, None, -flux * 2])
    assert matters(batch, Importance()).tolist() == [True, False, False, False]


def test_what_is_not_real_not_of_the_sky_or_not_there_to_stay_does_not_matter():
    batch = batch_of(
        flux_njy=[1e9] * 4, reliability=[0.1, None, 0.9, 0.9],
        is_simulated=[False, False, True, False], is_solar_system=[False, False, False, True],
    )  # fmt: skip
    assert matters(batch, Importance()).tolist() == [False, True, False, False]


def test_transients_and_counterparts_matter_however_faint():
    verdicts = [{"probability": p, "reason": "ok", "model_version": "1"} for p in (0.6, 0.4, None)]
    field = CORRELATED[0]
    (associations,) = (pa.array([[], [], [{"event_id": "S1"}], None], field.type),)
    batch = batch_of().with_columns({
        EARLY_SN_IA: pa.array([*verdicts, None], VERDICT), field: associations,
    })  # fmt: skip
    assert matters(batch, Importance()).tolist() == [True, False, True, False]


def test_an_object_is_wanted_once_where_its_last_alert_is():
    batch = batch_of(flux_njy=[1e9] * 4, object_id=["a", "b", "a", "b"])
    wanted = wanted_of(batch, Importance())
    assert [(w.object_id, w.alert_id) for w in wanted] == [
        (o, batch.strings("alert_id")[row]) for o, row in (("a", 2), ("b", 3))
    ]


def out_records(batch):
    return [
        Record("tocsin.out.bright", 0, n, 1, b"k", value)
        for n, value in enumerate(encode_alerts(batch.record_batch))
    ]


def test_objects_are_read_from_filters_topics():
    batch = batch_of(
        object_id=["a", "b", "a", "c"], is_simulated=[False, True, False, False],
        is_solar_system=[False, False, False, True],
    )  # fmt: skip
    (wanted,) = wanted_by_filters(out_records(batch))
    assert wanted == Wanted(
        "ztf", "a", batch.strings("alert_id")[2], batch.ra_deg[2], batch.dec_deg[2]
    )


@pytest.mark.parametrize("value", [b"", b"{}", b"\x00\x00\x00\x00\x63rest"])
def test_what_is_no_alert_of_ours_is_rejected(value):
    with pytest.raises(RejectedRecordError, match="bad_out_message"):
        wanted_by_filters([Record("t", 0, 0, 1, None, value)])


def test_an_alert_that_was_cut_is_rejected():
    (record, *_) = out_records(batch_of())
    with pytest.raises(RejectedRecordError, match="bad_out_message"):
        wanted_by_filters([Record("t", 0, 0, 1, None, record.value[:40])])


def test_no_cell_is_wider_than_answers_are_asked_wider():
    rng = np.random.default_rng(1)
    ra_deg, dec_deg = rng.uniform(0, 360, 50_000), np.degrees(np.arcsin(rng.uniform(-1, 1, 50_000)))
    # Steps in eight directions: of those that stay in the cell, how far do they lead?
    farthest = 0.0
    for angle in np.radians(np.arange(0, 360, 45)):
        for step_arcsec in (0.8, 1.2, 1.6, 1.75, 1.9):
            step = step_arcsec / 3600
            ra2 = ra_deg + step * np.sin(angle) / np.maximum(np.cos(np.radians(dec_deg)), 1e-9)
            dec2 = np.clip(dec_deg + step * np.cos(angle), -90, 90)
            same = healpix_of(CELL_ORDER, ra_deg, dec_deg) == healpix_of(CELL_ORDER, ra2, dec2)
            if same.any():
                away = separation_arcsec(ra_deg[same], dec_deg[same], ra2[same], dec2[same])
                farthest = max(farthest, float(away.max()))
    assert 1.0 < farthest < CELL_WIDTH_ARCSEC
    keys = positions_of([Wanted("ztf", "a", "1", 10.0, 20.0), Wanted("ztf", "b", "2", 10.0, 20.0)])
    assert keys[0].key == keys[1].key
