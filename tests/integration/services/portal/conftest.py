"""A portal on a free port, with a database and a Kafka behind it and something to hide in each."""

import asyncio
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
from pydantic import SecretStr

from services.archive.nightly.pack import pack_night
from services.archive.store import envelope_document, newest_by_key, record_document
from services.portal.accounts import Accounts
from services.portal.app import create_app
from services.portal.identity import SCOPES_OF, Role
from services.portal.serving import server_of
from services.portal.settings import PortalSettings
from shared.alert_batch import AlertBatch
from shared.archive.snapshots import archive_root
from shared.kafka.admin import ensure_topics, mesh_topics
from shared.kafka.envelopes import write_envelope
from shared.kafka.outbox import Outbox
from shared.kafka.records import Envelope, Message, Record
from shared.kafka.topics import Topic, out_topic
from shared.local.server_process import free_port
from shared.schemas.association import Association
from shared.schemas.avro.encode import encode_alerts
from shared.schemas.avro.registered import alert_registered, made_schema, subject_of
from shared.schemas.dead_letter import DeadLetter
from shared.schemas.event import EventCandidate, EventRecord
from shared.schemas.label import Label
from shared.schemas.notice import Localization, Notice, notice_id_of
from shared.schemas.target import Target
from shared.schemas.vote import Vote
from shared.sky.healpix import healpix29_of
from shared.store import Collection, open_store
from shared.subscriptions.subscription import Delivery, Subscription
from shared.testing.published import published_batch

GROUP = "novae"
LIVE_NIGHT, PACKED_NIGHT = 60_999, 60_899
PEOPLE = {
    "vera": (Role.USER, [GROUP]),
    "ines": (Role.READER, [GROUP]),
    "eve": (Role.USER, ["others"]),
    "rhea": (Role.READER, []),
    "olga": (Role.OPERATOR, []),
}
MAY_SEE = {
    "SECRETLIST": {"vera"},
    "SECRETREGION": {"vera"},
    "WINK": {"vera", "ines", "olga"},
    "SECRETLABEL": {"vera", "ines", "olga"},
    "SECRETVOTE": {"vera"},
    "SECRETANOMALY": {"vera"},
    "secret_filter": {"vera", "ines", "olga"},
    "SECRETSUBSCRIPTION": {"vera", "ines", "olga"},
    "SECRETDELIVERY": {"vera", "ines", "olga"},
    "SEALEDSECRET": set(),
}
"""Words that stand in private things of the world, and who may ever read them."""
RA_DEG, DEC_DEG = 210.91, 54.32


@dataclass
class World:
    """The running portal, and tokens for it by name."""

    url: str
    settings: PortalSettings
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, who: str = "", **more) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120, **more)


def alerts_of(survey: str, night: int, first: int) -> AlertBatch:
    """A dozen alerts in a circle of an arcminute; the private survey's bear its secret."""
    prefix, n = ("WINK" if survey == "lsst" else "ZTF"), 12
    ra = [RA_DEG + 0.001 * i for i in range(n)]
    dec = [DEC_DEG] * n
    whose = {"owner": "vera", "version": "1", "is_public": False}
    hidden = survey == "ztf"
    hit = {"name": "SECRETLIST", "separation_arcsec": 0.1, "target": "x", **whose}
    return published_batch(
        n, survey=survey, seed=first, points=6, first_offset=first,
        changes={
            "alert_id": [f"{prefix}{first + i}" for i in range(n)],
            "object_id": [f"{prefix}OBJ{(first + i) // 3}" for i in range(n)],
            "ra_deg": ra, "dec_deg": dec, "healpix29": healpix29_of(ra, dec).tolist(),
            "mjd_tai": [night + 1.0 + 0.01 * i for i in range(n)],
            "watchlists": [[hit] if hidden and i == 2 else [] for i in range(n)],
            "regions": [
                [{"name": "SECRETREGION", **whose}] if hidden and i == 2 else [] for i in range(n)
            ],
        },
    )  # fmt: skip


def _record(topic: str, offset: int, value: bytes, key: bytes) -> Record:
    return Record(topic, 0, offset, 1_790_000_000_000 + offset, key, value)


def _notice() -> Notice:
    payload = b"made up"
    return Notice(
        notice_id=notice_id_of(payload), notice_type="lvk", messenger="gravitational_wave",
        event_id="S260101a", format="json", role="test", alert_kind="preliminary",
        issued_ms=1_790_000_000_000, received_ms=1_790_000_000_100,
        event_time="2026-01-01T00:00:00", event_mjd_tai=61_041.0,
        localization=Localization(kind="circle", ra_deg=210.0, dec_deg=54.0, radius_deg=3.0,
                                  containment=0.9),
        payload=payload,
    )  # fmt: skip


