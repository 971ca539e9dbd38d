"""What holds for every peer channel, each on a recorded exchange with a peer of its own."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import socket
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from pydantic import SecretStr

from services.distribute.channels import peer_channels
from services.distribute.channels.base import Destination, Parcel, PeerAwayError
from services.distribute.channels.hermes import hermes_message
from services.distribute.channels.mail import digest
from services.distribute.channels.webhook import signature
from services.distribute.courier.settings import CourierSettings
from services.distribute.peers.guarded_http import ForbiddenTargetError, GuardedHttp
from shared.errors import RejectedRecordError
from shared.local.server_process import free_port
from shared.subscriptions.addresses import as_literal, is_public
from shared.subscriptions.channel_settings import (
    NEEDS_SECRET,
    SETTINGS,
    check_secret,
    settings_of,
)
from shared.testing.tns_server import KEY, TnsServer

KEY_OF_WEBHOOK = "a signing key of the tests"
ALERT = {
    "survey": "ztf", "alert_id": "3141", "object_id": "ZTF26abcdefg", "ra_deg": 210.9107,
    "dec_deg": -54.3117, "mjd_tai": 61366.0, "band": "r", "flux_njy": 36307.8,
    "flux_err_njy": 500.0, "is_simulated": True,
    "lc_mjd_tai": [61364.0, 61366.0], "lc_flux_njy": [None, 36307.8],
    "lc_flux_err_njy": [300.0, 500.0], "lc_band": [2, 2], "lc_kind": [2, 0],
}  # fmt: skip
TNS = {
    "bot_id": 7, "bot_name": "tocsin_bot", "reporting_group_id": 103, "data_source_id": 165,
    "reporter": "A. Nova (Tests)",
}  # fmt: skip
HERMES = {"topic": "tocsin.test", "submitter": "tests"}
GIVEN = {
    "webhook": {"url": "https://example.org/hook"}, "slack": {}, "mail": {"to": ["a@b.example"]},
    "tns": TNS, "hermes": HERMES,
}  # fmt: skip


def parcel(number=1, **changes):
    document = ALERT | {"object_id": f"ZTF26abcdef{number}"} | changes
    return Parcel(
        f"0123456789ab/out.bright/0/{number:012d}", f"00000000-0000-5000-8000-{number:012d}",
        "out.bright", str(document.get("alert_id", "")), document["object_id"], document,
        1_795_305_601_000,
    )  # fmt: skip


@dataclass
class HttpPeer:
    """Keeps what it was sent, and answers as it is told."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    taken: list = field(default_factory=list)

    async def take(self, request):
        self.taken.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@contextlib.asynccontextmanager
async def served(app):
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def http_peer(**behaviour):
    peer = HttpPeer(**behaviour)
    app = web.Application()
    app.router.add_post("/hook", peer.take)
    async with served(app) as url:
        yield peer, f"{url}/hook"


@contextlib.asynccontextmanager
async def channel_of(name, **settings):
    channel = peer_channels(CourierSettings(courier_allow_private=True, **settings))[name]
    try:
        yield channel
    finally:
        await channel.close()


def to(name, secret=None, **changes):
    settings = settings_of(name, GIVEN[name] | changes)
    return Destination("0123456789ab", settings, SecretStr(secret) if secret else None)


def test_every_channel_has_settings_and_every_settings_a_channel():
    assert list(peer_channels(CourierSettings())) == list(SETTINGS) == list(GIVEN)
    assert set(SETTINGS) >= NEEDS_SECRET


@pytest.mark.parametrize("name", list(SETTINGS))
def test_settings_that_are_misspelt_are_refused(name):
    with pytest.raises(RejectedRecordError, match="colour"):
        settings_of(name, GIVEN[name] | {"colour": "red"})
    assert settings_of(name, GIVEN[name])


@pytest.mark.parametrize("name", ["webhook", "slack", "mail", "tns", "hermes"])
async def test_a_peer_that_is_away_is_said_to_be_away_and_not_in_doubt(name):
    port = free_port()
    url = f"http://127.0.0.1:{port}/hook"
    secret = {"webhook": KEY_OF_WEBHOOK, "slack": url, "tns": KEY}.get(name)
    changes = {"url": url} if name == "webhook" else {}
    where = {
        "mail_smtp": f"127.0.0.1:{port}", "mail_tls": False, "tns_url": f"http://127.0.0.1:{port}",
        "hermes_bootstrap_servers": f"127.0.0.1:{port}", "hermes_security_protocol": "PLAINTEXT",
    }  # fmt: skip
    async with channel_of(name, **where) as channel:
        with pytest.raises(PeerAwayError) as caught:
            await channel.deliver(to(name, secret, **changes), [parcel()])
    assert not caught.value.in_doubt
    assert secret is None or secret not in str(caught.value)


