from __future__ import annotations

import gzip
import json
import os
import tarfile
from pathlib import Path

import pytest

from services.mma.notices import BY_NAME, NOTICE_TYPES, read_notice, read_notice_file, sky_map_of
from services.mma.notices.times import iso_utc_of_mjd_tai, mjd_tai_of_iso, unix_ms_of_iso
from services.mma.regions import region_of
from shared.errors import RejectedRecordError
from shared.schemas.notice import MAX_NOTICE_BYTES, Notice
from shared.testing.notices import SAMPLES, V20, base_cells_map, gcn_json, lvk_json, voevent

SHELF = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "notices"
FERMI = "ivo://nasa.gsfc.gcn/Fermi#"


def notice(payload):
    return read_notice(payload, received_ms=0)


def reason_of(payload):
    with pytest.raises(RejectedRecordError) as refused:
        notice(payload)
    return refused.value.reason


@pytest.mark.parametrize("kind", NOTICE_TYPES, ids=lambda kind: kind.name)
def test_every_type_has_a_sample_and_reads_it(kind):
    read = notice(SAMPLES[kind.name])
    assert read.notice_type == kind.name
    assert read.messenger == kind.messenger
    assert read.role == "observation"
    assert read.event_id
    assert read.localization is not None
    region = region_of(read)
    assert region is not None
    half, most = region.searched_area_deg2(0.5), region.searched_area_deg2(0.9)
    assert 0 < half < most <= 41253
    assert kind.window.before_days >= 0
    assert kind.window.after_days > 0
    assert Notice.from_json(read.to_json()) == read


def test_names_are_unique():
    assert len(BY_NAME) == len(NOTICE_TYPES)


def test_gbm_voevent():
    read = notice(
        voevent(
            FERMI + "GBM_Gnd_Pos_1",
            time="2024-01-15T12:00:00.5",
            issued="2024-01-15T12:01:00",
            place=(154.85, -20.9199, 4.2),
            params={"TrigID": "716111594", "Pkt_Ser_Num": "4"},
            cites=[("followup", FERMI + "GBM_Alert_1")],
        )
    )
    assert (read.event_id, read.alert_kind, read.serial) == ("Fermi_GBM_716111594", "update", 4)
    # 2024-01-15 12:00 UTC is MJD 60324.5; TAI is 37 s ahead.
    assert read.event_mjd_tai == pytest.approx(60324.5 + 37.5 / 86400, abs=1e-9)
    assert read.event_time == "2024-01-15T12:00:00.500Z"
    assert read.issued_ms == 1705320060000
    place = read.localization
    assert (place.ra_deg, place.dec_deg, place.radius_deg) == (154.85, -20.9199, 4.2)
    assert place.containment == 0.683
    assert place.systematics == ((0.804, 3.72), (0.196, 13.7))
    assert read.cites == (FERMI + "GBM_Alert_1",)


def test_gbm_json_and_voevent_name_the_same_event():
    as_json = notice(
        gcn_json("fermi/gbm/trigger", id=["745121685", "bn240812094"], subtype="FINAL")
    )
    as_xml = notice(voevent(FERMI + "GBM_Fin_Pos", params={"TrigID": "745121685"}))
    assert as_json.event_id == as_xml.event_id
    assert as_json.aliases == ("Fermi_GBM_bn240812094",)
    assert as_json.rank == as_xml.rank == 3


def test_gbm_alert_places_nothing():
    read = notice(voevent(FERMI + "GBM_Alert_1", place=(0, 0, 0), params={"TrigID": "1234"}))
    assert read.localization is None


@pytest.mark.parametrize("param", ["Def_NOT_a_GRB", "Retraction"])
def test_retraction_by_parameter(param):
    read = notice(voevent("ivo://nasa.gsfc.gcn/SWIFT#BAT_GRB_Pos", params={param: "true"}))
    assert read.alert_kind == "retraction"


def test_retraction_by_citation():
    cited = [("retraction", "ivo://example.org/s#1")]
    assert notice(voevent("ivo://example.org/s#2", cites=cited)).alert_kind == "retraction"


def test_test_parameter_overrides_the_role():
    read = notice(voevent("ivo://nasa.gsfc.gcn/SWIFT#BAT", params={"Test_Submission": "true"}))
    assert read.role == "test"


