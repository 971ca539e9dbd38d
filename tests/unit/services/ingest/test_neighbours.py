"""A packet that is refused leaves those beside it exactly as they are without it."""

import pytest

from services.ingest.normalise import normalise


@pytest.mark.parametrize("survey", ["ztf", "lsst"])
@pytest.mark.parametrize("sound", [1, 2, 9, 30])
def test_faulty_packets_change_nothing_of_the_sound_ones(survey, sound, samples, book, packets_of):
    # Where rows were cut out, null bitmaps lay transposed: sound alerts had others' nulls.
    field = "drb" if survey == "ztf" else "reliability"
    payloads = [
        samples[survey](**{field: None if k % 3 else 0.5, "ra": float(k)}) for k in range(sound)
    ]
    (alone,) = normalise(packets_of(*payloads), book, None, 9).batches
    broken = payloads[0][:-30]
    together = normalise(packets_of(*payloads, broken), book, None, 9)
    assert len(together.refused) == 1
    (beside,) = together.batches
    beside.batch.record_batch.validate(full=True)
    assert beside.batch.record_batch.equals(alone.batch.record_batch)
