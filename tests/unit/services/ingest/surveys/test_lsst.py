"""LSST's conversions, against values written by hand."""

import math

import pytest

from shared.errors import RejectedRecordError
from shared.light_curves.bands import DETECTION, FORCED, UPPER_LIMIT
from shared.packets.files import iter_packets


@pytest.fixture
def lsst(samples):
    return samples["lsst"]


def test_detection(normalised, lsst):
    (alert,) = normalised(lsst())
    assert alert["alert_id"] == "169813007065939970"
    assert alert["object_id"] == "169813007065939001"
    assert alert["schema_version"] == "10.0"
    assert (alert["ra_deg"], alert["dec_deg"]) == (149.5, 1.25)
    assert alert["mjd_tai"] == 61041.25
    assert alert["band"] == "i"
    assert (alert["flux_njy"], alert["flux_err_njy"]) == (-1500.5, 250.25)
    assert alert["reliability"] == 0.5
    assert alert["is_solar_system"] is False
    assert alert["is_simulated"] is False
    own = alert["survey_fields"]
    assert own["observation_reason"] == "ddf_cosmos"
    assert own["isDipole"] is False
    assert own["nDiaSources"] == 3
    assert own["g_psfFluxMean"] == 1.5
    assert own["snr"] is None


@pytest.mark.parametrize(
    ("change", "object_id"),
    [
        ({"diaObjectId": 0}, "5"),
        ({"diaObjectId": None}, "5"),
        ({"diaObjectId": 0, "ssObjectId": 77, "top": {"diaObject": None}}, "77"),
    ],
)
def test_object_is_dia_object_else_solar_system_body(normalised, lsst, change, object_id):
    (alert,) = normalised(lsst(**change))
    assert alert["object_id"] == object_id
    assert alert["is_solar_system"] is bool(change.get("ssObjectId"))


def test_light_curve(normalised, lsst):
    (alert,) = normalised(
        lsst(
            prv=[
                {"midpointMjdTai": 61000.0, "psfFlux": 10.0, "band": "g"},
                {"midpointMjdTai": 61041.25},
                {"midpointMjdTai": 61001.0, "timeWithdrawnMjdTai": 61002.0},
                {"midpointMjdTai": 61003.0, "psfFlux": None},
                {"midpointMjdTai": 61003.0, "band": "w"},
            ],
            forced=[{"midpointMjdTai": 61041.25, "psfFlux": 7.0, "psfFluxErr": 2.0, "band": "i"}],
            limits=[{"midpointMjdTai": 60999.0, "band": "y", "diaNoise": 12.5}],
        )
    )
    assert alert["lc_mjd_tai"] == [60999.0, 61000.0, 61041.25, 61041.25]
    assert alert["lc_kind"] == [UPPER_LIMIT, DETECTION, DETECTION, FORCED]
    assert alert["lc_band"] == [5, 1, 3, 3]
    assert alert["lc_flux_njy"] == pytest.approx([math.nan, 10.0, -1500.5, 7.0], nan_ok=True)
    assert alert["lc_flux_err_njy"] == [12.5, 250.25, 250.25, 2.0]


def test_simulated_by_observation_reason(normalised, lsst):
    (alert,) = normalised(lsst(top={"observation_reason": "tocsin_simulated"}))
    assert alert["is_simulated"] is True


def test_flux_may_be_missing_but_not_infinite(normalised, refused, lsst):
    assert normalised(lsst(psfFlux=None))[0]["flux_njy"] is None
    assert normalised(lsst(band=None))[0]["band"] is None
    assert refused(lsst(psfFlux=math.inf)).reason == "bad_flux"
    assert refused(lsst(psfFlux=math.nan)).reason == "bad_flux"
    assert refused(lsst(psfFluxErr=-1.0)).reason == "bad_flux"


def test_packet_about_no_object_is_refused(refused, lsst):
    none = {"diaObjectId": None, "ssObjectId": None, "top": {"diaObject": None}}
    assert refused(lsst(**none)).reason == "no_identifier"


def test_old_schemas_are_refused():
    from services.ingest.surveys.lsst import version_of

    assert version_of("lsst.v11_1.alert", {}) == "11.1"
    assert version_of("elasticc.v0_9.alert", {}) is None
    with pytest.raises(RejectedRecordError, match=r"7\.0 is the oldest"):
        version_of("lsst.v6_1.alert", {})


@pytest.mark.shelf
def test_official_samples(shelf, packets_of):
    """Rubin's own samples: 8.0 on are sound; 7.x have a Unix time where an MJD belongs."""
    from services.ingest.framing import SchemaBook
    from services.ingest.normalise import normalise

    files = list(iter_packets([shelf / "lsst/schemas"]))
    result = normalise(packets_of(*(file.payload for file in files)), SchemaBook(), None, 0)
    versions = {v for one in result.batches for v in one.batch.strings("schema_version")}
    assert versions == {"8.0", "9.0", "10.0", "11.0"}
    reasons = [one.reason for one in result.refused]
    assert reasons.count("implausible_time") == 5
    assert reasons.count("unsupported_schema") == 5
    assert len(reasons) == 10