async def test_a_webhook_can_be_checked_by_its_receiver():
    async with http_peer() as (peer, url), channel_of("webhook") as channel:
        there = to("webhook", KEY_OF_WEBHOOK, url=url)
        outcomes = [(await channel.deliver(there, [parcel()]))[0] for _ in range(2)]
    assert [o.state for o in outcomes] == ["confirmed", "confirmed"]
    (headers, body), (again, _) = peer.taken
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.digest(KEY_OF_WEBHOOK.encode(), signed, "sha256")
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert headers["Idempotency-Key"] == again["Idempotency-Key"] == headers["webhook-id"]
    said = json.loads(body)
    assert said["data"]["object_id"] == "ZTF26abcdef1"
    assert said["type"] == "out.bright"
    # Standard Webhooks' own example (v1 specification, "Verifying signatures").
    assert signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
        b'{"test": 2432232314}',
    ) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="  # fmt: skip


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, "confirmed"), (204, "confirmed"), (302, "failed"), (404, "failed"), (410, "failed")],
)
async def test_what_a_status_means(status, state):
    where = {"Location": "http://127.0.0.1:1/"}
    async with http_peer(status=status, headers=where) as (_, url), channel_of("webhook") as c:
        (outcome,) = await c.deliver(to("webhook", KEY_OF_WEBHOOK, url=url), [parcel()])
    assert outcome.state == state


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_peer_may_ask_to_wait(status):
    where = {"Retry-After": "7"}
    async with http_peer(status=status, headers=where) as (_, url), channel_of("webhook") as c:
        with pytest.raises(PeerAwayError) as caught:
            await c.deliver(to("webhook", KEY_OF_WEBHOOK, url=url), [parcel()])
    assert caught.value.retry_after_s == 7


async def test_a_peer_that_answers_without_end_is_read_so_far_and_no_further():
    async with http_peer(body=b"x" * 5_000_000) as (_, url):
        http = GuardedHttp(5.0, allow_private=True)
        assert len((await http.post(url, b"", {})).body) == 1024 * 1024
        await http.close()


async def test_a_peer_that_never_answers_leaves_it_in_doubt():
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    async with channel_of("webhook", courier_timeout_s=0.3) as channel:
        with pytest.raises(PeerAwayError) as caught:
            await channel.deliver(to("webhook", KEY_OF_WEBHOOK, url=url), [parcel()])
    listener.close()
    assert caught.value.in_doubt


SSRF = [
    "http://127.0.0.1/", "http://localhost/", "http://127.1/", "http://2130706433/",
    "http://0x7f000001/", "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/",
    "http://192.168.0.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://0.0.0.0/",
    "http://[fe80::1]/", "http://[fd00::1]/", "http://224.0.0.1/", "http://127.0.0.1./",
    "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://255.255.255.255/",
    "http://[::]/",
]  # fmt: skip


@pytest.mark.parametrize("url", SSRF)
async def test_our_own_network_is_never_called_for_somebody_else(url):
    http = GuardedHttp(2.0, allow_private=False)
    with pytest.raises(ForbiddenTargetError):
        await http.post(url, b"x", {})
    await http.close()


def test_addresses_of_the_open_internet_are_public():
    assert all(is_public(each) for each in ("8.8.8.8", "2001:4860:4860::8888"))
    assert not is_public("nonsense")
    assert as_literal("example.org") is None


