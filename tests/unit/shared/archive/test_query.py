"""Queries over packed nights: what they see, what they may not, and where they are wrong."""

import asyncio

import pyarrow as pa
import pytest

from services.archive.nightly.pack import pack_night
from shared.archive.answer_files import FORMATS, write_answer
from shared.archive.query import Limits, QueryFailedError, Question, run_query
from shared.archive.query_process import run_query_apart
from shared.archive.readers import OPERATOR, Reader, private_surveys
from shared.archive.relations import RELATION_NAMES
from shared.filters.refusal import FilterRefusedError
from shared.schemas.watched import WATCHLISTS
from shared.testing.nights import made_up_night

NIGHT = 60_000
HIT = {"name": "mine", "owner": "ann", "version": "1", "separation_arcsec": 1.0, "target": "x"}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    for n in range(2):
        table = made_up_night(NIGHT + n, 300, seed=n)
        pack_night(folder, "ztf", NIGHT + n, [table], expected=300)
    hits = [[HIT | {"is_public": False}]] + [[]] * 49
    table = made_up_night(NIGHT, 50, seed=9, survey="secret")
    table = table.append_column(WATCHLISTS, pa.array(hits, WATCHLISTS.type))
    pack_night(folder, "secret", NIGHT, [table], expected=50)
    return folder


PRIVATE = tuple(private_surveys("secret=insiders").items())
INSIDER = Reader("bob", frozenset({"insiders"}))


def ask(root, sql, reader=INSIDER, **options):
    return run_query(root, Question(sql, reader, PRIVATE, **options)).table.to_pylist()


def test_counts_by_night_and_survey(root):
    found = ask(root, "SELECT survey, night, count(*) AS n FROM alerts GROUP BY ALL ORDER BY 1, 2")
    assert [tuple(row.values()) for row in found] == [
        ("secret", NIGHT, 50), ("ztf", NIGHT, 300), ("ztf", NIGHT + 1, 300),
    ]  # fmt: skip


def test_a_private_survey_is_not_there_for_others(root):
    surveys = "SELECT DISTINCT survey FROM alerts ORDER BY 1"
    assert ask(root, surveys, Reader("eve")) == [{"survey": "ztf"}]
    assert ask(root, surveys, Reader()) == [{"survey": "ztf"}]
    assert len(ask(root, surveys, OPERATOR)) == 2
    counts = " UNION ALL ".join(
        f"SELECT count(*) AS n FROM {name} WHERE survey = 'secret'"  # noqa: S608  # ours
        for name in RELATION_NAMES
    )
    assert ask(root, counts, Reader("eve")) == [{"n": 0}] * len(RELATION_NAMES)


def test_private_hits_are_seen_by_their_owner_only(root):
    hits = "SELECT count(*) AS n FROM alerts WHERE in_watchlist('mine')"
    ann = Reader("ann", frozenset({"insiders"}))
    assert ask(root, hits, ann) == [{"n": 1}]
    assert ask(root, hits, INSIDER) == ask(root, hits, OPERATOR) == [{"n": 0}]
    assert ask(root, "SELECT count(*) AS n FROM alerts", ann) == [{"n": 650}]


def test_points_are_counted_once_and_objects_summed(root):
    (found,) = ask(root, "SELECT count(*) AS n, max(n_alerts) AS most FROM objects")
    assert found["most"] > 1
    lists = sum(len(row["lc"]) for row in ask(root, "SELECT lc_mjd_tai AS lc FROM alerts"))
    (points,) = ask(root, "SELECT count(*) AS n FROM detections")
    assert 0.9 * lists < points["n"] <= lists
    (curve,) = ask(root, "SELECT object_id FROM objects ORDER BY n_alerts DESC LIMIT 1")
    of_one = f"SELECT * FROM detections WHERE object_id = '{curve['object_id']}'"  # noqa: S608  # ours
    rows = ask(root, of_one)
    places = [(row["band"], row["kind"], round(row["mjd_tai"] * 86_400)) for row in rows]
    assert len(places) == len(set(places))


def test_cone_and_nights_choose_alerts(root):
    (one,) = ask(root, "SELECT alert_id, ra_deg, dec_deg FROM alerts ORDER BY alert_id LIMIT 1")
    place = f"{one['ra_deg']}, {one['dec_deg']}"
    found = ask(root, f"SELECT alert_id FROM alerts WHERE cone({place}, 1)")  # noqa: S608  # ours
    assert found == [{"alert_id": one["alert_id"]}]
    assert ask(root, "SELECT DISTINCT night FROM alerts", nights=(NIGHT + 1,)) == [
        {"night": NIGHT + 1}
    ]


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELECT fluxx FROM alerts", 1, 8),
        ("SELECT 1\nFROM read_parquet('/etc/passwd')", 2, 6),
        ("SELECT * FROM alerts,\n  'x.parquet'", 2, 3),
        ("SELECT * FROM archived_alerts", 1, 15),
        ("SELECT * FROM published_columns", 1, 15),
        ("DROP VIEW alerts", 1, 1),
    ],
)
def test_refusals_point_at_the_place(root, sql, line, column):
    with pytest.raises(FilterRefusedError) as caught:
        ask(root, sql)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_time_is_limited_and_rows_are_cut(root):
    dear = "SELECT count(*) FROM detections a, detections b, detections c WHERE a.kind > b.kind"
    with pytest.raises(QueryFailedError, match=r"stopped after 0.3 s|memory"):
        run_query(root, Question(dear, INSIDER, PRIVATE), Limits(256, 0.3))
    answer = run_query(root, Question("SELECT alert_id FROM alerts"), most_rows=7)
    assert (answer.table.num_rows, answer.is_cut) == (7, True)


@pytest.mark.long
async def test_a_process_of_its_own_answers_refuses_and_is_killed(root, tmp_path):
    output = tmp_path / "answer.arrow"
    count = Question("SELECT count(*) AS n FROM alerts", Reader("eve"), PRIVATE)
    answer = await run_query_apart(root, count, output)
    assert pa.ipc.open_file(output).read_all().to_pylist() == [{"n": 600}]
    assert answer.rows == 1
    with pytest.raises(FilterRefusedError) as caught:
        await run_query_apart(root, Question("SELECT\n  oops FROM alerts"), output)
    assert (caught.value.line, caught.value.column) == (2, 3)
    running = asyncio.create_task(
        run_query_apart(root, Question("SELECT 1"), tmp_path / "never.arrow")
    )
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not (tmp_path / "never.arrow").exists()


@pytest.mark.parametrize("suffix", sorted(FORMATS.keys() - {".vot", ".xml"}))
def test_answers_are_written_in_every_format(root, tmp_path, suffix):
    answer = run_query(
        root,
        Question(
            "SELECT alert_id, mjd_tai, reliability, lc_kind, is_simulated, survey_fields, "
            "NULL::INTEGER AS nothing, n_points FROM alerts LIMIT 5"
        ),
    )
    path = tmp_path / f"answer{suffix}"
    write_answer(answer.table, path)
    assert path.stat().st_size > 100
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if suffix == ".votable":
        from astropy.table import Table

        back = Table.read(path, format="votable")
        assert list(back["alert_id"]) == answer.table["alert_id"].to_pylist()
        assert back["nothing"].mask.all()


def test_an_empty_archive_answers_nothing(tmp_path):
    assert run_query(tmp_path, Question("SELECT survey_fields.drb FROM alerts")).table.num_rows == 0
