"""Applies the rules to a batch: the ``context`` column."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from services.xmatch.context.natures import Nature
from services.xmatch.context.rules import CENTRE_ARCSEC, WORDS, Verdict
from services.xmatch.context.survey_sources import SurveySources, survey_sources
from services.xmatch.hosts.candidates import HostCandidates, source_ids
from services.xmatch.hosts.galaxies import Galaxies
from services.xmatch.match_rows import MatchRows
from shared.alert_batch import AlertBatch
from shared.schemas.matched import CONTEXT

_FIELDS = list(CONTEXT.type)
_CLASSES = pa.array([WORDS[verdict][0] for verdict in Verdict], pa.string())
_REASONS = pa.array([WORDS[verdict][1] for verdict in Verdict], pa.string())

Integers = npt.NDArray[np.int64]
Rule = tuple[Verdict, npt.NDArray[np.bool_], Integers]
"""A verdict, the alerts it applies to, and the number of the evidence for each: a match, or
beyond all matches a row of ``_evidence``; -1 for none."""


def context_column(
    batch: AlertBatch,
    matches: MatchRows,
    hosts: HostCandidates | None,
    galaxies: Galaxies | None,
    *,
    moving: npt.NDArray[np.bool_],
    searched: bool,
) -> pa.StructArray:
    """The ``context`` of each alert, shape (n,).

    Parameters
    ----------
    batch
        The alerts.
    matches
        Their matches.
    hosts, galaxies
        Their host candidates, None where no catalog has galaxies.
    moving
        Where a solar-system body is, shape (n,).
    searched
        Whether any catalog was searched.
    """
    n = len(batch)
    survey = survey_sources(batch)
    rules = [*_match_rules(matches)]
    if hosts is not None and galaxies is not None and len(hosts.alert):
        rules += _host_rules(hosts, galaxies, len(matches))
    if survey is not None:
        rules += _survey_rules(survey, len(matches) + n)
    verdict = np.zeros(n, np.int8)
    evidence = np.full(n, -1, np.int64)
    for says, applies, what in sorted(rules, key=lambda rule: rule[0]):
        verdict[applies] = says
        evidence[applies] = what[applies]
    if not searched:
        verdict[verdict == Verdict.ORPHAN] = Verdict.NOTHING_SEARCHED
    verdict[moving], evidence[moving] = Verdict.SOLAR_SYSTEM, -1
    catalog, source_id = _evidence(evidence, matches, hosts, galaxies, survey)
    code = pa.array(verdict)
    return pa.StructArray.from_arrays(
        [_CLASSES.take(code), _REASONS.take(code), catalog, source_id], fields=_FIELDS
    )


def _match_rules(matches: MatchRows) -> Iterator[Rule]:
    """Rules about catalog sources; the nearest of each nature is the evidence."""
    if not len(matches):
        return
    on_source = matches.separation_arcsec <= CENTRE_ARCSEC
    for verdict, nature, close in (
        (Verdict.GALAXY_MATCH, Nature.GALAXY, False),
        (Verdict.BRIGHT_STAR, Nature.STAR, False),
        (Verdict.STAR, Nature.STAR, True),
        (Verdict.NUCLEUS, Nature.GALAXY, True),
        (Verdict.VARIABLE, Nature.VARIABLE_STAR, False),
        (Verdict.ACTIVE, Nature.ACTIVE_NUCLEUS, False),
        (Verdict.CATACLYSMIC, Nature.CATACLYSMIC, False),
    ):
        applies = matches.nature == nature
        if applies.any():
            row = matches.first_of(applies & on_source if close else applies)
            yield verdict, row >= 0, row


def _host_rules(hosts: HostCandidates, galaxies: Galaxies, first: int) -> Iterator[Rule]:
    """Rules about the best host."""
    best = hosts.best
    has, pair = best >= 0, np.maximum(best, 0)
    separation, d_dlr = hosts.separation_arcsec[pair], hosts.d_dlr[pair]
    satellite = galaxies.is_satellite[hosts.galaxy[pair]]
    own = has & ~satellite
    evidence = first + np.arange(hosts.alerts)
    yield Verdict.BEHIND_SATELLITE, has & satellite, evidence
    yield Verdict.BESIDE_GALAXY, own & np.isnan(d_dlr), evidence
    yield Verdict.IN_HALO, own & (d_dlr > 1.0), evidence
    yield Verdict.IN_DISC, own & (d_dlr <= 1.0), evidence
    yield Verdict.NUCLEUS, own & (separation <= CENTRE_ARCSEC), evidence


def _survey_rules(survey: SurveySources, first: int) -> Iterator[Rule]:
    """Rules about the survey's own neighbours."""
    n = len(survey.on_star)
    nearest = first + np.arange(n)
    yield Verdict.GALAXY_OF_SURVEY_NEAR, survey.near_galaxy, nearest
    yield Verdict.NUCLEUS_OF_SURVEY, survey.on_galaxy, nearest
    yield Verdict.STAR_OF_SURVEY, survey.on_star, nearest
    yield Verdict.BRIGHT_STAR_OF_SURVEY, survey.in_glare, nearest + n


def _evidence(
    number: Integers,
    matches: MatchRows,
    hosts: HostCandidates | None,
    galaxies: Galaxies | None,
    survey: SurveySources | None,
) -> tuple[pa.Array, pa.Array]:
    """Catalog and source of each alert's evidence: matches, then best hosts, then the survey's."""
    n, m = len(number), len(matches)
    if not (number >= 0).any():
        return pa.nulls(n, pa.string()), pa.nulls(n, pa.string())
    catalogs = [matches.sources.field("catalog")]
    names = [matches.sources.field("source_id")]
    is_host = (number >= m) & (number < m + n)
    if is_host.any() and hosts is not None and galaxies is not None:
        galaxy = hosts.galaxy[np.maximum(hosts.best, 0)]
        code = np.where(is_host, galaxies.catalog[galaxy], -1).astype(np.int16)
        catalogs.append(galaxies.names.take(pa.array(code, mask=~is_host)))
        names.append(source_ids(galaxies, code, galaxies.row[galaxy]))
    else:
        catalogs.append(pa.nulls(n, pa.string()))
        names.append(pa.nulls(n, pa.string()))
    if survey is not None and (number >= m + n).any():
        catalogs += [pa.repeat(survey.catalog, n), pa.repeat(survey.glare_catalog, n)]
        names += [survey.source_id.cast(pa.string()), pa.nulls(n, pa.string())]
    wanted = pa.array(number, mask=number < 0)
    return pa.concat_arrays(catalogs).take(wanted), pa.concat_arrays(names).take(wanted)
