"""Targets and votes survive the wire; what is out of range is refused."""

import pytest
from pydantic import ValidationError

from shared.schemas.target import Target
from shared.schemas.vote import Vote


def target(**more):
    fields = {
        "list_id": "lick-60000", "night": 60000, "facility": "lick", "programme": "cosmology",
        "rank": 1, "object_id": "o", "ra_deg": 1.0, "dec_deg": 2.0, "exposure_s": 600.0,
        "reason": "uncertain", "score": 0.5, "propensity": 0.2, "stratum": "SN Ia/20-21/3",
        "model_id": "m", "made_ms": 1, "expires_ms": 2, "score_parts": {"information": 0.9},
    }  # fmt: skip
    return Target(**{**fields, **more})


def test_a_target_survives_the_wire():
    assert Target.from_json(target().to_json()) == target()
    assert target().key == b"60000"


@pytest.mark.parametrize("wrong", [{"propensity": 0.0}, {"rank": 0}, {"exposure_s": 0.0}, {"x": 1}])
def test_a_wrong_target_is_refused(wrong):
    with pytest.raises(ValidationError):
        target(**wrong)


def test_a_vote_survives_the_wire():
    vote = Vote(user="ann", object_id="o", opinion="anomaly", said_ms=1)
    assert Vote.from_json(vote.to_json()) == vote
    with pytest.raises(ValidationError):
        Vote(user="ann", object_id="o", opinion="great", said_ms=1)