def _association(survey: str, prefix: str) -> Association:
    return Association(
        state="new", event_id="S260101a", notice_id="0", notice_type="lvk",
        messenger="gravitational_wave", event_version=1, event_role="test",
        event_time="2026-01-01T00:00:00", event_mjd_tai=61_041.0, role="test", is_simulated=True,
        credible_level=0.5, time_offset_days=0.1, survey=survey, alert_id=f"{prefix}0",
        object_id=f"{prefix}OBJ0", ra_deg=RA_DEG, dec_deg=DEC_DEG, mjd_tai=61_041.1,
        first_detection_mjd_tai=61_041.1, origin_topic="t", origin_partition=0, origin_offset=0,
    )  # fmt: skip


def _event() -> EventRecord:
    def candidate(rank: int, survey: str, prefix: str) -> EventCandidate:
        return EventCandidate(
            rank=rank, survey=survey, object_id=f"{prefix}OBJ0", alert_id=f"{prefix}0",
            is_simulated=True, alerts=1, ra_deg=RA_DEG, dec_deg=DEC_DEG, credible_level=0.5,
        )  # fmt: skip

    return EventRecord(
        event_id="S260101a", role="test", state="active", names=("S260101a", "MS260101a"),
        version=1, alerts=2, objects=2,
        candidates=(candidate(1, "lsst", "WINK"), candidate(2, "ztf", "ZTF")),
    )  # fmt: skip


def _label(survey: str, prefix: str, comment: str) -> Label:
    return Label(
        object_id=f"{prefix}OBJ0", survey=survey, class_name="SN Ia", source="expert",
        author="vera", said_ms=1, taken_ms=1, comment=comment,
    )  # fmt: skip


def _target(survey: str, prefix: str) -> Target:
    return Target(
        list_id="keck-1", night=LIVE_NIGHT, facility="keck", programme="p", rank=1, survey=survey,
        object_id=f"{prefix}OBJ0", ra_deg=RA_DEG, dec_deg=DEC_DEG, exposure_s=60.0, reason="young",
        score=0.9, propensity=0.5, stratum="a", model_id="m", made_ms=1, expires_ms=2,
    )  # fmt: skip


def _records() -> dict[Collection, list[Record]]:
    both = (("ztf", "ZTF"), ("lsst", "WINK"))
    labels = [_label("ztf", "ZTF", "public"), _label("lsst", "WINK", "SECRETLABEL")]
    vote = Vote(user="vera", object_id="SECRETVOTE", opinion="anomaly", said_ms=1)
    of = {
        Collection.NOTICES: [_notice()],
        Collection.ASSOCIATIONS: [_association(*one) for one in both],
        Collection.LABELS: labels,
        Collection.TARGETS: [_target(*one) for one in both],
        Collection.VOTES: [vote],
    }
    return {
        collection: [_record(collection.value, n, one.to_json(), one.key)
                     for n, one in enumerate(records)]
        for collection, records in of.items()
    }  # fmt: skip


def _anomaly_list(*objects: tuple[str, str]) -> dict:
    reasons = [{"feature": "snr_greatest", "share": 0.1}]
    top = [
        {"object_id": name, "survey": survey, "score": 1.0 - 0.1 * n, "reasons": reasons}
        for n, (survey, name) in enumerate(objects)
    ]
    return {"$set": {"at_ms": 1_790_000_000_000, "objects": 40, "top": top}}


ANOMALY_LISTS = {
    "vera": _anomaly_list(("ztf", "SECRETANOMALY"), ("lsst", "WINKOBJ0"), ("ztf", "ZTFOBJ1")),
    "eve": _anomaly_list(("lsst", "WINKOBJ0"), ("ztf", "ZTFOBJ0"), ("ztf", "ZTFOBJ1")),
}


FILTERS = {"bright": "public", "secret_filter": "private"}


def _filter(name: str, visibility: str) -> dict:
    return {
        "_id": f"{name}/1", "name": name, "version": 1, "select": "SELECT * FROM alerts",
        "description": name, "owner": "vera", "group": GROUP, "visibility": visibility,
        "state": "active", "survey": None, "created_ms": 1, "activated_ms": 1, "reason": "",
    }  # fmt: skip


def _subscription() -> Subscription:
    return Subscription(
        subscription_id="aaaaaaaaaaaa", name="SECRETSUBSCRIPTION", source="out.bright",
        channel="webhook", settings={"url": "https://example.org/SECRETSUBSCRIPTION"},
        sealed_secret="SEALEDSECRET",  # noqa: S106
        owner="vera", group=GROUP, state="paused", created_ms=1,
    )  # fmt: skip


def _delivery() -> Delivery:
    return Delivery(
        delivery_id="aaaaaaaaaaaa/portal.out.bright/0/0", subscription_id="aaaaaaaaaaaa",
        channel="webhook", source="out.bright", state="failed", partition=0, offset=0,
        reason="SECRETDELIVERY", queued_ms=1,
    )  # fmt: skip