BAD_URLS = [
    "ftp://example.org/", "file:///etc/passwd", "gopher://x/", "https://user:pw@example.org/",
    "https://example.org/#x", "https://exa mple.org/", "https://example.org/\r\nX: y", "https://",
    "javascript:alert(1)", "https://example.org:99999/", "https://" + "a" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_url_that_is_none_is_refused_when_it_is_set(url):
    with pytest.raises(RejectedRecordError, match="bad_settings"):
        settings_of("webhook", {"url": url})


INJECTED = ["a@b.example\r\nBcc: c@d.example", "a@b.example\n", "A <a@b.example>", "a@b@c", '"a"@b']


@pytest.mark.parametrize("address", INJECTED)
def test_no_address_ends_a_header(address):
    with pytest.raises(RejectedRecordError, match="bad_settings"):
        settings_of("mail", {"to": [address]})


@pytest.mark.parametrize("subject", ["x\r\nBcc: c@d.example", "x\ny", "x\x00"])
def test_no_subject_ends_a_header(subject):
    with pytest.raises(RejectedRecordError, match="bad_settings"):
        settings_of("mail", {"to": ["a@b.example"], "subject": subject})


def test_what_an_alert_says_stays_in_the_body():
    evil = parcel(object_id="ZTF1\r\nBcc: c@d.example\r\n\r\n.\r\nQUIT")
    mail = digest(settings_of("mail", {"to": ["a@b.example"]}), "t@o.example", [evil])
    assert mail["Bcc"] is None
    assert len(mail.get_content().strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("channel", "secret"),
    [("webhook", ""), ("webhook", "short"), ("slack", None), ("tns", "x\r\ny"), ("tns", "")],
)
def test_secrets_that_will_not_do_are_refused_without_repeating_them(channel, secret):
    with pytest.raises(RejectedRecordError) as caught:
        check_secret(channel, secret)
    assert not secret or secret not in str(caught.value)


async def test_slack_reads_nothing_of_an_alert_as_markup():
    async with http_peer() as (peer, url), channel_of("slack") as channel:
        evil = parcel(object_id="<!channel> & <https://evil.example|click>")
        link = "https://p.example/o/{object_id}"
        outcomes = await channel.deliver(to("slack", url, link=link), [evil, parcel(2)])
    assert [o.state for o in outcomes] == ["confirmed", "confirmed"]
    text = json.loads(peer.taken[0][1])["text"]
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; &amp;" in text
    assert len(text.splitlines()) == 3
    assert "<https://p.example/o/ZTF26abcdef2|page>" in text


async def test_a_digest_by_mail_is_taken_by_a_real_server():
    controller = pytest.importorskip("aiosmtpd.controller", reason=".[clients-check]")
    taken = []

    class Keep:
        async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's name
            taken.append(envelope)
            return "250 OK"

        async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
            if address.startswith("nobody"):
                return "550 no such user"
            envelope.rcpt_tos.append(address)
            return "250 OK"

    port = free_port()
    server = controller.Controller(Keep(), "127.0.0.1", port)
    server.start()
    try:
        where = {"mail_smtp": f"127.0.0.1:{port}", "mail_tls": False, "mail_from": "t@o.example"}
        async with channel_of("mail", **where) as channel:
            parcels = [parcel(n) for n in range(3)]
            outcomes = await channel.deliver(to("mail"), parcels)
            refused = await channel.deliver(to("mail", to=["nobody@b.example"]), parcels)
    finally:
        server.stop()
    assert {o.state for o in outcomes} == {"confirmed"}
    assert {(o.state, o.reason[:8]) for o in refused} == {("failed", "SMTP 550")}
    (envelope,) = taken
    assert envelope.rcpt_tos == ["a@b.example"]
    text = envelope.content.decode()
    assert "Subject: Tocsin alerts: 3 alerts" in text
    assert text.count("ZTF26abcdef") == 3


@contextlib.asynccontextmanager
async def tns(**behaviour):
    server = TnsServer(**behaviour)
    async with served(server.application()) as url, channel_of("tns", tns_url=f"{url}/api") as c:
        yield server, c


async def test_tns_names_what_is_reported_once_it_has_worked_on_it():
    async with tns(works_after_s=0.3) as (server, channel):
        first = await channel.deliver(to("tns", KEY), [parcel(1), parcel(2, flux_njy=None)])
        assert [o.state for o in first] == ["sent", "failed"]
        assert "flux_njy" in first[1].reason
        sent = [Parcel(**{**_fields(parcel(1)), "reference": first[0].reference})]
        assert await channel.look(to("tns", KEY), sent) == [None]
        server.works_after_s = 0.0
        (named,) = await channel.look(to("tns", KEY), sent)
    assert (named.state, named.reference) == ("confirmed", "2026aaa")
    (report,) = server.reports
    entry = report["data"]["at_report"]["0"]
    assert entry["discovery_datetime"] == "2026-11-21 23:59:23"  # TAI is 37 s ahead
    assert entry["photometry"]["photometry_group"]["0"]["flux"] == "20.0000"
    assert entry["non_detection"]["limiting_flux"] == "23.4598"
    assert entry["photometry"]["photometry_group"]["0"]["filter_value"] == "111"


async def test_tns_is_asked_before_and_an_object_that_it_knows_is_not_reported():
    async with tns() as (server, channel):
        server.objects["ZTF26abcdef1"] = "2025xyz"
        (outcome,) = await channel.deliver(to("tns", KEY), [parcel(1)])
    assert (outcome.state, outcome.reference) == ("confirmed", "AT2025xyz")
    assert server.reports == []


async def test_a_report_that_was_cut_off_is_found_and_not_made_again():
    async with tns(drop_after=1) as (server, channel):
        with pytest.raises(PeerAwayError) as caught:
            await channel.deliver(to("tns", KEY), [parcel(1)])
        assert caught.value.in_doubt
        (found,) = await channel.look(to("tns", KEY), [parcel(1)])
        assert found.state == "confirmed"
        assert await channel.look(to("tns", KEY), [parcel(2)]) == [None]
        assert server.times_reported("ZTF26abcdef1") == 1


async def test_tns_may_limit_rates_and_keys():
    async with tns(refuse_next=1) as (server, channel):
        with pytest.raises(PeerAwayError) as caught:
            await channel.deliver(to("tns", KEY), [parcel(1)])
        assert (caught.value.retry_after_s, caught.value.in_doubt) == (1, False)
        with pytest.raises(PeerAwayError, match="401") as caught:
            await channel.deliver(to("tns", "wrong key"), [parcel(1)])
        assert not caught.value.in_doubt
        assert server.reports == []


async def test_tns_says_what_is_wrong_with_an_entry():
    async with tns() as (server, channel):
        (sent,) = await channel.deliver(to("tns", KEY), [parcel(1)])
        server.reports[0]["data"]["at_report"]["0"]["reporter"] = ""
        again = Parcel(**{**_fields(parcel(1)), "reference": sent.reference})
        (outcome,) = await channel.look(to("tns", KEY), [again])
    assert outcome.state == "failed"
    assert "reporter" in outcome.reason


async def test_the_real_tns_needs_the_operators_consent_and_real_alerts():
    async with channel_of("tns") as channel:
        (outcome,) = await channel.deliver(to("tns", KEY, live=True), [parcel(1)])
    assert outcome.state == "failed"
    assert "TOCSIN_TNS_LIVE" in outcome.reason
    async with tns() as (server, channel):
        (outcome,) = await channel.deliver(to("tns", KEY, live=True), [parcel(1)])
    assert "simulated" in outcome.reason
    assert server.reports == []


async def test_a_classification_goes_with_its_spectrum():
    spectrum = {"obsdate": "2026-11-22 05:00:00", "instrument_id": 1, "ascii": "4000 1\n4001 2\n"}
    document = {
        "tns_name": "AT2026abc", "object_type_id": 3, "classifier": "A. Nova", "redshift": 0.03,
        "spectrum": spectrum,
    }  # fmt: skip
    async with tns() as (server, channel):
        there = to("tns", KEY, report="classification")
        outcomes = await channel.deliver(there, [parcel(1, **document), parcel(2)])
        sent = Parcel(**{**_fields(parcel(1, **document)), "reference": outcomes[0].reference})
        (named,) = await channel.look(there, [sent])
    assert [o.state for o in outcomes] == ["sent", "failed"]
    assert named.state == "confirmed"
    (entry,) = server.classified
    assert entry["name"] == "2026abc"
    assert [*server.uploads.values()] == [spectrum["ascii"]]


def test_a_hermes_message_names_its_target_everywhere():
    message = hermes_message(settings_of("hermes", HERMES), parcel(1))
    (target,), (point,) = message["data"]["targets"], message["data"]["photometry"]
    assert target["name"] == point["target_name"] == "ZTF26abcdef1"
    assert point["brightness_unit"] == "AB mag"
    assert "None" not in json.dumps(message)


def _fields(one):
    return {name: getattr(one, name) for name in Parcel.__slots__}
