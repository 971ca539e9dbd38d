"""Packing from a real database: exactly its distinct alerts, by night, found again by every way."""

import asyncio
import datetime as dt
import itertools
import os
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.archive.keep import DatabaseKeeper
from services.archive.metrics import ArchiveMetrics
from services.archive.nightly.database import due_nights, nights_in
from services.archive.nightly.verify import verify
from shared.alert_batch import AlertBatch
from shared.archive.snapshots import archive_root, current_snapshot
from shared.kafka.envelopes import write_envelope
from shared.kafka.records import Envelope, Record
from shared.settings import ServiceSettings
from shared.store import open_store
from shared.testing.nights import made_up_night

pytestmark = pytest.mark.database
NIGHT = 60_000
_serial = itertools.count()


def envelopes(table, first_offset):
    """A table as envelopes of 50 alerts, kept under their offsets."""
    made = []
    for number, start in enumerate(range(0, table.num_rows, 50)):
        batch = AlertBatch(table.slice(start, 50).combine_chunks().to_batches()[0])
        record = Record(
            "alerts.correlated", 0, first_offset + number, 1, None, write_envelope(batch)
        )
        made.append(Envelope(record, batch))
    return made


@pytest.fixture(scope="module")
def filled(database, tmp_path_factory):
    """Three nights, one envelope over midnight of two, some alerts twice; and the settings."""
    name = f"pack_test_{next(_serial)}"
    settings = ServiceSettings(
        database_uri=SecretStr(database.uri), database_name=name,
        state_dir=tmp_path_factory.mktemp("state"),
    )  # fmt: skip
    nights = [made_up_night(NIGHT + n, 200, seed=n) for n in range(3)]
    mixed = pa.concat_tables([nights[0].slice(150), nights[1].slice(0, 50)]).slice(25, 50)

    async def fill():
        store = open_store(settings)
        keeper = DatabaseKeeper(store, ArchiveMetrics(CollectorRegistry()))
        for number, table in enumerate([*nights, mixed, nights[2].slice(0, 100)]):
            await keeper.keep_envelopes(envelopes(table, number * 100))
        store.close()

    asyncio.run(fill())
    return settings, nights


def environment(settings):
    return os.environ | {
        "TOCSIN_DATABASE_URI": settings.database_uri.get_secret_value(),
        "TOCSIN_DATABASE_NAME": settings.database_name,
        "TOCSIN_STATE_DIR": str(settings.state_dir),
    }


def pack(settings, *arguments, wait=True):
    command = [sys.executable, "-m", "services.archive.verbs.pack", *map(str, arguments)]
    process = subprocess.Popen(
        command, env=environment(settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if not wait:
        return process
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said.decode()


def ids_in(snapshot, night):
    files = [snapshot.path(f) for f in snapshot.alert_files([night])]
    return sorted(n for f in files for n in pq.read_table(f, columns=["alert_id"])[0].to_pylist())


async def test_the_database_knows_its_nights_and_which_are_due(filled):
    settings, _ = filled
    store = open_store(settings)
    root = archive_root(settings.state_dir)
    found = [(one.night, one.envelopes) for one in await nights_in(store)]
    assert found == [(NIGHT, 5), (NIGHT + 1, 5), (NIGHT + 2, 6)]
    now = dt.datetime.now(dt.UTC)
    assert len(await due_nights(store, root, now, quiet_s=900)) == 3
    evening = dt.datetime(1858, 11, 17, 23, tzinfo=dt.UTC) + dt.timedelta(days=NIGHT + 1)
    assert [one.night for one in await due_nights(store, root, evening, quiet_s=900)] == [NIGHT]
    store.close()


def test_a_killed_pack_leaves_nothing_or_all_and_then_every_alert_is_there_once(filled):
    settings, nights = filled
    root = archive_root(settings.state_dir)
    started = time.monotonic()
    pack(settings, "--night", NIGHT)
    whole_s = time.monotonic() - started
    for share in (0.6, 0.85):
        process = pack(settings, wait=False)
        time.sleep(whole_s * share)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert verify(current_snapshot(root, "ztf")) == []
    pack(settings)
    snapshot = current_snapshot(root, "ztf")
    assert verify(snapshot) == []
    for n, table in enumerate(nights):
        assert ids_in(snapshot, NIGHT + n) == sorted(table["alert_id"].to_pylist())
    assert "no night is due" in pack(settings)


def test_the_verbs_answer_from_the_terminal(filled):
    settings, _ = filled

    def run(verb, *arguments):
        return subprocess.run(
            [sys.executable, "-m", f"services.archive.verbs.{verb}", *arguments],
            env=environment(settings), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    counted = run("query", "SELECT count(DISTINCT alert_id) AS n FROM alerts")
    assert (counted.returncode, counted.stdout) == (0, "n\n600\n")
    refused = run("query", "SELECT oops FROM alerts")
    assert refused.returncode == 2
    assert "line 1, column 8" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "600 alerts, 3 nights" in run("listing").stdout
    assert "whole" in run("verify").stdout
    assert "would go" in run("retain", "--days", "1").stdout
    assert "12 of" in run("compact").stdout
    assert "are gone" in run("retain", "--days", "1", "--really").stdout
    assert run("retain", "--days", "nan").returncode == 2
