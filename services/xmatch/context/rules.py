"""The table of verdicts: from the weakest evidence to the strongest, each with its words.

A later rule overrules an earlier one. The classes are Sherlock's (Smith et al. 2020, PASP 132,
085002, section 4.2; Young 2023, doi:10.5281/zenodo.8038057); docs/context.md says where the rules
differ from it and why.
"""

from __future__ import annotations

from enum import IntEnum


class Verdict(IntEnum):
    """What a rule says; higher overrules lower."""

    ORPHAN = 0
    BEHIND_SATELLITE = 1
    GALAXY_OF_SURVEY_NEAR = 2
    GALAXY_MATCH = 3
    BESIDE_GALAXY = 4
    NUCLEUS_OF_SURVEY = 5
    IN_HALO = 6
    IN_DISC = 7
    BRIGHT_STAR_OF_SURVEY = 8
    BRIGHT_STAR = 9
    STAR_OF_SURVEY = 10
    STAR = 11
    NUCLEUS = 12
    VARIABLE = 13
    ACTIVE = 14
    CATACLYSMIC = 15
    SOLAR_SYSTEM = 16
    NOTHING_SEARCHED = 17


WORDS: dict[Verdict, tuple[str | None, str]] = {
    Verdict.ORPHAN: ("ORPHAN", "no catalogued source or galaxy is near enough"),
    Verdict.BEHIND_SATELLITE: ("ORPHAN", "in front of or behind a satellite of the Milky Way"),
    Verdict.GALAXY_OF_SURVEY_NEAR: ("SN", "a galaxy-like source of the reference survey is near"),
    Verdict.GALAXY_MATCH: ("SN", "within the match radius of a catalogued galaxy, off its centre"),
    Verdict.BESIDE_GALAXY: ("SN", "within 50 kpc of a galaxy without known axes"),
    Verdict.NUCLEUS_OF_SURVEY: ("NT", "on a galaxy-like source of the reference survey"),
    Verdict.IN_HALO: ("SN", "outside the rim of a galaxy, within three of its light radii"),
    Verdict.IN_DISC: ("SN", "inside the rim of a galaxy, off its centre"),
    Verdict.BRIGHT_STAR_OF_SURVEY: ("BS", "the survey names a bright star within 20 arcsec"),
    Verdict.BRIGHT_STAR: ("BS", "in the glare of a catalogued bright star"),
    Verdict.STAR_OF_SURVEY: ("VS", "on a star-like source of the reference survey"),
    Verdict.STAR: ("VS", "on a catalogued star"),
    Verdict.NUCLEUS: ("NT", "on the centre of a catalogued galaxy"),
    Verdict.VARIABLE: ("VS", "on a catalogued variable star"),
    Verdict.ACTIVE: ("AGN", "on a catalogued active nucleus"),
    Verdict.CATACLYSMIC: ("CV", "on a catalogued cataclysmic variable"),
    Verdict.SOLAR_SYSTEM: (None, "a known solar-system body is here"),
    Verdict.NOTHING_SEARCHED: (None, "no catalog is installed"),
}
"""Class and reason of each verdict."""

CENTRE_ARCSEC = 1.5
"""Sherlock's synonym radius: so near, the alert is on the source itself."""
