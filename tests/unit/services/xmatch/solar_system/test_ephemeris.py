"""Places of real asteroids against JPL's integration, and the search at an alert's time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from services.xmatch.solar_system.bodies import bodies_column
from services.xmatch.solar_system.ephemeris import DRIFT_ARCSEC_PER_DAY2, Ephemeris
from services.xmatch.solar_system.kepler import eccentric_anomaly
from services.xmatch.solar_system.observers import (
    EARTH_RADIUS_AU,
    TT_MINUS_TAI_DAYS,
    earth_at,
    observers_at,
)
from shared.alert_batch import AlertBatch
from shared.schemas.matched import SOLAR_SYSTEM
from shared.sky.cone_search import Queries
from shared.testing.batches import made_up_batch


def at(places):
    """Queries and times of rows of ``PLACES``."""
    *_, mjd, ra, dec = zip(*places, strict=True)
    return Queries.at(ra, dec), np.array(mjd) - TT_MINUS_TAI_DAYS


def test_agrees_with_jpl_within_the_drift_that_is_allowed(orbits, asteroids):
    ephemeris = Ephemeris(orbits, 0.1, 30.0)
    queries, mjd = at(asteroids.PLACES)
    found = ephemeris.nearest(queries, mjd, "an observer at the centre of the Earth")
    assert found.here.all()
    names = found.names().to_pylist()
    for name, (number, _, days, *_), apart in zip(
        names, asteroids.PLACES, found.separation_arcsec, strict=True
    ):
        assert name.startswith(number)
        assert apart <= 0.1 + DRIFT_ARCSEC_PER_DAY2 * days**2
        if abs(days) <= 10:
            assert apart < 0.25


def test_nothing_is_claimed_far_from_the_epoch_or_the_place(orbits, asteroids):
    ephemeris = Ephemeris(orbits, 2.0, 30.0)
    near = [p for p in asteroids.PLACES if p[2] == 0]
    queries, mjd = at(near)
    assert ephemeris.nearest(queries, mjd, "").here.all()
    ra, dec = np.array([[p[4], p[5] + 2.5 / 3600] for p in near]).T
    assert not ephemeris.nearest(Queries.at(ra, dec), mjd, "").here.any()
    assert not ephemeris.nearest(queries, mjd + 400.0, "").here.any()
    assert not ephemeris.nearest(queries, mjd + 0.5, "").here.any()
    unknown = ephemeris.nearest(queries, np.full(len(mjd), np.nan), "")
    assert not unknown.here.any()
    assert unknown.names().null_count == len(mjd)


def test_the_index_misses_no_body_at_any_time_of_its_slot(orbits):
    """The exact place of every body, asked back through the index, over two days."""
    ephemeris = Ephemeris(orbits, 1.0, 30.0)
    young = orbits.epoch_mjd_tt == 61000.0
    rng = np.random.default_rng(1)
    for mjd in 61000.0 + rng.uniform(-1, 1, 8):
        for survey in ("ztf", "lsst", ""):
            direction = seen_from(orbits, np.flatnonzero(young), mjd, survey)
            ra = np.degrees(np.arctan2(direction[:, 1], direction[:, 0]))
            dec = np.degrees(np.arcsin(direction[:, 2]))
            times = np.full(len(ra), mjd)
            found = ephemeris.nearest(Queries.at(ra, dec), times, survey)
            assert found.body.tolist() == np.flatnonzero(young).tolist()
            assert found.separation_arcsec == pytest.approx(np.zeros(len(ra)), abs=0.01)


def seen_from(orbits, bodies, mjd_tai, survey):
    """Directions by a plain solution: iterate light time on the whole orbit."""
    observer = observers_at(survey, np.array([mjd_tai]))[0]
    directions = []
    for i in bodies:
        late = 0.0
        for _ in range(6):
            t = mjd_tai + TT_MINUS_TAI_DAYS - late - orbits.epoch_mjd_tt[i]
            e = orbits.eccentricity[i]
            anomaly = eccentric_anomaly(
                orbits.mean_anomaly_rad[i] + orbits.daily_motion_rad[i] * t, e
            )
            place = orbits.perihelion_vector_au[i] * (np.cos(anomaly) - e)
            place = place + orbits.side_vector_au[i] * np.sin(anomaly) - observer
            late = np.linalg.norm(place) * 0.0057755183
        directions.append(place / np.linalg.norm(place))
    return np.array(directions)


@pytest.mark.parametrize("e", [0.0, 0.1, 0.7, 0.97, 0.9999])
def test_kepler_is_solved(e):
    mean = np.linspace(-20.0, 20.0, 401)
    anomaly = np.array([eccentric_anomaly(m, e) for m in mean])
    left = anomaly - e * np.sin(anomaly) - mean
    assert np.sin(left / 2) == pytest.approx(np.zeros(401), abs=1e-11)


def test_the_earth_is_where_astropy_has_it():
    coordinates = pytest.importorskip("astropy.coordinates")
    time = pytest.importorskip("astropy.time")
    mjd = np.array([60200.3, 61000.0, 61234.567])
    when = time.Time(mjd, format="mjd", scale="tt")
    with coordinates.solar_system_ephemeris.set("builtin"):
        earth = coordinates.get_body_barycentric("earth", when)
        sun = coordinates.get_body_barycentric("sun", when)
    assert earth_at(mjd)[0] == pytest.approx((earth - sun).xyz.to_value("AU").T, abs=1e-8)
    site = coordinates.EarthLocation.from_geodetic(-116.8649, 33.3563, 1712)
    tai = mjd - TT_MINUS_TAI_DAYS
    moved = observers_at("ztf", tai) - earth_at(mjd)[0]
    # Offline the rotation of the Earth is a prediction; precession is left out: 0.6 per cent.
    when_utc = time.Time(tai, format="mjd", scale="tai")
    when_utc.delta_ut1_utc = 0.0
    expected = site.get_gcrs(when_utc).cartesian.xyz.to_value("AU").T
    assert moved == pytest.approx(expected, abs=0.01 * EARTH_RADIUS_AU)
    assert observers_at("nowhere", tai) == pytest.approx(earth_at(mjd)[0])


def batch_of(places, survey="ztf", named=()):
    """A batch at rows of ``PLACES`` with ``named`` alerts that the survey calls asteroids."""
    fields = pa.struct([("ssnamenr", pa.string()), ("ssdistnr", pa.float32())])
    record = made_up_batch(len(places), survey=survey, survey_fields=fields).record_batch
    here = [row in named for row in range(len(places))]
    own = [{"ssnamenr": "8467" if h else None, "ssdistnr": 1.5 if h else 25.0} for h in here]
    columns = {
        "ra_deg": pa.array([p[4] for p in places]),
        "dec_deg": pa.array([p[5] for p in places]),
        "mjd_tai": pa.array([p[3] - TT_MINUS_TAI_DAYS for p in places]),
        "is_solar_system": pa.array(here),
        "survey_fields": pa.array(own, fields),
    }
    for name, values in columns.items():
        index = record.schema.get_field_index(name)
        record = record.set_column(index, record.schema.field(index), values)
    return AlertBatch(record)


def test_the_survey_speaks_first_and_the_orbits_fill_in(orbits, asteroids):
    places = [p for p in asteroids.PLACES if p[2] in (0, 3, 10)][:4]
    batch = batch_of(places, named=(1,))
    queries = Queries.at(batch.ra_deg, batch.dec_deg)
    column, known = bodies_column(batch, queries, Ephemeris(orbits, 30.0, 30.0))
    column.validate(full=True)
    assert column.type == SOLAR_SYSTEM.type
    assert known.all()
    rows = column.to_pylist()
    assert rows[1] == {"name": "8467", "separation_arcsec": 1.5, "source": "survey"}
    assert {row["source"] for row in rows} == {"survey", "ephemeris"}
    assert rows[0]["name"].startswith(places[0][0])
    # Seen from Palomar a main-belt body is up to 8.8 / (its distance in AU) arcsec off.
    assert 0.1 < rows[0]["separation_arcsec"] < 8.8
    alone, known = bodies_column(batch, queries, None)
    assert known.tolist() == [False, True, False, False]
    assert [row is None for row in alone.to_pylist()] == [True, False, True, True]


def test_surveys_without_such_fields(orbits):
    batch = made_up_batch(30)
    queries = Queries.at(batch.ra_deg, batch.dec_deg)
    column, known = bodies_column(batch, queries, None)
    named = batch.integers("is_solar_system") == 1
    assert known.tolist() == named.tolist()
    assert all(
        row is None or row == {"name": None, "separation_arcsec": None, "source": "survey"}
        for row in column.to_pylist()
    )
