"""Ports, services and workers: what the user says, and what a process is told."""

import pytest
from pydantic import SecretStr, ValidationError

from services.console.settings import SERVICES, LocalSettings
from services.console.supervisor import workers_of


def test_all_services_one_worker_each_unless_told_otherwise():
    settings = LocalSettings()
    assert settings.chosen_services() == (*SERVICES, "courier", "vtp")
    assert {settings.workers_of(service) for service in SERVICES} == {1}


def test_services_keep_the_order_of_the_mesh():
    assert LocalSettings(services="archive, ingest").chosen_services() == ("ingest", "archive")
    assert LocalSettings(services="none").chosen_services() == ()


def test_services_elsewhere_are_asked_only_where_the_settings_say_so():
    enabled = LocalSettings(remote_enabled=True, courier_enabled=False, vtp_enabled=False)
    assert enabled.chosen_services() == (*SERVICES, "remote")
    assert enabled.model_copy(update={"fused": True}).chosen_services()[-1] == "remote"
    assert LocalSettings(remote_enabled=True, services="ingest").chosen_services() == ("ingest",)
    commands = {worker.name: worker.command[-1] for worker in workers_of(enabled)}
    assert commands["remote"] == "services.xmatch.remote"
    assert commands["xmatch"] == "services.xmatch"


def test_what_serves_the_world_stands_beside_the_portal():
    commands = {worker.name: worker.command[-1] for worker in workers_of(LocalSettings())}
    assert commands["courier"] == "services.distribute.courier"
    assert commands["vtp"] == "services.distribute.vtp"
    settings = LocalSettings(http_port_base=20000)
    ports = {worker.name: worker.http_port for worker in workers_of(settings)}
    assert len(set(ports.values())) == len(ports)
    assert settings.port_of_vtp() not in ports.values()


def test_receivers_start_with_the_mesh_only_if_there_is_something_to_receive_from():
    assert "receive" not in LocalSettings().chosen_services()
    assert "receive" not in LocalSettings(receive_http_port=8870).chosen_services()
    settings = LocalSettings(inject_every_s=300, fused=True)
    assert "receive" in settings.chosen_services()
    (worker,) = (one for one in workers_of(settings) if one.name == "receive")
    assert worker.command[-1] == "services.mma.receive"
    assert worker.environment["TOCSIN_RECEIVE_FOLDER"] == ""
    assert "receive" not in LocalSettings(inject_every_s=300, services="ingest").chosen_services()


def test_workers_per_service():
    settings = LocalSettings(workers="ingest=2, classify=3")
    assert [settings.workers_of(s) for s in ("ingest", "classify", "mma")] == [2, 3, 1]


def test_fused_four_services_are_one_process():
    settings = LocalSettings(fused=True, workers="river=2")
    chosen = ("river", "distribute", "archive", "portal", "courier", "vtp")
    assert settings.chosen_services() == chosen
    assert settings.workers_of("river") == 2
    only_edges = LocalSettings(fused=True, services="distribute,archive")
    assert only_edges.chosen_services() == ("distribute", "archive")


def test_half_a_river_is_refused():
    with pytest.raises(ValidationError, match="together or not at all"):
        LocalSettings(fused=True, services="ingest,xmatch,archive")


@pytest.mark.parametrize(
    ("fused", "rivers", "keeper"), [(False, 1, "archive"), (True, 1, "river"), (True, 2, "archive")]
)
def test_one_process_keeps_the_packets(fused, rivers, keeper, tmp_path):
    settings = LocalSettings(fused=fused, workers=f"river={rivers}", state_dir=tmp_path)
    keepers = {
        worker.service
        for worker in workers_of(settings)
        if worker.service in {"archive", "river"}
        and worker.environment.get("TOCSIN_ARCHIVE_KEEP_PACKETS") != "false"
    }
    assert keepers == {keeper}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("services", "ingest,clasify", "no service clasify"),
        ("workers", "ingset=2", "no service ingset"),
        ("workers", "ingest", "not service=number"),
        ("workers", "ingest=0", "not service=number"),
    ],
)
def test_misspelt_names_are_refused_by_name(field, value, said):
    with pytest.raises(ValidationError, match=said):
        LocalSettings(**{field: value})


def test_clients_are_pointed_at_the_local_ports():
    settings = LocalSettings(kafka_port=2001, database_port=2002).aimed_at_local_servers()
    assert settings.kafka_bootstrap_servers == "127.0.0.1:2001"
    assert "127.0.0.1:2002" in settings.database_uri.get_secret_value()


def test_external_servers_are_left_as_they_are():
    settings = LocalSettings(
        external=True,
        kafka_bootstrap_servers="broker:9092",
        database_uri=SecretStr("mongodb://somewhere"),
    ).aimed_at_local_servers()
    assert settings.kafka_bootstrap_servers == "broker:9092"
    assert settings.database_uri.get_secret_value() == "mongodb://somewhere"


def test_a_process_reads_the_same_settings_from_its_environment(monkeypatch, tmp_path):
    told = LocalSettings(
        kafka_port=2001, workers="ingest=2", partitions=5, state_dir=tmp_path, external=True
    )
    for name, value in told.environment().items():
        monkeypatch.setenv(name, value)
    assert LocalSettings() == told


def test_the_portal_is_one_process():
    assert LocalSettings(workers="portal=1").workers_of("portal") == 1
    with pytest.raises(ValidationError, match="one process"):
        LocalSettings(workers="portal=2")
