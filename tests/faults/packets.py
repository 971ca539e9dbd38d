"""Faults that come in by the front door: broken packets, packets twice, another schema."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from services.simulate.rekey import rekeyed
from shared.packets import iter_packets
from tests.faults.base import Fault, Feed, NightFeed, PacketFeed, Scene
from tests.faults.samples import official_sample, ztf_templates

_POISON_SHARE = 0.01


class Poison(Fault):
    """One packet in a hundred is cut short, flipped, swapped or noise."""

    name = "poison-packets"
    summary = "1 % of the packets are broken: cut, flipped bits, noise, empty, swapped halves"

    def feed(self, scene: Scene) -> Feed:
        return PacketFeed(scene, self.topic, self._packets(scene))

    def strike(self, scene: Scene) -> None:
        time.sleep(0.5)  # the packets themselves are the fault

    def complaints(self, scene: Scene, account: dict[str, Any]) -> list[str]:
        letters = [x for x in scene.mesh.letters() if x.stage == "ingest"]
        bugs = [x.detail for x in letters if x.reason == "bug"]
        found = [f"{len(bugs)} packets ran into a bug: {bugs[0]}"] if bugs else []
        return found if letters else ["no packet was refused"]

    def _packets(self, scene: Scene) -> Iterator[bytes]:
        templates = ztf_templates()
        for serial in range(scene.alerts):
            packet = rekeyed(templates[serial % len(templates)], scene.seed * 10_000 + serial)
            poisonous = scene.random.random() < _POISON_SHARE or serial == scene.alerts // 2
            yield poisoned(packet, scene.random) if poisonous else packet


def poisoned(packet: bytes, random: Random) -> bytes:
    """A broken copy, in one of the ways packets break."""
    n = len(packet)
    at = random.randrange(1, n)
    flipped = bytearray(packet)
    for _ in range(8):
        flipped[random.randrange(n)] ^= 1 << random.randrange(8)
    return random.choice(
        [packet[:at], bytes(flipped), random.randbytes(500), b"", packet[at:] + packet[:at],
         packet[:at] + packet[at // 2 :]]
    )  # fmt: skip


class Twice(Fault):
    """The survey sends a night, and sends it again."""

    name = "sent-twice"
    summary = "every packet is sent twice: the second becomes a dead letter, `duplicate`"
    sends = 2.0

    def feed(self, scene: Scene) -> Feed:
        self._before = self._duplicates(scene)
        return TwoNights(scene)

    def strike(self, scene: Scene) -> None:
        time.sleep(0.5)

    def complaints(self, scene: Scene, account: dict[str, Any]) -> list[str]:
        found = self._duplicates(scene) - self._before
        return [] if found == scene.alerts else [f"{found} duplicates of {scene.alerts} were found"]

    @staticmethod
    def _duplicates(scene: Scene) -> int:
        return len({x.key for x in scene.mesh.letters() if x.reason == "duplicate"})


class TwiceAcrossRestart(Twice):
    """Between the two nights ingest loses whatever it holds in memory."""

    name = "sent-twice-restart"

    def __init__(self, service: str = "ingest") -> None:
        self.service = service
        self.summary = f"every packet is sent twice, and {service} is killed in between"

    def strike(self, scene: Scene) -> None:
        """Nothing yet: the kill comes between the nights."""

    def feed(self, scene: Scene) -> Feed:
        self._before = self._duplicates(scene)
        return TwoNights(scene, between=lambda: scene.mesh.kill(self.service))


class TwoNights:
    """The same night one after the other."""

    def __init__(self, scene: Scene, between: Callable[[], object] | None = None) -> None:
        self._scene = scene
        self._between = between
        self._first = NightFeed(scene)

    def finish(self) -> None:
        self._first.finish()
        if self._between is not None:
            self._between()
        NightFeed(self._scene).finish()


class SchemaJump(Fault):
    """The survey changes its schema in mid-stream, without a word."""

    name = "schema-jump"
    summary = "LSST's packets change from schema 10.0 to 11.1 in mid-stream"
    topic = "lsst_alerts"

    def feed(self, scene: Scene) -> Feed:
        return PacketFeed(scene, self.topic, self._packets(scene))

    def strike(self, scene: Scene) -> None:
        time.sleep(0.5)

    def complaints(self, scene: Scene, account: dict[str, Any]) -> list[str]:
        origins = {"lsst_alerts"}
        letters = [x for x in scene.mesh.letters() if x.origin_topic in origins]
        new = [x for x in letters if x.origin_offset >= 0 and x.reason != "duplicate"]
        return [f"{len(new)} were refused: {new[0].reason}: {new[0].detail}"] if new else []

    def _packets(self, scene: Scene) -> Iterator[bytes]:
        old, new = official_sample(10, 0), official_sample(11, 1)
        for serial in range(scene.alerts):
            template = old if serial < scene.alerts // 2 else new
            yield rekeyed(template, scene.seed * 10_000 + serial)


def packets_in(path: str) -> list[bytes]:
    """Packets of a file or folder."""
    return [p.payload for p in iter_packets([path]) if p.reason is None]
