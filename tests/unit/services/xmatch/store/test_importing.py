from __future__ import annotations

import gzip
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.xmatch import catalog_store
from services.xmatch.catalog_index import open_index
from services.xmatch.catalog_store import open_catalogs, open_named
from services.xmatch.catalogs.base import CatalogUnavailableError
from services.xmatch.catalogs.own import OwnList, own_catalog
from services.xmatch.indexing import index_rows
from services.xmatch.store import versions
from services.xmatch.store.importing import Order, import_catalog
from services.xmatch.store.tables import read_tables
from services.xmatch.store.verifying import verify
from shared.sky.cone_search import Queries, cone_search

ROWS = 20_000


@pytest.fixture
def stars(tmp_path):
    """Stars all over the sky with proper motions, some in one crowded place, in a Parquet file."""
    rng = np.random.default_rng(5)
    ra = rng.uniform(0, 360, ROWS)
    dec = np.degrees(np.arcsin(rng.uniform(-1, 1, ROWS)))
    ra[:5_000] = 80.0 + rng.normal(0, 0.1, 5_000)
    dec[:5_000] = -69.0 + rng.normal(0, 0.05, 5_000)
    table = pa.table(
        {
            "ra": ra,
            "dec": dec,
            "name": [f"star {row}" for row in range(ROWS)],
            "kind": [None if row % 3 else "RR Lyrae" for row in range(ROWS)],
            "pmra": np.where(rng.uniform(size=ROWS) < 0.5, 0.0, rng.normal(0, 300, ROWS)),
            "pmdec": rng.normal(0, 300, ROWS),
            "gmag": np.where(np.arange(ROWS) % 7, rng.uniform(10, 20, ROWS), np.nan),
        }
    )
    pq.write_table(table, tmp_path / "stars.parquet")
    return tmp_path / "stars.parquet"


OWN = OwnList(
    radius_arcsec=30.0,
    source_id="name",
    source_class="kind",
    columns={"pm_ra_masyr": "pmra", "pm_dec_masyr": "pmdec", "g_mag": "gmag"},
    kind="stars",
)
STARS = own_catalog("my_stars", OWN)


def test_partitions_make_the_same_index_as_memory_does(stars, tmp_path):
    one = import_catalog(Order(STARS, [stars], "v1"), tmp_path / "catalogs", most_rows=700)
    (table,) = read_tables(STARS, stars)
    expected = index_rows(STARS, STARS.rows(table), one.version)
    got = open_index(one.index)
    assert verify(one) == []
    for name in ("cells29", "vectors", "reach_rad", "bucket_start", "layer_motion_start"):
        ours, theirs = getattr(got.positions, name), getattr(expected.positions, name)
        assert np.array_equal(ours, theirs), name
    # Proper motions are spilled in single precision.
    assert got.positions.motion == pytest.approx(expected.positions.motion, rel=1e-5, abs=1e-12)
    every = range(ROWS)
    assert got.sources.take(every).equals(expected.sources.take(every))
    assert np.array_equal(got.photometry["g_mag"], expected.photometry["g_mag"], equal_nan=True)
    queries = Queries.at([80.0, 200.0], [-69.0, 10.0], 2026.0)
    assert np.array_equal(
        cone_search(got.positions, queries).row, cone_search(expected.positions, queries).row
    )
    orders = {line.split(",")[0] for line in (one.hats / "partition_info.csv").open()}
    assert len(orders - {"Norder"}) > 1, "the crowd was not parted further than the rest"


def test_hats_opens_it(stars, tmp_path):
    hats = pytest.importorskip("hats", reason="install the extra hats-check to run this")
    validation = pytest.importorskip("hats.io.validation")
    one = import_catalog(Order(STARS, [stars], "v1"), tmp_path / "catalogs", most_rows=700)
    assert validation.is_valid_catalog(one.hats, strict=True)
    assert hats.read_hats(one.hats).catalog_info.total_rows == ROWS


