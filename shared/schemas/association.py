"""An association: one alert and one multi-messenger event that may belong together.

Holds all that a VOEvent or a GCN notice about it needs. JSON on the ``associations`` topic.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.notice import Messenger, Role


class Association(BaseModel):
    """Alert x event under one version of the event.

    No clock is in it, so a repeat is recognised by ``delivery_id``. Chance numbers rest on the
    density of new transients measured when it was told, and on nothing else that changes.
    """

    model_config = ConfigDict(frozen=True)

    state: Literal["new", "updated", "withdrawn"] = Field(title="What happened to it")
    reason: str = Field("", title="Why it was updated or withdrawn")

    event_id: str = Field(title="Event, as in the notices")
    notice_id: str = Field(title="Notice whose region was used")
    previous_notice_id: str | None = Field(
        None, title="Notice of the statement that an updated association replaces"
    )
    notice_type: str = Field(title="Registry name of the notice type")
    messenger: Messenger = Field(title="What carried the news of the event")
    notice_ivorn: str | None = Field(None, title="IVORN of the notice; null for JSON")
    event_version: int = Field(ge=1, title="How many notices of the event had been seen")
    event_role: Role = Field(title="Role of the notice")
    event_time: str = Field(title="Time of the event, UTC, ISO 8601")
    event_mjd_tai: float = Field(title="Time of the event, modified Julian date, TAI, days")
    far_hz: float | None = Field(None, title="False alarm rate of the event alone, Hz")

    role: Role = Field(title="Role of any product: observation only if both sides are real")
    is_simulated: bool = Field(title="The alert was made by a simulator")

    credible_level: float = Field(
        ge=0, le=1, title="Smallest credible region of the event that holds the alert"
    )
    searched_area_deg2: float | None = Field(
        None, ge=0, title="Area of that region, square degrees"
    )
    separation_deg: float | None = Field(
        None, ge=0, title="Distance from the notice's position, degrees; null for a sky map"
    )
    time_offset_days: float = Field(title="First detection minus event time, days")

    density_per_sr: float | None = Field(
        None, ge=0, title="Probability per steradian of the event at the alert"
    )
    volume_level: float | None = Field(
        None,
        ge=0,
        le=1,
        title="Smallest credible volume that holds the host; null without distance",
    )
    ln_bayes_spatial: float | None = Field(None, title="Ln of 4 pi p(x): place against an even sky")
    ln_bayes_temporal: float | None = Field(
        None, title="Ln of first light within [non-detection, detection] against any time"
    )
    ln_bayes_distance: float | None = Field(
        None, title="Ln of the host's distance against any host; null without distance"
    )
    ln_bayes_class: float | None = Field(
        None, title="Ln of a counterpart changing so fast against any new transient"
    )
    ln_bayes: float | None = Field(None, title="Sum of the factors that are known")
    background_per_deg2_night: float | None = Field(
        None, title="New transients a night per square degree, as measured when this was told"
    )
    expected_chance_count: float | None = Field(
        None, title="Unrelated new transients expected at least as credible"
    )
    p_local: float | None = Field(None, ge=0, le=1, title="Probability of one by chance")
    trials: int | None = Field(None, title="Independent searches that p_global allows for")
    p_global: float | None = Field(None, ge=0, le=1, title="Probability of one in any search")
    joint_far_hz: float | None = Field(None, ge=0, title="Chance associations like this, Hz")
    rank: int | None = Field(
        None, ge=1, title="Place by ln_bayes among the event's candidates when this was told"
    )
    tier: str | None = Field(None, title="gold, silver, bronze, unranked or vetoed")
    fink_legacy: float | None = Field(
        None, title="Fink's p_assoc (large means significant); no probability: to compare with"
    )

    survey: str = Field(title="Survey of the alert")
    alert_id: str = Field(title="The survey's identifier of the alert")
    object_id: str = Field(title="The survey's identifier of the object")
    ra_deg: float = Field(title="Right ascension of the alert, ICRS, degrees")
    dec_deg: float = Field(title="Declination of the alert, ICRS, degrees")
    mjd_tai: float = Field(title="Mid-exposure of the alert, MJD, TAI, days")
    first_detection_mjd_tai: float = Field(
        title="Earliest detection in the alert's light curve, MJD, TAI, days"
    )
    band: str | None = Field(None, title="Passband of the alert")
    flux_njy: float | None = Field(None, title="Difference flux, AB nanojansky")
    flux_err_njy: float | None = Field(None, title="One-sigma error of flux_njy")
    reliability: float | None = Field(None, title="The survey's probability that it is real")
    last_non_detection_mjd_tai: float | None = Field(
        None, title="Latest upper limit before the first detection, MJD, TAI, days"
    )
    history_start_mjd_tai: float | None = Field(
        None, title="Earliest detection the survey knows of at the place, MJD, TAI, days"
    )
    rate_mag_per_day: float | None = Field(
        None, title="Change of magnitude a day in the alert's band, positive if it fades"
    )
    distance_mpc: float | None = Field(None, title="Luminosity distance of the host, Mpc")
    distance_err_mpc: float | None = Field(None, title="One-sigma error of distance_mpc")
    origin_topic: str = Field(title="Kafka topic of the survey's packet")
    origin_partition: int = Field(title="Partition of that topic")
    origin_offset: int = Field(title="Offset in that partition")
    ln_bayes_astro: float | None = Field(
        None,
        title="Ln of p B + 1 - p, B = exp(ln_bayes), p the probability that the event is "
        "astrophysical; null where its author gives none",
    )

    @property
    def association_id(self) -> str:
        """Identity of the pair, whatever the version: event, survey and alert."""
        return f"{self.event_id}/{self.survey}/{self.alert_id}"

    @property
    def delivery_id(self) -> str:
        """Identity of this statement about the pair: what to drop repeats by."""
        return f"{self.association_id}/{self.notice_id}/{self.state}"

    @property
    def key(self) -> bytes:
        """Kafka key: the event, so that its associations stay in order."""
        return self.event_id.encode()

    def to_json(self) -> bytes:
        """The association as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> Association:
        """Read an association back; raises ``pydantic.ValidationError`` if it is not one."""
        return cls.model_validate_json(value)
