"""A night through the whole mesh, packed, asked, and processed again beside the live topics."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from shared.archive.snapshots import archive_root, current_snapshot
from shared.kafka.envelopes import read_envelope
from tests.system.mesh import RunningMesh, faults_of

pytestmark = [pytest.mark.kafka, pytest.mark.database, pytest.mark.timeout(600)]
ALERTS = 300


def test_a_night_is_packed_asked_and_processed_again(mesh: RunningMesh) -> None:
    mesh.simulate(ALERTS, seed=4242)
    assert faults_of(mesh.audit()) == []
    envelopes = [read_envelope(r.value) for r in mesh.records(mesh.topic("alerts.correlated"))]
    expected = {alert_id for batch in envelopes for alert_id in batch.strings("alert_id")}
    night = int(min(batch.floats("mjd_tai").min() for batch in envelopes) - 0.75)

    mesh.run("archive", "pack", "--night", f"{night}:{night + 2}")
    snapshot = current_snapshot(archive_root(mesh.folder), "ztf")
    assert snapshot is not None
    files = [pq.read_table(snapshot.path(f), columns=["alert_id"]) for f in snapshot.alert_files()]
    packed = [name for table in files for name in table.column(0).to_pylist()]
    assert sorted(packed) == sorted(expected)
    mesh.run("archive", "verify")
    asked = mesh.run("archive", "query", "SELECT count(*) AS n, count(transient) AS t FROM alerts")
    assert asked.split() == [b"n", b"t", *[str(len(expected)).encode()] * 2]

    topics_before = {
        name: mesh.end_of(mesh.topic(name)) for name in ("alerts", "alerts.correlated")
    }
    said = mesh.run("reprocess", "--night", night, "--into", "again").decode()
    assert " 0 did not come out" in said
    kept = json.loads((mesh.folder / "reprocessed" / "again" / "comparison.json").read_text())
    compared = kept["compared"]
    assert compared["alerts"] == {"both": snapshot.nights[night].alerts, "gone": 0, "new": 0}
    assert compared["changed"]["matches"] == compared["changed"]["light curve"] == 0
    assert compared["classifiers"]["early_sn_ia"]["answers"] == 0
    topics_after = {name: mesh.end_of(mesh.topic(name)) for name in topics_before}
    assert topics_after == topics_before
    assert "reprocess" not in json.dumps(mesh.audit())
    again = current_snapshot(mesh.folder / "reprocessed" / "again", "ztf")
    assert again is not None
    origins = pq.read_table(again.path(again.files[0]), columns=["origin_topic"]).column(0)
    assert set(origins.to_pylist()) == {"ztf_alerts"}
