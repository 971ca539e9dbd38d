"""Samples of every survey, made here, and the shelf's real packets where there are any."""

import io
import os
from pathlib import Path

import fastavro
import numpy as np
import orjson
import pytest

from shared.kafka.records import Packet
from shared.packets.containers import write_container

CANDIDATE = {
    "type": "record",
    "name": "ztf.alert.candidate",
    "fields": [
        {"name": "jd", "type": "double"},
        {"name": "fid", "type": "int"},
        {"name": "pid", "type": "long"},
        {"name": "diffmaglim", "type": ["null", "float"]},
        {"name": "pdiffimfilename", "type": ["null", "string"]},
        {"name": "isdiffpos", "type": "string"},
        {"name": "ra", "type": "double"},
        {"name": "dec", "type": "double"},
        {"name": "magpsf", "type": "float"},
        {"name": "sigmapsf", "type": "float"},
        {"name": "distnr", "type": ["null", "float"]},
        {"name": "rb", "type": ["null", "float"]},
        {"name": "ssdistnr", "type": ["null", "float"]},
        {"name": "ssnamenr", "type": ["null", "string"]},
        {"name": "exptime", "type": ["null", "float"]},
        {"name": "drb", "type": ["null", "float"]},
        {"name": "objectidps1", "type": ["null", "long"]},
    ],
}
PRV_CANDIDATE = {
    "type": "record",
    "name": "ztf.alert.prv_candidate",
    "fields": [
        {"name": "jd", "type": "double"},
        {"name": "fid", "type": "int"},
        {"name": "diffmaglim", "type": ["null", "float"]},
        {"name": "isdiffpos", "type": ["null", "string"]},
        {"name": "magpsf", "type": ["null", "float"]},
        {"name": "sigmapsf", "type": ["null", "float"]},
    ],
}
FP_HIST = {
    "type": "record",
    "name": "ztf.alert.fp_hist",
    "fields": [
        {"name": "fid", "type": "int"},
        {"name": "magzpsci", "type": ["null", "float"]},
        {"name": "exptime", "type": ["null", "float"]},
        {"name": "jd", "type": "double"},
        {"name": "forcediffimflux", "type": ["null", "float"]},
        {"name": "forcediffimfluxunc", "type": ["null", "float"]},
    ],
}
ZTF_SCHEMA = {
    "type": "record",
    "name": "alert",
    "namespace": "ztf",
    "version": "4.02",
    "fields": [
        {"name": "schemavsn", "type": "string"},
        {"name": "publisher", "type": "string"},
        {"name": "objectId", "type": "string"},
        {"name": "candid", "type": "long"},
        {"name": "candidate", "type": CANDIDATE},
        {"name": "prv_candidates", "type": ["null", {"type": "array", "items": PRV_CANDIDATE}]},
        {"name": "fp_hists", "type": ["null", {"type": "array", "items": FP_HIST}]},
        {
            "name": "cutoutScience",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "cutout",
                    "fields": [
                        {"name": "fileName", "type": "string"},
                        {"name": "stampData", "type": "bytes"},
                    ],
                },
            ],
        },
    ],
}
DIA_SOURCE = {
    "type": "record",
    "name": "diaSource",
    "fields": [
        {"name": "diaSourceId", "type": "long"},
        {"name": "diaObjectId", "type": ["null", "long"]},
        {"name": "ssObjectId", "type": ["null", "long"]},
        {"name": "midpointMjdTai", "type": "double"},
        {"name": "ra", "type": "double"},
        {"name": "dec", "type": "double"},
        {"name": "psfFlux", "type": ["null", "float"]},
        {"name": "psfFluxErr", "type": ["null", "float"]},
        {"name": "reliability", "type": ["null", "float"]},
        {"name": "band", "type": ["null", "string"]},
        {"name": "isDipole", "type": ["null", "boolean"]},
        {"name": "timeWithdrawnMjdTai", "type": ["null", "double"]},
    ],
}
FORCED = {
    "type": "record",
    "name": "diaForcedSource",
    "fields": [
        {"name": "psfFlux", "type": ["null", "float"]},
        {"name": "psfFluxErr", "type": ["null", "float"]},
        {"name": "midpointMjdTai", "type": "double"},
        {"name": "band", "type": ["null", "string"]},
    ],
}
LIMIT = {
    "type": "record",
    "name": "diaNondetectionLimit",
    "fields": [
        {"name": "midpointMjdTai", "type": "double"},
        {"name": "band", "type": "string"},
        {"name": "diaNoise", "type": "float"},
    ],
}
DIA_OBJECT = {
    "type": "record",
    "name": "diaObject",
    "fields": [
        {"name": "diaObjectId", "type": "long"},
        {"name": "nDiaSources", "type": "int"},
        {"name": "g_psfFluxMean", "type": ["null", "float"]},
    ],
}
LSST_SCHEMA = {
    "type": "record",
    "name": "alert",
    "namespace": "lsst.v10_0",
    "fields": [
        {"name": "diaSourceId", "type": "long"},
        {"name": "observation_reason", "type": ["null", "string"]},
        {"name": "target_name", "type": ["null", "string"]},
        {"name": "diaSource", "type": DIA_SOURCE},
        {"name": "prvDiaSources", "type": ["null", {"type": "array", "items": "diaSource"}]},
        {"name": "prvDiaForcedSources", "type": ["null", {"type": "array", "items": FORCED}]},
        {"name": "prvDiaNondetectionLimits", "type": ["null", {"type": "array", "items": LIMIT}]},
        {"name": "diaObject", "type": ["null", DIA_OBJECT]},
        {"name": "cutoutDifference", "type": ["null", "bytes"]},
    ],
}


