"""ZTF's conversions, against values computed by hand."""

import math

import pytest

from shared.light_curves.bands import DETECTION, FORCED, UPPER_LIMIT

DAY_S = 86_400.0
TAI_MINUS_UTC_S = 37.0


@pytest.fixture
def ztf(samples):
    return samples["ztf"]


def prv(jd, fid=1, mag=None, err=None, limit=None, sign=None):
    return {"jd": jd, "fid": fid, "diffmaglim": limit, "isdiffpos": sign, "magpsf": mag,
            "sigmapsf": err}  # fmt: skip


def fp(jd, flux, err=1.0, fid=2, zero_point=26.4, exptime=30.0):
    return {"jd": jd, "fid": fid, "magzpsci": zero_point, "exptime": exptime,
            "forcediffimflux": flux, "forcediffimfluxunc": err}  # fmt: skip


def test_identity_place_and_time(normalised, ztf):
    (alert,) = normalised(ztf())
    assert alert["alert_id"] == "2475433850015010009"
    assert alert["object_id"] == "ZTF18abcdefg"
    assert alert["survey"] == "ztf"
    assert alert["schema_version"] == "4.02"
    assert (alert["ra_deg"], alert["dec_deg"]) == (120.25, -30.5)
    # jd is UTC at the start: 37 s to TAI, half of 30 s to the middle.
    assert alert["mjd_tai"] == pytest.approx(60229.0 + (TAI_MINUS_UTC_S + 15.0) / DAY_S, abs=1e-9)
    assert alert["band"] == "g"
    assert alert["emitted_ms"] == 1_700_000_000_000
    assert alert["ingested_ms"] == 1_700_000_000_500


def test_flux_is_ab_nanojansky_with_sign(normalised, ztf):
    # 31.4 - 18.9 = 12.5, so 10**5 nJy; the error is 1e5 * 0.1 * ln(10) / 2.5.
    positive, negative = normalised(ztf(), ztf(isdiffpos="0"))
    assert positive["flux_njy"] == pytest.approx(1e5, rel=1e-6)
    assert positive["flux_err_njy"] == pytest.approx(9210.340, rel=1e-6)
    assert negative["flux_njy"] == pytest.approx(-1e5, rel=1e-6)
    assert negative["flux_err_njy"] == pytest.approx(9210.340, rel=1e-6)


@pytest.mark.parametrize(("text", "sign"), [("t", 1), ("1", 1), ("f", -1), ("0", -1)])
def test_sign_words(normalised, ztf, text, sign):
    (alert,) = normalised(ztf(isdiffpos=text))
    assert math.copysign(1, alert["flux_njy"]) == sign


@pytest.mark.parametrize(("exptime", "half_s"), [(90.0, 45.0), (None, 15.0), (-999.0, 15.0)])
def test_exposure_is_30_s_unless_given(normalised, ztf, exptime, half_s):
    (alert,) = normalised(ztf(exptime=exptime))
    assert alert["mjd_tai"] == pytest.approx(60229.0 + (37.0 + half_s) / DAY_S, abs=1e-9)


def test_leap_seconds_before_2017(normalised, ztf):
    (alert,) = normalised(ztf(jd=2457388.5))  # 2016-01-01: 36 s
    assert alert["mjd_tai"] == pytest.approx(57388.0 + 51.0 / DAY_S, abs=1e-9)


@pytest.mark.parametrize(("fid", "band"), [(1, "g"), (2, "r"), (3, "i"), (4, None)])
def test_bands(normalised, ztf, fid, band):
    assert normalised(ztf(fid=fid))[0]["band"] == band


@pytest.mark.parametrize(
    ("drb", "rb", "reliability"),
    [
        (0.75, 0.5, 0.75),
        (None, 0.5, 0.5),
        (-999.0, 0.25, 0.25),
        (None, None, None),
        (2.0, 0.5, None),
    ],
)
def test_reliability_is_drb_else_rb(normalised, ztf, drb, rb, reliability):
    assert normalised(ztf(drb=drb, rb=rb))[0]["reliability"] == reliability


