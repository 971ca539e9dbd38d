"""Lists of positions as users write them."""

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.xmatch.watchlists.entries import WatchlistError
from services.xmatch.watchlists.positions import ColumnNames, read_positions


@pytest.fixture
def listed(tmp_path):
    def read(text, suffix="csv", **names):
        path = tmp_path / f"list.{suffix}"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return read_positions(path, ColumnNames(**names))

    return read


def test_positions_with_radii_and_names_of_their_own(listed):
    rows = listed("name,RA,Dec,radius_arcsec\nM 31,10.6847,41.2690,30\n,0,-90,\n")
    assert rows.ra_deg.tolist() == [10.6847, 0.0]
    assert rows.dec_deg.tolist() == [41.2690, -90.0]
    assert rows.radius_arcsec.tolist() == [30.0, 2.0]
    assert rows.target.to_pylist() == ["M 31", None]
    assert rows.bad_rows == 0


def test_columns_may_have_any_names(listed):
    rows = listed(
        "x,y,r,who\n1,2,3,a\n", ra="x", dec="Y", radius="r", target="who", radius_arcsec=9.0
    )
    assert (rows.ra_deg[0], rows.dec_deg[0], rows.radius_arcsec[0]) == (1.0, 2.0, 3.0)
    assert rows.target.to_pylist() == ["a"]


def test_bad_rows_are_left_out_counted_and_named(listed):
    lines = ["1,2,5", "x,2,5", "360,2,5", "1,90.1,5", ",2,5", "1,nan,5", "3,4,-1", "3,4,4000"]
    lines.append("3,4,z")
    rows = listed("ra,dec,radius\n" + "\n".join(lines) + "\n5,6,\n")
    assert rows.ra_deg.tolist() == [1.0, 5.0]
    assert rows.bad_rows == 8
    assert rows.first_bad_rows == (2, 3, 4, 5, 6, 7, 8, 9)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ra,delta\n1,2\n", "no column of declination among ra, delta; name it: --dec-column"),
        ("ra,dec\n", "Empty CSV"),
        ("ra,dec\nx,y\n-1,2\n", "all 2 rows are bad, from row 1 on"),
        ("", "empty"),
        ("ra,dec\n1,2\n1,2,3\n", "damaged"),
    ],
)
def test_what_is_no_list_is_refused_in_words(listed, text, words):
    with pytest.raises(WatchlistError, match=words):
        listed(text)


def test_a_column_that_is_not_there_is_named(listed):
    with pytest.raises(WatchlistError, match="no column 'r' among ra, dec"):
        listed("ra,dec\n1,2\n", radius="r")


def test_gzip_and_parquet_are_lists_too(listed, tmp_path):
    rows = listed(gzip.compress(b"ra,dec\n1,2\n"), "csv.gz")
    assert rows.ra_deg.tolist() == [1.0]
    rng = np.random.default_rng(0)
    path = tmp_path / "big.parquet"
    pq.write_table(
        pa.table({
            "ra_deg": rng.uniform(0, 360, 300_000), "dec_deg": rng.uniform(-90, 90, 300_000),
            "id": np.arange(300_000),
        }), path,
    )  # fmt: skip
    rows = read_positions(path, ColumnNames(radius_arcsec=1.0))
    assert len(rows.ra_deg) == 300_000
    assert rows.target[299_999].as_py() == "299999"
