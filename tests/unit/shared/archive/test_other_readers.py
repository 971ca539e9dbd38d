"""Readers that nobody here wrote open the packed nights: lsdb, hats, Dask, DuckDB, pyarrow."""

import shutil

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from services.archive.nightly.pack import pack_night
from shared.archive.snapshots import CURRENT
from shared.testing.nights import made_up_night

NIGHT = 60_000
MISSING = "install the extra hats-check to run this"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    """A HATS catalog of two nights, of which the second has a column more."""
    root = tmp_path_factory.mktemp("archive")
    pack_night(root, "ztf", NIGHT, [made_up_night(NIGHT, 400)], expected=400)
    later = made_up_night(NIGHT + 1, 400, seed=1).append_column("score", pa.array([1.0] * 400))
    pack_night(root, "ztf", NIGHT + 1, [later], expected=400)
    return root / "ztf" / CURRENT / "alerts"


def test_hats_finds_the_catalog_valid(catalog):
    validation = pytest.importorskip("hats.io.validation", reason=MISSING)
    hats = pytest.importorskip("hats", reason=MISSING)
    assert validation.is_valid_catalog(catalog, strict=True, verbose=False)
    found = hats.read_hats(catalog)
    assert found.catalog_info.total_rows == 800
    assert len(found.get_healpix_pixels()) == 12


def test_lsdb_searches_matches_and_nests(catalog):
    lsdb = pytest.importorskip("lsdb", reason=MISSING)
    opened = lsdb.open_catalog(catalog, columns=["alert_id", "ra_deg", "dec_deg", "score"])
    everything = opened.compute()
    assert (len(everything), everything["score"].notna().sum()) == (800, 400)
    cone = opened.cone_search(ra=150.0, dec=2.0, radius_arcsec=36_000).compute()
    assert 0 < len(cone) < 100
    itself = opened.crossmatch(opened, radius_arcsec=1, suffixes=("_a", "_b")).compute()
    assert (itself["alert_id_a"] == itself["alert_id_b"]).sum() >= 790
    curves = lsdb.open_catalog(catalog, columns=["alert_id", "lc_mjd_tai", "lc_flux_njy"])
    nested = curves.nest_lists(list_columns=["lc_mjd_tai", "lc_flux_njy"], name="lc").compute()
    assert nested["lc"].iloc[0].columns.tolist() == ["lc_mjd_tai", "lc_flux_njy"]


def test_dask_counts_by_band(catalog):
    lsdb = pytest.importorskip("lsdb", reason=MISSING)
    counted = lsdb.open_catalog(catalog, columns=["band"]).map_partitions(
        lambda part: part.groupby("band").size().rename("n").reset_index()
    )
    assert counted.compute()["n"].sum() == 800


def test_duckdb_reads_it_by_a_glob(catalog):
    found = duckdb.sql(
        f"SELECT count(*), count(score), count(survey_fields.drb) FROM "  # noqa: S608  # ours
        f"read_parquet('{catalog}/dataset/*/*/*/*.parquet', union_by_name = true)"
    ).fetchall()
    assert found == [(800, 400, 800)]


def test_pyarrow_reads_it_as_a_dataset(catalog):
    folder = catalog / "dataset"
    schema = pq.read_schema(folder / "_common_metadata")
    table = ds.dataset(folder, schema=schema, format="parquet").to_table(
        columns=["alert_id", "score"], filter=ds.field("flux_njy") > 0
    )
    assert 0 < table.num_rows <= 800


def test_spark_reads_it_and_merges_schemas(catalog):
    """Needs ``pip install pyspark`` (half a gigabyte) and a Java; no extra of ours installs it."""
    sql = pytest.importorskip("pyspark.sql", reason="install pyspark and Java to run this")
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java on the PATH")
    session = (
        sql.SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    try:
        alerts = session.read.option("mergeSchema", "true").parquet(str(catalog / "dataset"))
        counted = alerts.selectExpr("count(*)", "count(score)", "count(survey_fields.drb)")
        assert tuple(counted.collect()[0]) == (800, 400, 800)
    finally:
        session.stop()
