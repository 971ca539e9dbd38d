"""Nights as Parquet: every alert once, old or new but never half, whatever happens."""

import signal
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.archive.nightly.compact import compact, retain
from services.archive.nightly.draft import Draft, WriterBusyError
from services.archive.nightly.gather import GatheredAlerts
from services.archive.nightly.pack import order_for, pack_night
from services.archive.nightly.verify import verify
from shared.archive.snapshots import CURRENT, VERSIONS, current_snapshot
from shared.schemas.watched import WATCHLISTS
from shared.testing.nights import made_up_night

NIGHT = 60_000


def packed(root, night, *tables, expected=2000, **options):
    return pack_night(root, "ztf", night, tables, expected=expected, **options)


def ids_of(snapshot):
    tables = [pq.read_table(snapshot.path(f), columns=["alert_id"]) for f in snapshot.alert_files()]
    return sorted(name for table in tables for name in table.column(0).to_pylist())


def names(table):
    return sorted(table.column("alert_id").to_pylist())


def test_every_alert_is_there_once_in_its_pixel_and_sorted(tmp_path):
    table = made_up_night(NIGHT, 1000)
    outcome = packed(tmp_path, NIGHT, table, table.slice(100, 700), envelopes=9)
    assert (outcome.new, outcome.repeats) == (1000, 700)
    snapshot = current_snapshot(tmp_path, "ztf")
    assert ids_of(snapshot) == names(table)
    assert verify(snapshot) == []
    assert snapshot.nights[NIGHT].alerts == 1000
    assert snapshot.nights[NIGHT].envelopes == 9
    kept = pa.concat_tables([pq.read_table(snapshot.path(f)) for f in snapshot.alert_files()])
    by_id = [("alert_id", "ascending")]
    assert kept.sort_by(by_id).select(table.column_names).cast(table.schema) == table.sort_by(by_id)


def test_a_night_adds_files_and_leaves_the_others_as_they_are(tmp_path):
    packed(tmp_path, NIGHT, made_up_night(NIGHT, 500))
    first = current_snapshot(tmp_path, "ztf")
    inodes = {f.place: first.path(f).stat().st_ino for f in first.files}
    packed(tmp_path, NIGHT + 1, made_up_night(NIGHT + 1, 500, seed=1))
    second = current_snapshot(tmp_path, "ztf")
    assert second.version == 2
    assert {f.place: second.path(f).stat().st_ino for f in second.files}.items() >= inodes.items()
    assert {night: facts.alerts for night, facts in second.nights.items()} == {
        NIGHT: 500, NIGHT + 1: 500,
    }  # fmt: skip
    assert {n for f in second.alert_files([NIGHT]) for n in f.nights} == {NIGHT}


def test_alerts_that_come_late_are_added_and_nothing_new_makes_no_version(tmp_path):
    table, late = made_up_night(NIGHT, 400), made_up_night(NIGHT, 50, seed=1)
    packed(tmp_path, NIGHT, table, envelopes=4)
    again = packed(tmp_path, NIGHT, table, envelopes=4)
    assert (again.new, again.snapshot.version) == (0, 1)
    outcome = packed(tmp_path, NIGHT, table, late, envelopes=5)
    assert (outcome.new, outcome.snapshot.version) == (50, 2)
    assert ids_of(outcome.snapshot) == sorted(names(table) + names(late))
    assert outcome.snapshot.nights[NIGHT].alerts == 450
    assert verify(outcome.snapshot) == []


def test_columns_grow_and_old_nights_read_null(tmp_path):
    packed(tmp_path, NIGHT, made_up_night(NIGHT, 100))
    table = made_up_night(NIGHT + 1, 100, seed=1)
    fields = table.column("survey_fields").combine_chunks()
    wider = pa.StructArray.from_arrays(
        [*fields.flatten(), pa.array(np.arange(100))], names=["drb", "ndethist", "new_one"]
    )
    place = table.schema.get_field_index("survey_fields")
    table = table.set_column(place, "survey_fields", wider)
    table = table.append_column("nothing", pa.StructArray.from_buffers(pa.struct([]), 100, [None]))
    packed(tmp_path, NIGHT + 1, table.append_column("score", pa.array(np.ones(100))))
    snapshot = current_snapshot(tmp_path, "ztf")
    schema = pq.read_schema(snapshot.catalog / "dataset" / "_common_metadata")
    assert schema.field("score").nullable
    assert [m.name for m in schema.field("survey_fields").type] == ["drb", "ndethist", "new_one"]
    assert "nothing" not in schema.names
    whole = compact(tmp_path, "ztf")
    kept = pa.concat_tables([pq.read_table(whole.path(f)) for f in whole.alert_files()])
    assert kept.column("score").null_count == 100


def test_many_alerts_go_through_files_and_come_back(tmp_path):
    table = made_up_night(NIGHT, 1000)
    alerts = GatheredAlerts(tmp_path / "spilled", order=1, most_bytes=100_000)
    for start in range(0, 1000, 50):
        alerts.add(table.slice(start, 50))
    assert any((tmp_path / "spilled").iterdir())
    back = pa.concat_tables([t for pixel in alerts.pixels for t in alerts.take(pixel)])
    assert names(back) == names(table)


