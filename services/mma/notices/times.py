"""ISO 8601 times, read strictly: what is malformed is refused, never guessed."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta

from shared.errors import RejectedRecordError
from shared.light_curves.photometry import mjd_tai_of_utc, mjd_utc_of_tai

_ISO = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[T ](?P<hour>\d{2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}(?:\.\d+)?))?\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
)
_MJD_EPOCH = date(1858, 11, 17)
_UNIX_EPOCH_MJD = 40587.0
TT_MINUS_TAI_S = 32.184
"""TDB differs from TT by less than 2 ms, which no notice of ours resolves."""
TAI_MINUS_GPS_S = 19.0


def mjd_utc_of_iso(text: str) -> float:
    """MJD (in the scale of the text) of an ISO 8601 date and time; without a zone it is UTC.

    Raises
    ------
    RejectedRecordError
        ``malformed_time``, with the text.
    """
    day, seconds = _day_and_seconds(text)
    return day + seconds / 86400.0


def _day_and_seconds(text: str) -> tuple[int, float]:
    match = _ISO.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError("not YYYY-MM-DDThh:mm:ss")
        day = date.fromisoformat(match["day"])
        hour, minute, second = int(match["hour"]), int(match["minute"]), float(match["second"] or 0)
        # 61 admits a leap second.
        if hour > 23 or minute > 59 or second >= 61:
            raise ValueError("hour, minute or second out of range")
    except ValueError as error:
        raise RejectedRecordError("malformed_time", f"{text.strip()[:60]!r}: {error}") from error
    seconds = hour * 3600 + minute * 60 + second - _zone_seconds(match["zone"])
    return (day - _MJD_EPOCH).days, seconds


def mjd_tai_of_iso(text: str, scale: str = "UTC") -> float:
    """MJD TAI of an ISO time in ``scale``: UTC, TAI, TT, TDB or GPS.

    Raises
    ------
    RejectedRecordError
        ``malformed_time``, for the text or an unknown scale.
    """
    day, seconds = _day_and_seconds(text)
    mjd = day + seconds / 86400.0
    match scale.upper():
        case "UTC":
            # From the day's start on, so that 23:59:60 lies before the next midnight.
            return float(mjd_tai_of_utc(day)) + seconds / 86400.0
        case "TAI":
            return mjd
        case "TT" | "TDB" | "TCB":
            return mjd - TT_MINUS_TAI_S / 86400.0
        case "GPS":
            return mjd + TAI_MINUS_GPS_S / 86400.0
        case _:
            raise RejectedRecordError("malformed_time", f"unknown time scale {scale[:20]!r}")


def unix_ms_of_iso(text: str) -> int:
    """Unix milliseconds of an ISO time in UTC."""
    return round((mjd_utc_of_iso(text) - _UNIX_EPOCH_MJD) * 86_400_000)


def iso_utc_of_unix_ms(unix_ms: int) -> str:
    """ISO 8601 UTC, milliseconds, ending in Z, of Unix milliseconds.

    Raises
    ------
    RejectedRecordError
        ``malformed_time``, beyond the years 1 to 9999.
    """
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=unix_ms)
    except (OverflowError, ValueError) as error:
        raise RejectedRecordError("malformed_time", f"{unix_ms} ms: {error}") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def iso_utc_of_mjd_tai(mjd_tai: float) -> str:
    """ISO 8601 UTC, milliseconds, ending in Z, of an MJD in TAI.

    Raises
    ------
    RejectedRecordError
        ``malformed_time``, beyond the years 1 to 9999.
    """
    days = float(mjd_utc_of_tai(mjd_tai)) - _UNIX_EPOCH_MJD
    if not math.isfinite(days):
        raise RejectedRecordError("malformed_time", f"MJD {mjd_tai}")
    return iso_utc_of_unix_ms(round(days * 86_400_000))


def _zone_seconds(zone: str | None) -> int:
    if zone is None or zone in {"Z", "UTC"}:
        return 0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
