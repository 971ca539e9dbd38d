"""What xmatch makes of the matches: host galaxies, context, redshift, distance, dust.

``matches`` and ``galactic_latitude_deg``, which these follow, are in shared/schemas/alert.py.
The rules behind each column are in docs/context.md.
"""

from __future__ import annotations

import pyarrow as pa

from shared.schemas.fields import column

HOST = pa.struct(
    [
        column("catalog", pa.string(), "Registry name of the catalog of the galaxy."),
        column("catalog_version", pa.string(), "Release the host was found with."),
        column("source_id", pa.string(), "The catalog's identifier or name of the galaxy."),
        column(
            "separation_arcsec", pa.float32(), "Great-circle distance of its centre.", unit="arcsec"
        ),
        column(
            "offset_kpc",
            pa.float32(),
            "That distance projected at the galaxy.",
            unit="kpc",
            null="the galaxy's distance is not known",
        ),
        column(
            "d_dlr",
            pa.float32(),
            "Separation over the galaxy's radius in the direction of the alert: 1 is its rim.",
            source="directional light radius: Sullivan et al. 2006; Gupta et al. 2016",
            null="the catalogs have no axes of it",
        ),
        column("redshift", pa.float32(), "Redshift of the galaxy.", null="not in the catalogs"),
        column(
            "distance_mpc",
            pa.float32(),
            "Luminosity distance of the galaxy: the catalog's own, else from its redshift.",
            unit="Mpc",
            null="neither is known, or the redshift is below 0.002",
        ),
        column("rank", pa.int8(), "1 for the most likely host, at most 3."),
    ]
)
"""One galaxy the alert may be in."""

HOSTS = column(
    "hosts",
    pa.list_(HOST),
    "Galaxies the alert may be in, the most likely first, at most three.",
    null="xmatch has not run, or has no catalog of galaxies",
)

HOST_AMBIGUITY = column(
    "host_ambiguity",
    pa.float32(),
    "How nearly the second host is as likely as the first, in [0, 1]: the ratio of their d_dlr.",
    source="after Gupta et al. 2016; docs/context.md",
    null="no host was found",
)

CONTEXT = column(
    "context",
    pa.struct(
        [
            column(
                "class",
                pa.string(),
                "VS variable or other star, CV cataclysmic variable, BS bright star nearby,"
                " AGN active nucleus, NT in the nucleus of a galaxy, SN in a galaxy off its"
                " nucleus, ORPHAN nothing there.",
                source="after Sherlock: Smith et al. 2020, Young 2023",
                null="no verdict; reason says why",
            ),
            column("reason", pa.string(), "Why, in words of a fixed set."),
            column(
                "catalog",
                pa.string(),
                "Catalog of the evidence.",
                null="there is none for this class",
            ),
            column(
                "source_id",
                pa.string(),
                "The catalog's name of the evidence.",
                null="there is none for this class, or it has no name",
            ),
        ]
    ),
    "What is at the place of the alert, judged from the catalogs alone.",
    null="xmatch has not run",
)

REDSHIFT = column(
    "redshift",
    pa.struct(
        [
            column("value", pa.float32(), "The redshift, heliocentric as the catalog gives it."),
            column("error", pa.float32(), "One standard deviation.", null="not given"),
            column(
                "kind",
                pa.string(),
                "spec spectroscopic, phot photometric.",
                null="the catalog does not say",
            ),
            column(
                "of", pa.string(), "source: of a source at the alert's place; host: of hosts[1]."
            ),
            column("catalog", pa.string(), "Catalog it is from."),
            column("source_id", pa.string(), "The catalog's name of what it was measured on."),
        ]
    ),
    "The best redshift of the alert: spectroscopic before unstated before photometric.",
    null="none is known",
)

DISTANCE_MPC = column(
    "distance_mpc",
    pa.float32(),
    "Luminosity distance: the catalog's own, else from redshift (Planck 2018 cosmology).",
    unit="Mpc",
    source="Planck Collaboration 2020, A&A 641, A6: H0 67.66 km/s/Mpc, Omega_m 0.30966",
    null="neither is known, or the redshift is below 0.002",
)

SOLAR_SYSTEM = column(
    "solar_system",
    pa.struct(
        [
            column(
                "name",
                pa.string(),
                "Number, name or provisional designation of the body.",
                null="the survey says that it is a known body, and not which",
            ),
            column(
                "separation_arcsec",
                pa.float32(),
                "Distance from the body's predicted place.",
                unit="arcsec",
                null="the survey does not say",
            ),
            column("source", pa.string(), "survey, or ephemeris: computed here from its orbit."),
        ]
    ),
    "The nearest known solar-system body, if one may be the cause of the alert.",
    null="none is known here",
)

EBV_MAG = column(
    "ebv_mag",
    pa.float32(),
    "E(B-V) of the Milky Way's dust along the line of sight, as the installed map gives it.",
    unit="mag",
    null="no dust map is installed, or it has a hole here",
)

PHOTO_Z = column(
    "photo_z",
    pa.struct(
        [
            column("value", pa.float32(), "Median of the distribution.", null="reason says why"),
            column(
                "quantiles",
                pa.list_(pa.float32()),
                "The distribution: redshifts at the levels the model's card names.",
                null="no estimate; reason says why",
            ),
            column("catalog", pa.string(), "Catalog of the photometry.", null="reason says why"),
            column(
                "source_id", pa.string(), "The catalog's name of the source.", null="it has none"
            ),
            column(
                "reason",
                pa.string(),
                "ok, no_photometry, too_few_bands, outside_training.",
            ),
            column("model_version", pa.string(), "Twelve digits of the model's SHA-256."),
        ]
    ),
    "Photometric redshift of the host, else of the source at the alert's place.",
    source="ANNz2 (Sadeh et al. 2016) is the model for its scores; docs/photo-z.md",
    null="no model is installed",
)

DESCRIBED: tuple[pa.Field, ...] = (
    HOSTS,
    HOST_AMBIGUITY,
    CONTEXT,
    REDSHIFT,
    DISTANCE_MPC,
    SOLAR_SYSTEM,
    EBV_MAG,
    PHOTO_Z,
)
"""What xmatch adds after ``MATCHED``, in this order."""