def test_a_hats_catalog_can_be_imported_again(stars, tmp_path):
    one = import_catalog(Order(STARS, [stars], "v1"), tmp_path / "catalogs", most_rows=700)
    own = OwnList(radius_arcsec=30.0, ra="ra_deg", dec="dec_deg", source_id="source_id")
    again = own_catalog("copied", own)
    two = import_catalog(Order(again, [one.hats], "v1"), tmp_path / "catalogs")
    assert two.manifest()["rows"] == ROWS


def csv(path, lines):
    path.write_text("ra,dec,name\n" + "".join(line + "\n" for line in lines))
    return path


SIMPLE = own_catalog("my_list", OwnList(radius_arcsec=2.0, source_id="name"))


def test_bad_rows_are_counted_and_named(tmp_path):
    lines = ["10,10,a", "nan,10,b", "20,-5,c", "30,95,d", "1e3,0,e", ",,f", "00:40:00,-05:30:00,g"]
    lines += [f"{n},0,x{n}" for n in range(9)]
    one = import_catalog(Order(SIMPLE, [csv(tmp_path / "l.csv", lines)], "v1"), tmp_path / "c")
    about = one.manifest()
    assert (about["rows_read"], about["rows"], about["bad_rows"]) == (16, 12, 4)
    assert [row.split(":")[0] for row in about["first_bad_rows"]] == [
        "l.csv row 2", "l.csv row 4", "l.csv row 5", "l.csv row 6"]  # fmt: skip
    index = open_named("my_list", tmp_path / "c")
    found = cone_search(index.positions, Queries.at(10.0, -5.5))
    assert index.sources.names(found.row).to_pylist() == ["g"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"ra,dec,name\n10,10,a\n20,20\n30,30,c\n", "row"),
        (gzip.compress(b"ra,dec,name\n" + b"10,10,aaaa\n" * 9_000, mtime=0)[:-30], "unpacked"),
        (b"RA_deg,DE_deg\n1,2\n", "no column ra"),
        (b"ra,dec,name\nx,y,a\n,,b\n", "2 of 2 rows have no position"),
        (b"ra,dec,name\n", "Empty CSV file"),
    ],
)
def test_a_damaged_file_is_refused_and_nothing_changes(tmp_path, content, told):
    (tmp_path / "bad.csv").write_bytes(content)
    with pytest.raises(CatalogUnavailableError, match=told) as refused:
        import_catalog(Order(SIMPLE, [tmp_path / "bad.csv"], "v1"), tmp_path / "c")
    assert "bad.csv" in str(refused.value) or "rows have no position" in str(refused.value)
    assert not (tmp_path / "c" / "my_list").exists()


def test_a_cut_fits_file_is_refused_with_its_row(tmp_path):
    table = pytest.importorskip("astropy.table").Table
    rows = {"ra": np.arange(1000.0) % 360, "dec": np.zeros(1000), "name": ["a"] * 1000}
    table(rows).write(tmp_path / "t.fits")
    whole = (tmp_path / "t.fits").read_bytes()
    (tmp_path / "t.fits").write_bytes(whole[:12_000])
    with pytest.raises(CatalogUnavailableError, match=r"t\.fits.*ends in row \d+ of the 1000"):
        import_catalog(Order(SIMPLE, [tmp_path / "t.fits"], "v1"), tmp_path / "c")


def test_packed_fits_is_refused_with_its_mend(tmp_path):
    (tmp_path / "t.fits.gz").write_bytes(gzip.compress(b"SIMPLE  =                    T" * 99))
    with pytest.raises(CatalogUnavailableError, match="unpack it first"):
        import_catalog(Order(SIMPLE, [tmp_path / "t.fits.gz"], "v1"), tmp_path / "c")


def test_all_leaves_out_lists_of_single_users(tmp_path, monkeypatch):
    folder = tmp_path / "c"
    private = own_catalog("mine", OwnList(radius_arcsec=2.0, kind="watchlist"))
    import_catalog(Order(private, [csv(tmp_path / "o.csv", ["5,5,o"])], "v1"), folder)
    import_catalog(Order(SIMPLE, [csv(tmp_path / "a.csv", ["1,1,a"])], "v1"), folder)
    assert [index.name for index in open_catalogs("mine", folder)] == ["mine"]
    monkeypatch.setattr(catalog_store, "PACKAGED", ())
    found = {index.name for index in open_catalogs("all", folder)}
    assert found == {"my_list"}


