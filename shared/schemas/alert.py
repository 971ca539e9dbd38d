"""The alert: the columns every survey's packets become, stage by stage.

A stage adds its columns and never rewrites those before it. Schemas grow only by new
nullable columns (tests/unit/shared/schemas/test_growth.py refuses any other change).
``survey_fields`` is a struct whose members are the survey's own, declared beside the survey.
"""

from __future__ import annotations

import pyarrow as pa

from shared.schemas.fields import column

ALERT_SCHEMA_VERSION = 1
"""Counted up when a column is added to a version that has been released; 1 has not been."""

IDENTITY: tuple[pa.Field, ...] = (
    column(
        "alert_id",
        pa.string(),
        "The survey's identifier of this alert, unique in the survey.",
        source="ZTF candid, LSST diaSourceId",
        nullable=False,
    ),
    column("survey", pa.string(), "Registry name of the survey: ztf, lsst.", nullable=False),
    column(
        "object_id",
        pa.string(),
        "The survey's identifier of the object the alert is about.",
        source="ZTF objectId, LSST diaObjectId (else ssObjectId)",
        nullable=False,
    ),
    column("schema_version", pa.string(), "Version of the survey's packet schema.", nullable=False),
)

PLACE: tuple[pa.Field, ...] = (
    column(
        "ra_deg",
        pa.float64(),
        "Right ascension of the detection, ICRS, in [0, 360).",
        unit="deg",
        nullable=False,
    ),
    column(
        "dec_deg",
        pa.float64(),
        "Declination of the detection, ICRS, in [-90, 90].",
        unit="deg",
        nullable=False,
    ),
    column(
        "healpix29",
        pa.int64(),
        "HEALPix cell of the position: order 29, nested, ICRS.",
        nullable=False,
    ),
)

TIME: tuple[pa.Field, ...] = (
    column(
        "mjd_tai",
        pa.float64(),
        "Mid-exposure, modified Julian date, TAI.",
        unit="d",
        source="ZTF jd (UTC, exposure start) + exptime/2; LSST midpointMjdTai",
        nullable=False,
    ),
    column(
        "emitted_ms",
        pa.int64(),
        "When the survey put the packet on its Kafka topic, Unix time.",
        unit="ms",
        nullable=False,
    ),
    column(
        "ingested_ms",
        pa.int64(),
        "When Tocsin decoded the packet, Unix time.",
        unit="ms",
        nullable=False,
    ),
)

DETECTION: tuple[pa.Field, ...] = (
    column(
        "band", pa.string(), "Optical passband: u, g, r, i, z or y.", null="the survey did not say"
    ),
    column(
        "flux_njy",
        pa.float64(),
        "PSF flux on the difference image, AB, negative if it faded.",
        unit="nJy",
        null="not measured",
    ),
    column(
        "flux_err_njy",
        pa.float64(),
        "One-sigma error of flux_njy.",
        unit="nJy",
        null="not measured",
    ),
    column(
        "reliability",
        pa.float32(),
        "The survey's probability in [0, 1] that it is real.",
        source="ZTF drb, else rb; LSST reliability",
        null="not scored",
    ),
    column(
        "is_solar_system",
        pa.bool_(),
        "The survey names a known solar-system body here.",
        nullable=False,
    ),
    column("is_simulated", pa.bool_(), "Made by a simulator, not by a telescope.", nullable=False),
)

LIGHT_CURVE: tuple[pa.Field, ...] = (
    column(
        "lc_mjd_tai",
        pa.list_(pa.float64()),
        "Light curve, this detection included, in order of time: mid-exposure TAI.",
        unit="d",
        nullable=False,
    ),
    column(
        "lc_flux_njy",
        pa.list_(pa.float32()),
        "Difference flux; NaN for an upper limit.",
        unit="nJy",
        nullable=False,
    ),
    column(
        "lc_flux_err_njy",
        pa.list_(pa.float32()),
        "One-sigma error; for an upper limit one fifth of the 5-sigma limiting flux.",
        unit="nJy",
        nullable=False,
    ),
    column(
        "lc_band", pa.list_(pa.int8()), "Band code: u=0, g=1, r=2, i=3, z=4, y=5.", nullable=False
    ),
    column(
        "lc_kind",
        pa.list_(pa.int8()),
        "0 detection, 1 forced photometry, 2 upper limit.",
        nullable=False,
    ),
)

ORIGIN: tuple[pa.Field, ...] = (
    column("origin_topic", pa.string(), "Kafka topic the packet came from.", nullable=False),
    column("origin_partition", pa.int32(), "Partition of that topic.", nullable=False),
    column(
        "origin_offset",
        pa.int64(),
        "Offset in that partition: the way back to the packet.",
        nullable=False,
    ),
)

