"""What is secret stays out of errors and logs."""

import pytest
from pydantic import ValidationError

from services.ingest.settings import IngestSettings


def test_a_password_in_the_registry_url_is_refused_and_not_repeated(monkeypatch):
    monkeypatch.setenv("TOCSIN_INGEST_SCHEMA_REGISTRY_URL", "https://me:hunter2@registry.org/x")
    with pytest.raises(ValidationError) as caught:
        IngestSettings()
    assert "hunter2" not in str(caught.value)


def test_the_registry_password_is_masked(monkeypatch):
    monkeypatch.setenv("TOCSIN_INGEST_SCHEMA_REGISTRY_URL", "https://registry.org:8081/x")
    monkeypatch.setenv("TOCSIN_INGEST_SCHEMA_REGISTRY_PASSWORD", "hunter2")
    assert "hunter2" not in str(IngestSettings().model_dump(mode="json"))
    assert "hunter2" not in repr(IngestSettings())