def test_icecube_formats_agree_on_the_event():
    params = {"run_id": "137840", "event_id": "57034692", "FAR": "2.5", "signalness": "0.34"}
    as_xml = notice(voevent("ivo://nasa.gsfc.gcn/AMON#ICECUBE_BRONZE_Event", params=params))
    as_json = notice(gcn_json("icecube/gold_bronze_track_alerts", id=["137840_57034692"]))
    assert as_xml.event_id == as_json.event_id == "IceCube_137840_57034692"
    assert as_xml.far_hz == pytest.approx(2.5 / 31557600)
    assert as_xml.localization.containment == as_json.localization.containment == 0.9
    assert as_xml.classification == {"signalness": 0.34}


def test_lvk_json_with_its_map():
    read = notice(lvk_json())
    assert (read.event_id, read.alert_kind, read.role) == ("S240115a", "initial", "observation")
    assert read.localization.kind == "sky_map"
    assert (read.localization.ra_deg, read.localization.dec_deg) == pytest.approx((0, 0))
    assert read.far_hz == 1e-9
    assert read.significant is True
    assert read.classification["HasNS"] == 1.0
    assert sky_map_of(read) == base_cells_map()


@pytest.mark.parametrize(
    ("superevent", "role"),
    [("S240115a", "observation"), ("MS240115a", "test"), ("TS240115a", "test")],
)
def test_lvk_role_is_in_the_name(superevent, role):
    assert notice(lvk_json(superevent)).role == role


def test_lvk_retraction_has_no_event():
    read = notice(lvk_json(alert_type="RETRACTION", created="2024-01-15T01:00:00Z"))
    assert (read.alert_kind, read.localization) == ("retraction", None)


def test_lvc_voevent_hardware_injection():
    params = {"GraceID": "S240115a", "AlertType": "Preliminary", "HardwareInj": "1"}
    assert notice(voevent("ivo://gwnet/LVC#S240115a-1", params=params)).role == "injection"


def test_time_scales():
    # Gaia gives TDB: TT = TAI + 32.184 s.
    read = notice(voevent("ivo://gaia.cam.uk/alerts#G", scale="TDB", time="2016-01-16T00:00:00"))
    assert read.event_mjd_tai == pytest.approx(57403 - 32.184 / 86400, abs=1e-9)
    assert mjd_tai_of_iso("2016-01-16T00:00:00", "GPS") == pytest.approx(57403 + 19 / 86400)
    assert mjd_tai_of_iso("2016-12-31T23:59:60Z") == pytest.approx(57754 + 36 / 86400, abs=1e-9)
    assert unix_ms_of_iso("1970-01-01T01:00:00+01:00") == 0
    assert iso_utc_of_mjd_tai(57754 + 37 / 86400) == "2017-01-01T00:00:00.000Z"


@pytest.mark.parametrize("version", ["1.1", "2.0", "2.1"])
def test_every_version_of_voevent(version):
    namespace = f"http://www.ivoa.net/xml/VOEvent/v{version}"
    read = notice(voevent("ivo://example.org/s#1", namespace=namespace, version=version))
    assert read.localization.radius_deg == 1.0


def test_version_1_1_with_places_in_their_own_namespace():
    payload = voevent("ivo://example.org/s#1", version="1.1").replace(
        b"<ObsDataLocation>", b'<ObsDataLocation xmlns="http://www.ivoa.net/xml/STC/stc-v1.30.xsd">'
    )
    read = notice(payload)
    assert read.localization.radius_deg == 1.0
    assert read.event_time == "2024-01-15T00:00:00.000Z"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"GCN CIRCULAR", "unknown_format"),
        (b"{", "bad_json"),
        (b'{"a": 1}', "unknown_notice"),
        (b"<VOEvent", "bad_xml"),
        (b"<a/>", "not_voevent"),
        (b" " * (MAX_NOTICE_BYTES + 1), "too_large"),
        (voevent("http://example.org"), "not_voevent"),
        (voevent("ivo://e/s#1", role="alarm"), "bad_role"),
        (voevent("ivo://e/s#1", time="2022-01--4918T11:09:20.47"), "malformed_time"),
        (voevent("ivo://e/s#1", time="2022-01-00T11:09:20"), "malformed_time"),
        (voevent("ivo://e/s#1", time="2022-01-01T24:00:00"), "malformed_time"),
        (voevent("ivo://e/s#1", scale="LOCAL"), "malformed_time"),
        (voevent("ivo://e/s#1", time="", issued=""), "no_event_time"),
        (voevent("ivo://e/s#1", place=(10.0, 91.0, 1.0)), "bad_position"),
        (voevent("ivo://e/s#1").replace(b"<What>", b"<!DOCTYPE a><What>"), "bad_xml"),
        (lvk_json("X1"), "bad_event_id"),
        (lvk_json(alert_type="RUMOUR"), "bad_alert_type"),
        (lvk_json(sky_map=b"SIMPLE  ="), "bad_sky_map"),
        (lvk_json(created="yesterday"), "malformed_time"),
    ],
)
def test_refused_with_its_reason(payload, reason):
    assert reason_of(payload) == reason


