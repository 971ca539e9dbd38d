"""Every registered service: what is asked arrives, what is answered is understood, or refused."""

import csv
import io

import pytest

from services.xmatch.remote import SERVICES, chosen_tables
from services.xmatch.remote.base import (
    MalformedAnswerError,
    OverflowAnswerError,
    Position,
    RemoteError,
)
from services.xmatch.remote.cds_xmatch import CDS_XMATCH, MOST_ROWS
from services.xmatch.remote.simbad import SIMBAD
from services.xmatch.remote.votable import read_votable, upload_votable

TABLES = [(service, table) for service in SERVICES.values() for table in service.tables.values()]
HEAD = "angDist,tocsin_key,tocsin_ra,tocsin_dec,main_id,ra,dec,main_type,redshift,V\n"
XMATCH_SIMBAD = CDS_XMATCH.tables["simbad"]


@pytest.mark.parametrize(("service", "table"), TABLES, ids=lambda one: one.name)
def test_every_table_is_described_and_asked_within_the_services_limits(service, table):
    assert table.title
    assert table.reference
    assert service.licence
    assert 0 < table.radius_arcsec < 175
    assert {"ra_deg", "dec_deg", "source_id"} <= table.columns.keys()
    request = service.request(table, [Position("12", 359.9999999, -89.5)], 7.0)
    (upload,) = request.files.values()
    assert b"12" in upload[1]
    assert b"360.00000000" in upload[1] or b"359.99999990" in upload[1]
    assert len(request.data) >= 6


@pytest.mark.parametrize(("service", "table"), TABLES, ids=lambda one: one.name)
@pytest.mark.parametrize("body", [b"", b"\n", b"<html>no</html>\n", b"\xff\xfe\x00", b"{}"])
def test_what_is_no_answer_is_refused(service, table, body):
    with pytest.raises(MalformedAnswerError):
        service.read(table, body)


def test_the_csv_upload_is_what_a_csv_reader_reads():
    positions = [Position("1", 10.0, 20.0), Position("2", 0.0, -90.0)]
    (upload,) = CDS_XMATCH.request(XMATCH_SIMBAD, positions, 5.0).files.values()
    rows = list(csv.DictReader(io.StringIO(upload[1].decode())))
    assert [(r["tocsin_key"], float(r["tocsin_dec"])) for r in rows] == [("1", 20.0), ("2", -90.0)]


def test_csv_becomes_sources_with_nulls_where_there_is_nothing():
    body = HEAD + '0.5,7,1,2,"M 31, the nebula",1.0,2.0,Galaxy,-0.001,\n9.1,7,1,2,x,1,2,,nan,3\n'
    sources = CDS_XMATCH.read(XMATCH_SIMBAD, body.encode()).sources["7"]
    assert [s.source_id for s in sources] == ["M 31, the nebula", "x"]
    assert (sources[0].redshift, sources[0].magnitude) == (-0.001, None)
    assert (sources[1].source_class, sources[1].redshift, sources[1].magnitude) == (None, None, 3.0)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("0.5,7,1,2,M 31,1.0,2.0,Galaxy,0\n", "row 1 has 9 values"),
        ("0.5,7,1,2,M 31,1.0,2.0,Galaxy,0,", "does not end"),
        ("0.5,7,1,2,M 31,400.0,2.0,Galaxy,0,\n", "not on the sphere"),
        ("0.5,7,1,2,M 31,,2.0,Galaxy,0,\n", "not on the sphere"),
        ("0.5,7,1,2,,1.0,2.0,Galaxy,0,\n", "no name"),
        ('0.5,7,1,2,"M 31,1.0,2.0,Galaxy,0,\n', "not CSV"),
    ],
)
def test_a_spoilt_line_of_csv_spoils_the_answer(lines, words):
    with pytest.raises(MalformedAnswerError, match=words):
        CDS_XMATCH.read(XMATCH_SIMBAD, (HEAD + lines).encode())


