"""What the view adds to the published columns: each a name, its SQL, and what it means."""

from __future__ import annotations

from shared.schemas.classification import TRANSIENT_CLASSES

_MEASURED: tuple[tuple[str, str, str], ...] = (
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


_DETECTED = "list_where(lc_mjd_tai, list_transform(lc_kind, lambda kind: kind = 0))"
_LIMITS = "list_where(lc_mjd_tai, list_transform(lc_kind, lambda kind: kind = 2))"
_PEAK = "list_max(list_filter(lc_flux_njy, lambda flux: NOT isnan(flux)))"

_AGES: tuple[tuple[str, str, str], ...] = (
    (
        "days_since_previous_detection",
        f"mjd_tai - {_DETECTED}[-2]",
        "Days from the detection before to this one; null if it is the first.",
    ),
    (
        "days_since_last_upper_limit",
        f"mjd_tai - {_LIMITS}[-1]",
        "Days from the last upper limit of the light curve to this detection.",
    ),
    (
        "days_since_peak",
        f"mjd_tai - lc_mjd_tai[list_position(lc_flux_njy, {_PEAK})]",
        "Days from the brightest point of the light curve, whatever its band.",
    ),
    (
        "ingest_delay_s",
        "(ingested_ms - emitted_ms) / 1000",
        "Seconds from the survey's message to our reading it.",
    ),
)

_BEST_EVENT = (
    "list_filter(associations, lambda event: event.credible_level ="
    " list_min(list_transform(associations, lambda each: each.credible_level)))[1]"
)
_VERDICTS: tuple[tuple[str, str, str], ...] = (
    *(
        (f"{name}_probability", f"{name}.probability", f"Probability of the classifier {name}.")
        for name in ("early_sn_ia", "transient", "kilonova", "microlensing", "real_bogus")
    ),
    ("transient_class", "transient['class']", "The likeliest class of the classifier transient."),
    *(
        (f"p_{member}", f"transient.probabilities.{member}", f"Its probability of {name}.")
        for member, name in TRANSIENT_CLASSES
    ),
    ("anomaly_percentile", "anomaly.percentile", "Share of alerts less unusual, percent."),
    ("anomaly_score", "anomaly.score", "How unusual; higher is more."),
)
_EVENTS: tuple[tuple[str, str, str], ...] = (
    ("best_event_id", f"{_BEST_EVENT}.event_id", "Event of the smallest credible level."),
    ("best_event_role", f"{_BEST_EVENT}.role", "Its role: observation or test."),
    ("best_event_type", f"{_BEST_EVENT}.notice_type", "Type of its notice."),
    (
        "best_event_days",
        f"{_BEST_EVENT}.time_offset_days",
        "Days from that event to this detection.",
    ),
    (
        "smallest_joint_far_hz",
        "list_min(list_transform(associations, lambda event: event.joint_far_hz))",
        "Smallest joint false-alarm rate among its associations, Hz.",
    ),
)

CATALOGS: tuple[str, ...] = (
    "allwise",
    "catwise2020",
    "desi_dr1",
    "erosita",
    "four_fgl",
    "four_lac",
    "gaia_bright",
    "gaia_dr3",
    "gcvs",
    "glade_plus",
    "gwgc",
    "hipparcos",
    "legacy_dr10",
    "mangrove",
    "milliquas",
    "ned_lvs",
    "openngc",
    "ps1_dr2",
    "simbad",
    "spicy",
    "three_hsp",
    "tns",
    "twomass_psc",
    "twomass_xsc",
    "vsx",
)
"""Catalogs whose nearest source has columns of its own; of any other ask ``match_of('name')``."""

_OF_SOURCE = (
    ("source_id", "source_id", "Name of the nearest source in {}."),
    ("separation_arcsec", "separation_arcsec", "Its distance, arcsec."),
    ("class", "source_class", "Its class there."),
    ("redshift", "redshift", "Its redshift there."),
    ("magnitude", "magnitude", "Its magnitude there."),
)
OF_CATALOG: tuple[tuple[str, str, str], ...] = tuple(
    (
        f"{catalog}_{suffix}",
        f"list_filter(matches, lambda source: source.catalog = '{catalog}')[1].{member}",
        meaning.format(catalog),
    )
    for catalog in CATALOGS
    for suffix, member, meaning in _OF_SOURCE
)
"""Five columns of each catalog."""

DERIVED: tuple[tuple[str, str, str], ...] = (
    *_MEASURED,
    *_AGES,
    *_VERDICTS,
    *_EVENTS,
    *OF_CATALOG,
)
"""Derived columns: name, SQL, meaning. DuckDB computes only those that some filter names."""