def test_compaction_and_retention_keep_what_they_should(tmp_path):
    tables = [made_up_night(NIGHT + n, 300, seed=n) for n in range(3)]
    for n, table in enumerate(tables):
        packed(tmp_path, NIGHT + n, table)
    whole = compact(tmp_path, "ztf")
    assert len(whole.files) == 12
    assert ids_of(whole) == sorted(name for table in tables for name in names(table))
    assert verify(whole) == []
    assert compact(tmp_path, "ztf") is None
    assert retain(tmp_path, "ztf", NIGHT + 1, dry_run=True).nights == (NIGHT,)
    assert current_snapshot(tmp_path, "ztf").version == whole.version
    assert retain(tmp_path, "ztf", NIGHT + 1, dry_run=False).alerts == 300
    left = current_snapshot(tmp_path, "ztf")
    assert ids_of(left) == sorted(names(tables[1]) + names(tables[2]))
    assert verify(left) == []
    assert len(compact(tmp_path, "ztf", order=1).files) > 12
    assert verify(current_snapshot(tmp_path, "ztf")) == []


def test_private_hits_are_not_in_the_catalog(tmp_path):
    table = made_up_night(NIGHT, 20)
    hit = {"name": "mine", "owner": "ann", "version": "1", "separation_arcsec": 1.0, "target": "x"}
    lists = [[hit | {"is_public": False}, hit | {"is_public": True}]] + [[]] * 19
    packed(tmp_path, NIGHT, table.append_column(WATCHLISTS, pa.array(lists, WATCHLISTS.type)))
    snapshot = current_snapshot(tmp_path, "ztf")
    kept = pa.concat_tables([pq.read_table(snapshot.path(f)) for f in snapshot.alert_files()])
    hits = [hit for row in kept.column("watchlists").to_pylist() for hit in row]
    assert [hit["is_public"] for hit in hits] == [True]
    (private,) = snapshot.private_files()
    assert [len(row) for row in pq.read_table(snapshot.path(private))["watchlists"].to_pylist()] \
        == [2]  # fmt: skip
    packed(tmp_path, NIGHT + 1, made_up_night(NIGHT + 1, 20, seed=1))
    assert len(compact(tmp_path, "ztf").private_files()) == 1


@pytest.mark.parametrize("harm", ["cut", "flip", "delete", "add"])
def test_verify_finds_harm(tmp_path, harm):
    packed(tmp_path, NIGHT, made_up_night(NIGHT, 100))
    snapshot = current_snapshot(tmp_path, "ztf")
    path = snapshot.path(snapshot.files[0])
    if harm == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif harm == "flip":
        content = bytearray(path.read_bytes())
        content[100] ^= 1
        path.write_bytes(content)
    elif harm == "delete":
        path.unlink()
    else:
        path.with_name("stranger.parquet").write_bytes(path.read_bytes())
    (wrong,) = verify(snapshot)
    assert "parquet" in wrong


STAGES = ["pathlib.Path.rename", "pathlib.Path.replace"]


@pytest.mark.long
@pytest.mark.parametrize("where", STAGES)
def test_a_kill_leaves_old_or_new(tmp_path, where):
    first, second = made_up_night(NIGHT, 200), made_up_night(NIGHT + 1, 200, seed=1)
    packed(tmp_path, NIGHT, first)
    script = textwrap.dedent(f"""
        import os, signal, importlib
        from pathlib import Path
        from unittest import mock
        import services.archive.nightly.draft
        from services.archive.nightly.pack import pack_night
        from shared.testing.nights import made_up_night
        table = made_up_night({NIGHT + 1}, 200, seed=1)
        with mock.patch("{where}", lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)):
            pack_night(Path({str(tmp_path)!r}), "ztf", {NIGHT + 1}, [table], expected=200)
    """)
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -signal.SIGKILL
    snapshot = current_snapshot(tmp_path, "ztf")
    assert verify(snapshot) == []
    assert ids_of(snapshot) == names(first)
    assert packed(tmp_path, NIGHT + 1, second).new == 200
    assert ids_of(current_snapshot(tmp_path, "ztf")) == sorted(names(first) + names(second))
    left = sorted(path.name for path in (tmp_path / "ztf" / VERSIONS).iterdir())
    assert left == ["000001", "000002"]


def test_two_writers_are_kept_apart_and_readers_keep_their_version(tmp_path):
    packed(tmp_path, NIGHT, made_up_night(NIGHT, 50))
    before = current_snapshot(tmp_path, "ztf")
    with Draft(tmp_path, "ztf"), pytest.raises(WriterBusyError):
        packed(tmp_path, NIGHT + 1, made_up_night(NIGHT + 1, 50, seed=1))
    packed(tmp_path, NIGHT + 1, made_up_night(NIGHT + 1, 50, seed=1))
    assert len(ids_of(before)) == 50
    assert (tmp_path / "ztf" / CURRENT).is_symlink()


def test_pixels_follow_the_size_of_a_night():
    assert [order_for(n) for n in (100, 60_000, 66_000, 600_000, 10_000_000)] == [0, 0, 1, 2, 4]