def test_a_table_without_a_column_that_must_be_there_is_refused_by_its_name():
    with pytest.raises(MalformedAnswerError, match="no column for source_id"):
        CDS_XMATCH.read(XMATCH_SIMBAD, HEAD.replace("main_id", "other").encode())


def test_an_answer_as_long_as_it_may_be_is_no_answer():
    body = HEAD + "0.5,7,1,2,M 31,1.0,2.0,Galaxy,0,\n" * MOST_ROWS
    with pytest.raises(OverflowAnswerError):
        CDS_XMATCH.read(XMATCH_SIMBAD, body.encode())


def votable(rows="", *, info="", fields=("tocsin_key", "main_id", "ra", "dec"), head=""):
    declared = "".join(f'<FIELD name="{f}" datatype="char"/>' for f in fields)
    return (
        f'{head}<VOTABLE xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE>{info}'
        f"<TABLE>{declared}<DATA><TABLEDATA>{rows}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    ).encode()


def test_the_votable_upload_is_a_votable_with_our_columns():
    upload = read_votable(upload_votable("k", [Position("7", 1.5, -2.5)]))
    assert upload.names == ["k", "ra_deg", "dec_deg"]
    assert upload.rows == [["7", "1.50000000", "-2.50000000"]]


def test_a_votable_becomes_sources_and_axes_become_arcseconds():
    fields = ("tocsin_key", "main_id", "ra", "dec", "otype", "rvz_redshift", "galdim_majaxis", "V")
    row = "<TR>" + "".join(
        f"<TD>{x}</TD>" for x in ("7", "A&amp;B", "1", "2", "G", "0.01", "5.5", "")
    )
    answer = SIMBAD.read(SIMBAD.tables["simbad"], votable(row + "</TR>", fields=fields))
    (source,) = answer.sources["7"]
    assert (source.source_id, source.major_axis_arcsec, source.magnitude) == ("A&B", 330.0, None)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (votable(head='<!DOCTYPE x [<!ENTITY a "b">]>'), "document type"),
        (votable(head='<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "document type"),
        (votable("<TR><TD>&a;</TD></TR>"), "not XML"),
        (votable()[:-10], "not XML"),
        (b"<VOTABLE/>", "without TABLEDATA"),
        (b"<TABLE/>", "not a VOTABLE"),
        (b"<VOTABLE>" + b"<A>" * 40, "nested too deep"),
        (votable().replace(b"TABLEDATA", b"BINARY"), "rows as BINARY"),
        (votable("<TR><TD>" + "x" * 20_000 + "</TD></TR>"), "longer than reason"),
        (votable(fields=("f",) * 300), "more than 200 columns"),
    ],
)
def test_a_hostile_or_broken_votable_is_refused(body, words):
    with pytest.raises(MalformedAnswerError, match=f"(?i){words}"):
        read_votable(body)


def test_the_services_own_word_for_a_failure_is_told():
    info = '<INFO name="QUERY_STATUS" value="ERROR">Incorrect ADQL:\n line 1</INFO>'
    with pytest.raises(RemoteError, match="query_refused: Incorrect ADQL: line 1"):
        read_votable(votable(info=info))


def test_an_overflow_after_the_rows_is_seen():
    body = votable("<TR><TD>7</TD><TD>a</TD><TD>1</TD><TD>2</TD></TR>").replace(
        b"</RESOURCE>", b'<INFO name="QUERY_STATUS" value="OVERFLOW"/></RESOURCE>'
    )
    with pytest.raises(OverflowAnswerError):
        SIMBAD.read(SIMBAD.tables["simbad"], body)


def test_tables_are_chosen_by_name_and_a_misspelt_one_is_told():
    assert [(s.name, t.name) for s, t in chosen_tables("simbad/simbad, cds_xmatch/gaia_dr3")] == [
        ("simbad", "simbad"), ("cds_xmatch", "gaia_dr3"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no 'simbad/basic'; there are cds_xmatch/gaia_dr3"):
        chosen_tables("simbad/basic")
