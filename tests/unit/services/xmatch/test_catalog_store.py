from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from structlog.testing import capture_logs

from services.xmatch import catalog_store
from services.xmatch.catalog_index import DamagedIndexError, open_index
from services.xmatch.catalogs import CATALOGS, PACKAGED
from services.xmatch.catalogs.base import CatalogUnavailableError, PackageFile
from services.xmatch.catalogs.packaged import SourceFile, packaged_file
from services.xmatch.indexing import index_rows, save_index
from services.xmatch.store.tables import read_tables


def everything(index):
    return index.sources.take(range(len(index.positions))).to_pylist()


@pytest.fixture
def sources(monkeypatch, sample_of, tmp_path):
    """Stand-ins for the packages: sample files, and a count of how often each was read."""
    paths, reads = {}, []
    catalogs = {}
    for name, catalog in CATALOGS.items():
        paths[name] = tmp_path / f"{name}.sample"
        sample_of(name).write(paths[name])

        def rows(table, name=name, catalog=catalog):
            reads.append(name)
            return catalog.rows(table)

        catalogs[name] = replace(catalog, rows=rows)
    monkeypatch.setattr(catalog_store, "CATALOGS", catalogs)
    monkeypatch.setattr(
        catalog_store, "packaged_file", lambda c: SourceFile((paths[c.name],), "sample-1")
    )
    return paths, reads


def test_builds_once_and_anew_when_the_file_changes(sources, tmp_path):
    paths, reads = sources
    first = catalog_store.open_catalogs(["vsx", "gcvs"], tmp_path / "indexes")
    assert [index.name for index in first] == ["vsx", "gcvs"]
    again = catalog_store.open_catalogs(["vsx", "gcvs"], tmp_path / "indexes")
    assert reads == ["vsx", "gcvs"]
    assert everything(again[0]) == everything(first[0])
    paths["vsx"].write_bytes(paths["gcvs"].read_bytes())
    with capture_logs() as logs:
        left = catalog_store.open_catalogs(["vsx", "gcvs"], tmp_path / "indexes")
    assert [index.name for index in left] == ["gcvs"]
    assert [entry["event"] for entry in logs] == ["catalog_unavailable"]


def test_provenance_says_what_was_read(sources, tmp_path):
    catalog_store.open_catalogs(["openngc"], tmp_path / "indexes")
    (folder,) = (tmp_path / "indexes" / "packages").iterdir()
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["rows"] == 3
    assert provenance["bad_rows"] == 1
    assert provenance["left_out"] == {"Dup": 1, "NonEx": 1}
    assert len(provenance["source_sha256"]) == 64
    assert provenance["licence"] == "CC-BY-SA-4.0"


@pytest.mark.parametrize("damage", ["vectors.npy", "sources/source_id.bytes", "provenance.json"])
def test_a_damaged_index_is_refused_and_built_anew(sources, tmp_path, damage):
    _, reads = sources
    (index,) = catalog_store.open_catalogs(["gcvs"], tmp_path / "indexes")
    expected = everything(index)
    (folder,) = (tmp_path / "indexes" / "packages").iterdir()
    (folder / damage).write_bytes((folder / damage).read_bytes()[:-9])
    with pytest.raises(DamagedIndexError, match=folder.name):
        open_index(folder)
    (mended,) = catalog_store.open_catalogs(["gcvs"], tmp_path / "indexes")
    assert reads == ["gcvs", "gcvs"]
    assert everything(mended) == expected


def test_who_comes_second_leaves_the_first_ones_folder(sources, tmp_path, sample_of):
    catalog = CATALOGS["gcvs"]
    sample_of("gcvs").write(tmp_path / "rows")
    (table,) = read_tables(catalog, tmp_path / "rows")
    index = index_rows(catalog, catalog.rows(table), "sample-1")
    save_index(index, tmp_path / "a" / "gcvs")
    save_index(index, tmp_path / "a" / "gcvs")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["gcvs"]
    assert len(open_index(tmp_path / "a" / "gcvs").positions) == 2


def test_rows_are_mapped_not_read(sources, tmp_path):
    (index,) = catalog_store.open_catalogs(["vsx"], tmp_path / "indexes")
    assert isinstance(index.positions.vectors.base, np.memmap)
    assert not index.positions.vectors.flags.writeable


def test_a_missing_package_is_named_with_its_mend():
    absent = replace(
        CATALOGS["vsx"], package=PackageFile("no-such-distribution", ("x",), "pip install it")
    )
    with pytest.raises(CatalogUnavailableError, match=r"no-such-distribution.*pip install"):
        packaged_file(absent)
    moved = replace(
        CATALOGS["openngc"], package=PackageFile("numpy", ("numpy/absent.db",), "pip install numpy")
    )
    with pytest.raises(CatalogUnavailableError, match=r"has no numpy/absent\.db"):
        packaged_file(moved)


def test_refuses_names_that_are_not_registered(tmp_path):
    with pytest.raises(ValueError, match="no catalog is named 'sinbad'"):
        catalog_store.open_catalogs(["sinbad"], tmp_path)


def test_a_catalog_nobody_imported_is_skipped_with_its_mend(tmp_path):
    with capture_logs() as logs:
        assert catalog_store.open_catalogs(["simbad"], tmp_path) == []
    assert "tocsin catalogs import simbad" in logs[0]["error"]


def test_all_means_packages_and_imports(tmp_path):
    (tmp_path / "my_list").mkdir()
    (tmp_path / "my_list" / "current").write_text("v1\n")
    assert catalog_store.names_of("all", tmp_path) == [*PACKAGED, "my_list"]
    assert catalog_store.names_of(" vsx, all,vsx", tmp_path)[0] == "vsx"
