"""A bounded memory of alerts that were sent, by survey: recognises packets that come twice.

Two generations of open-addressed tables: when the younger is full the older is dropped, so
that between half and all of the window is remembered. ``recall`` fills it again after a restart.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

Int64s = npt.NDArray[np.int64]

NEW = 0
DUPLICATE = 1
"""The same alert from another place in Kafka."""
SENT_BEFORE = 2
"""The very packet was delivered to us again after its alert was sent."""


@njit(cache=True, nogil=True)
def _slot(keys: Any, key: int) -> Any:
    """Where ``key`` is, or the empty slot where it belongs. The table is never full."""
    mask = keys.shape[0] - 1
    at = key & mask
    while keys[at] != 0 and keys[at] != key:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def _find(keys: Any, origins: Any, older_keys: Any, older_origins: Any, wanted: Any) -> Any:
    """Origin of each wanted key, 0 where it is not remembered."""
    found = np.zeros(wanted.shape[0], np.int64)
    for k in range(wanted.shape[0]):
        at = _slot(keys, wanted[k])
        if keys[at] != 0:
            found[k] = origins[at]
            continue
        at = _slot(older_keys, wanted[k])
        if older_keys[at] != 0:
            found[k] = older_origins[at]
    return found


@njit(cache=True, nogil=True)
def _insert(keys: Any, origins: Any, added: Any, added_origins: Any, room: int) -> tuple[int, int]:
    """Remember keys while there is room; how many were dealt with, and how much room is left."""
    for k in range(added.shape[0]):
        at = _slot(keys, added[k])
        if keys[at] == 0:
            if room == 0:
                return k, room
            room -= 1
            keys[at] = added[k]
            origins[at] = added_origins[k]
    return added.shape[0], room


@njit(cache=True, nogil=True)
def _hash_texts(offsets: Any, texts: Any, seed: int, hashes: Any) -> None:
    """FNV-1a of each text, finished by murmur3's mixer; never 0."""
    for k in range(hashes.shape[0]):
        value = np.uint64(0xCBF29CE484222325) ^ np.uint64(seed)
        for at in range(offsets[k], offsets[k + 1]):
            value = (value ^ np.uint64(texts[at])) * np.uint64(0x100000001B3)
        value ^= value >> np.uint64(33)
        value *= np.uint64(0xFF51AFD7ED558CCD)
        value ^= value >> np.uint64(33)
        hashes[k] = max(np.int64(value & np.uint64(0x7FFFFFFFFFFFFFFF)), np.int64(1))


def keys_of(survey: str, alert_ids: pa.Array) -> Int64s:
    """A positive 63-bit key of each alert id, shape (n,), different from survey to survey."""
    _, offsets, texts = alert_ids.buffers()
    n, first = len(alert_ids), alert_ids.offset
    where = np.frombuffer(offsets, np.int32)[first : first + n + 1]
    hashes = np.empty(n, np.int64)
    letters = np.frombuffer(texts, np.uint8) if texts else np.zeros(0, np.uint8)
    _hash_texts(where, letters, zlib.crc32(survey.encode()), hashes)
    return hashes


def origins_of(topics: Sequence[str], partitions: Int64s, offsets: Int64s) -> Int64s:
    """A positive number for each place in Kafka, shape (n,)."""
    crcs = {topic: zlib.crc32(topic.encode()) for topic in set(topics)}
    mixed = np.fromiter((crcs[topic] for topic in topics), np.int64, len(topics))
    mixed = (mixed << 31) ^ (partitions << 45) ^ offsets
    return np.asarray((mixed & 0x7FFFFFFFFFFFFFFF) | (mixed == 0), dtype=np.int64)


class RecentAlerts:
    """The memory itself.

    Parameters
    ----------
    window
        Alerts remembered at most, of all surveys together; 50 bytes each.
    """

    def __init__(self, window: int = 1_000_000) -> None:
        self._half = max(window // 2, 1)
        size = 1 << (2 * self._half - 1).bit_length()
        self._keys, self._origins = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._older_keys, self._older_origins = np.zeros(size, np.int64), np.zeros(size, np.int64)
        self._room = self._half

    def judge(self, keys: Int64s, origins: Int64s) -> npt.NDArray[np.int8]:
        """``NEW``, ``DUPLICATE`` or ``SENT_BEFORE`` for each alert, shape (n,).

        The second of two equal keys in the batch is a duplicate (or the same packet again).
        """
        known = _find(self._keys, self._origins, self._older_keys, self._older_origins, keys)
        _, first = np.unique(keys, return_index=True)
        repeated = np.ones(len(keys), np.bool_)
        repeated[first] = False
        if repeated.any():
            order = np.argsort(keys, kind="stable")
            starts = np.searchsorted(keys[order], keys[repeated])
            known[repeated] = np.where(
                known[repeated] == 0, origins[order[starts]], known[repeated]
            )
        verdict = np.where(known == 0, NEW, np.where(known == origins, SENT_BEFORE, DUPLICATE))
        return verdict.astype(np.int8)

    def remember(self, keys: Int64s, origins: Int64s) -> None:
        """Note alerts whose envelopes Kafka has acknowledged."""
        done = 0
        while done < len(keys):
            dealt_with, self._room = _insert(
                self._keys, self._origins, keys[done:], origins[done:], self._room
            )
            done += dealt_with
            if done < len(keys):
                self._older_keys, self._keys = self._keys, np.zeros_like(self._keys)
                self._older_origins, self._origins = self._origins, np.zeros_like(self._origins)
                self._room = self._half
