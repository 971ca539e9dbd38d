"""Hosts of real supernovae in the real OpenNGC, where its package is installed."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from services.xmatch.catalog_store import open_catalogs
from services.xmatch.crossmatch import crossmatch
from services.xmatch.describe import describe
from services.xmatch.surroundings import surroundings_of

PACKETS = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "ztf/pittgoogle_84.tar.xz"


@pytest.fixture(scope="module")
def openngc(tmp_path_factory):
    pytest.importorskip("pyongc")
    return open_catalogs("openngc", tmp_path_factory.mktemp("catalogs"))


def places_of_sn_2021rhu():
    fastavro = pytest.importorskip("fastavro")
    if not PACKETS.is_file():
        pytest.skip(f"{PACKETS} is not there; set TOCSIN_DATA to the folder of real packets")
    with tarfile.open(PACKETS) as archive:
        for member in archive:
            if "ZTF21abiuvdk" in member.name and member.name.endswith(".avro"):
                content = io.BytesIO(archive.extractfile(member).read())
                for packet in fastavro.reader(content):
                    yield packet["candidate"]["ra"], packet["candidate"]["dec"]


def test_sn_2021rhu_is_in_ngc_7814(openngc, alerts_at):
    places = list(places_of_sn_2021rhu())
    assert len(places) == 34
    batch = describe(crossmatch(alerts_at(places), openngc, 5), surroundings_of(openngc))
    for hosts, context in zip(
        batch.column("hosts").to_pylist(), batch.column("context").to_pylist(), strict=True
    ):
        assert [host["source_id"] for host in hosts] == ["NGC7814"]
        assert hosts[0]["separation_arcsec"] == pytest.approx(7.8, abs=0.5)
        assert 0.05 < hosts[0]["d_dlr"] < 0.2
        assert hosts[0]["redshift"] == pytest.approx(0.0035, abs=1e-4)
        assert context["class"] in {"SN", None}


def test_the_magellanic_clouds_claim_nothing_and_m31_its_disc(openngc, alerts_at):
    lmc, smc, m31_disc, beside_m31 = (79.0, -68.0), (13.5, -72.5), (11.6, 42.0), (14.0, 41.0)
    batch = crossmatch(alerts_at([lmc, smc, m31_disc, beside_m31]), openngc, 5)
    batch = describe(batch, surroundings_of(openngc))
    hosts = [[h["source_id"] for h in row] for row in batch.column("hosts").to_pylist()]
    assert hosts[0][-1] == "ESO056-115"
    assert hosts[2] == ["NGC0224"]
    assert hosts[3] == []
    redshift = batch.column("redshift").to_pylist()
    assert redshift[0] is None
    assert redshift[2]["value"] == pytest.approx(-0.001)
