"""All that xmatch does to a batch, opened once from the settings, for use beside the river."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.xmatch.catalog_index import CatalogIndex
from services.xmatch.catalog_store import open_catalogs
from services.xmatch.crossmatch import crossmatch_or_reject, warm_up
from services.xmatch.describe import describe
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
from shared.kafka.records import StageResult


@dataclass(frozen=True, slots=True)
class Matcher:
    """Catalogs, what they mean, and what users watch."""

    catalogs: Sequence[CatalogIndex]
    around: Surroundings
    following: Following
    most_per_catalog: int

    def match(self, batch: AlertBatch) -> StageResult:
        """A batch with all columns of xmatch; alerts that are not on the sphere set aside."""
        result = crossmatch_or_reject(
            batch, catalogs=self.catalogs, most_per_catalog=self.most_per_catalog
        )
        described = describe(result.batch, self.around)
        return replace(result, batch=watch(described, self.following.latest()))

    def match_again(self, batch: AlertBatch) -> AlertBatch:
        """The same of alerts of the archive, whose places were judged when they came."""
        return self.match(batch).batch

    @property
    def catalog_names(self) -> tuple[str, ...]:
        """The catalogs that are open."""
        return tuple(catalog.name for catalog in self.catalogs)

    @property
    def versions(self) -> dict[str, str]:
        """What is matched with, by name: versions of catalogs, and of all that is watched."""
        watched = self.following.latest()
        found = {catalog.name: catalog.version for catalog in self.catalogs}
        return {**found, "watched": "" if watched is None else watched.identity}


def open_matcher(settings: XmatchSettings) -> Matcher:
    """Open everything, which takes seconds the first time; what is not to be had is left out."""
    catalogs = open_catalogs(settings.xmatch_catalogs, settings.catalog_folder())
    warm_up(catalogs)
    around = surroundings_of(
        catalogs,
        ephemeris=open_ephemeris(
            settings.xmatch_orbits,
            settings.xmatch_orbit_radius_arcsec,
            settings.xmatch_faintest_body_mag,
        ),
        dust=open_dust(settings.xmatch_dust_map),
        photo_z=open_photo_z(settings.xmatch_photo_z),
    )
    following = Following(settings.watchlist_folder())
    return Matcher(catalogs, around, following, settings.xmatch_most_per_catalog)
