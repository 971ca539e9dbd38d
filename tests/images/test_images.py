"""Every service from its own image: built, started locked down, live, and drained by SIGTERM.

The base is Debian's own Python 3.11, a stand-in for the official image, which no package registry
serves; the images are made from nothing (``FROM scratch``), so that little of it is in them.
"""

from __future__ import annotations

import os
import time

import pytest

from shared.settings import ServiceSettings
from tests.images.engine import Container, Engine
from tests.images.groups import members

SERVICES = os.environ.get(
    "TOCSIN_TEST_IMAGES_OF", "ingest,xmatch,classify,mma,distribute,archive,portal,river,learning"
).split(",")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_from_its_image_and_drains(
    engine: Engine, settings: ServiceSettings, variables: dict[str, str], service: str
) -> None:
    engine.build(service)
    with Container(engine, service, variables) as container:
        ready_s = container.wait_ready()
        container.within("healthy.py")
        assert container.within("python", "-c", "import os; print(os.getuid())") == "10001"
        began = time.monotonic()
        container.terminate()
        assert container.wait_ended() == 0, container.said()
        drained_s = time.monotonic() - began
    assert members(settings) == 0, "left in a group"
    unpacked, fetched = engine.size_mb(service), engine.compressed_mb(service)
    print(f"\n| {service} | {unpacked:.0f} | {fetched:.0f} | {ready_s:.0f} | {drained_s:.1f} |")