def test_a_votable_with_entities_is_refused(tmp_path):
    (tmp_path / "t.xml").write_text('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><VOTABLE/>')
    with pytest.raises(CatalogUnavailableError, match="entities"):
        import_catalog(Order(SIMPLE, [tmp_path / "t.xml"], "v1"), tmp_path / "c")


def test_versions_lie_side_by_side(tmp_path):
    folder = tmp_path / "c"
    first = import_catalog(Order(SIMPLE, [csv(tmp_path / "a.csv", ["1,1,a"])], "v1"), folder)
    with pytest.raises(CatalogUnavailableError, match="already imported"):
        import_catalog(Order(SIMPLE, [tmp_path / "a.csv"], "v1"), folder)
    old = open_named("my_list", folder)
    second = import_catalog(Order(SIMPLE, [csv(tmp_path / "b.csv", ["2,2,b"])], "v2"), folder)
    assert [one.version for one in versions.imported(folder, "my_list")] == [
        first.version, second.version]  # fmt: skip
    assert open_named("my_list", folder).version == second.version
    assert versions.remove(folder, versions.find(folder, "my_list")) == first.version
    assert open_named("my_list", folder).sources.names([0]).to_pylist() == ["a"]
    assert versions.remove(folder, versions.find(folder, "my_list")) is None
    assert old.sources.names([0]).to_pylist() == ["a"], "what is mapped stays"
    assert not (folder / "my_list").exists()


def test_several_files_must_have_the_same_columns(tmp_path):
    both = replace(SIMPLE, columns=())
    own = own_catalog("my_list", OwnList(2.0, columns={"redshift": "z"}))
    (tmp_path / "a.csv").write_text("ra,dec,z\n1,1,0.1\n")
    (tmp_path / "b.csv").write_text("ra,dec\n2,2\n")
    with pytest.raises(CatalogUnavailableError, match=r"b\.csv.*lacks redshift"):
        import_catalog(Order(own, [tmp_path / "a.csv", tmp_path / "b.csv"], "v1"), tmp_path / "c")
    assert both.columns == ()


@pytest.mark.parametrize(
    "part", ["index/cells29.npy", "index/sources/source_id.bytes", "hats/dataset/_metadata"]
)
def test_verify_finds_one_changed_byte(tmp_path, part):
    folder = tmp_path / "c"
    one = import_catalog(Order(SIMPLE, [csv(tmp_path / "a.csv", ["1,1,a", "2,2,b"])], "v1"), folder)
    path = one.folder / part
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    (wrong,) = verify(one)
    assert str(path) in wrong


def test_a_damaged_version_is_skipped_while_others_are_served(tmp_path):
    folder = tmp_path / "c"
    other = own_catalog("other", OwnList(radius_arcsec=2.0))
    import_catalog(Order(other, [csv(tmp_path / "o.csv", ["5,5,o"])], "v1"), folder)
    one = import_catalog(Order(SIMPLE, [csv(tmp_path / "a.csv", ["1,1,a"])], "v1"), folder)
    (one.index / "vectors.npy").write_bytes(b"")
    with pytest.raises(CatalogUnavailableError, match=r"damaged.*tocsin catalogs import my_list"):
        open_named("my_list", folder)
    assert [index.name for index in open_catalogs("my_list,other", folder)] == ["other"]


def test_the_manifest_says_where_it_comes_from(tmp_path):
    path = csv(tmp_path / "a.csv", ["1,1,a"])
    one = import_catalog(Order(SIMPLE, [path], "2026-11"), tmp_path / "c")
    about = json.loads((one.folder / "manifest.json").read_text())
    assert about["sources"][0]["file"] == "a.csv"
    assert len(about["sources"][0]["sha256"]) == 64
    assert about["version"] == one.version == f"2026-11-{one.version[-8:]}"
    assert {"reference", "licence", "epoch_year", "imported", "release"} <= set(about)