async def _furnish(settings: PortalSettings) -> dict[str, str]:
    """Fill the database, the archive and Kafka; tokens by name."""
    store = open_store(settings)
    await store.prepare()
    for n, survey in enumerate(("ztf", "lsst")):
        batch = alerts_of(survey, LIVE_NIGHT, 0)
        record = _record("tocsin.alerts.correlated", n, write_envelope(batch), b"")
        await store.insert(Collection.ENVELOPES, [envelope_document(Envelope(record, batch))])
        packed = pa.Table.from_batches([alerts_of(survey, PACKED_NIGHT, 100).record_batch])
        pack_night(archive_root(settings.state_dir), survey, PACKED_NIGHT, [packed], expected=12)
    for collection, records in _records().items():
        await store.insert(collection, [record_document(record) for record in records])
    event = _record(Collection.EVENTS.value, 0, _event().to_json(), _event().key)
    await store.upsert(Collection.EVENTS, newest_by_key([event]))
    await store.upsert(Collection.ANOMALY_LISTS, ANOMALY_LISTS)
    await store.insert(Collection.FILTERS, [_filter(*one) for one in FILTERS.items()])
    text = alert_registered().text.replace('"Alert"', '"SecretAlert"')
    own = made_schema("out.secret_filter", text)
    topic = out_topic("secret_filter", settings.topic_prefix)
    await store.insert(Collection.SCHEMAS, [own.document(subject_of(topic), 1)])
    await store.insert(Collection.SUBSCRIPTIONS, [_subscription().to_document()])
    await store.insert(Collection.DELIVERIES, [_delivery().to_document()])
    accounts = Accounts(store)
    tokens = {}
    for name, (role, groups) in PEOPLE.items():
        await accounts.create(name, role.value, groups)
        token = await accounts.give_token(name, sorted(SCOPES_OF[role]), 1.0)
        tokens[name] = token.text
    store.close()
    await _send(settings)
    return tokens


async def _send(settings: PortalSettings) -> None:
    prefix = settings.topic_prefix
    await ensure_topics(
        settings, [*mesh_topics(settings), *(out_topic(name, prefix) for name in FILTERS)]
    )
    outbox = Outbox(settings)
    for survey in ("ztf", "lsst"):
        values = encode_alerts(alerts_of(survey, LIVE_NIGHT, 0).record_batch)
        headers = (("survey", survey.encode()),)
        messages = [Message(value, b"k", partition=0, headers=headers) for value in values]
        await outbox.send(out_topic("bright", prefix), messages)
    marked = encode_alerts(
        published_batch(1, changes={"object_id": ["ZTF_of_secret_filter"]}).record_batch
    )
    message = Message(marked[0], b"k", partition=0, headers=(("survey", b"ztf"),))
    await outbox.send(out_topic("secret_filter", prefix), [message])
    letter = DeadLetter(
        stage="ingest", reason="truncated", detail="WINK0 is short", origin_topic="t",
        origin_partition=0, origin_offset=0,
    )  # fmt: skip
    await outbox.send(Topic.DEAD_LETTERS.named(prefix), [Message(letter.to_json(), key=letter.key)])
    await outbox.stop()


@pytest.fixture(scope="package")
def world(database, kafka, tmp_path_factory):
    """The portal, furnished; one for all tests of this folder."""
    settings = PortalSettings(
        kafka_bootstrap_servers=kafka.bootstrap_servers,
        database_uri=SecretStr(database.uri),
        database_name="portal_test",
        topic_prefix="portal.",
        state_dir=tmp_path_factory.mktemp("portal"),
        http_port=free_port(),
        private_surveys=f"lsst={GROUP}",
        portal_requests_per_minute=100_000,
        portal_requests_per_minute_anonymous=100_000,
        portal_failures_per_minute=200,
        portal_header_seconds=1.0,
        portal_body_kib=64,
        portal_job_seconds=20.0,
        portal_backtest_seconds=90.0,
        portal_request_seconds=110.0,
    )
    tokens = asyncio.run(_furnish(settings))
    server = server_of(create_app(settings), settings)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    made = World(f"http://127.0.0.1:{settings.http_port}", settings, tokens)
    with made.client() as client:
        deadline = time.monotonic() + 20
        while True:
            try:
                if client.get("/ready").status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            assert time.monotonic() < deadline, "the portal did not start"
            time.sleep(0.1)
    yield made
    server.should_exit = True
    thread.join(15)


def pytest_collection_modifyitems(items):
    """In this folder Schemathesis comes last: it plays the operator too, who closes accounts."""
    places = [n for n, item in enumerate(items) if item.path.parent == Path(__file__).parent]
    ours = [items[n] for n in places]
    ours.sort(key=lambda item: item.path.name == "test_schemathesis.py")
    for n, item in zip(places, ours, strict=True):
        items[n] = item
