"""ZTF's packets: one Avro container per alert, schema 4.02, cutouts as gzipped FITS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson

from services.simulate.avro_rows import RowEncoder
from services.simulate.cutouts import draw_cutouts
from services.simulate.fits_images import gzipped_images
from services.simulate.models.base import IntArray
from services.simulate.population import Night
from services.simulate.surveys import ztf_schema
from services.simulate.surveys.base import (
    SimulatedPacket,
    history_rows,
    mix,
    night_hash,
    scenes_of,
)
from services.simulate.surveys.ztf_photometry import NJY_PER_DN, ZtfPhotometry
from shared.packets.containers import read_header, write_container, write_varint

PUBLISHER = "Tocsin simulator"
"""``publisher`` of every simulated packet: ingest knows them by it."""
CUTOUT_PIXELS = 63
_SKY_DN = 200.0
_OBJECT_NUMBERS = 26**6
_SOME = b"\x02"
_NONE = b"\x00"


class ZtfWriter:
    """Writes a night's alerts as ZTF packets."""

    file_suffix = ".avro"

    def __init__(self, night: Night) -> None:
        self._night = night
        self._photometry = ZtfPhotometry(night)
        self._head = RowEncoder(ztf_schema.HEAD)
        self._previous = RowEncoder(ztf_schema.PREVIOUS)
        self._forced = RowEncoder(ztf_schema.FORCED)
        schema = orjson.dumps(ztf_schema.ALERT)
        self._marker = mix(night_hash(night)).to_bytes(8, "big") * 2
        empty = write_container(schema, b"", self._marker)
        self._container_head = empty[: read_header(empty).length] + write_varint(1)
        self._first_object = night_hash(night) % _OBJECT_NUMBERS
        year = datetime(1858, 11, 17, tzinfo=UTC) + timedelta(days=night.night_mjd)
        self._object_prefix = f"ZTF{year:%y}s"

    def object_id(self, source: int) -> str:
        """``ZTF``, the year, ``s`` and six letters; ZTF's own count has not come to ``s``."""
        number = (self._first_object + source * 7_919) % _OBJECT_NUMBERS
        letters = ""
        for _ in range(6):
            number, letter = divmod(number, 26)
            letters = chr(97 + letter) + letters
        return self._object_prefix + letters

    def write(self, alerts: IntArray) -> Sequence[SimulatedPacket]:
        """Packets of the alerts numbered ``alerts``, in that order."""
        points = self._night.alert_points[alerts]
        if not len(points):
            return []
        source = self._night.point_source[points]
        ids = self._photometry.candid(points).tolist()
        sources = source.tolist()
        names = [self.object_id(number) for number in sources]
        heads = self._head.encode(
            len(points),
            {
                "schemavsn": ztf_schema.SCHEMA_VERSION,
                "publisher": PUBLISHER,
                "objectId": names,
                **self._photometry.candidates(points),
            },
        )
        earlier, offsets = history_rows(self._night, points)
        previous = self._previous.encode(len(earlier), self._photometry.detections(earlier))
        forced = self._forced.encode(len(earlier), self._photometry.forced(earlier))
        files = self._cutouts(points)
        pids = self._photometry.pid(points).tolist()
        visits = self._night.point_visit[points].tolist()
        packets = []
        for i, (head, before, measured) in enumerate(
            zip(heads, previous.slices(offsets), forced.slices(offsets), strict=True)
        ):
            count = int(offsets[i + 1] - offsets[i])
            parts = [head, *_array(count, before), *_array(count, measured)]
            name = f"candid{ids[i]}_pid{pids[i]}_targ"
            for ending, file in zip(
                ("_sci", "_ref", "_scimref"), files[3 * i : 3 * i + 3], strict=True
            ):
                file_name = f"{name}{ending}.fits.gz".encode()
                parts += [_SOME, write_varint(len(file_name)), file_name]
                parts += [write_varint(len(file)), file]
            body = b"".join(parts)
            payload = b"".join((self._container_head, write_varint(len(body)), body, self._marker))
            packets.append(SimulatedPacket(payload, ids[i], names[i], sources[i], visits[i]))
        return packets

    def _cutouts(self, points: IntArray) -> list[bytes]:
        """Gzipped science, template and difference of each alert, one after another."""
        scenes = scenes_of(self._night, points, NJY_PER_DN, _SKY_DN)
        images = draw_cutouts(scenes, CUTOUT_PIXELS)
        return gzipped_images(np.reshape(images, (-1, CUTOUT_PIXELS, CUTOUT_PIXELS)))


def _array(count: int, items: memoryview) -> tuple[bytes | memoryview, ...]:
    """An optional Avro array of ``count`` encoded items; null when it is empty."""
    if count == 0:
        return (_NONE,)
    return (_SOME, write_varint(count), items, _NONE)