def encode(schema, record):
    out = io.BytesIO()
    fastavro.schemaless_writer(
        out, fastavro.parse_schema(orjson.loads(orjson.dumps(schema))), record
    )
    return out.getvalue()


def ztf_packet(*, top=None, prv=(), fp=(), schema=ZTF_SCHEMA, **candidate):
    """A ZTF packet as a container; keywords override the candidate."""
    row = {
        "jd": 2460229.5, "fid": 1, "pid": 7, "diffmaglim": 20.5, "pdiffimfilename": None,
        "isdiffpos": "t", "ra": 120.25, "dec": -30.5, "magpsf": 18.9, "sigmapsf": 0.1,
        "distnr": -999.0, "rb": 0.5, "ssdistnr": -999.0, "ssnamenr": "null", "exptime": 30.0,
        "drb": 0.75, "objectidps1": -999,
    }  # fmt: skip
    record = {
        "schemavsn": "4.02", "publisher": "ZTF (www.ztf.caltech.edu)", "objectId": "ZTF18abcdefg",
        "candid": 2475433850015010009, "candidate": row | candidate, "prv_candidates": list(prv),
        "fp_hists": list(fp), "cutoutScience": {"fileName": "x.fits", "stampData": b"\xff" * 900},
    }  # fmt: skip
    return write_container(orjson.dumps(schema), encode(schema, record | (top or {})))


def lsst_record(*, top=None, prv=(), forced=(), limits=(), **source):
    """A record of ``LSST_SCHEMA``; keywords override the diaSource."""
    row = {
        "diaSourceId": 169813007065939970, "diaObjectId": 169813007065939001, "ssObjectId": 0,
        "midpointMjdTai": 61041.25, "ra": 149.5, "dec": 1.25, "psfFlux": -1500.5,
        "psfFluxErr": 250.25, "reliability": 0.5, "band": "i", "isDipole": False,
        "timeWithdrawnMjdTai": None,
    }  # fmt: skip
    record = {
        "diaSourceId": 169813007065939970, "observation_reason": "ddf_cosmos", "target_name": None,
        "diaSource": row | source, "prvDiaSources": [row | p for p in prv],
        "prvDiaForcedSources": list(forced), "prvDiaNondetectionLimits": list(limits),
        "diaObject": {"diaObjectId": 5, "nDiaSources": 3, "g_psfFluxMean": 1.5},
        "cutoutDifference": b"\x00" * 900,
    }  # fmt: skip
    return record | (top or {})


def lsst_packet(**keywords):
    """An LSST packet as a Confluent message of schema 1000, which the book below knows."""
    return b"\x00" + (1000).to_bytes(4, "big") + encode(LSST_SCHEMA, lsst_record(**keywords))


SAMPLES = {"ztf": ztf_packet, "lsst": lsst_packet}
"""For every survey of the registry a function that makes a sound packet."""


@pytest.fixture(scope="session")
def samples():
    return SAMPLES


@pytest.fixture
def book():
    from services.ingest.framing import SchemaBook

    return SchemaBook(lambda _: orjson.dumps(LSST_SCHEMA))


@pytest.fixture
def packets_of():
    def make(*payloads, topic="ztf_alerts"):
        return [Packet(topic, 0, i, 1_700_000_000_000, None, p) for i, p in enumerate(payloads)]

    return make


@pytest.fixture
def normalised(book, packets_of):
    """Alerts of payloads, all of which must be accepted, as a list of rows."""
    from services.ingest.normalise import normalise

    def run(*payloads):
        result = normalise(packets_of(*payloads), book, None, 1_700_000_000_500)
        assert not result.refused, result.refused
        assert len(result.batches) == 1
        result.batches[0].batch.record_batch.validate(full=True)
        return result.batches[0].batch.record_batch.to_pylist()

    return run


@pytest.fixture
def refused(book, packets_of):
    """Reason of one payload, which must be refused."""
    from services.ingest.normalise import normalise

    def run(payload):
        result = normalise(packets_of(payload), book, None, 0)
        assert not result.batches
        assert len(result.refused) == 1
        return result.refused[0]

    return run


@pytest.fixture(scope="session")
def shelf():
    folder = Path(os.environ.get("TOCSIN_DATA", "../shared/data"))
    if not (folder / "ztf").is_dir():
        pytest.skip(f"no real packets at {folder}; set TOCSIN_DATA")
    return folder


@pytest.fixture(scope="session")
def ends():
    """Starts and ends of whole payloads, as decode wants them."""

    def make(payloads):
        return np.zeros(len(payloads), np.int64), np.array([len(p) for p in payloads], np.int64)

    return make
