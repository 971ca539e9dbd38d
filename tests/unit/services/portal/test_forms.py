"""Pages, forms of an answer, ADQL, figures."""

import contextlib
import io

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.io.votable import parse_single_table
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import image

from services.portal.formats.choice import ImageFormat, TableFormat, chosen
from services.portal.formats.images import as_fits, as_png
from services.portal.formats.tables import error_votable, field_of, votable, written
from services.portal.pages.figures import SkyMark, light_curve_svg, sky_svg
from services.portal.paging import Paging, cursor_after, one_page, page_after, read_cursor
from services.portal.problems import ProblemError
from services.portal.reading.topics import place_text, read_place
from services.portal.tap.adql import as_archive_sql
from shared.archive.cutouts import Cutout
from shared.archive.history import LightCurve

PLACES = st.lists(
    st.text(max_size=50) | st.integers(-(2**62), 2**62), min_size=1, max_size=4
)  # fmt: skip


@given(PLACES)
def test_a_cursor_comes_back(place):
    try:
        cursor = cursor_after(*place)
    except TypeError:  # a lone surrogate is no JSON
        return
    assert read_cursor(cursor) == tuple(place)


@given(st.text(max_size=100))
def test_no_text_breaks_a_cursor(text):
    with contextlib.suppress(ProblemError):
        assert 1 <= len(read_cursor(text)) <= 4


def test_pages_are_cut_and_continued():
    documents = [{"_id": str(n), "t": n // 2} for n in range(5)]
    page, cursor = one_page(documents, Paging(limit=4, after=None), "t", "_id")
    assert (len(page), read_cursor(cursor)) == (4, (1, "3"))
    condition, sort = page_after(Paging(limit=4, after=(1, "3")), "t", descending=True)
    assert condition == {"$or": [{"t": {"$lt": 1}}, {"t": 1, "_id": {"$lt": "3"}}]}
    assert sort == [("t", -1), ("_id", -1)]
    assert one_page(documents[:4], Paging(limit=4, after=None), "t", "_id")[1] is None


@given(st.dictionaries(st.integers(0, 99_999), st.integers(0, 10**17), min_size=1, max_size=20))
def test_places_in_a_topic_come_back(offsets):
    assert read_place(place_text(offsets)) == offsets


@pytest.mark.parametrize(
    "text", ["", "x", "1", "1:", ":1", "1:2,", "1:-2", "1:２", "1:" + "9" * 40]
)
def test_bad_places_are_refused(text):
    with pytest.raises(ValueError, match="partition"):
        read_place(text)


TABLES = list(TableFormat)


@pytest.mark.parametrize(
    ("accept", "form"),
    [(None, "json"), ("*/*", "json"), ("text/csv", "csv"), ("text/*;q=0.5, text/xml", "votable"),
     ("application/json;q=0.1,text/csv;q=0.2", "csv"), ("text/csv;q=0, */*", "json"),
     ("application/vnd.apache.parquet", "parquet")],
)  # fmt: skip
def test_the_form_that_is_wanted_most(accept, form):
    assert chosen(None, accept, TABLES) == form


@given(st.text(max_size=200))
def test_no_accept_header_breaks_the_choice(accept):
    with contextlib.suppress(ProblemError):
        assert chosen(None, accept, TABLES) in TABLES


def test_images_come_in_their_own_forms():
    offered = [ImageFormat.PNG, ImageFormat.FITS]
    assert chosen(None, "image/*", offered) == "png"
    assert chosen(None, "image/fits", offered) == "fits"


def made_table():
    fields = [field_of("mjd_tai", pa.float64(), "When", unit="d", ucd="time.epoch"),
              field_of("name", pa.string(), "Who"), field_of("n", pa.uint8(), "How many"),
              field_of("list", pa.list_(pa.int32()), "Which"),
              field_of("ok", pa.bool_(), "Whether")]  # fmt: skip
    rows = [[1.5, None], ["a<b>&\x01é", None], [200, None], [[1, 2], None], [True, None]]
    arrays = [pa.array(row, f.type) for row, f in zip(rows, fields, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def test_a_votable_says_what_the_table_says():
    table = parse_single_table(io.BytesIO(votable(made_table(), {"object_id": "x"}, is_cut=True)))
    assert [str(f.unit) for f in table.fields[:1]] == ["d"]
    assert table.get_field_by_id_or_name("mjd_tai").ucd == "time.epoch"
    assert table.array["name"][0] == "a<b>&é"
    assert table.array["list"][0] == "[1,2]"
    assert table.array["mjd_tai"].mask.tolist() == [False, True]
    assert b'value="OVERFLOW"' in votable(made_table(), {}, is_cut=True)
    assert b'value="OK"' in votable(made_table().slice(0, 0), {})
    assert b"&lt;script&gt;" in error_votable("<script>\x00")


def test_csv_writes_lists_as_json():
    lines = written(made_table().select(["mjd_tai", "list"]), "csv").decode().splitlines()
    assert lines == ['"mjd_tai","list"', '1.5,"[1,2]"', ","]


def test_cutouts_are_images_again():
    pixels = np.arange(30.0).reshape(5, 6)
    pixels[0, 0] = np.nan
    stamp = Cutout("science", pixels, 1.01)
    with fits.open(io.BytesIO(as_fits(stamp, "id é"))) as units:
        assert np.array_equal(units[0].data, pixels.astype(np.float32), equal_nan=True)
        assert units[0].header["PIXSCALE"] == 1.01
    drawn = image.imread(io.BytesIO(as_png(stamp)))
    assert drawn.shape[:2] == (20, 24)
    assert drawn[0, -1, 0] > drawn[-1, 5, 0]  # the last row is at the top
    as_png(Cutout("science", np.full((3, 3), np.nan), None))


@pytest.mark.parametrize(
    ("adql", "sql"),
    [
        ("SELECT a FROM alerts;", "SELECT a FROM alerts"),
        ("select top 5 a from alerts", "SELECT * FROM (select a from alerts\n) LIMIT 5"),
        ("SELECT a FROM alerts WHERE 1=CONTAINS(POINT('ICRS', ra_deg, dec_deg), "
         "CIRCLE('ICRS', 10.5, -20, 0.1))", "SELECT a FROM alerts WHERE cone(10.5, -20, 360.0)"),
        ("SELECT a FROM alerts t WHERE CONTAINS(POINT(t.ra_deg,t.dec_deg),CIRCLE(1,2,1)) = 1",
         "SELECT a FROM alerts t WHERE cone(1, 2, 3600.0)"),
    ],
)  # fmt: skip
def test_adqls_habits_are_understood(adql, sql):
    assert as_archive_sql(adql) == sql


def test_figures_draw_what_there_is():
    one = LightCurve(*(np.array([x]) for x in (61000.0, 5000.0, 100.0)), np.array([1], np.int8),
                     np.array([0], np.int8))  # fmt: skip
    assert 'class="band-g"' in light_curve_svg(one)
    none = LightCurve(*(np.zeros(0) for _ in range(3)), np.zeros(0, np.int8), np.zeros(0, np.int8))
    assert light_curve_svg(none) == ""
    whole = sky_svg(
        [SkyMark(ra, dec, 1.0, "neutrino", 1) for ra in (0, 180, 359) for dec in (-90, 90)]
    )
    assert whole.count("<circle") == 6
    assert "nan" not in whole
