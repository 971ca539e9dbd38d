"""Notices are valid against GCN's own schemas and say all that BOOM's do not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from services.distribute.gcn.notice import SCHEMA_FILE, SCHEMA_URL, gcn_notice
from services.distribute.voevents.packet import Author
from shared.testing.associations import association

AUTHOR = Author("org.tocsin", "Tests")
WRITTEN_MS = 1_795_305_601_000
OFFICIAL = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "notices" / "gcn_schema_examples"
CASES = {
    "new": {},
    "updated": {"state": "updated", "previous_notice_id": "cd" * 16, "event_version": 3},
    "withdrawn": {"state": "withdrawn", "reason": "the notice was retracted"},
    "gravitational waves": {"messenger": "gravitational_wave", "notice_type": "lvk"},
    "a fading source": {"flux_njy": -20.0},
    "without anything that may be unknown": dict.fromkeys(
        ("far_hz", "band", "flux_err_njy", "reliability", "distance_mpc", "distance_err_mpc",
         "joint_far_hz", "p_local", "p_global", "ln_bayes", "rank", "tier", "notice_ivorn",
         "searched_area_deg2", "separation_deg")
    ),
    "simulated": {"is_simulated": True, "role": "test"},
    "another survey": {"survey": "lsst", "object_id": "169298432183", "band": "y"},
}  # fmt: skip


def notice(**changes):
    return json.loads(gcn_notice(association(**changes), AUTHOR, WRITTEN_MS))


@pytest.fixture(scope="module")
def official():
    """Validator of a schema by its path, all references answered from the official files."""
    jsonschema = pytest.importorskip("jsonschema", reason="pip install '.[clients-check]'")
    referencing = pytest.importorskip("referencing", reason="pip install '.[clients-check]'")
    if not OFFICIAL.exists():
        pytest.skip("the official schemas are not there; set TOCSIN_DATA")
    texts = [json.loads(p.read_text()) for p in OFFICIAL.rglob("*.schema.json")]
    texts.append(json.loads(SCHEMA_FILE.read_text()))
    resources = [(t["$id"], referencing.Resource.from_contents(t)) for t in texts if "$id" in t]
    registry = referencing.Registry().with_resources(resources)
    by_id = {t["$id"]: t for t in texts if "$id" in t}

    def validator(name):
        (schema,) = (t for i, t in by_id.items() if i.endswith(name))
        return jsonschema.Draft202012Validator(schema, registry=registry)

    return validator


@pytest.mark.shelf
@pytest.mark.parametrize("schema", ["tocsin/alert.schema.json", "boom/alert.schema.json"])
@pytest.mark.parametrize("case", CASES)
def test_a_notice_is_valid_against_our_schema_and_booms(official, case, schema):
    errors = [e.message for e in official(schema).iter_errors(notice(**CASES[case]))]
    assert errors == []


@pytest.mark.shelf
def test_the_schema_refuses_what_is_none_of_gcns(official):
    validator = official("tocsin/alert.schema.json")
    good = notice()
    good["data"]["targets"][0]["credible"] = 0.5
    assert not validator.is_valid(good)
    assert not validator.is_valid(notice() | {"more": 1})
    assert not validator.is_valid(notice() | {"alert_type": "withdrawn"})


def test_what_boom_does_not_say():
    said = notice()
    assert said["$schema"] == SCHEMA_URL
    assert (said["alert_tense"], said["alert_type"]) == ("current", "initial")
    (target,) = said["data"]["targets"]
    assert (target["luminosity_distance"], target["luminosity_distance_error"]) == (120.5, 12.0)
    assert target["far"] == 3.2e-10
    (match,) = target["gcn_crossmatch"]
    assert (match["ref_type"], match["ref_ID"]) == ("GRB", "GRB261122A")
    reference = match["reference"]
    assert reference["credible_level"] == 0.42
    assert reference["p_global"] == 0.26
    assert reference["tier"] == "silver"
    (point,) = said["data"]["photometry"]
    assert point["mag"] == pytest.approx(20.0, abs=1e-4)
    assert point["filter"] == "ztfr"


def test_an_update_and_a_retraction_name_the_statement_they_replace():
    first = notice()["data"]["targets"][0]["gcn_crossmatch"][0]["reference"]["statement"]
    update = notice(state="updated", notice_id="ef" * 16, previous_notice_id="ab" * 16)
    assert update["alert_type"] == "update"
    replaced = update["data"]["targets"][0]["gcn_crossmatch"][0]["reference"]["supersedes"]
    assert first == f"{replaced}/new"
    gone = notice(state="withdrawn", reason="retracted")
    assert gone["alert_type"] == "retraction"
    reference = gone["data"]["targets"][0]["gcn_crossmatch"][0]["reference"]
    assert first == f"{reference['supersedes']}/new"
    assert reference["reason"] == "retracted"


def test_what_is_not_real_is_never_current():
    assert notice(is_simulated=True, role="test")["alert_tense"] == "injection"
    assert notice(role="test")["alert_tense"] == "test"
    assert notice(event_role="test")["alert_tense"] == "test"


def test_the_same_association_gives_the_same_bytes():
    assert gcn_notice(association(), AUTHOR, 5) == gcn_notice(association(), AUTHOR, 5)
