"""The real catalogs, where their packages are installed, at places whose answer is known."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from services.xmatch.catalog_store import open_catalog
from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.catalogs.packaged import packaged_file
from services.xmatch.crossmatch import crossmatch

PACKETS = Path(os.environ.get("TOCSIN_DATA", "../shared/data")) / "ztf/pittgoogle_84.tar.xz"


def real(name, folder):
    catalog = CATALOGS[name]
    try:
        packaged_file(catalog)
    except CatalogUnavailableError as error:
        pytest.skip(str(error))
    return open_catalog(catalog, folder)


def packets_of_sn_2021rhu():
    fastavro = pytest.importorskip("fastavro")
    if not PACKETS.is_file():
        pytest.skip(f"{PACKETS} is not there; set TOCSIN_DATA to the folder of real packets")
    with tarfile.open(PACKETS) as archive:
        for member in archive:
            if "ZTF21abiuvdk" in member.name and member.name.endswith(".avro"):
                yield from fastavro.reader(io.BytesIO(archive.extractfile(member).read()))


@pytest.mark.parametrize("name", ["openngc", "gcvs"])
def test_size_of_the_release(name, tmp_path):
    index = real(name, tmp_path)
    rows = {"openngc": 13_371, "gcvs": 59_099}[name]
    if index.version in {"PyOngc-1.2.2", "fink-science-7.4.0"}:
        assert len(index.positions) == rows
    assert index.provenance["bad_rows"] == 0


def test_sn_2021rhu_is_in_ngc_7814(tmp_path, alerts_at):
    index = real("openngc", tmp_path)
    packets = list(packets_of_sn_2021rhu())
    places = [(p["candidate"]["ra"], p["candidate"]["dec"]) for p in packets]
    assert len(places) == 34
    batch = crossmatch(alerts_at(places), [index], 5)
    for matches in batch.strings("matches"):
        assert [m["source_id"] for m in matches] == ["NGC7814"]
        assert matches[0]["source_class"] == "Galaxy"
        assert matches[0]["separation_arcsec"] == pytest.approx(7.8, abs=0.5)
        assert matches[0]["redshift"] == pytest.approx(0.0035, abs=1e-4)
    assert np.allclose(batch.floats("galactic_latitude_deg"), -45.17, atol=0.01)


def test_well_known_places(tmp_path, alerts_at):
    openngc = real("openngc", tmp_path)
    # M31's nucleus, its disc a degree away, and a field without any NGC object.
    batch = crossmatch(alerts_at([(10.6847, 41.2688), (11.6, 42.0), (203.2, -12.3)]), [openngc], 5)
    names = [[m["source_id"] for m in matches] for matches in batch.strings("matches")]
    assert names[0][0] == "NGC0224"
    assert "NGC0224" in names[1]
    assert names[2] == []
    gcvs = real("gcvs", tmp_path)
    mira = crossmatch(alerts_at([(34.83663, -2.97764)]), [gcvs], 5).strings("matches")[0]
    assert mira[0]["source_class"] == "M"
    # Its companion VZ Cet, half an arcsecond away, is a row of its own.
    assert len(mira) == 2
