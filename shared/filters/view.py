"""The view ``alerts`` that filters are written on: the published columns, and what follows.

The same text makes the view of a batch of the stream, of Parquet files and of a user's table.
"""

from __future__ import annotations

from collections.abc import Collection

from shared.filters.derived import DERIVED

DERIVED_NAMES = frozenset(name for name, _, _ in DERIVED)


def alerts_view(source: str, derived: Collection[str] = DERIVED_NAMES) -> str:
    """SQL of the view over ``source``, a relation with the published columns, in parentheses.

    Only the ``derived`` columns are in it: planning two hundred that nobody names is not free.
    """
    columns = "".join(f", {sql} AS {name}" for name, sql, _ in DERIVED if name in derived)
    return f"(SELECT *{columns} FROM {source})"  # noqa: S608  # both are ours


ALERT_FUNCTIONS: dict[str, str] = {
    "cone": "ra_deg, dec_deg",
    "galactic_latitude": "ra_deg, dec_deg",
    "match_of": "matches",
    "on_watchlist": "watchlists",
    "in_watchlist": "watchlists",
    "in_region": "regions",
    "in_moc": "regions",
    "in_skymap": "associations",
}
"""Functions of the alert itself: the columns that are put before what the filter wrote."""

MACROS: tuple[str, ...] = (
    "CREATE MACRO mag(flux_njy) AS CASE WHEN flux_njy > 0 THEN 31.4 - 2.5 * log10(flux_njy) END",
    # Haversine: exact at every distance, poles and RA 0 included.
    """CREATE MACRO cone(alert_ra_deg, alert_dec_deg, ra_deg, dec_deg, radius_arcsec) AS
         power(sin(radians((alert_dec_deg - dec_deg) / 2)), 2)
         + cos(radians(alert_dec_deg)) * cos(radians(dec_deg))
           * power(sin(radians((alert_ra_deg - ra_deg) / 2)), 2)
         <= power(sin(radians(radius_arcsec / 7200)), 2)""",
    # North galactic pole at 192.85948, +27.12825 (ICRS; Hipparcos Catalogue vol. 1, 1.5.11).
    """CREATE MACRO galactic_latitude(alert_ra_deg, alert_dec_deg) AS
         degrees(asin(least(1, greatest(-1,
           sin(radians(alert_dec_deg)) * sin(radians(27.12825))
           + cos(radians(alert_dec_deg)) * cos(radians(27.12825))
             * cos(radians(alert_ra_deg - 192.85948))))))""",
    """CREATE MACRO match_of(alert_matches, catalog_name) AS
         list_filter(alert_matches, lambda source: source.catalog = catalog_name)[1]""",
    *(
        f"""CREATE MACRO {name}(alert_watchlists, list_name) AS
         list_contains(list_transform(alert_watchlists, lambda hit: hit.name), list_name)"""
        for name in ("on_watchlist", "in_watchlist")
    ),
    *(
        f"""CREATE MACRO {name}(alert_regions, region_name) AS
         list_contains(list_transform(alert_regions, lambda hit: hit.name), region_name)"""
        for name in ("in_region", "in_moc")
    ),
    """CREATE MACRO in_skymap(alert_associations, event, level) AS
         len(list_filter(alert_associations,
           lambda found: found.event_id = event AND found.credible_level <= level)) > 0""",
)
"""The functions filters have beyond DuckDB's own."""

FUNCTION_MEANINGS: tuple[tuple[str, str], ...] = (
    ("mag(flux_njy)", "AB magnitude of a flux in nanojansky; null unless it is positive."),
    ("cone(ra_deg, dec_deg, radius_arcsec)", "Whether the alert lies within a circle, ICRS."),
    ("galactic_latitude()", "Galactic latitude of the alert, degrees."),
    (
        "match_of('catalog')",
        "The nearest source in that catalog (a struct, as in matches); null if none.",
    ),
    ("in_watchlist('name')", "Whether it is near a position of that list, public or your own."),
    ("on_watchlist('name')", "The same."),
    ("in_moc('name')", "Whether it lies in that region (a MOC), public or your own."),
    ("in_region('name')", "The same."),
    (
        "in_skymap('event', 0.9)",
        "Whether it lies within that credible level of the event's sky map, in its time window.",
    ),
)
