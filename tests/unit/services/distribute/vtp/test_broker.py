"""The broker on loopback sockets: framing, receipts, whitelists, limits, and each for himself."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
import subprocess

import pytest

from services.distribute.vtp.broker import Broker
from services.distribute.vtp.metrics import VtpMetrics
from services.distribute.vtp.settings import VtpSettings
from services.distribute.vtp.whitelist import Whitelist
from shared.errors import UpstreamUnavailableError
from shared.local.server_process import free_port
from shared.vtp import described, framed, identity_of, transport


def packet(number, authority="org.example", more=""):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" role="test"'
        f' ivorn="ivo://{authority}/stream#{number}"><What><Param name="n" value="{number}"/>'
        f"{more}</What></voe:VOEvent>"
    ).encode()


class Client:
    """A subscriber made of a socket."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connected(cls, port, filters=(), **tls):
        client = cls(*await asyncio.open_connection("127.0.0.1", port, **tls))
        hello = described(await client.read())
        assert (hello.name, hello.role) == ("Transport", "authenticate")
        if filters:
            meta = "".join(f'<Param name="xpath-filter" value="{f}"/>' for f in filters)
            answer = transport("authenticate", "ivo://x/y", "ivo://me/sub").decode()
            answer = answer.replace("</trn:Transport>", f"<Meta>{meta}</Meta></trn:Transport>")
            await client.say(answer.encode())
        return client

    async def read(self, seconds=5.0):
        async with asyncio.timeout(seconds):
            (length,) = struct.unpack(">i", await self.reader.readexactly(4))
            return await self.reader.readexactly(length)

    async def say(self, payload):
        self.writer.write(framed(payload))
        await self.writer.drain()

    async def is_cut(self, seconds=5.0):
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(seconds):
                while await self.reader.read(65536):
                    pass
        return True


@pytest.fixture
async def broker():
    """Starts brokers; authors' packets are relayed as they are when they come back from Kafka."""
    started = []

    async def start(**settings):
        given = {"vtp_port": free_port(), "vtp_author_port": free_port(), **settings}
        settings_ = VtpSettings(**given)
        one = None
        kept = []

        async def keep(content, identity):
            kept.append((content, identity))
            await one.relay([content])

        one = Broker(settings_, keep, VtpMetrics(settings_))
        await one.start()
        one.settings, one.kept = settings_, kept
        started.append(one)
        return one

    yield start
    for one in started:
        await one.stop()