def test_entities_are_never_expanded(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    bomb = (
        f'<?xml version="1.0"?><!DOCTYPE v [<!ENTITY e SYSTEM "file://{secret}">]>'
        f'<v:VOEvent xmlns:v="{V20}" ivorn="ivo://e/s#1" role="test"><Who>&e;</Who></v:VOEvent>'
    )
    assert reason_of(bomb.encode()) == "forbidden_xml"


def test_gzip_and_its_bomb():
    payload = lvk_json()
    assert read_notice_file(gzip.compress(payload)) == payload
    with pytest.raises(RejectedRecordError, match="too_large"):
        read_notice_file(gzip.compress(bytes(64 * 1024 * 1024)))
    with pytest.raises(RejectedRecordError, match="bad_gzip"):
        read_notice_file(b"\x1f\x8bnonsense")


def test_healpix_file_that_is_no_map_is_left_out_and_said():
    read = notice(gcn_json("swift/bat/Guano", healpix_file="hhhh..."))
    assert read.localization.kind == "circle"
    assert "healpix_file" in read.remarks[0]


def test_json_ellipse_and_corners():
    ellipse = notice(gcn_json("maxi/gsc.unknown", ra_dec_error=[0.22, 0.19, 153])).localization
    assert (ellipse.kind, ellipse.radius_deg, ellipse.semi_minor_deg) == ("ellipse", 0.22, 0.19)
    corners = [[149, 19], [151, 19], [151, 21], [149, 21]]
    box = notice(
        gcn_json("maxi/gsc.unknown", ra_dec_error=None, rectangular_error_corners=corners)
    ).localization
    assert box.kind == "polygon"
    assert box.radius_deg == pytest.approx(1.38, abs=0.01)


@pytest.mark.shelf
def test_official_gcn_examples():
    folder = SHELF / "gcn_schema_examples" / "gcn" / "notices"
    if not folder.exists():
        pytest.skip(f"{folder} is not here; set TOCSIN_DATA")
    whole = [p for p in sorted(folder.rglob("*.example.json")) if "/core/" not in str(p)]
    assert len(whole) >= 40
    for path in whole:
        read = notice(path.read_bytes())
        tense = json.loads(path.read_bytes()).get("alert_tense")
        assert (read.role == "test") == (tense == "test")


@pytest.mark.long
@pytest.mark.shelf
def test_real_archive_one_packet_in_twenty():
    """Every packet is read, or refused for its malformed time; nothing else is wrong with them."""
    path = SHELF / "voevent_science_2014-2023_27881.tar.xz"
    if not path.exists():
        pytest.skip(f"{path} is not here; set TOCSIN_DATA")
    reasons = set()
    read = 0
    with tarfile.open(path) as archive:
        for number, member in enumerate(m for m in archive if m.isfile()):
            if number % 20 and "--4918" not in member.name:
                continue
            try:
                notice(archive.extractfile(member).read())
                read += 1
            except RejectedRecordError as error:
                reasons.add(error.reason)
    assert read > 1300
    assert reasons <= {"malformed_time"}


@pytest.mark.parametrize("stream", ["BAT_SubSubThresh_Pos_1", "BAT_Known_Pos_1"])
def test_swift_noise_and_known_sources_place_no_event(stream):
    read = notice(voevent(f"ivo://nasa.gsfc.gcn/SWIFT#{stream}", params={"TrigID": "1"}))
    assert read.localization is None
    assert "left out" in read.remarks[0]


def test_times_that_no_calendar_has_are_refused():
    with pytest.raises(RejectedRecordError, match="malformed_time"):
        iso_utc_of_mjd_tai(mjd_tai_of_iso("9999-12-31T23:59:60.9Z"))


def test_lvk_instruments_that_are_no_list_are_none():
    document = json.loads(lvk_json())
    document["event"]["instruments"] = 5
    assert notice(json.dumps(document).encode()).instruments == ()
