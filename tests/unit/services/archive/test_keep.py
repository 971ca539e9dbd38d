"""What a failing database had acknowledged last is kept again."""

import pytest
from prometheus_client import CollectorRegistry

from services.archive.keep import DatabaseKeeper
from services.archive.metrics import ArchiveMetrics
from shared.errors import UpstreamUnavailableError
from shared.kafka.envelopes import write_envelope
from shared.kafka.records import Envelope, Record
from shared.store import Collection
from shared.testing.batches import made_up_batch


class Store:
    """Documents by collection; may refuse, and forget what it had acknowledged last."""

    def __init__(self):
        self.kept = {collection: {} for collection in Collection}
        self.is_full = False

    async def prepare(self):
        pass

    async def insert(self, collection, documents):
        if self.is_full:
            raise UpstreamUnavailableError("the database refuses")
        there = self.kept[collection]
        repeats = [document for document in documents if document["_id"] in there]
        there.update({d["_id"]: d for d in documents if d["_id"] not in there})
        return repeats

    async def find(self, collection, wanted, fields):
        return [self.kept[collection][one] for one in wanted["_id"]["$in"]]

    async def upsert(self, collection, updates):
        pass


def envelope(offset):
    batch = made_up_batch(3, first_offset=3 * offset)
    record = Record("tocsin.alerts.correlated", 0, offset, 1000, None, write_envelope(batch))
    return Envelope(record, batch)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def keeper(store):
    return DatabaseKeeper(store, ArchiveMetrics(CollectorRegistry()))


async def test_what_was_lost_in_a_failure_is_there_again(store, keeper):
    kept = store.kept[Collection.ENVELOPES]
    for offset in range(3):
        await keeper.keep_envelopes([envelope(offset)])
    store.is_full = True
    with pytest.raises(UpstreamUnavailableError):
        await keeper.keep_envelopes([envelope(3)])
    kept.popitem()  # the last that was acknowledged
    assert len(kept) == 2
    with pytest.raises(UpstreamUnavailableError):
        await keeper.keep_envelopes([envelope(3)])
    store.is_full = False
    await keeper.keep_envelopes([envelope(3)])
    assert len(kept) == 4


async def test_one_collections_failure_casts_doubt_on_all(store, keeper):
    keep_notices = keeper.keep_records(Collection.NOTICES)
    notices = [Record("tocsin.notices", 0, offset, 1000, None, b"{}") for offset in range(2)]
    await keep_notices(notices[:1])
    store.is_full = True
    with pytest.raises(UpstreamUnavailableError):
        await keeper.keep_envelopes([envelope(0)])
    store.kept[Collection.NOTICES].clear()
    store.is_full = False
    await keeper.keep_envelopes([envelope(0)])
    await keep_notices(notices[1:])
    assert len(store.kept[Collection.NOTICES]) == 2


async def test_nothing_is_kept_twice_without_a_failure(store, keeper):
    asked = []
    insert = store.insert

    async def counting(collection, documents):
        asked.extend(document["_id"] for document in documents)
        return await insert(collection, documents)

    store.insert = counting
    for offset in range(3):
        await keeper.keep_envelopes([envelope(offset)])
    assert len(asked) == len(set(asked)) == 3
