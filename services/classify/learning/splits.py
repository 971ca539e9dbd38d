"""Who is kept apart: decided by a hash of the object's name, never by its place in a file."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt


def stable_fractions(salt: str, object_id: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each object, independent between salts.

    Not CRC-32: it is linear, so splits of different salts would be made of the same blocks.
    """
    digests = [
        hashlib.blake2b(f"{salt}:{one}".encode(), digest_size=8).digest()
        for one in object_id.tolist()
    ]
    return np.array([int.from_bytes(one) for one in digests], dtype=np.float64) / 2.0**64
