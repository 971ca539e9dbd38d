"""Updates: written, read back, and known again."""

import pytest
from pydantic import ValidationError

from shared.schemas.update import MAX_MATCHES, MatchChange, Update

UPDATE = Update(
    source="simbad",
    survey="ztf",
    object_id="ZTF21abiuvdk",
    alert_id="1",
    ra_deg=0.8143,
    dec_deg=16.1457,
    radius_arcsec=5.0,
    matches=({"catalog": "simbad", "source_id": "SN 2021rhu", "separation_arcsec": 0.1},),
    asked_ms=10,
    answered_ms=20,
    service_url="http://127.0.0.1/",
)


def test_json_and_back():
    change = MatchChange(what="added", catalog="vsx", source_id="J1", version_after="2")
    update = UPDATE.model_copy(update={"changes": (change,)})
    assert Update.from_json(update.to_json()) == update
    assert update.key == b"ZTF21abiuvdk"


def test_a_repeat_is_known_by_its_identity_and_another_answer_is_none():
    later = UPDATE.model_copy(update={"asked_ms": 30, "answered_ms": 40})
    assert later.update_id == UPDATE.update_id
    assert UPDATE.model_copy(update={"matches": ()}).update_id != UPDATE.update_id
    assert UPDATE.model_copy(update={"alert_id": "2"}).update_id != UPDATE.update_id


@pytest.mark.parametrize(
    ("name", "value"),
    [("ra_deg", 360.0), ("dec_deg", -90.1), ("matches", [{}] * (MAX_MATCHES + 1))],
)
def test_what_is_not_on_the_sky_or_too_much_is_refused(name, value):
    document = UPDATE.model_dump()
    document[name] = value
    with pytest.raises(ValidationError, match=name):
        Update.model_validate(document)
