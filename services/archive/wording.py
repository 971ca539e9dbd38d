"""How an object's facts are worded for people: positions, dates, matches, magnitudes."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np

from shared.archive.associations import is_of_a_test
from shared.archive.history import ObjectHistory
from shared.light_curves.photometry import magnitude_ab_of, mjd_utc_of_tai
from shared.schemas.update import Update

_MJD_EPOCH = dt.datetime(1858, 11, 17, tzinfo=dt.UTC)


def utc_of(mjd_tai: float) -> dt.datetime:
    """UTC of a TAI modified Julian date."""
    return _MJD_EPOCH + dt.timedelta(days=float(mjd_utc_of_tai(mjd_tai)))


def sexagesimal(ra_deg: float, dec_deg: float) -> str:
    """ICRS position as ``hh:mm:ss.ss ±dd:mm:ss.s``."""
    centiseconds = round(ra_deg / 15.0 * 360_000.0) % 8_640_000
    hours, rest = divmod(centiseconds, 360_000)
    minutes, rest = divmod(rest, 6_000)
    tenths = round(abs(dec_deg) * 36_000.0)
    degrees, small = divmod(tenths, 36_000)
    arcmin, small = divmod(small, 600)
    sign = "−" if dec_deg < 0 else "+"
    return (
        f"{hours:02d}:{minutes:02d}:{rest / 100:05.2f} "
        f"{sign}{degrees:02d}:{arcmin:02d}:{small / 10:04.1f}"
    )


def decimal_degrees(ra_deg: float, dec_deg: float) -> str:
    """ICRS position in degrees: ``0.81429° +16.14569° ICRS``."""
    return f"{ra_deg:.5f}° {dec_deg:+.5f}° ICRS".replace("-", "−")


def match_words(match: dict[str, Any]) -> str:
    """One match in a line: ``NGC 7814 (G, openngc), 28.4″``."""
    kind = f"{match['source_class']}, " if match.get("source_class") else ""
    redshift = f", z = {match['redshift']:.4g}" if match.get("redshift") is not None else ""
    separation = match["separation_arcsec"]
    away = f"{separation:.1f}″" if separation < 120 else f"{separation / 60:.1f}′"
    return f"{match['source_id']} ({kind}{match['catalog']}), {away}{redshift}"


def update_words(update: Update) -> str:
    """What became known later, in a line: when, and the nearest of what it names."""
    when = dt.datetime.fromtimestamp(update.asked_ms / 1000.0, dt.UTC).strftime("%Y-%m-%d %H:%M")
    if update.changes:
        changes = ", ".join(
            f"{change.what} {change.source_id} ({change.catalog})" for change in update.changes[:3]
        )
        more = f" and {len(update.changes) - 3} more" if len(update.changes) > 3 else ""
        return f"{when}: {changes}{more}"
    if not update.matches:
        return f"{when}: nothing known here"
    more = f" and {len(update.matches) - 1} more" if len(update.matches) > 1 else ""
    return f"{when}: {match_words(dict(update.matches[0]))}{more}"


def verdict_words(name: str, verdict: dict[str, Any]) -> str:
    """A classifier's answer in a few words: ``early_sn_ia 0.93`` or why it abstained."""
    if verdict["probability"] is None:
        return f"{name}: no verdict ({verdict['reason'].replace('_', ' ')})"
    return f"{name} {verdict['probability']:.2f}"


def magnitude_words(flux_njy: float | None, flux_err_njy: float | None) -> str:
    """AB magnitude with its error, or the flux in microjansky where it is not positive."""
    if flux_njy is None or math.isnan(flux_njy):
        return "–"
    if flux_njy <= 0:
        return f"{flux_njy / 1000.0:.1f} µJy"
    error = 1.0857 * flux_err_njy / flux_njy if flux_err_njy else np.nan
    return f"{float(magnitude_ab_of(flux_njy)):.2f} ± {error:.2f}"


def span_words(history: ObjectHistory) -> str:
    """How many alerts, from when to when."""
    first, last = (utc_of(history.alerts[i]["mjd_tai"]).date().isoformat() for i in (0, -1))
    count = len(history.alerts)
    when = first if first == last else f"{first} to {last}"
    return f"{count} alert{'' if count == 1 else 's'}, {when}"


def association_words(association: dict[str, Any]) -> str:
    """One association in a line: event, credible level, time, whether it is a test, state."""
    offset = association.get("time_offset_days")
    level = association.get("credible_level")
    return ", ".join(
        part
        for part in (
            f"{association.get('event_id')} ({association.get('notice_type')})",
            f"credible level {level:.3f}" if isinstance(level, float) else "",
            f"{offset:+.2f} d" if isinstance(offset, float) else "",
            "a test" if is_of_a_test(association) else "",
            str(association.get("state", "")),
        )
        if part
    )


def cutout_words(alert: dict[str, Any]) -> str:
    """Which alert cutouts are of: identifier, date and band, in two lines."""
    when = utc_of(alert["mjd_tai"]).strftime("%Y-%m-%d %H:%M")
    band = f", {alert['band']}" if alert["band"] else ""
    return f"alert {alert['alert_id']}\n{when} UTC{band}"
