"""What holds for every registered catalog, shown on its sample."""

from __future__ import annotations

import importlib

import numpy as np
import pyarrow as pa
import pytest

from services.xmatch.catalog_index import open_index
from services.xmatch.catalog_store import open_named
from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import NUMERIC_COLUMNS, CatalogUnavailableError
from services.xmatch.crossmatch import crossmatch
from services.xmatch.indexing import index_rows, save_index
from services.xmatch.store.importing import Order, import_catalog
from services.xmatch.store.tables import read_tables
from services.xmatch.store.verifying import verify
from shared.sky.cone_search import Queries, cone_search

pytestmark = pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)


def rows_of(catalog, path):
    (table,) = read_tables(catalog, path)
    return catalog.rows(table)


def first_row(index, sample):
    """The row of the first place that matches one source only."""
    for place, expected in sample.EXPECTED:
        if len(expected) == 1:
            found = cone_search(index.positions, Queries.at(*place))
            return int(found.row[0])
    raise AssertionError("no place of the sample matches one source only")


def check_matches(index, sample, alerts_at, version):
    batch = crossmatch(alerts_at([place for place, _ in sample.EXPECTED]), [index], 5)
    batch.record_batch.validate(full=True)
    tolerance = getattr(sample, "TOLERANCE_ARCSEC", 2e-3)
    for matches, (place, expected) in zip(batch.strings("matches"), sample.EXPECTED, strict=True):
        found = [(m["source_id"], m["source_class"]) for m in matches]
        assert found == [(name, kind) for name, kind, _ in expected], place
        separations = [m["separation_arcsec"] for m in matches]
        assert separations == pytest.approx([s for *_, s in expected], abs=tolerance)
        assert {m["catalog"] for m in matches} <= {index.name}
        assert {m["catalog_version"] for m in matches} <= {version}


def check_columns(index, sample):
    row = first_row(index, sample)
    for name, expected in sample.ROW.items():
        assert index.columns[name][row] == pytest.approx(expected, rel=1e-5), name
    for name, expected in sample.PHOTOMETRY.items():
        assert index.photometry[name][row] == pytest.approx(expected, rel=1e-5), name


def test_sample_is_matched_as_expected(catalog, sample_of, alerts_at, tmp_path):
    sample = sample_of(catalog.name)
    sample.write(tmp_path / "sample")
    rows = rows_of(catalog, tmp_path / "sample")
    save_index(index_rows(catalog, rows, "sample-1"), tmp_path / "index")
    index = open_index(tmp_path / "index")
    assert index.kind == catalog.kind
    assert index.provenance["bad_rows"] == sample.BAD_ROWS
    assert index.provenance["left_out"] == sample.LEFT_OUT
    check_matches(index, sample, alerts_at, "sample-1")
    check_columns(index, sample)


def test_an_imported_sample_is_matched_as_expected(catalog, sample_of, alerts_at, tmp_path):
    sample = sample_of(catalog.name)
    sample.write(tmp_path / "sample")
    one = import_catalog(Order(catalog, [tmp_path / "sample"], "sample"), tmp_path / "catalogs")
    assert one.manifest()["bad_rows"] == sample.BAD_ROWS
    assert one.manifest()["left_out"] == sample.LEFT_OUT
    index = open_named(catalog.name, tmp_path / "catalogs")
    assert index.version.startswith("sample-")
    check_matches(index, sample, alerts_at, index.version)
    check_columns(index, sample)
    assert verify(one) == []


def test_says_where_it_comes_from_and_why(catalog):
    text = importlib.import_module(f"services.xmatch.catalogs.{catalog.name}").__doc__
    for word in ("Release:", "Reference:", "Radius:", "Epoch:"):
        assert word in text
    assert catalog.reference
    assert catalog.licence
    wanted = "pip install" if catalog.package else f"tocsin catalogs import {catalog.name} "
    assert catalog.mend.startswith(wanted)
    assert catalog.radius_arcsec > 0


def read_whole(catalog, path):
    for table in read_tables(catalog, path):
        catalog.rows(table)


@pytest.mark.parametrize(
    "content", [b"PAR1 not really", b"SIMPLE  =  not really", b"", b"\x00\x01\x02\n" * 99]
)
def test_refuses_a_file_that_is_something_else(catalog, tmp_path, content):
    (tmp_path / "broken").write_bytes(content)
    with pytest.raises(CatalogUnavailableError, match=r"broken.*run: ") as refused:
        read_whole(catalog, tmp_path / "broken")
    assert catalog.mend in str(refused.value)


def test_refuses_a_table_without_its_columns(catalog):
    with pytest.raises((CatalogUnavailableError, KeyError)):
        catalog.rows(pa.table({"nothing": ["x"]}))


def test_columns_are_as_long_as_positions(catalog, sample_of, tmp_path):
    sample_of(catalog.name).write(tmp_path / "sample")
    rows = rows_of(catalog, tmp_path / "sample")
    for name in ("source_id", "source_class", *NUMERIC_COLUMNS):
        column = getattr(rows, name)
        assert column is None or len(column) == len(rows) == len(rows.dec_deg)
    assert np.all(np.asarray(rows.reach_arcsec) >= catalog.radius_arcsec)
