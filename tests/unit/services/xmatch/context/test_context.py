"""The verdict about each place, with its reason and evidence."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from services.xmatch.context.rules import WORDS, Verdict
from services.xmatch.crossmatch import crossmatch
from services.xmatch.describe import describe
from services.xmatch.surroundings import surroundings_of
from shared.alert_batch import AlertBatch
from shared.kafka.envelopes import read_envelope, write_envelope
from shared.schemas.matched import DESCRIBED

GALAXY = {"at": (40.0, 10.0), "id": "galaxy", "major_axis_arcsec": 60, "minor_axis_arcsec": 40,
          "position_angle_deg": 0, "redshift": 0.02, "reach": 30}  # fmt: skip
CLASSES = {"VS", "CV", "BS", "AGN", "NT", "SN", "ORPHAN", None}


@pytest.fixture
def sky(places):
    """A galaxy with an active companion, stars of all kinds around it, and a satellite."""
    galaxies = places.index_of("shapes", [
        GALAXY,
        {"at": (80.0, -69.0), "id": "cloud", "major_axis_arcsec": 38_760,
         "minor_axis_arcsec": 33_000, "redshift": 0.0009, "reach": 19_380},
        {"at": (120.0, 5.0), "id": "bare", "distance_mpc": 100.0, "reach": 5.0},
    ])  # fmt: skip
    stars = places.index_of("stars", [
        {"at": (10.0, 0.0), "id": "faint"},
        {"at": (20.0, 0.0), "id": "bright", "reach": 10.0},
        {"at": (40.0, 10.0), "id": "nucleus as a star"},
    ], kind="stars", has_hosts=False)  # fmt: skip
    variables = places.index_of("variables", [
        {"at": (30.0, 0.0), "id": "rr", "word": "RRAB"},
        {"at": (31.0, 0.0), "id": "ss", "word": "UGSS"},
        {"at": places.offset(40, 10, 10, 0), "id": "in front", "word": "EW"},
    ], kind="variables", has_hosts=False)  # fmt: skip
    agn = places.index_of("agn", [
        {"at": (50.0, 0.0), "id": "quasar", "redshift": 1.5, "redshift_err": 0.001},
    ], kind="agn", has_hosts=False)  # fmt: skip
    photo = places.index_of("photo", [
        {"at": (60.0, 0.0), "id": "faint galaxy", "redshift": 0.4, "redshift_err": 0.03,
         "reach": 3.0},
    ], kind="galaxies", has_hosts=False, redshift_kind="phot")  # fmt: skip
    return [galaxies, stars, variables, agn, photo]


def test_every_rule(sky, places, alerts_at):
    cases = [
        ((10.0, 0.0), "VS", "faint", Verdict.STAR),
        (places.offset(20, 0, 5, 0), "BS", "bright", Verdict.BRIGHT_STAR),
        ((30.0, 0.0), "VS", "rr", Verdict.VARIABLE),
        ((31.0, 0.0), "CV", "ss", Verdict.CATACLYSMIC),
        ((50.0, 0.0), "AGN", "quasar", Verdict.ACTIVE),
        (places.offset(40, 10, 1, 0), "NT", "galaxy", Verdict.NUCLEUS),
        (places.offset(40, 10, -10, 5), "SN", "galaxy", Verdict.IN_DISC),
        (places.offset(40, 10, -50, 0), "SN", "galaxy", Verdict.IN_HALO),
        (places.offset(40, 10, -95, 0), "ORPHAN", None, Verdict.ORPHAN),
        (places.offset(40, 10, 10, 0), "VS", "in front", Verdict.VARIABLE),
        (places.offset(120, 5, 60, 0), "SN", "bare", Verdict.BESIDE_GALAXY),
        ((83.0, -68.0), "ORPHAN", "cloud", Verdict.BEHIND_SATELLITE),
        ((60.0, 0.0), "NT", "faint galaxy", Verdict.NUCLEUS),
        (places.offset(60, 0, 2, 0), "SN", "faint galaxy", Verdict.GALAXY_MATCH),
        ((200.0, 45.0), "ORPHAN", None, Verdict.ORPHAN),
    ]
    batch = still(crossmatch(alerts_at([place for place, *_ in cases]), sky, 5))
    context = describe(batch, surroundings_of(sky)).column("context").to_pylist()
    for found, (place, verdict, evidence, rule) in zip(context, cases, strict=True):
        assert (found["class"], found["source_id"]) == (verdict, evidence), place
        assert found["reason"] == WORDS[rule][1], place
        assert (found["catalog"] is None) == (evidence is None)


def still(batch):
    """The batch with no alert named as a solar-system body."""
    return with_column(batch, "is_solar_system", pa.array(np.zeros(len(batch), bool)))


def with_column(batch, name, values):
    index = batch.record_batch.schema.get_field_index(name)
    record = batch.record_batch
    return AlertBatch(record.set_column(index, record.schema.field(index), values))


def test_a_solar_system_body_has_no_class(sky, alerts_at):
    batch = crossmatch(alerts_at([(30.0, 0.0), (30.0, 0.0)]), sky, 5)
    batch = with_column(batch, "is_solar_system", pa.array([True, False]))
    context = describe(batch, surroundings_of(sky)).column("context").to_pylist()
    assert [c["class"] for c in context] == [None, "VS"]
    assert "solar-system" in context[0]["reason"]
    assert context[0]["source_id"] is None


def test_without_catalogs_nothing_is_claimed(alerts_at):
    batch = still(crossmatch(alerts_at([(30.0, 0.0)]), [], 5))
    described = describe(batch, surroundings_of([]))
    assert described.column("context").to_pylist()[0] == {
        "class": None, "reason": "no catalog is installed", "catalog": None, "source_id": None,
    }  # fmt: skip
    for name in ("hosts", "host_ambiguity", "redshift", "distance_mpc", "ebv_mag"):
        assert described.column(name).to_pylist() == [None]


def test_redshifts_and_distances(sky, places, alerts_at):
    spots = [(50.0, 0.0), places.offset(40, 10, -10, 5), (60.0, 0.0), (120.0, 5.0), (83.0, -68.0),
             (10.0, 0.0)]  # fmt: skip
    batch = describe(crossmatch(alerts_at(spots), sky, 5), surroundings_of(sky))
    batch.record_batch.validate(full=True)
    quasar, host, photo, bare, satellite, star = batch.column("redshift").to_pylist()
    assert quasar["value"] == pytest.approx(1.5)
    assert (quasar["of"], quasar["kind"], quasar["catalog"]) == ("source", "spec", "agn")
    assert host["value"] == pytest.approx(0.02)
    assert (host["of"], host["source_id"]) == ("host", "galaxy")
    assert (photo["kind"], photo["of"], photo["source_id"]) == ("phot", "source", "faint galaxy")
    assert bare is None
    assert satellite is None
    assert star is None
    distance = batch.floats("distance_mpc")
    assert distance[:4] == pytest.approx([11_199, 90.1, 2_241, 100.0], rel=2e-3)
    assert np.isnan(distance[4:]).all()


def test_spectroscopy_of_the_host_beats_a_photometric_source(sky, places, alerts_at):
    photo = places.index_of("near", [{"at": places.offset(40, 10, -10, 0), "id": "blob",
                            "redshift": 0.3}], kind="galaxies", has_hosts=False,
                            redshift_kind="phot")  # fmt: skip
    both = [*sky, photo]
    batch = crossmatch(alerts_at([places.offset(40, 10, -10, 0)]), both, 5)
    (found,) = describe(batch, surroundings_of(both)).column("redshift").to_pylist()
    assert (found["of"], found["kind"]) == ("host", "spec")
    assert found["value"] == pytest.approx(0.02)


def test_columns_are_as_declared_and_cross_kafka(sky, alerts_at):
    around = surroundings_of(sky)
    for spots in ([(30.0, 0.0), (40.0, 10.001), (200.0, 45.0)], [(200.0, 45.0)]):
        batch = describe(crossmatch(alerts_at(spots), sky, 5), around)
        batch.record_batch.validate(full=True)
        for field in DESCRIBED:
            assert batch.record_batch.schema.field(field.name).equals(field, check_metadata=True)
        assert read_envelope(write_envelope(batch))
    empty = describe(crossmatch(alerts_at([(1.0, 1.0)]).slice(0, 0), sky, 5), around)
    assert len(empty) == 0


def test_the_same_alerts_one_by_one_in_slices_and_together(sky, alerts_at):
    rng = np.random.default_rng(3)
    spots = [(40 + dx, 10 + dy) for dx, dy in rng.normal(0, 0.01, (40, 2))]
    around = surroundings_of(sky)
    matched = crossmatch(alerts_at(spots), sky, 5)
    names = [field.name for field in DESCRIBED]
    together = describe(matched, around).record_batch.select(names).to_pylist()
    assert len({row["context"]["class"] for row in together}) > 2
    for row in range(len(spots)):
        alone = describe(matched.slice(row, 1), around).record_batch.select(names).to_pylist()
        assert alone[0] == together[row]


def test_every_verdict_has_words_of_the_documented_classes():
    assert set(WORDS) == set(Verdict)
    assert {words[0] for words in WORDS.values()} == CLASSES
