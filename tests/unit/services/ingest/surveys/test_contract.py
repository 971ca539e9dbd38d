"""What every survey of the registry must do; one without a sample fails."""

import pyarrow as pa
import pytest

from services.ingest.normalise import SCHEMAS
from services.ingest.surveys import SURVEYS
from shared.schemas.alert import INGESTED


@pytest.mark.parametrize("name", SURVEYS)
def test_every_survey_has_a_sample(name, samples):
    assert name in samples, f"add a function that makes a packet of {name} to conftest.SAMPLES"


@pytest.mark.parametrize("name", SURVEYS)
def test_sample_becomes_a_whole_alert(name, samples, book, packets_of):
    from services.ingest.normalise import normalise

    result = normalise(packets_of(samples[name](), samples[name]()), book, None, 1)
    (one,) = result.batches
    assert one.batch.record_batch.schema.equals(SCHEMAS[name])
    one.batch.record_batch.validate(full=True)
    assert one.batch.survey == name
    for field in INGESTED:
        if not field.nullable:
            assert one.batch.column(field.name).null_count == 0, field.name
    curves = one.batch.light_curves
    assert (curves.lengths >= 1).all(), "this detection is part of the light curve"


@pytest.mark.parametrize("name", SURVEYS)
def test_survey_fields_are_nullable_scalars_of_the_projection(name):
    survey = SURVEYS[name]
    assert pa.types.is_struct(survey.survey_fields)
    assert survey.survey_fields.num_fields > 20
    for field in survey.survey_fields:
        assert field.nullable
        assert not pa.types.is_nested(field.type)
    wanted = set(survey.projection.scalars)
    assert set(survey.projection.required) <= wanted


@pytest.mark.parametrize("name", SURVEYS)
def test_every_truncation_of_a_sample_is_refused(name, samples, book, packets_of):
    from services.ingest.normalise import normalise

    whole = samples[name]()
    cut = [whole[:n] for n in range(0, len(whole), 7)]
    result = normalise(packets_of(*cut), book, None, 1)
    assert not result.batches
    assert len(result.refused) == len(cut)
    assert {one.reason for one in result.refused} <= {
        "empty",
        "truncated",
        "unknown_framing",
        "no_schema",
    }