INGESTED: tuple[pa.Field, ...] = IDENTITY + PLACE + TIME + DETECTION + LIGHT_CURVE + ORIGIN
"""What ingest writes, before ``survey_fields``."""

SURVEY_FIELDS = "survey_fields"
"""Name of the struct that holds the survey's own scalars under the survey's own names."""


def ingested_schema(survey_fields: pa.StructType) -> pa.Schema:
    """The full schema of ``alerts`` for one survey.

    Parameters
    ----------
    survey_fields
        Struct of the survey's own scalars, every member nullable.
    """
    own = column(
        SURVEY_FIELDS,
        survey_fields,
        "The survey's own scalars, under its own names.",
        null="never; its members may be",
    )
    return pa.schema([*INGESTED, own])


MATCH = pa.struct(
    [
        column("catalog", pa.string(), "Registry name of the catalog."),
        column("catalog_version", pa.string(), "Release the match was made with."),
        column("source_id", pa.string(), "The catalog's identifier or name of the source."),
        column(
            "source_class",
            pa.string(),
            "The catalog's class, in the catalog's own words.",
            null="the catalog gives none",
        ),
        column("separation_arcsec", pa.float32(), "Great-circle distance.", unit="arcsec"),
        column("redshift", pa.float32(), "Redshift of the source.", null="not in the catalog"),
        column(
            "magnitude",
            pa.float32(),
            "A magnitude of the source; the catalog says in which band.",
            unit="mag",
            null="not in the catalog",
        ),
        column(
            "major_axis_arcsec",
            pa.float32(),
            "Full major axis of an extended source.",
            unit="arcsec",
            null="a point source, or not in the catalog",
        ),
        column("redshift_err", pa.float32(), "One standard deviation.", null="not in the catalog"),
        column(
            "redshift_kind",
            pa.string(),
            "spec spectroscopic, phot photometric.",
            null="no redshift, or the catalog does not say",
        ),
        column(
            "distance_mpc",
            pa.float32(),
            "Luminosity distance the catalog itself gives.",
            unit="Mpc",
            null="not in the catalog",
        ),
    ]
)
"""One cross-match: a catalog source near the alert."""

MATCHED: tuple[pa.Field, ...] = (
    column(
        "matches",
        pa.list_(MATCH),
        "Catalog sources within each catalog's radius, nearest first.",
        null="xmatch has not run",
    ),
    column(
        "galactic_latitude_deg",
        pa.float32(),
        "Galactic latitude b, in [-90, 90].",
        unit="deg",
        null="xmatch has not run",
    ),
)
"""What xmatch adds."""

ASSOCIATION = pa.struct(
    [
        column("event_id", pa.string(), "Tocsin's identifier of the multi-messenger event."),
        column("notice_type", pa.string(), "Registry name of the notice type."),
        column("event_version", pa.int32(), "Version of the event the association was made with."),
        column("role", pa.string(), "observation, test or injection."),
        column(
            "credible_level",
            pa.float64(),
            "Smallest credible region that holds the alert, as a fraction in [0, 1].",
        ),
        column(
            "separation_deg",
            pa.float64(),
            "Distance from the notice's best position.",
            unit="deg",
            null="the notice has only a sky map",
        ),
        column(
            "time_offset_days",
            pa.float64(),
            "First detection minus event time; negative if it was there before.",
            unit="d",
        ),
        column(
            "volume_level",
            pa.float64(),
            "Smallest credible volume that holds the host, as a fraction in [0, 1].",
            null="no distance of the event or of the host",
        ),
        column("ln_bayes", pa.float64(), "Ln of the Bayes factor: sum of the known factors."),
        column(
            "p_local",
            pa.float64(),
            "Probability of an unrelated new transient at least as credible.",
            null="the density of new transients is not measured yet",
        ),
        column(
            "p_global",
            pa.float64(),
            "The same in any of the searches.",
            null="as p_local",
        ),
        column(
            "joint_far_hz",
            pa.float64(),
            "Chance associations like this.",
            unit="Hz",
            null="as p_local, or the rate of such events is not known",
        ),
        column("tier", pa.string(), "gold, silver, bronze, unranked or vetoed."),
    ]
)
"""One association of the alert with a gravitational-wave, neutrino or gamma-ray event."""

CORRELATED: tuple[pa.Field, ...] = (
    column(
        "associations",
        pa.list_(ASSOCIATION),
        "Events whose region and window hold the alert.",
        null="mma has not run",
    ),
)
"""What mma adds. What classify adds is declared in shared/schemas/classification.py."""
