"""Made-up streams for the tests of learning."""

import numpy as np

from services.classify.learning.streams.base import LabelledStream


def blobs(n=900, features=6, classes=3, seed=0, spread=1.0):
    """Classes around three corners, some values missing."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, n)
    centres = np.random.default_rng(99).normal(0, 3, (classes, features))
    rows = (centres[label] + rng.normal(0, spread, (n, features))).astype(np.float32)
    rows[rng.random(rows.shape) < 0.05] = np.nan
    names = np.array([f"o{k}" for k in range(n)])
    return LabelledStream(
        "blobs", rows, label, ("a", "b", "c")[:classes], np.arange(n * 1.0), names
    )


def rotating_plane(n=4_000, features=5, seed=0, turn_deg=30.0):
    """Two classes parted by a plane that turns as the stream goes (Hulten et al. 2001)."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, features)).astype(np.float32)
    angle = np.linspace(0, np.radians(turn_deg), n)
    label = (rows[:, 0] * np.cos(angle) + rows[:, 1] * np.sin(angle) > 0).astype(np.int64)
    names = np.array([f"o{k}" for k in range(n)])
    return LabelledStream("plane", rows, label, ("a", "b"), np.arange(n * 1.0), names)
