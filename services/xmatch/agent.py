"""The Kafka edge: ``alerts`` in, ``alerts.matched`` out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from services.xmatch.catalog_store import open_catalogs
from services.xmatch.crossmatch import crossmatch_or_reject, warm_up
from services.xmatch.describe import describe
from services.xmatch.metrics import XmatchMetrics
from services.xmatch.settings import XmatchSettings
from services.xmatch.surroundings import open_dust, open_ephemeris, surroundings_of
from services.xmatch.watchlists.following import Following
from services.xmatch.watchlists.watch import watch
from shared.alert_batch import AlertBatch
from shared.kafka import app as kafka
from shared.kafka.records import StageResult
from shared.kafka.river import add_stage
from shared.kafka.topics import Topic

SERVICE = "xmatch"


def create_app(
    settings: XmatchSettings, beside: kafka.ServiceApp | None = None
) -> kafka.ServiceApp:
    """Make the application; opens the catalogs, which takes seconds the first time."""
    app = kafka.create_app(SERVICE, settings, beside)
    catalogs = open_catalogs(settings.catalog_names(), settings.catalog_folder())
    warm_up(catalogs)
    metrics = XmatchMetrics(app.metrics.registry, catalogs)
    match = partial(
        crossmatch_or_reject,
        catalogs=catalogs,
        most_per_catalog=settings.xmatch_most_per_catalog,
    )

    around = surroundings_of(
        catalogs,
        ephemeris=open_ephemeris(
            settings.xmatch_orbits,
            settings.xmatch_orbit_radius_arcsec,
            settings.xmatch_faintest_body_mag,
        ),
        dust=open_dust(settings.xmatch_dust_map),
    )

    following = Following(settings.watchlist_folder())

    def stage(batch: AlertBatch) -> StageResult:
        result = match(batch)
        metrics.matched(result.batch)
        described = describe(result.batch, around)
        return replace(result, batch=watch(described, following.latest()))

    add_stage(app, settings, source=Topic.ALERTS, sink=Topic.MATCHED, stage=stage)
    return app
