from __future__ import annotations

import time

import pytest

from services.xmatch.catalogs.own import OwnList, own_catalog
from services.xmatch.serving import Serving
from services.xmatch.store import versions
from services.xmatch.store.importing import Order, import_catalog

MINE = own_catalog("my_list", OwnList(radius_arcsec=2.0, source_id="name"))


def put(tmp_path, name, release):
    path = tmp_path / f"{release}.csv"
    path.write_text(f"ra,dec,name\n1,1,{name}\n")
    return import_catalog(Order(MINE, [path], release), tmp_path / "c")


def seen(indexes):
    return [(i.version, i.sources.names([0])[0].as_py()) for i in indexes]


def test_takes_new_versions_up(tmp_path):
    first = put(tmp_path, "a", "v1")
    serving = Serving("my_list", tmp_path / "c", seen)
    assert serving.current == [(first.version, "a")]
    assert not serving.look()
    second = put(tmp_path, "b", "v2")
    assert serving.current == [(first.version, "a")]
    assert serving.look()
    assert serving.current == [(second.version, "b")]
    versions.remove(tmp_path / "c", versions.find(tmp_path / "c", "my_list"))
    assert serving.look()
    assert serving.current == [(first.version, "a")]


def test_looks_by_itself_and_survives_what_is_damaged(tmp_path):
    put(tmp_path, "a", "v1")
    serving = Serving("my_list", tmp_path / "c", seen, look_every_s=0.02)
    serving.follow()
    try:
        second = put(tmp_path, "b", "v2")
        deadline = time.monotonic() + 20
        while serving.current != [(second.version, "b")] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert serving.current == [(second.version, "b")]
    finally:
        serving.stop()


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(ValueError, match="no catalog is named"):
        Serving("nonsense", tmp_path, seen)
