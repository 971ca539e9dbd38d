"""Settings say what is wrong with them and keep their secrets."""

import pytest
from pydantic import ValidationError

from shared.settings import ServiceSettings


def test_variables_are_read_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_KAFKA_BOOTSTRAP_SERVERS", "a:1,b:2")
    assert ServiceSettings().kafka_bootstrap_servers == "a:1,b:2"


def test_survey_topics_are_pairs() -> None:
    settings = ServiceSettings(survey_topics="ztf=^ztf_.*, lsst=alerts")
    assert settings.survey_topic_pairs() == [("ztf", "^ztf_.*"), ("lsst", "alerts")]
    with pytest.raises(ValueError, match="not survey=topic"):
        ServiceSettings(survey_topics="ztf").survey_topic_pairs()


def test_secrets_are_never_shown() -> None:
    settings = ServiceSettings(database_uri="mongodb://me:hunter2@db/")
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.model_dump(mode="json"))


def test_out_of_range_is_refused() -> None:
    with pytest.raises(ValidationError, match="partitions"):
        ServiceSettings(partitions=0)
