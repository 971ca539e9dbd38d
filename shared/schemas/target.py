"""A target: an object that a facility should take a spectrum of tonight. JSON on ``targets``.

One record per place on a list; a list is one facility's of one night. Random places say so, and
every place has its propensity, so that what is learnt from the spectra can be weighted back to
the population (inverse propensity).
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Target(BaseModel):
    """One place on the ranked list of a facility's night."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    list_id: str = Field(title="Facility, night and model: one list")
    night: int = Field(title="MJD of the evening, at the facility")
    facility: str = Field(title="Name of the facility in the settings file")
    programme: str = Field(title="Programme the place was given to")
    rank: int = Field(ge=1, title="Place on the list, 1 first")

    survey: str | None = Field(None, title="Survey of the object")
    object_id: str = Field(title="The survey's name of the object")
    ra_deg: float = Field(ge=0, lt=360, title="Right ascension, ICRS, degrees")
    dec_deg: float = Field(ge=-90, le=90, title="Declination, ICRS, degrees")

    mag_now: float | None = Field(None, title="Newest AB magnitude; null without a detection")
    mag_predicted: float | None = Field(None, title="AB magnitude expected at the visit")
    band: str | None = Field(None, title="Passband of both")
    exposure_s: float = Field(gt=0, title="Exposure for the asked S/N, seconds")
    visit_mjd_utc: float | None = Field(None, title="Best time tonight, MJD, UTC, days")
    airmass: float | None = Field(None, ge=1, title="Airmass then")
    moon_separation_deg: float | None = Field(None, ge=0, le=180, title="Distance of the Moon then")

    predicted_class: str | None = Field(None, title="Most probable class")
    predicted_probability: float | None = Field(None, ge=0, le=1, title="Its probability")

    reason: str = Field(title="Why it is here, in words")
    score: float = Field(title="What the list is ranked by; of a random place too")
    score_parts: Mapping[str, float] = Field(
        default_factory=dict, title="What the score is made of, each in [0, 1]"
    )
    is_random: bool = Field(False, title="Drawn at random, not chosen")
    propensity: float = Field(gt=0, le=1, title="Probability of a place for an object of its kind")
    stratum: str = Field(title="Class, magnitude and sky region that quotas count by")
    claimed_by: str | None = Field(None, title="Another programme that asked first; null if none")

    model_id: str = Field(title="Model whose probabilities were used")
    made_ms: int = Field(ge=0, title="When the list was made, Unix time, milliseconds")
    expires_ms: int = Field(
        ge=0, title="After which it should not be used, Unix time, milliseconds"
    )
    is_simulated: bool = Field(False, title="The object was made by a simulator")

    @property
    def key(self) -> bytes:
        """Kafka key: the night, so that its places stay together and in order."""
        return str(self.night).encode()

    def to_json(self) -> bytes:
        """The target as UTF-8 JSON."""
        return self.model_dump_json().encode()

    @classmethod
    def from_json(cls, value: bytes) -> Target:
        """Read a target back; raises ``pydantic.ValidationError`` if it is not one."""
        return cls.model_validate_json(value)