async def hand_in(port, payload, **tls):
    """What an author gets as an answer: role and reason."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **tls)
    writer.write(framed(payload) if payload is not None else b"")
    client = Client(reader, writer)
    try:
        answer = await client.read()
    finally:
        writer.close()
    return described(answer).role, answer.decode()


async def until(condition, seconds=5.0):
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_what_an_author_hands_in_comes_out_byte_for_byte(broker):
    one = await broker()
    subscribers = [await Client.connected(one.settings.vtp_port) for _ in range(3)]
    content = packet(1, more="<!-- \u00e9 -->\r\n  ") + b"\n\n"
    role, _ = await hand_in(one.settings.vtp_author_port, content)
    assert role == "ack"
    for subscriber in subscribers:
        assert await subscriber.read() == content


async def test_a_duplicate_is_acknowledged_and_not_sent_again(broker):
    one = await broker()
    subscriber = await Client.connected(one.settings.vtp_port)
    port = one.settings.vtp_author_port
    assert (await hand_in(port, packet(1)))[0] == "ack"
    assert (await hand_in(port, packet(1) + b"\n\n"))[0] == "ack"
    # The same identifier with other content is another packet (VTP 2.0, section 7).
    other = packet(1, more="<Description>again</Description>")
    assert (await hand_in(port, other))[0] == "ack"
    assert [await subscriber.read(), await subscriber.read()] == [packet(1), other]
    assert len(one.kept) == 2


ENTITIES = b'<!DOCTYPE V [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + packet(1)[39:]
REFUSED = {
    "no XML": b"<VOEvent",
    "entities": ENTITIES,
    "a Transport": transport("ack", "ivo://a/b"),
    "no role": packet(1).replace(b'role="test"', b'role="prank"'),
    "no local part": packet(1).replace(b"#1", b""),
    "our own name": packet(1, "org.tocsin"),
    "our own name, in capitals": packet(1, "Org.TOCSIN"),
    "white space in the name": packet(1).replace(b"#1", b"#1 x"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_an_author_is_told_why_a_packet_is_refused(broker, name):
    one = await broker()
    role, text = await hand_in(one.settings.vtp_author_port, REFUSED[name])
    assert role == "nak"
    assert "<Result>" in text
    assert one.kept == []


@pytest.mark.parametrize("length", [0, -1, 100_000, 2**31 - 1])
async def test_an_author_who_announces_a_monster_is_refused_at_once(broker, length):
    one = await broker()
    reader, writer = await asyncio.open_connection("127.0.0.1", one.settings.vtp_author_port)
    writer.write(struct.pack(">i", length))
    assert described(await Client(reader, writer).read()).role == "nak"
    writer.close()


async def test_an_author_who_dawdles_is_cut(broker):
    one = await broker(vtp_frame_s=0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", one.settings.vtp_author_port)
    writer.write(framed(packet(1))[:50])
    async with asyncio.timeout(3):
        assert await reader.read() == b""
    writer.close()


async def test_without_kafka_there_is_no_receipt_so_the_author_comes_again(broker):
    one = await broker()
    works = one.authors._keep

    async def away(*_):
        raise UpstreamUnavailableError("Kafka is away")

    one.authors._keep = away
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await hand_in(one.settings.vtp_author_port, packet(1))
    one.authors._keep = works
    assert (await hand_in(one.settings.vtp_author_port, packet(1)))[0] == "ack"
    assert len(one.kept) == 1


async def test_only_those_on_the_lists_get_in(broker):
    one = await broker(vtp_subscribers="10.0.0.0/8", vtp_authors="10.0.0.0/8")
    stranger = Client(*await asyncio.open_connection("127.0.0.1", one.settings.vtp_port))
    assert await stranger.is_cut()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await hand_in(one.settings.vtp_author_port, packet(1))
    assert one.subscribers == 0


def test_a_whitelist_knows_mapped_addresses_and_refuses_nonsense():
    local = Whitelist("127.0.0.0/8, ::1/128")
    assert all(local.allows(each) for each in ("127.0.0.1", "::1", "::ffff:127.0.0.1"))
    assert not any(local.allows(each) for each in ("128.0.0.1", "::ffff:10.0.0.1", "x", ""))
    with pytest.raises(ValueError, match="no network"):
        Whitelist("127.0.0.1/33")


async def test_filters_choose_and_any_of_them_is_enough(broker):
    one = await broker()
    everything = await Client.connected(one.settings.vtp_port)
    wants = ["//Param[@name='n' and @value = 2]", "//Param[@value = 4]"]
    some = await Client.connected(one.settings.vtp_port, wants)
    await until(lambda: any(line.filters for line in one._gate.lines))
    await one.relay([packet(n) for n in range(1, 6)])
    assert [await everything.read() for _ in range(5)] == [packet(n) for n in range(1, 6)]
    assert [await some.read(), await some.read()] == [packet(2), packet(4)]


async def test_a_bad_filter_is_refused_and_the_good_ones_stay(broker):
    one = await broker()
    bombs = ["//*[//*[//*[//*[//*[//*]]]]]", "document('x')"]
    client = await Client.connected(one.settings.vtp_port, [*bombs, "//Param[@value=2]"])
    assert [described(await client.read()).role for _ in bombs] == ["nak", "nak"]
    await one.relay([packet(1), packet(2)])
    assert await client.read() == packet(2)


async def test_who_subscribes_with_a_filter_that_never_ends_is_cut_and_others_are_not(broker):
    one = await broker(vtp_filter_s=0.2)
    slow = "count(//*[count(//*[count(//*[count(//*) &gt; 0]) &gt; 0]) &gt; 0])"
    bomber = await Client.connected(one.settings.vtp_port, [slow])
    filtered = await Client.connected(one.settings.vtp_port, ["true()"])
    plain = await Client.connected(one.settings.vtp_port)
    await until(lambda: sum(bool(line.filters) for line in one._gate.lines) == 2)
    large = packet(1, more="<Param/>" * 400)
    await one.relay([large])
    assert await plain.read(1.0) == large  # at once: filters are weighed elsewhere
    assert await filtered.read(20.0) == large
    assert await bomber.is_cut()
    assert one.subscribers == 2


async def test_messages_may_come_in_any_pieces(broker):
    one = await broker()
    client = await Client.connected(one.settings.vtp_port)
    await one.relay([packet(1), packet(2)])
    receipts = b"".join(framed(transport("ack", "ivo://x/y", "ivo://me/s")) for _ in range(2))
    for byte in receipts:
        client.writer.write(bytes([byte]))
        await client.writer.drain()
    (line,) = one._gate.lines
    await until(lambda: line._unacknowledged == 0)
    assert [await client.read(), await client.read()] == [packet(1), packet(2)]


async def test_a_refusal_does_not_cost_the_subscription(broker):
    one = await broker()
    client = await Client.connected(one.settings.vtp_port)
    await one.relay([packet(1)])
    await client.read()
    await client.say(transport("nak", "ivo://x/y", "ivo://me/s", "not mine"))
    await one.relay([packet(2)])
    assert await client.read() == packet(2)


ABUSES = {
    "length 0": struct.pack(">i", 0),
    "negative length": struct.pack(">i", -5),
    "2 GiB": struct.pack(">i", 2**31 - 1),
    "64 KiB and one": struct.pack(">i", 65_537),
    "garbage": framed(b"hello"),
    "a VOEvent from a subscriber": framed(packet(1)),
    "entities": framed(ENTITIES),
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", ABUSES)
async def test_who_breaks_the_protocol_is_cut_and_nobody_else(broker, name):
    one = await broker()
    good = await Client.connected(one.settings.vtp_port)
    bad = await Client.connected(one.settings.vtp_port)
    bad.writer.write(ABUSES[name])
    assert await bad.is_cut()
    await one.relay([packet(7)])
    assert await good.read() == packet(7)


async def test_who_stops_reading_is_cut_and_nobody_else_waits(broker):
    one = await broker(vtp_backlog_kib=64)
    stuck = await Client.connected(one.settings.vtp_port)
    stuck.writer.transport.pause_reading()
    good = await Client.connected(one.settings.vtp_port)
    content = [packet(n, more="x" * 50_000) for n in range(400)]

    async def read_all():
        return [await good.read() for _ in content]

    reading = asyncio.create_task(read_all())
    for each in content:
        await one.relay([each])
        await asyncio.sleep(0)
    assert await reading == content
    await until(lambda: one.subscribers == 1)


async def test_who_never_acknowledges_is_cut(broker):
    one = await broker(vtp_unacknowledged=10)
    client = await Client.connected(one.settings.vtp_port)
    for number in range(11):
        await one.relay([packet(number)])
    assert await client.is_cut()


async def test_who_does_not_answer_iamalive_is_cut_and_who_does_stays(broker):
    one = await broker(vtp_alive_s=0.5)
    silent = await Client.connected(one.settings.vtp_port)
    alive = await Client.connected(one.settings.vtp_port)

    async def answer():
        while True:
            asked = described(await alive.read(20))
            assert asked.role == "iamalive"
            await alive.say(transport("iamalive", asked.origin, "ivo://me/s"))

    answering = asyncio.create_task(answer())
    assert described(await silent.read()).role == "iamalive"
    assert await silent.is_cut()
    assert one.subscribers == 1
    answering.cancel()
    await asyncio.gather(answering, return_exceptions=True)


async def test_half_a_message_is_not_waited_for_long(broker):
    one = await broker(vtp_frame_s=0.5)
    client = await Client.connected(one.settings.vtp_port)
    client.writer.write(struct.pack(">i", 500) + b"<a>")
    assert await client.is_cut()


async def test_there_are_no_more_connections_than_allowed(broker):
    one = await broker(vtp_most_subscribers=3, vtp_most_per_address=2)
    kept = [await Client.connected(one.settings.vtp_port) for _ in range(2)]
    third = Client(*await asyncio.open_connection("127.0.0.1", one.settings.vtp_port))
    assert await third.is_cut()
    assert one.subscribers == len(kept)


def certificate(folder):
    """A certificate of its own authority for 127.0.0.1."""
    key, pem = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", pem, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return pem, key


async def test_tls_for_subscribers_and_certificates_of_authors(broker, tmp_path):
    pem, key = certificate(tmp_path)
    one = await broker(
        vtp_tls_port=free_port(), vtp_author_tls_port=free_port(), vtp_certificate_file=pem,
        vtp_key_file=key, vtp_author_ca_file=pem,
    )  # fmt: skip
    trusting = ssl.create_default_context(cafile=str(pem))
    client = await Client.connected(one.settings.vtp_tls_port, ssl=trusting)
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        await hand_in(one.settings.vtp_author_tls_port, packet(1), ssl=trusting)
    known = ssl.create_default_context(cafile=str(pem))
    known.load_cert_chain(pem, key)
    assert (await hand_in(one.settings.vtp_author_tls_port, packet(1), ssl=known))[0] == "ack"
    assert await client.read() == packet(1)


async def test_a_port_with_tls_needs_a_certificate(broker):
    with pytest.raises(ValueError, match="CERTIFICATE"):
        await broker(vtp_tls_port=free_port())


def test_identity_is_the_element_and_nothing_around_it():
    assert identity_of(b"<?xml version='1.0'?>" + packet(1)[39:]) == identity_of(packet(1))
    assert identity_of(packet(1)) != identity_of(packet(2))
    assert identity_of(b"nothing") != identity_of(b"other")
