"""Packets are valid against the official schema, and voevent-parse reads what was meant."""

import importlib.metadata

import pytest
import voeventparse
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from services.distribute.voevents.packet import Author, ivorn_of, voevent
from shared.schemas.association import Association

AUTHOR = Author("org.tocsin", "Night Assistant", "night@example.org")
GCN = "ivo://nasa.gsfc.gcn/Fermi#GBM_Fin_Pos2026-11-22T01:02:03.45_1"
WRITTEN_MS = 1_795_305_601_000  # 2026-11-22T00:00:01 UTC
ASSOCIATION = Association(
    state="new",
    event_id="GRB261122A",
    notice_id="ab" * 16,
    notice_type="fermi_gbm",
    messenger="gamma_ray",
    notice_ivorn=GCN,
    event_version=2,
    event_role="observation",
    event_time="2026-11-21T20:00:00.000Z",
    event_mjd_tai=61365.8337704,
    role="observation",
    is_simulated=False,
    credible_level=0.42,
    searched_area_deg2=31.5,
    time_offset_days=0.25,
    survey="ztf",
    alert_id="3141592653589793",
    object_id="ZTF26abcdefg",
    ra_deg=210.910674637,
    dec_deg=-54.3116510708,
    mjd_tai=61366.0 + 37 / 86400,
    first_detection_mjd_tai=61366.0,
    band="r",
    flux_njy=36307.80547701,
    flux_err_njy=500.0,
    origin_topic="ztf_alerts",
    origin_partition=1,
    origin_offset=271828,
)


@pytest.fixture(scope="module")
def schema():
    try:
        files = importlib.metadata.files("Comet") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("VOEvent-v2.0.xsd: pip install --no-deps -r packages-without-dependencies.txt")
    (xsd,) = (each for each in files if each.name == "VOEvent-v2.0.xsd")
    return etree.XMLSchema(etree.parse(str(xsd.locate())))


def packet(**changes):
    return voevent(ASSOCIATION.model_copy(update=changes), AUTHOR, WRITTEN_MS)


def cited(xml):
    return {c.attrib["cite"]: c.text for c in etree.fromstring(xml).findall("Citations/EventIVORN")}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"state": "updated", "previous_notice_id": "cd" * 16, "reason": "a newer notice"},
        {"state": "withdrawn", "reason": "the event was retracted"},
        {"notice_ivorn": None, "band": None, "flux_njy": None, "flux_err_njy": None},
        {"far_hz": 1.2e-9, "separation_deg": 0.1, "reliability": 0.93, "flux_njy": -5.0},
        {"object_id": 'a <b> & "c" é', "event_id": "S230518h#x y"},
    ],
)
def test_valid_against_the_official_schema(schema, changes):
    schema.assertValid(etree.fromstring(packet(**changes)))
    schema.assertValid(etree.fromstring(voevent(ASSOCIATION, Author("org.tocsin", "x"), 0)))


def test_voevent_parse_reads_it():
    event = voeventparse.loads(packet())
    voeventparse.assert_valid_as_v2_0(event)
    assert event.attrib["role"] == "observation"
    assert event.attrib["ivorn"] == (
        "ivo://org.tocsin/associations#GRB261122A/ztf/3141592653589793/" + "ab" * 16
    )
    assert event.Who.AuthorIVORN == "ivo://org.tocsin/broker"
    assert event.Who.Date == "2026-11-22T00:00:01"
    position = voeventparse.get_event_position(event)
    assert position.system == "UTC-ICRS-TOPO"
    assert (position.ra, position.dec) == (210.9106746, -54.3116511)
    assert position.err == pytest.approx(0.5 / 3600, rel=1e-3)
    when = voeventparse.get_event_time_as_utc(event)
    assert when.isoformat() == "2026-11-22T00:00:00+00:00"
    groups = voeventparse.get_grouped_params(event)
    magnitude = {"name": "mag", "value": "20.0", "unit": "mag", "ucd": "phot.mag"}
    assert groups["photometry"]["mag"] == {**magnitude, "dataType": "float"}
    assert groups["association"]["credible_level"]["value"] == "0.42"
    assert groups["object"]["object_id"]["value"] == "ZTF26abcdefg"


def test_the_notice_is_cited():
    assert cited(packet()) == {"followup": GCN}
    assert cited(packet(notice_ivorn=None)) == {}


def test_an_update_supersedes_the_packet_before_it():
    before = ASSOCIATION
    after = {"state": "updated", "notice_id": "ef" * 16, "previous_notice_id": before.notice_id}
    assert cited(packet(**after))["supersedes"] == ivorn_of(before, "org.tocsin")


def test_a_withdrawal_retracts_the_packet_it_withdraws():
    xml = packet(state="withdrawn")
    assert cited(xml)["retraction"] == ivorn_of(ASSOCIATION, "org.tocsin")
    assert etree.fromstring(xml).attrib["ivorn"] != ivorn_of(ASSOCIATION, "org.tocsin")


@pytest.mark.parametrize(
    "changes", [{"is_simulated": True}, {"event_role": "test"}, {"role": "injection"}]
)
def test_what_is_not_real_is_a_test(changes):
    assert etree.fromstring(packet(**changes)).attrib["role"] == "test"


def test_the_same_association_gives_the_same_bytes():
    assert packet() == packet()


def test_a_packet_is_well_below_the_smallest_limit_of_brokers():
    assert len(packet()) < 10_000  # Comet drops connections at 99,999


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30), st.floats(0, 359.9999), st.floats(-90, 90), st.floats(50000, 80000))
def test_any_text_and_place_gives_a_valid_packet_or_a_clear_error(schema, text, ra, dec, mjd):
    try:
        xml = packet(object_id=text, alert_id=text, ra_deg=ra, dec_deg=dec, mjd_tai=mjd)
    except ValueError:
        assert any(ord(c) < 32 or c in "￾￿" or 0xD800 <= ord(c) < 0xE000 for c in text)
    else:
        schema.assertValid(etree.fromstring(xml))
