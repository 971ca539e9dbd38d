"""LSST's simulated packets: the official schema, Confluent framing, marked."""

import io
import struct

import fastavro
import fastavro.validation
import numpy as np
import orjson
import pytest
from astropy.io import fits

from shared.packets.lsst_schemas import official_schema_json


@pytest.fixture(scope="module")
def records(lsst_packets):
    schema = fastavro.parse_schema(orjson.loads(official_schema_json(10, 0)))
    decoded = []
    for packet in lsst_packets:
        assert struct.unpack(">bI", packet.payload[:5]) == (0, 1000)
        body = io.BytesIO(packet.payload[5:])
        record = fastavro.schemaless_reader(body, schema, None)
        assert body.read() == b""
        decoded.append(record)
    assert all(fastavro.validation.validate(record, schema) for record in decoded[::6])
    return decoded


def test_marked_as_simulated_and_unique(records, lsst_packets):
    assert {r["observation_reason"] for r in records} == {"tocsin_simulated"}
    assert [r["diaSourceId"] for r in records] == [p.alert_id for p in lsst_packets]
    assert len({r["diaSourceId"] for r in records}) == len(records)
    for r in records:
        assert r["diaSourceId"] == r["diaSource"]["diaSourceId"] > 2**62


def test_objects_and_solar_system_bodies_exclude_each_other(records):
    bodies = [r for r in records if r["ssSource"] is not None]
    objects = [r for r in records if r["diaObject"] is not None]
    assert len(bodies) + len(objects) == len(records)
    assert bodies
    assert objects
    for r in bodies:
        assert r["diaSource"]["diaObjectId"] is None
        assert r["diaSource"]["ssObjectId"] == r["ssSource"]["ssObjectId"]
        assert r["mpc_orbits"]["designation"] == r["ssSource"]["designation"]
    for r in objects:
        assert r["diaSource"]["diaObjectId"] == r["diaObject"]["diaObjectId"]
        assert r["diaObject"]["nDiaSources"] == 1 + len(r["prvDiaSources"] or ())


def test_fluxes_times_and_statistics_agree(records):
    for r in records:
        source = r["diaSource"]
        assert abs(source["psfFlux"]) / source["psfFluxErr"] == pytest.approx(
            source["snr"], rel=1e-5
        )
        assert source["snr"] >= 5.0
        for earlier in [*(r["prvDiaSources"] or ()), *(r["prvDiaForcedSources"] or ())]:
            assert earlier["midpointMjdTai"] < source["midpointMjdTai"]
        if r["diaObject"] is None:
            continue
        same_band = [s["psfFlux"] for s in r["prvDiaSources"] or () if s["band"] == source["band"]]
        fluxes = [*same_band, source["psfFlux"]]
        band = source["band"]
        assert r["diaObject"][f"{band}_psfFluxNdata"] == len(fluxes)
        assert r["diaObject"][f"{band}_psfFluxMax"] == pytest.approx(max(fluxes), rel=1e-5)


def test_cutouts_are_fits_with_variance_and_psf(records):
    for r in records[:20]:
        for kind in ("Difference", "Science", "Template"):
            with fits.open(io.BytesIO(r[f"cutout{kind}"])) as file:
                file.verify("exception")
                assert file[0].data.shape == (31, 31)
                assert file[0].header["BUNIT"].strip() == "nJy"
                assert file[0].header["CRVAL1"] == pytest.approx(r["diaSource"]["ra"], abs=1e-3)
                assert (file["UNCERT"].data > 0).all()
                assert file["PSFIMAGE"].data.sum() == pytest.approx(1.0, abs=1e-9)


def test_bright_sources_lie_in_the_middle(records, lsst_night):
    names = np.array(lsst_night.model_names)[
        lsst_night.model_code[lsst_night.point_source[lsst_night.alert_points]]
    ]
    seen = 0
    for name, r in zip(names, records, strict=True):
        if name == "bogus" or r["diaSource"]["snr"] < 25.0:
            continue
        seen += 1
        with fits.open(io.BytesIO(r["cutoutDifference"])) as file:
            image = np.abs(file[0].data)
        assert image[12:19, 12:19].max() == image.max()
    assert seen > 20
