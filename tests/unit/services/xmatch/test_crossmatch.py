from __future__ import annotations

import numpy as np
import pytest

from services.xmatch.crossmatch import crossmatch, crossmatch_or_reject
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.schemas.alert import MATCHED
from shared.testing.batches import made_up_batch


def test_adds_its_columns_as_declared_and_keeps_the_others(sample_indexes):
    before = made_up_batch(20)
    after = crossmatch(before, sample_indexes, 5).record_batch
    after.validate(full=True)
    for field in MATCHED:
        assert after.schema.field(field.name).equals(field, check_metadata=True)
    names = before.record_batch.schema.names
    assert after.select(names).equals(before.record_batch)
    assert read_envelope(write_envelope(crossmatch(before, sample_indexes, 5)))


def test_matches_of_several_catalogs_are_nearest_first(sample_indexes, alerts_at):
    places = [(40.0, 10.05), (200.0, -60.0), (10.0, -5.5), (83.633, 22.0145)]
    batch = crossmatch(alerts_at(places), sample_indexes, 5)
    matches = batch.strings("matches")
    assert [len(m) for m in matches] == [2, 0, 1, 1]
    assert [m["source_id"] for m in matches[0]] == ["NGC90002", "NGC90001"]
    assert matches[0][1]["redshift"] == pytest.approx(0.01)
    assert matches[0][1]["magnitude"] == pytest.approx(12.5)
    assert matches[0][1]["major_axis_arcsec"] == pytest.approx(600.0)
    assert matches[0][0]["redshift"] is None
    assert [matches[2][0]["catalog"], matches[3][0]["catalog"]] == ["vsx", "gcvs"]


def test_the_same_alerts_one_by_one_and_together(sample_indexes, alerts_at):
    rng = np.random.default_rng(3)
    places = [(40 + dx, 10 + dy) for dx, dy in rng.normal(0, 0.05, (50, 2))]
    together = crossmatch(alerts_at(places), sample_indexes, 5)
    for row, place in enumerate(places):
        alone = crossmatch(alerts_at([place]), sample_indexes, 5)
        assert alone.strings("matches")[0] == together.strings("matches")[row]
    assert sum(map(len, together.strings("matches"))) > 5


def test_keeps_only_so_many_of_each_catalog(sample_indexes, alerts_at):
    matches = crossmatch(alerts_at([(40.0, 10.05)]), sample_indexes, 1).strings("matches")
    assert [m["source_id"] for m in matches[0]] == ["NGC90002"]


def test_without_catalogs_and_without_alerts(sample_indexes):
    assert crossmatch(made_up_batch(3), [], 5).strings("matches") == [[], [], []]
    assert len(crossmatch(made_up_batch(0), sample_indexes, 5)) == 0


def test_a_slice_is_matched_as_its_own_rows(sample_indexes, alerts_at):
    batch = alerts_at([(200.0, 1.0), (40.0, 10.05), (10.0, -5.5)])
    matches = crossmatch(batch.slice(1, 2), sample_indexes, 5).strings("matches")
    assert [len(m) for m in matches] == [2, 1]


def test_galactic_latitude(sample_indexes, alerts_at):
    places = [(192.859508, 27.128336), (266.405, -28.936)]
    batch = crossmatch(alerts_at(places), sample_indexes, 5)
    assert batch.floats("galactic_latitude_deg") == pytest.approx([90.0, 0.0], abs=2e-3)


def test_alerts_off_the_sphere_are_set_aside(sample_indexes, alerts_at):
    batch = alerts_at([(np.nan, 1.0), (40.0, 10.05), (3.0, 90.5), (361.0, 1.0), (1.0, np.inf)])
    result = crossmatch_or_reject(batch, sample_indexes, 5)
    assert [(r.row, r.reason) for r in result.rejected] == [
        (row, "bad_position") for row in (0, 2, 3, 4)
    ]
    assert "Dec 90.5 is not a place" in result.rejected[1].detail
    assert "RA 361.0" in result.rejected[2].detail
    assert [len(m) for m in result.batch.strings("matches")] == [2]
    assert crossmatch_or_reject(batch.slice(1, 1), sample_indexes, 5).rejected == []
