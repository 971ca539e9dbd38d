"""The view ``alerts`` that filters are written on: the published columns, and what follows.

The same text makes the view of a batch of the stream, of Parquet files and of a user's table.
"""

from __future__ import annotations

DERIVED: tuple[tuple[str, str, str], ...] = (
    ("magnitude_ab", "mag(flux_njy)", "AB magnitude of the difference flux; null if negative."),
    (
        "magnitude_err",
        "CASE WHEN flux_njy > 0 THEN 1.0857362 * flux_err_njy / flux_njy END",
        "One-sigma error of magnitude_ab.",
    ),
    ("signal_to_noise", "flux_njy / nullif(flux_err_njy, 0)", "flux_njy over its error."),
    ("n_points", "len(lc_mjd_tai)", "Light-curve points of every kind."),
    (
        "n_detections",
        "len(list_filter(lc_kind, lambda kind: kind = 0))",
        "Detections in the light curve, this one included.",
    ),
    (
        "first_detection_mjd_tai",
        "lc_mjd_tai[list_position(lc_kind, 0::TINYINT)]",
        "Earliest detection in the light curve, MJD, TAI, days.",
    ),
    (
        "days_since_first_detection",
        "mjd_tai - lc_mjd_tai[list_position(lc_kind, 0::TINYINT)]",
        "Days from that to this detection.",
    ),
    (
        "peak_flux_njy",
        "list_max(list_filter(lc_flux_njy, lambda flux: NOT isnan(flux)))",
        "Brightest point of the light curve, whatever its band.",
    ),
    (
        "amplitude_njy",
        "list_max(list_filter(lc_flux_njy, lambda flux: NOT isnan(flux)))"
        " - list_min(list_filter(lc_flux_njy, lambda flux: NOT isnan(flux)))",
        "Brightest minus faintest point, whatever their bands.",
    ),
    ("n_matches", "coalesce(len(matches), 0)", "Catalog sources near the alert."),
    ("nearest_catalog", "matches[1].catalog", "Catalog of the nearest source; null if none."),
    ("nearest_source_id", "matches[1].source_id", "The catalog's name of the nearest source."),
    ("nearest_class", "matches[1].source_class", "The catalog's class of the nearest source."),
    (
        "nearest_separation_arcsec",
        "matches[1].separation_arcsec",
        "Distance of the nearest source, arcsec.",
    ),
    ("nearest_redshift", "matches[1].redshift", "Redshift of the nearest source."),
    ("n_hosts", "coalesce(len(hosts), 0)", "Galaxies the alert may be in, at most three."),
    ("host_source_id", "hosts[1].source_id", "The catalog's name of the likeliest host."),
    ("host_separation_arcsec", "hosts[1].separation_arcsec", "Distance of its centre, arcsec."),
    ("host_offset_kpc", "hosts[1].offset_kpc", "That distance projected at the host, kpc."),
    ("host_d_dlr", "hosts[1].d_dlr", "Offset in light radii of the host: 1 is its rim."),
    ("context_class", "context['class']", "VS, CV, BS, AGN, NT, SN or ORPHAN."),
    ("best_redshift", "redshift['value']", "The best redshift known, of source or host."),
    (
        "absolute_magnitude_ab",
        "mag(flux_njy) - 5 * log10(CASE WHEN distance_mpc > 0 THEN distance_mpc END) - 25",
        "magnitude_ab at distance_mpc, without dust or K correction.",
    ),
    ("n_associations", "coalesce(len(associations), 0)", "Multi-messenger events it may be of."),
    (
        "best_credible_level",
        "list_min(list_transform(associations, lambda event: event.credible_level))",
        "Smallest credible level among its associations; null if none.",
    ),
)
"""Derived columns: name, SQL, meaning. DuckDB computes only those that some filter names."""

_COLUMNS = ", ".join(f"{sql} AS {name}" for name, sql, _ in DERIVED)


def alerts_view(source: str) -> str:
    """SQL of the view over ``source``, a relation with the published columns, in parentheses."""
    return f"(SELECT *, {_COLUMNS} FROM {source})"  # noqa: S608  # both are ours


ALERT_FUNCTIONS: dict[str, str] = {
    "cone": "ra_deg, dec_deg",
    "galactic_latitude": "ra_deg, dec_deg",
    "match_of": "matches",
    "on_watchlist": "watchlists",
    "in_region": "regions",
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
    """CREATE MACRO on_watchlist(alert_watchlists, list_name) AS
         list_contains(list_transform(alert_watchlists, lambda hit: hit.name), list_name)""",
    """CREATE MACRO in_region(alert_regions, region_name) AS
         list_contains(list_transform(alert_regions, lambda hit: hit.name), region_name)""",
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
    ("on_watchlist('name')", "Whether it is near a position of that list, public or your own."),
    ("in_region('name')", "Whether it lies in that region, public or your own."),
)
