"""LSST's packets: Confluent framing, official schema v10.0, FITS cutouts not compressed."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from services.simulate.avro_rows import EncodedRows, RowEncoder
from services.simulate.cutouts import draw_cutouts
from services.simulate.models.base import IntArray
from services.simulate.population import Night
from services.simulate.surveys.base import SimulatedPacket, history_rows, scenes_of
from services.simulate.surveys.lsst_cutouts import CUTOUT_PIXELS, cutout_files
from services.simulate.surveys.lsst_photometry import LsstPhotometry
from shared.packets.containers import write_varint
from shared.packets.lsst_schemas import official_schema_json, schema_id_of

SCHEMA_VERSION = (10, 0)
OBSERVATION_REASON = "tocsin_simulated"
"""``observation_reason`` of every simulated packet: ingest knows them by it."""
_SOME = b"\x02"
_NONE = b"\x00"
_SKY_NJY = 0.0
"""Rubin's calibrated images have their background taken off."""


class LsstWriter:
    """Writes a night's alerts as LSST packets.

    Raises
    ------
    shared.errors.RejectedRecordError
        ``unknown_schema``, if the package with the official schemas is not installed.
    """

    file_suffix = ".bin"

    def __init__(self, night: Night) -> None:
        self._night = night
        self._photometry = LsstPhotometry(night)
        records = _records(orjson.loads(official_schema_json(*SCHEMA_VERSION)))
        self._source = RowEncoder(records["diaSource"])
        self._forced = RowEncoder(records["diaForcedSource"])
        self._object = RowEncoder(records["diaObject"])
        self._body = RowEncoder(records["ssSource"])
        self._orbit = RowEncoder(records["mpc_orbits"])
        self._frame = struct.pack(">bI", 0, schema_id_of(*SCHEMA_VERSION))
        reason = OBSERVATION_REASON.encode()
        self._reason = _SOME + write_varint(len(reason)) + reason

    def write(self, alerts: IntArray) -> Sequence[SimulatedPacket]:
        """Packets of the alerts numbered ``alerts``, in that order."""
        night, photometry = self._night, self._photometry
        points = night.alert_points[alerts]
        if not len(points):
            return []
        source = night.point_source[points]
        moving = photometry.is_moving[source]
        sources = self._source.encode(len(points), photometry.sources(points))
        forced, forced_at = history_rows(night, points)
        measured = self._forced.encode(
            len(forced),
            {
                **photometry.forced(forced),
                # A body has moved on: there is no object to force photometry for.
                "diaObjectId": np.maximum(photometry.dia_object_id(night.point_source[forced]), 0),
            },
        )
        seen = night.is_detected[forced]
        earlier = forced[seen]
        earlier_at = np.concatenate([[0], np.cumsum(seen)])[forced_at].astype(np.int64)
        previous = self._source.encode(len(earlier), photometry.sources(earlier))
        objects = list(self._fixed(~moving, photometry.objects(points, earlier, earlier_at)))
        bodies = list(self._some(self._body, moving, photometry.bodies(points[moving])))
        orbits = list(self._some(self._orbit, moving, photometry.orbits(points[moving])))
        files = self._cutouts(points)
        ids = photometry.dia_source_id(points).tolist()
        own_ids = np.where(
            moving, photometry.ss_object_id(source), photometry.dia_object_id(source)
        )
        names, rows_of = [str(number) for number in own_ids.tolist()], source.tolist()
        visits = night.point_visit[points].tolist()
        file_head = _SOME + write_varint(files.shape[2])
        packets = []
        rows = zip(sources, previous.slices(earlier_at), measured.slices(forced_at), strict=True)
        for i, (own, before, forcings) in enumerate(rows):
            n_before = int(earlier_at[i + 1] - earlier_at[i])
            n_forced = 0 if moving[i] else int(forced_at[i + 1] - forced_at[i])
            parts = [
                self._frame, write_varint(ids[i]), self._reason, _NONE, own,
                *_array(n_before, before), *_array(n_forced, forcings),
                objects[i], bodies[i], orbits[i],
            ]  # fmt: skip
            # The schema's order is difference, science, template.
            for kind in (2, 0, 1):
                parts += [file_head, files[i, kind].tobytes()]
            packets.append(
                SimulatedPacket(b"".join(parts), ids[i], names[i], rows_of[i], visits[i])
            )
        return packets

    def _fixed(self, present: Any, columns: dict[str, Any]) -> Sequence[bytes]:
        rows = {
            name: value[present] if isinstance(value, np.ndarray) else value
            for name, value in columns.items()
        }
        return self._some(self._object, present, rows)

    @staticmethod
    def _some(encoder: RowEncoder, present: Any, columns: dict[str, Any]) -> Sequence[bytes]:
        """The optional record of each alert: encoded where ``present``, else null."""
        encoded: EncodedRows = encoder.encode(int(np.count_nonzero(present)), columns)
        rows = iter(encoded)
        return [_SOME + bytes(next(rows)) if here else _NONE for here in present.tolist()]

    def _cutouts(self, points: IntArray) -> Any:
        night = self._night
        scenes = scenes_of(night, points, 1.0, _SKY_NJY)
        images = draw_cutouts(scenes, CUTOUT_PIXELS)
        noise = scenes.pixel_noise**2
        variance = np.stack([noise, 0.09 * noise, 1.09 * noise], axis=1).astype(np.float32)
        source = night.point_source[points]
        return cutout_files(
            images,
            variance,
            night.sources.ra_deg[source],
            night.sources.dec_deg[source],
            scenes.fwhm,
            night.telescope.pixel_arcsec,
        )


def _records(schema: Any) -> dict[str, Any]:
    """Every record within a schema, by its name without namespace."""
    found: dict[str, Any] = {}
    if isinstance(schema, dict):
        if schema.get("type") == "record":
            found[schema["name"].rsplit(".", 1)[-1]] = schema
            for field in schema["fields"]:
                found |= _records(field["type"])
        else:
            found |= _records(schema.get("items"))
    elif isinstance(schema, list):
        for branch in schema:
            found |= _records(branch)
    return found


def _array(count: int, items: memoryview) -> tuple[bytes | memoryview, ...]:
    """An optional Avro array of ``count`` encoded items; null when it is empty."""
    if count == 0:
        return (_NONE,)
    return (_SOME, write_varint(count), items, _NONE)
