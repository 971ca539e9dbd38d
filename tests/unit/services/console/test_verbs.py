"""The tables of verbs: every verb leads to a module that exists, and help needs none of them."""

import importlib.util
import json

import pytest
from click.testing import CliRunner

from services.console import __main__ as console
from services.console.running_mesh import RunningMesh
from services.console.settings import LocalSettings
from services.console.verbs import GROUPS, OWN_VERBS, SERVICE_VERBS


@pytest.mark.parametrize("verb", [*OWN_VERBS, *SERVICE_VERBS], ids=lambda verb: verb.name)
def test_every_verb_has_its_module(verb):
    assert importlib.util.find_spec(verb.module) is not None, f"{verb.module} does not exist"


def test_verbs_have_different_names_and_known_groups():
    names = [verb.name for verb in (*OWN_VERBS, *SERVICE_VERBS)]
    assert len(set(names)) == len(names)
    assert {name.split()[0] for name in names if " " in name} == set(GROUPS)
    assert not set(GROUPS) & set(names)


def test_help_lists_every_verb_and_group():
    shown = CliRunner().invoke(console.tocsin, ["--help"])
    assert shown.exit_code == 0
    for name in console.verb_tree():
        assert f"  {name} " in shown.output


@pytest.mark.parametrize("verb", OWN_VERBS, ids=lambda verb: verb.name)
def test_own_verbs_teach_by_example(verb):
    shown = CliRunner().invoke(console.tocsin, [verb.name, "--help"])
    assert shown.exit_code == 0
    assert f"tocsin {verb.name}" in shown.output


def test_a_services_verb_becomes_its_module_aimed_at_the_running_mesh(monkeypatch, tmp_path):
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("TOCSIN_PARTITIONS", "7")  # the user's own word comes first
    monkeypatch.delenv("TOCSIN_KAFKA_BOOTSTRAP_SERVERS", raising=False)
    settings = LocalSettings(kafka_port=2001, partitions=3).aimed_at_local_servers()
    RunningMesh.of(settings).write(tmp_path)
    became, environment = [], dict(console.os.environ)
    monkeypatch.setattr(console.os, "execv", lambda _, arguments: became.extend(arguments[1:]))
    monkeypatch.setattr(console.os, "environ", environment)
    monkeypatch.setattr("services.console.running_mesh.os.environ", environment)
    done = CliRunner().invoke(console.tocsin, ["ingest", "check", "--help", "-x", "night.tar"])
    assert done.exit_code == 0
    assert became == ["-m", "services.ingest.check", "--help", "-x", "night.tar"]
    assert environment["TOCSIN_KAFKA_BOOTSTRAP_SERVERS"] == "127.0.0.1:2001"
    assert environment["TOCSIN_PARTITIONS"] == "7"


def test_the_uri_of_an_external_database_stays_off_the_disk(tmp_path):
    settings = LocalSettings(external=True, database_uri="mongodb://me:secret@there")
    RunningMesh.of(settings).write(tmp_path)
    assert "secret" not in (tmp_path / "mesh.json").read_text()
    assert "TOCSIN_DATABASE_URI" not in RunningMesh.read(tmp_path).environment()


def test_status_of_nothing_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path))
    shown = CliRunner().invoke(console.tocsin, ["status", "--json"])
    assert shown.exit_code == 3
    assert json.loads(shown.stdout)["up"] is False
