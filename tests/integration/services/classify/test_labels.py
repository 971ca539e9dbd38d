"""Labels from a file to the topic, through the archive's documents, and back as of a day."""

import time

import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr

from services.archive.store import record_document
from services.classify.learning.label_file import LabelDefaults, read_label_file
from services.classify.verbs.labels.importing import send_labels
from shared.kafka.records import Record
from shared.kafka.topics import Topic
from shared.labels.reading import read_labels
from shared.labels.resolve import resolve
from shared.settings import ServiceSettings
from shared.store import Collection, open_store


@pytest.mark.kafka
@pytest.mark.database
async def test_a_file_of_classes_goes_all_the_way(kafka, database, tmp_path):
    settings = ServiceSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"labels{time.time_ns()}.",
        database_uri=SecretStr(database.uri), database_name=f"labels{time.time_ns()}",
    )  # fmt: skip
    path = tmp_path / "classes.csv"
    for now_ms, class_name in ((100, "SN II"), (200, "SN Ia")):
        path.write_text(f"object_id,class_name,said_at\na,{class_name},{now_ms}\nb,SN Ib,1\n")
        labels, refused = read_label_file(path, LabelDefaults("expert", "ann", now_ms))
        assert refused == []
        await send_labels(settings, labels)
    store = open_store(settings)
    try:
        await store.prepare()
        await store.insert(
            Collection.LABELS, [record_document(one) for one in await kept(settings)]
        )
        then = resolve(await read_labels(store, as_of_ms=150), 150)
        now = resolve(await read_labels(store))
        only = await read_labels(store, ["b"])
    finally:
        store.close()
    assert then["a"].class_name == "SN II"
    assert now["a"].class_name == "SN Ia"
    assert {one.object_id for one in only} == {"b"}
    assert now["b"].state == "single"  # sent twice, it is one statement


async def kept(settings):
    consumer = AIOKafkaConsumer(
        Topic.LABELS.named(settings.topic_prefix),
        bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="earliest",
    )  # fmt: skip
    await consumer.start()
    try:
        found = []
        while len(found) < 4:
            m = await consumer.getone()
            found.append(Record(m.topic, m.partition, m.offset, m.timestamp, m.key, m.value))
        return found
    finally:
        await consumer.stop()
