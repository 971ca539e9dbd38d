"""The observing night: one number for all alerts from one evening to the next noon."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import numpy.typing as npt

from shared.light_curves.photometry import mjd_tai_of_utc

NOON = 0.75
"""Local noon at 90 degrees west as a fraction of the day, UTC: 18:00."""
_MJD_EPOCH = dt.datetime(1858, 11, 17, tzinfo=dt.UTC)


def night_of(mjd_tai: float) -> int:
    """The observing night: modified Julian date of the evening, at 90 degrees west.

    The night's number changes at local noon there (18:00 UTC), which is day at every observatory
    of the Americas and of Hawaii: one night of Palomar or Rubin is one number.
    """
    return math.floor(mjd_tai - NOON)


def nights_of(mjd_tai: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    """``night_of`` of many, shape (n,)."""
    return np.floor(mjd_tai - NOON).astype(np.int32)


def span_of(night: int) -> tuple[float, float]:
    """First MJD (TAI) of a night, and the first that is not of it any more."""
    return night + NOON, night + 1 + NOON


def night_date(night: int) -> str:
    """The evening's date: ``2026-11-22``."""
    return (_MJD_EPOCH + dt.timedelta(days=night)).date().isoformat()


def night_from(text: str) -> int:
    """The night that a user names: ``60000``, or the evening's date ``2023-02-25``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if text.isdecimal() and len(text) == 5:
        return int(text)
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no night: give its number (60000) or the evening's date (2023-02-25)"
        ) from None
    return (day - _MJD_EPOCH.date()).days


def mjd_tai_now(now: dt.datetime) -> float:
    """Modified Julian date, TAI, of a moment."""
    return float(mjd_tai_of_utc((now - _MJD_EPOCH) / dt.timedelta(days=1)))
