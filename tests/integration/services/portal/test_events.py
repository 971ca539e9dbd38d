"""Events as the portal tells them: by any name, and without what the caller may not see."""

import pytest

pytestmark = [pytest.mark.kafka, pytest.mark.database]


@pytest.mark.parametrize("name", ["S260101a", "MS260101a"])
def test_an_event_is_found_by_each_of_its_names(world, name):
    with world.client("") as client:
        told = client.get(f"/api/v1/events/{name}").json()
    assert told["state"]["event_id"] == "S260101a"
    assert told["state"]["state"] == "active"


def test_candidates_and_counts_are_those_the_caller_may_see(world):
    with world.client("") as client:
        public = client.get("/api/v1/events/S260101a").json()["state"]
    assert [one["survey"] for one in public["candidates"]] == ["ztf"]
    assert public["objects"] is None
    with world.client("vera") as client:
        inside = client.get("/api/v1/events/S260101a").json()["state"]
    assert [one["survey"] for one in inside["candidates"]] == ["lsst", "ztf"]
    assert inside["objects"] == 2


def test_an_unknown_event_is_not_found(world):
    with world.client("") as client:
        assert client.get("/api/v1/events/S999999z").status_code == 404
