"""What holds for every registered catalog, shown on its sample."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from services.xmatch.catalog_index import open_index
from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import NUMERIC_COLUMNS, CatalogUnavailableError
from services.xmatch.crossmatch import crossmatch
from services.xmatch.indexing import index_rows, save_index
from services.xmatch.store.tables import read_tables

pytestmark = pytest.mark.parametrize("catalog", CATALOGS.values(), ids=CATALOGS)


def rows_of(catalog, path):
    (table,) = read_tables(catalog, path)
    return catalog.rows(table)


def test_sample_is_matched_as_expected(catalog, sample_of, alerts_at, tmp_path):
    sample = sample_of(catalog.name)
    sample.write(tmp_path / "sample")
    save_index(
        index_rows(catalog, rows_of(catalog, tmp_path / "sample"), "sample-1"), tmp_path / "index"
    )
    index = open_index(tmp_path / "index")
    assert index.provenance["bad_rows"] == sample.BAD_ROWS
    assert index.provenance["left_out"] == sample.LEFT_OUT
    batch = crossmatch(alerts_at([place for place, _ in sample.EXPECTED]), [index], 5)
    batch.record_batch.validate(full=True)
    for matches, (place, expected) in zip(batch.strings("matches"), sample.EXPECTED, strict=True):
        found = [(m["source_id"], m["source_class"]) for m in matches]
        assert found == [(name, kind) for name, kind, _ in expected], place
        separations = [m["separation_arcsec"] for m in matches]
        assert separations == pytest.approx([s for *_, s in expected], abs=2e-3)
        assert {m["catalog"] for m in matches} <= {catalog.name}
        assert {m["catalog_version"] for m in matches} <= {"sample-1"}


def test_says_where_it_comes_from_and_why(catalog):
    text = sys.modules[catalog.rows.__module__].__doc__
    for word in ("Release:", "Reference:", "Radius:", "Epoch:"):
        assert word in text
    assert catalog.reference
    assert catalog.licence
    assert catalog.mend.startswith("pip install")
    assert catalog.radius_arcsec > 0


def test_refuses_a_file_that_is_something_else(catalog, tmp_path):
    (tmp_path / "broken").write_bytes(b"PAR1 not really")
    with pytest.raises(CatalogUnavailableError, match="pip install"):
        rows_of(catalog, tmp_path / "broken")


def test_columns_are_as_long_as_positions(catalog, sample_of, tmp_path):
    sample_of(catalog.name).write(tmp_path / "sample")
    rows = rows_of(catalog, tmp_path / "sample")
    for name in ("source_id", "source_class", *NUMERIC_COLUMNS):
        column = getattr(rows, name)
        assert column is None or len(column) == len(rows) == len(rows.dec_deg)
    assert np.all(np.asarray(rows.reach_arcsec) >= catalog.radius_arcsec)
