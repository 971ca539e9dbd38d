"""What each mission's notices say beyond a circle, with packets of the mission's own form."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import numpy as np
import pytest

from services.mma.notices import read_notice
from services.mma.regions import region_of
from services.mma.skymaps.tangent import ErrorAnnulus
from shared.errors import RejectedRecordError
from shared.sky.healpix import healpix29_of
from shared.testing.notices import (
    CIRCULAR_BODY,
    SAMPLES,
    base_cells_map,
    circular,
    gcn_json,
    lvk_json,
    voevent,
)

GCN = "ivo://nasa.gsfc.gcn/"
SHELF = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "notices"


def notice(payload):
    return read_notice(payload, received_ms=0)


def level_at(region, ra_deg, dec_deg):
    cell = healpix29_of(ra_deg, dec_deg)
    return float(region.credible_levels(np.array([ra_deg]), np.array([dec_deg]), cell)[0])


def test_a_circular_of_icecube_has_quadrants():
    """IC170922A and TXS 0506+056 (reference value N1)."""
    read = notice(circular())
    assert (read.event_id, read.notice_type, read.role) == (
        "IceCube-170922A", "circular", "observation")  # fmt: skip
    assert read.event_time == "2017-09-22T20:54:30.430Z"
    assert read.localization.errors_deg == (1.30, 0.80, 0.70, 0.40)
    assert level_at(region_of(read), 77.35818, 5.69315) == pytest.approx(0.0285, abs=1e-3)


@pytest.mark.parametrize(
    "coordinates",
    [
        "RA: 314.08 (+6.56 deg -2.26 deg 90% PSF containment)\nDec: 12.94 (+1.50 deg -1.47 deg)",
        "R.A. = 314.08 +6.56/-2.26 degrees, Dec. = 12.94 +1.50/-1.47 degrees (90% containment)",
        "RA(J2000): 314.08 ( +6.56/ - 2.26)\n Dec(J2000): 12.94 ( +1.50/ -1.47)",
    ],
)
def test_spellings_of_circulars(coordinates):
    place = notice(circular("IceCube-191001A", coordinates)).localization
    assert (place.ra_deg, place.dec_deg, place.errors_deg) == (
        314.08, 12.94, (6.56, 2.26, 1.50, 1.47))  # fmt: skip


def test_other_circulars_are_kept_as_prose_and_make_no_event():
    read = notice(circular("GRB 230410A", CIRCULAR_BODY))
    assert (read.event_id, read.role, read.localization) == ("GRB_230410A", "utility", None)
    assert read.cites == ("gcn.circulars:21916",)


def test_amon_radii_in_arcminutes():
    place = notice(SAMPLES["amon"]).localization
    assert (place.radius_deg, place.containment) == (pytest.approx(18.92 / 60), 0.9)
    assert notice(SAMPLES["hawc"]).localization.radius_deg == pytest.approx(0.4)


def test_icecube_ehe_gave_half_the_probability():
    params = {"run_id": "1", "event_id": "2", "src_error_50": "0.3", "Signalness": "0.28"}
    read = notice(voevent(GCN + "AMON#ICECUBE_EHE_Event", place=(10, 5, 0.3), params=params))
    assert read.localization.containment == 0.5
    assert read.p_astro == 0.28


def test_icecube_cascade_names_its_map():
    params = {
        "run_id": "1",
        "event_id": "2",
        "src_error_90": "10.5",
        "Rev": "1",
        "event_name": "IceCubeCascade-230610a",
        "skymap_fits": "https://x/y.fits",
    }
    read = notice(voevent(GCN + "AMON#ICECUBE_Cascade_Event", params=params))
    assert read.sky_map_url == "https://x/y.fits"
    assert read.aliases == ("IceCubeCascade-230610a",)
    assert (read.instruments, read.serial) == (("Cascade Alert",), 1)


def test_icecube_json_drops_the_revision_from_the_name():
    read = notice(gcn_json("icecube/single_neutrino_alerts", id=["137840_57034692_0"],
                           event_name=["IceCube-230416A"], pipeline="Bronze Track Alert",
                           p_astro=0.34))  # fmt: skip
    assert read.event_id == "IceCube_137840_57034692"
    assert (read.p_astro, read.aliases) == (0.34, ("IceCube-230416A",))
    assert "Bronze Track Alert" in read.instruments


def test_icecube_search_takes_its_likeliest_neutrino():
    near = {"ra": 17.5, "dec": 16.1, "ra_dec_error": 0.5}
    far = {"ra": 13.8, "dec": 18.7, "ra_dec_error": 0.6}
    events = [{"localization": far, "event_pval_generic": 0.09, "event_pval_bayesian": 0.06},
              {"localization": near, "event_pval_generic": 0.02}]  # fmt: skip
    read = notice(gcn_json("icecube/lvk_nu_track_search", ref_ID="S230914ak", id=None, ra=None,
                           dec=None, ra_dec_error=None, pval_generic=0.0191,
                           reference={"gcn.notices.LVK.alert": "S230914ak-2-Preliminary"},
                           coincident_events=events))  # fmt: skip
    assert (read.localization.ra_deg, read.localization.radius_deg) == (17.5, 0.5)
    assert read.external == {"ref_ID": "S230914ak", "pval_generic": 0.0191}
    assert read.cites == ("S230914ak", "gcn.notices.LVK.alert:S230914ak-2-Preliminary")


def test_snews_is_the_whole_sky():
    read = notice(SAMPLES["snews"])
    assert read.localization.kind == "all_sky"
    region = region_of(read)
    assert region.searched_area_deg2(0.5) == pytest.approx(20626.5, abs=0.1)
    assert level_at(region, 12.0, -80.0) == 0.5


def test_superk_says_direction_and_distance():
    read = notice(SAMPLES["superk"])
    place = read.localization
    assert (place.radius_deg, place.containment) == (0.9, 0.9)
    assert (place.distance_mpc, place.distance_err_mpc) == (0.0025, 0.0005)


def test_ipn_annulus_is_three_sigma():
    region = region_of(notice(SAMPLES["ipn"]))
    assert isinstance(region, ErrorAnnulus)
    assert region.sigma_deg == pytest.approx(0.5 / 3, rel=1e-3)
    assert level_at(region, 150.0, -40.0) == pytest.approx(0.0, abs=1e-9)


def test_ipn_times_alone_are_events_of_their_own():
    params = {"TrigID": "-1", "IPN_Radius": "-1.0000", "IPN_Width": "-1.0000"}
    one, other = (
        notice(voevent(GCN + f"IPN#Raw_{n}", place=(-1, -1, -1), params=params)) for n in (1, 2)
    )
    assert one.localization is None
    assert one.event_id != other.event_id


def test_utmost_beam_is_a_thin_ellipse():
    place = notice(SAMPLES["utmost_frb"]).localization
    assert (place.radius_deg, place.semi_minor_deg) == (1.25, pytest.approx(0.35 / 60))


def test_gaia_packets_of_two_authors_name_one_event():
    own = notice(voevent("ivo://gaia.cam.uk/alerts#Gaia19ffo"))
    robot = notice(voevent("ivo://voevent.4pisky.org/GAIA#x", params={"Name": "Gaia19ffo"}))
    assert own.event_id == robot.event_id == "Gaia_Gaia19ffo"


def test_boom_target_has_a_place_a_time_and_its_matches():
    read = notice(SAMPLES["boom"])
    assert read.event_id == "BOOM_ZTF25abcdefg"
    assert read.event_time == "2024-01-15T03:00:00.000Z"
    assert read.localization.radius_deg == pytest.approx(1 / 3600)
    assert (read.classification, read.cites) == ({"SN Ia": 0.9}, ("S240115a",))


def test_counterpart_belongs_to_its_swift_trigger():
    assert notice(SAMPLES["counterpart"]).aliases == ("Swift_866783",)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (voevent(GCN + "SWIFT#BAT_GRB_Pos_1", params={"StarTrack_Lost_Lock": "true"}), "lock"),
        (voevent(GCN + "SWIFT#BAT_GRB_Pos_1", params={"Target_in_Gnd_Catalog": "true"}), "known"),
        (voevent(GCN + "Fermi#GBM_Flt_Pos_1", params={
            "Most_Likely_Index": "8", "Most_Likely_Prob": "90", "Sec_Most_Likely_Index": "4",
            "Sec_Most_Likely_Prob": "5"}), "SOLAR_FLARE"),
        (gcn_json("fermi/gbm/trigger", classification={"BELOW_HORIZON": 1}), "BELOW_HORIZON"),
        (voevent(GCN + "GECAM#FLT_Event", params={"SRC_CLASS": "SFLARE"}), "SFLARE"),
        (voevent(GCN + "MAXI#Known_source_Pos_1", params={"Source_Name": "Cyg X-1"}), "known"),
        (gcn_json("svom/trigger", instrument="ECLAIRs", event_name=["Cen X-3"]), "Cen X-3"),
        (voevent(GCN + "Fermi#LAT_Monitor_1", params={"SourceName": "4C+28.07"}), "known"),
        (gcn_json("fermi/lat/flare", event_name="OQ 334"), "known"),
    ],
)  # fmt: skip
def test_vetoes(payload, words):
    (why,) = notice(payload).vetoes
    assert words in why


def test_gbm_flight_class_is_a_probability():
    params = {"Most_Likely_Index": "4", "Most_Likely_Prob": "96", "Sec_Most_Likely_Index": "10",
              "Sec_Most_Likely_Prob": "2"}  # fmt: skip
    read = notice(voevent(GCN + "Fermi#GBM_Flt_Pos_1", params=params))
    assert read.classification == {"GRB": 0.96, "SGR_1806_20": 0.02}
    assert read.vetoes == ()


def test_gw_with_a_raven_block():
    document = json.loads(lvk_json())
    document["external_coinc"] = {
        "gcn_notice_id": 1366976819, "ivorn": "ivo://x#1", "observatory": "INTEGRAL",
        "search": "GRB", "time_difference": 2.31, "time_coincidence_far": 4e-18,
        "time_sky_position_coincidence_far": 1.5e-19, "combined_skymap": "AAAA"}  # fmt: skip
    read = notice(json.dumps(document).encode())
    assert read.external["observatory"] == "INTEGRAL"
    assert read.external["time_sky_position_coincidence_far"] == 1.5e-19
    assert "combined_skymap" not in read.external
    assert read.cites == ("ivo://x#1",)
    assert read.p_astro == pytest.approx(0.9)


def test_lvc_voevent_with_a_raven_block():
    params = {"GraceID": "MS230501l", "AlertType": "Initial", "External_Observatory": "INTEGRAL",
              "Time_Difference": "2.31", "Time_Coincidence_FAR": "4.0e-18"}  # fmt: skip
    external = notice(voevent("ivo://gwnet/LVC#MS230501l-3", params=params)).external
    assert external == {"observatory": "INTEGRAL", "time_difference": 2.31,
                        "time_coincidence_far": 4e-18}  # fmt: skip


def test_unified_schema_fields():
    read = notice(gcn_json(
        "somebody/new", mission="New", instrument="One", messenger="EM",
        spectral_band=[0.5, 4], alert_tense="archival", alert_type="update", record_number=3,
        ra_dec_error=[0.3], containment_probability=0.68, far=1e-8, p_astro=0.7, redshift=0.4,
        luminosity_distance=100, luminosity_distance_error=[10, 20], additional_info="bright",
        classification={"GRB": 0.9}, properties={"NS": 0.5},
        follow_up=[{"ref_ID": "bn1", "reference": {"gcn circulars": 12345}}]))  # fmt: skip
    assert (read.notice_type, read.messenger, read.alert_kind) == ("other", "x_ray", "update")
    assert (read.mission, read.tense, read.comment) == ("New", "archival", "bright")
    assert (read.serial, read.far_hz, read.p_astro, read.redshift) == (3, 1e-8, 0.7, 0.4)
    place = read.localization
    assert (place.kind, place.radius_deg, place.containment) == ("circle", 0.3, 0.68)
    assert (place.distance_mpc, place.distance_err_mpc) == (100, 15)
    assert read.classification == {"GRB": 0.9, "NS": 0.5}
    assert read.cites == ("bn1", "gcn circulars:12345")


@pytest.mark.parametrize(
    ("fields", "messenger"),
    [
        ({"messenger": "Neutrino"}, "neutrino"),
        ({"messenger": "GW"}, "gravitational_wave"),
        ({"spectral_band": [400, 800], "spectral_band_units": "MHz"}, "radio"),
        ({"spectral_band": [400, 700], "spectral_band_units": "nm"}, "optical"),
        ({"spectral_band": [15, 350]}, "gamma_ray"),
    ],
)
def test_messenger_of_an_unknown_mission(fields, messenger):
    assert notice(gcn_json("somebody/new", **fields)).messenger == messenger


def test_a_notice_without_any_time_makes_no_event():
    read = notice(b'{"$schema": "https://gcn.nasa.gov/schema/main/gcn/notices/core/'
                  b'Localization.schema.json", "ra": 10, "dec": 5, "ra_dec_error": 1}')  # fmt: skip
    assert read.role == "utility"
    assert "no time" in read.remarks[0]


def test_map_in_a_notice_with_line_breaks_in_its_base64():
    encoded = base64.encodebytes(base_cells_map()).decode()
    read = notice(gcn_json("burstcube/alert", healpix_file=encoded))
    assert read.localization.kind == "sky_map"
    assert read.remarks == ()
    assert len(region_of(read).first) == 12


def test_corners_may_come_in_any_order():
    corners = [[151, 21], [149, 19], [149, 21], [151, 19]]
    read = notice(gcn_json("maxi/gsc.unknown", ra_dec_error=None,
                           rectangular_error_corners=corners))  # fmt: skip
    region = region_of(read)
    assert region.searched_area_deg2(0.9) == pytest.approx(3.76, abs=0.02)
    assert level_at(region, 151.0, 20.0) == pytest.approx(0.9, abs=0.005)


@pytest.mark.parametrize("corners", [[[1, 2]], [[1, 2], [3]], [["x", 1]] * 4, 7])
def test_corners_that_are_none(corners):
    payload = gcn_json("maxi/gsc.unknown", ra_dec_error=None, rectangular_error_corners=corners)
    try:
        assert notice(payload).localization is None
    except RejectedRecordError as error:
        assert error.reason == "bad_position"  # noqa: PT017 - either is right


def test_errors_of_both_coordinates_in_voevent_2_1():
    payload = voevent(
        "ivo://e/s#1", version="2.1", namespace="http://www.ivoa.net/xml/VOEvent/v2.1"
    )
    both = b"<Error2><C1>0.4</C1><C2>0.2</C2></Error2>"
    payload = payload.replace(b"<Error2Radius>1.0</Error2Radius>", both)
    place = notice(payload).localization
    assert (place.kind, place.errors_deg) == ("quadrants", (0.4, 0.4, 0.2, 0.2))


def test_interval_of_voevent_2_1():
    payload = voevent("ivo://e/s#1", version="2.1").replace(
        b"<TimeInstant><ISOTime>2024-01-15T00:00:00</ISOTime></TimeInstant>",
        b"<TimeInterval><ISOTimeStart>2024-01-14T23:00:00</ISOTimeStart>"
        b"<ISOTimeStop>2024-01-15T00:00:00</ISOTimeStop></TimeInterval>",
    )
    assert notice(payload).event_time == "2024-01-14T23:00:00.000Z"


def test_an_observation_of_the_future_is_kept_and_said():
    payload = voevent("ivo://e/s#1", time="2024-01-20T00:00:00")
    received_ms = 1_705_276_800_000  # 2024-01-15
    assert "5.0 days after its receipt" in read_notice(payload, received_ms).remarks[0]
    assert read_notice(payload, received_ms + 5 * 86_400_000).remarks == ()
    planned = payload.replace(b'role="observation"', b'role="prediction"')
    assert read_notice(planned, received_ms).remarks == ()


@pytest.mark.shelf
def test_every_official_example_parses():
    folder = SHELF / "gcn_schema_examples" / "gcn"
    if not folder.exists():
        pytest.skip(f"{folder} is not here; set TOCSIN_DATA")
    read = {str(path): notice(path.read_bytes()) for path in folder.rglob("*.example.json")}
    assert len(read) >= 46
    placed = {name for name, one in read.items() if one.localization is not None}
    assert len(placed) >= 27
    for one in read.values():
        if one.localization is not None:
            assert region_of(one).searched_area_deg2(0.9) > 0