@pytest.mark.parametrize(
    ("distance", "is_near"),
    [(-999.0, False), (None, False), (0.0, True), (4.9, True), (12.0, False)],
)
def test_solar_system(normalised, ztf, distance, is_near):
    assert normalised(ztf(ssdistnr=distance))[0]["is_solar_system"] is is_near


def test_simulated_by_publisher(normalised, ztf):
    real, made = normalised(ztf(), ztf(top={"publisher": "Tocsin simulator 0.1"}))
    assert (real["is_simulated"], made["is_simulated"]) == (False, True)


def test_sentinels_become_null(normalised, ztf):
    (alert,) = normalised(ztf())
    own = alert["survey_fields"]
    assert own["distnr"] is None
    assert own["objectidps1"] is None
    assert own["ssnamenr"] is None
    assert own["diffmaglim"] == pytest.approx(20.5)
    assert own["fid"] == 1
    assert own["classtar"] is None  # not in this schema
    assert normalised(ztf(ssnamenr="433"))[0]["survey_fields"]["ssnamenr"] == "433"


def test_light_curve(normalised, ztf):
    (alert,) = normalised(
        ztf(
            prv=[
                prv(2460228.5, limit=21.4),
                prv(2460227.5, fid=2, mag=18.9, err=0.1, limit=20.0, sign="f"),
                prv(2460229.5, mag=18.9, err=0.1, sign="t"),  # the detection again
                prv(2460226.5),  # neither detection nor limit
                prv(2460225.5, fid=9, limit=20.0),  # no such filter
                prv(2460224.5, limit=-999.0),
            ],
            fp=[
                fp(2460229.5, 50.0, 2.0, fid=1),
                fp(2460220.5, -99999.0),
                fp(2460219.5, 5.0, zero_point=-999.0),
                fp(2460218.5, 5.0, exptime=60.0),
            ],
        )
    )
    points = list(
        zip(
            *(
                alert[f"lc_{name}"]
                for name in ("mjd_tai", "flux_njy", "flux_err_njy", "band", "kind")
            ),
            strict=True,
        )
    )
    start = 37.0 / DAY_S
    assert [p[4] for p in points] == [FORCED, DETECTION, UPPER_LIMIT, DETECTION, FORCED]
    assert [p[3] for p in points] == [2, 2, 1, 1, 1]
    times = [60218 + start + 30 / DAY_S] + [
        d + start + 15 / DAY_S for d in (60227, 60228, 60229, 60229)
    ]
    assert [p[0] for p in points] == pytest.approx(times, abs=1e-9)
    # 31.4 - 26.4 = 5, so a DN is 100 nJy; 31.4 - 21.4 = 10, so the limit is 10**4 nJy.
    fluxes = [500.0, -1e5, math.nan, 1e5, 5000.0]
    assert [p[1] for p in points] == pytest.approx(fluxes, rel=1e-6, nan_ok=True)
    assert [p[2] for p in points] == pytest.approx(
        [100.0, 9210.34, 2000.0, 9210.34, 200.0], rel=1e-6
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ra": 400.0}, "bad_position"),
        ({"ra": math.nan}, "bad_position"),
        ({"dec": -90.5}, "bad_position"),
        ({"ra": -999.0}, "bad_position"),
        ({"jd": 0.0}, "implausible_time"),
        ({"jd": math.inf}, "implausible_time"),
        ({"jd": 9e9}, "implausible_time"),
        ({"magpsf": -300.0}, "bad_flux"),
        ({"isdiffpos": "x"}, "bad_flux_sign"),
        ({"isdiffpos": ""}, "bad_flux_sign"),
    ],
)
def test_refusals(refused, ztf, change, reason):
    one = refused(ztf(**change))
    assert one.reason == reason
    assert one.alert_id == "2475433850015010009"


def test_right_ascension_360_is_0(normalised, ztf):
    assert normalised(ztf(ra=360.0))[0]["ra_deg"] == 0.0
