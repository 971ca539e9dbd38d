"""The Kafka edge: ``alerts`` in, ``alerts.matched`` out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.crossmatch import crossmatch_or_reject, warm_up
from services.xmatch.describe import describe
from services.xmatch.metrics import XmatchMetrics
from services.xmatch.serving import Serving
from services.xmatch.settings import XmatchSettings
from services.xmatch.surroundings import (
    Surroundings,
    open_dust,
    open_ephemeris,
    open_photo_z,
    surroundings_of,
)
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
    metrics = XmatchMetrics(app.metrics.registry)
    ephemeris = open_ephemeris(
        settings.xmatch_orbits,
        settings.xmatch_orbit_radius_arcsec,
        settings.xmatch_faintest_body_mag,
    )
    dust = open_dust(settings.xmatch_dust_map)
    photo_z = open_photo_z(settings.xmatch_photo_z)

    def prepare(catalogs: Sequence[CatalogIndex]) -> tuple[Sequence[CatalogIndex], Surroundings]:
        warm_up(catalogs)
        metrics.serving(catalogs)
        return catalogs, surroundings_of(catalogs, ephemeris=ephemeris, dust=dust, photo_z=photo_z)

    folder, look_every_s = settings.catalog_folder(), settings.xmatch_look_every_s
    serving = Serving(settings.xmatch_catalogs, folder, prepare, look_every_s)
    following = Following(settings.watchlist_folder())

    def stage(batch: AlertBatch) -> StageResult:
        serving.follow()
        catalogs, around = serving.current
        result = crossmatch_or_reject(batch, catalogs, settings.xmatch_most_per_catalog)
        metrics.matched(result.batch)
        described = describe(result.batch, around)
        return replace(result, batch=watch(described, following.latest()))

    add_stage(app, settings, source=Topic.ALERTS, sink=Topic.MATCHED, stage=stage)
    return app
