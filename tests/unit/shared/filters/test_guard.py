import pytest

from shared.filters.guard import Limits, judge_query, locked_connection
from shared.filters.refusal import FilterRefusedError

RELATIONS = {"alerts", "objects"}


@pytest.mark.parametrize(
    ("query", "relations"),
    [
        ("SELECT count(*), band FROM alerts GROUP BY band ORDER BY 1 DESC LIMIT 3", {"alerts"}),
        (
            "WITH a AS (SELECT object_id, max(flux_njy) f FROM alerts GROUP BY ALL)"
            " SELECT a.*, row_number() OVER (ORDER BY f) FROM a JOIN objects USING (object_id)"
            " WHERE f > (SELECT avg(flux_njy) FROM alerts)",
            {"alerts", "objects"},
        ),
        ("SELECT DISTINCT survey FROM alerts UNION ALL SELECT 'x'", {"alerts"}),
        (
            "SELECT list(flux_njy ORDER BY mjd_tai) FILTER (WHERE band = 'g') FROM alerts",
            {"alerts"},
        ),
        ("SELECT unnest(lc_kind) FROM Alerts;", {"alerts"}),
        ("FROM alerts", {"alerts"}),
    ],
)
def test_queries_that_are_accepted(query, relations):
    judged = judge_query(query, RELATIONS)
    assert judged.relations == relations
    assert judged.sql == query.rstrip(";")


def test_the_alerts_functions_get_its_columns():
    judged = judge_query("SELECT count(*) FROM alerts WHERE cone(1, 2, 3)", RELATIONS)
    assert judged.sql.endswith("cone(ra_deg, dec_deg, 1, 2, 3)")


REFUSED = {
    "a file by its name": "FROM '/etc/passwd'",
    "a file by a function": "SELECT * FROM read_csv('/etc/passwd')",
    "text of a file": "SELECT content FROM read_text('/etc/passwd')",
    "a glob": "SELECT * FROM glob('/etc/*')",
    "a recursion": "WITH RECURSIVE t AS (SELECT 1 x UNION ALL SELECT x + 1 FROM t) FROM t",
    "endless rows": "SELECT * FROM range(1000000000000)",
    "settings": "SELECT * FROM duckdb_settings()",
    "system tables": "SELECT * FROM information_schema.tables",
    "the schema's tables": "FROM sqlite_master",
    "pragma table": "FROM pragma_database_list",
    "show": "SHOW TABLES",
    "describe": "DESCRIBE alerts",
    "summarize": "SUMMARIZE alerts",
    "explain": "EXPLAIN SELECT 1",
    "pivot": "PIVOT alerts ON band USING count(*)",
    "environment": "SELECT getenv('HOME')",
    "a relation of ours by a CTE elsewhere": (
        "SELECT * FROM raw, (WITH raw AS (SELECT 1) SELECT * FROM raw)"
    ),
    "a relation of ours by a CTE of its name": "WITH raw AS (SELECT * FROM raw) SELECT * FROM raw",
    "columns by pattern": "SELECT columns('.*') FROM alerts",
    "copy": "COPY alerts TO '/tmp/x'",
    "attach": "ATTACH '/tmp/x' AS x",
    "two statements": "SELECT 1; SELECT 2",
    "a parameter": "SELECT $1",
    "a long text": "SELECT repeat('x', 1000000000)",
    "text that grows": "SELECT string_agg(object_id) || string_agg(object_id) FROM alerts",
    "query by text": "SELECT * FROM query('SELECT 1')",
    "query a table by name": "SELECT * FROM query_table('raw')",
    "time travel": "SELECT * FROM alerts AT (VERSION => 1)",
    "ten joins": "SELECT 1 FROM alerts" + " CROSS JOIN alerts" * 9,
    "ten megabytes": "SELECT 1 -- " + "x" * 10_000_000,
}


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED.keys())
def test_queries_that_are_refused(query):
    with pytest.raises(FilterRefusedError) as caught:
        judge_query(query, RELATIONS)
    assert 1 <= caught.value.line <= 2
    assert 1 <= caught.value.column <= 100


def test_a_locked_connection_reads_only_the_folders_that_are_allowed(tmp_path):
    (tmp_path / "in").mkdir()
    for place in ("in", "out"):
        path = tmp_path / f"{place}.parquet" if place == "out" else tmp_path / "in" / "a.parquet"
        locked_connection(Limits(), folders=[tmp_path]).execute(
            f"COPY (SELECT 1 AS x) TO '{path}' (FORMAT parquet)"
        )
    connection = locked_connection(Limits(), folders=[tmp_path / "in"])
    assert connection.execute(f"FROM '{tmp_path}/in/a.parquet'").fetchall() == [(1,)]
    for text in (
        f"FROM '{tmp_path}/out.parquet'",
        f"FROM '{tmp_path}/in/../out.parquet'",
        "FROM read_text('/etc/passwd')",
        "SET memory_limit = '10GB'",
        "SET allowed_directories = ['/']",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
    ):
        with pytest.raises(Exception, match=r"isabled|locked|ermission|not allowed|annot"):
            connection.execute(text)


def test_time_and_memory_are_limited():
    connection = locked_connection(Limits(memory_mib=64, seconds=0.3))
    with pytest.raises(Exception, match=r"time|INTERRUPT"):
        connection.execute("SELECT count(*) FROM range(100000000000)").fetchall()
    connection = locked_connection(Limits(memory_mib=64, seconds=120))
    with pytest.raises(Exception, match="emory"):
        connection.execute("SELECT list(x::VARCHAR) FROM range(10000000) t(x)").fetchall()
