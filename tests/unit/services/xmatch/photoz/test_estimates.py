"""Photometric redshifts on alerts, and what is said where there can be none."""

from __future__ import annotations

import numpy as np
import pytest

from services.xmatch.crossmatch import crossmatch
from services.xmatch.describe import describe
from services.xmatch.photoz.forest import LEVELS, load_model, save_model
from services.xmatch.surroundings import open_photo_z, surroundings_of


@pytest.fixture
def sky(tmp_path, places, forest, bands, made_up):
    """A model, and a catalog with the photometry of three made-up galaxies and a few hard cases."""
    columns, _, redshift = made_up
    whole = np.flatnonzero(np.all([np.isfinite(columns[f"{b}_mag"]) for b in bands], axis=0))
    picked = whole[whole >= 3000][:3]
    rows = [
        {"at": (10.0 + k, 5.0), "id": f"g{k}", "major_axis_arcsec": 10.0, "minor_axis_arcsec": 8.0,
         **{name: float(values[i]) for name, values in columns.items()}}
        for k, i in enumerate(picked)
    ]  # fmt: skip
    rows.append({**rows[0], "at": (20.0, 5.0), "id": "two bands", "u_mag": np.nan, "i_mag": np.nan,
                 "z_mag": np.nan})  # fmt: skip
    rows.append({**rows[0], "at": (21.0, 5.0), "id": "odd", "g_mag": 8.0})
    rows.append({"at": (22.0, 5.0), "id": "bare", "major_axis_arcsec": 10.0})
    save_model(tmp_path / "m", forest, {"bands": bands, "catalogs": ["photo"]})
    model = load_model(tmp_path / "m")
    catalog = places.index_of("photo", rows, photometry=tuple(columns))
    return catalog, model, redshift[picked], tmp_path / "m"


def test_values_reasons_and_redshifts(sky, places, alerts_at):
    catalog, model, truth, _ = sky
    spots = [places.offset(10.0 + k, 5.0, 3, 0) for k in range(3)]
    spots += [(20.0, 5.0), (21.0, 5.0), (22.0, 5.0), (100.0, 5.0)]
    around = surroundings_of([catalog], photo_z=model)
    batch = describe(crossmatch(alerts_at(spots), [catalog], 5), around)
    batch.record_batch.validate(full=True)
    found = batch.column("photo_z").to_pylist()
    assert [row["reason"] for row in found] == [
        "ok", "ok", "ok", "too_few_bands", "outside_training", "no_photometry", "no_photometry",
    ]  # fmt: skip
    redshift = batch.column("redshift").to_pylist()
    for row, z, chosen, k in zip(found[:3], truth, redshift[:3], range(3), strict=True):
        assert len(row["quantiles"]) == len(LEVELS)
        assert row["quantiles"][0] <= z <= row["quantiles"][-1]
        assert (row["source_id"], row["model_version"]) == (f"g{k}", model.version)
        assert chosen["value"] == pytest.approx(row["value"])
        assert (chosen["kind"], chosen["of"], chosen["catalog"]) == ("phot", "host", "photo")
        assert chosen["error"] > 0
    for row in found[3:]:
        assert row["value"] is None
        assert row["quantiles"] is None
    assert redshift[3:] == [None] * 4
    assert np.isfinite(batch.floats("distance_mpc")[:3]).all()


def test_a_model_is_not_asked_about_other_catalogs(sky, places, alerts_at):
    _, model, _, _ = sky
    other = places.index_of("other", [{"at": (10.0, 5.0), "id": "g"}], has_hosts=False)
    batch = crossmatch(alerts_at([(10.0, 5.0)]), [other], 5)
    (found,) = (
        describe(batch, surroundings_of([other], photo_z=model)).column("photo_z").to_pylist()
    )
    assert found["reason"] == "no_photometry"


def test_sources_that_are_no_hosts_are_found_by_place(sky, places, alerts_at):
    catalog, model, _, _ = sky
    columns = {name: float(values[0]) for name, values in catalog.photometry.items()}
    points = places.index_of(
        "photo", [{"at": (50.0, 1.0), "id": "p", **columns}], has_hosts=False, kind="sources",
        photometry=tuple(columns),
    )  # fmt: skip
    spots = [places.offset(50, 1, 1.9, 0), places.offset(50, 1, 2.1, 0)]
    batch = crossmatch(alerts_at(spots), [points], 5)
    described = describe(batch, surroundings_of([points], photo_z=model))
    near, far = described.column("photo_z").to_pylist()
    assert (near["reason"], near["source_id"], far["reason"]) == ("ok", "p", "no_photometry")
    assert described.column("redshift").to_pylist()[0]["of"] == "source"


def test_a_bad_model_is_done_without(tmp_path, sky):
    *_, folder = sky
    assert open_photo_z(folder) is not None
    assert open_photo_z(tmp_path / "none") is None
    assert open_photo_z(None) is None
