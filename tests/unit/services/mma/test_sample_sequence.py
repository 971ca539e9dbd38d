"""The demo's notices: an update supersedes, the second burst is a test and is taken back."""

from __future__ import annotations

import pytest

from services.mma.event_store import EventStore
from services.mma.notices import read_notice
from services.mma.sample import sample_payload
from services.mma.sample_sequence import SEQUENCE_KINDS, sequence_payload


@pytest.fixture(scope="module")
def flight():
    try:
        return sample_payload("grb")
    except FileNotFoundError as error:
        pytest.skip(str(error))


def test_the_sequence(flight):
    store = EventStore()
    first = read_notice(flight, 0)
    store.add(first)
    update, second, sharper, gone = (
        read_notice(sequence_payload(kind, flight, 77), 0) for kind in SEQUENCE_KINDS
    )
    store.add(update)
    assert store.active(("observation", first.event_id)).notice.localization.radius_deg == 2.0
    store.add(second)
    assert store.active(("test", "Fermi_GBM_77")).notice.localization.radius_deg == 5.6
    store.add(sharper)
    assert store.active(("test", "Fermi_GBM_77")).notice.localization.radius_deg == 2.0
    store.add(gone)
    assert store.active(("test", "Fermi_GBM_77")) is None
    assert store.version(("test", "Fermi_GBM_77")) == 3
    assert store.active(("observation", first.event_id)) is not None
