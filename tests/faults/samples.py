"""Packets to make faults of: real ones where there are any, simulated ones otherwise."""

from __future__ import annotations

import importlib.metadata
from functools import cache

from bench.workload import templates
from tests.system.mesh import MeshError


@cache
def ztf_templates() -> list[bytes]:
    """ZTF packets to copy."""
    packets, _ = templates("ztf")
    return packets


@cache
def official_sample(major: int, minor: int) -> bytes:
    """LSST's own made-up sample of one version of its schema: read as data, never imported."""
    wanted = f"lsst/alert/packet/schema/{major}/{minor}/sample_data/fakeAlert.avro"
    for file in importlib.metadata.files("lsst-alert-packet") or []:
        if str(file) == wanted:
            return file.read_binary()
    raise MeshError(f"lsst-alert-packet has no {wanted}")
