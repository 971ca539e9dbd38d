"""Facilities and their programmes, from a TOML file: where, how deep, how long, for what."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

EXAMPLE = Path(__file__).parent / "facilities.toml"
"""What comes with the code; a site has its own (TOCSIN_CLASSIFY_FACILITIES)."""

SHORTEST_S = 1.0
"""A shutter's shortest exposure."""


class Programme(BaseModel):
    """Who gets places, and what for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=60, title="Name")
    share: float = Field(1.0, gt=0, title="Share of the facility's places, relative to the others")
    classes: tuple[str, ...] = Field((), title="Classes it is after; empty for all")
    science_weight: float = Field(
        0.3, ge=0, le=1, title="How much the probability of those classes counts; the rest teaches"
    )


class Facility(BaseModel):
    """A telescope with a spectrograph, and a night's rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9_-]{1,40}$", title="Name")
    latitude_deg: float = Field(ge=-90, le=90, title="Geodetic latitude, degrees north")
    longitude_deg: float = Field(ge=-180, le=180, title="Longitude, degrees east")
    altitude_m: float = Field(0.0, ge=-500, le=9000, title="Altitude, metres")
    hours: float = Field(gt=0, le=16, title="Hours of exposure and overhead a night")
    places: int = Field(20, ge=4, le=500, title="Most places on a list")
    faintest_mag: float = Field(title="Faintest AB magnitude at the visit")
    brightest_mag: float = Field(10.0, title="Brightest AB magnitude")
    exposure_s_at_20: float = Field(gt=0, title="Exposure for a class at magnitude 20, seconds")
    overhead_s: float = Field(300.0, ge=0, title="Pointing and acquisition, seconds")
    greatest_airmass: float = Field(2.0, gt=1, le=5, title="Greatest airmass")
    least_moon_deg: float = Field(30.0, ge=0, le=180, title="Least distance of a bright Moon")
    random_share: float = Field(0.18, ge=0.15, le=0.2, title="Share of places drawn at random")
    class_quota: float = Field(0.5, ge=0.2, le=1, title="Most places of one predicted class")
    magnitude_quota: float = Field(0.5, ge=0.2, le=1, title="Most places of one magnitude")
    region_quota: float = Field(0.4, ge=0.2, le=1, title="Most places of one region of the sky")
    programmes: tuple[Programme, ...] = Field(
        (Programme(name="learning", science_weight=0.0),), min_length=1, title="Programmes"
    )

    def exposure_s(self, mag: float) -> float:
        """Exposure at an AB magnitude, seconds: sky-limited, 10^(0.8 (m - 20)); one or more."""
        return max(self.exposure_s_at_20 * float(10.0 ** (0.8 * (mag - 20.0))), SHORTEST_S)


class FacilityFile(BaseModel):
    """All of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    facility: tuple[Facility, ...] = Field(min_length=1, title="Facilities")

    @model_validator(mode="after")
    def _names_are_different(self) -> FacilityFile:
        names = [one.name for one in self.facility]
        if len(set(names)) < len(names):
            raise ValueError("two facilities have the same name")
        return self


def read_facilities(path: Path = EXAMPLE) -> tuple[Facility, ...]:
    """The facilities of a file.

    Raises
    ------
    ValueError
        If the file cannot be read, saying where and why.
    """
    try:
        return FacilityFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).facility
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ValueError(f"{path}: {error}") from error
