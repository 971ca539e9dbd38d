from __future__ import annotations

import json

import numpy as np
import pytest

from services.xmatch.photoz import evaluate, train
from services.xmatch.photoz.galaxy_files import Band, GalaxyFileError

BANDS = "u,g,r,i,z"


@pytest.mark.parametrize("name", ["galaxies.parquet", "galaxies.csv"])
def test_train_and_evaluate(galaxy_file, tmp_path, capsys, name):
    model = tmp_path / "model"
    arguments = ["--redshift", "redshift", "--bands", BANDS, "--trees", "10"]
    assert train.main([str(galaxy_file(name)), *arguments, "-o", str(model)]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["trained_on"] + card["held_out_scores"]["galaxies"] <= 1500
    assert set(card["held_out_scores"]) >= {"bias", "nmad", "outlier_fraction", "pit_ks", "crps"}
    other = galaxy_file("other.parquet", seed=6)
    assert evaluate.main([str(model), str(other), "--redshift", "redshift"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["model_version"] == card["version"]
    assert result["all"]["nmad"] < 0.08


def test_columns_by_other_names_and_bad_rows(galaxy_file, tmp_path, capsys):
    path = galaxy_file("g.parquet", z_mag=np.r_[[-99.0] * 50, np.full(1450, 20.0)],
                       redshift=np.r_[np.full(1400, 0.3), [np.nan] * 90, [-9.0] * 10])  # fmt: skip
    model = tmp_path / "model"
    bands = "a=u_mag:u_mag_err,b=g_mag,c=r_mag:r_mag_err,d=z_mag"
    arguments = [str(path), "--redshift", "redshift", "--bands", bands, "-o", str(model)]
    assert train.main([*arguments, "--trees", "3"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["bands"] == ["a", "b", "c", "d"]
    assert card["left_out"]["no_redshift"] == 100


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--redshift": "zspec"}, "no column 'zspec'"),
        ({"--bands": "u,g,y"}, "no column 'y_mag'"),
        ({"--bands": "1x"}, "is no band"),
        ({"--trees": "0"}, "--trees"),
        ({"--bands": "u,g"}, "3 bands"),
    ],
)
def test_bad_use_is_explained_in_one_line(galaxy_file, tmp_path, capsys, changes, message):
    options = {"--redshift": "redshift", "--bands": BANDS, "-o": str(tmp_path / "m"), **changes}
    arguments = [part for pair in options.items() for part in pair]
    assert train.main([str(galaxy_file("g.parquet", galaxies=600)), *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_files_that_are_none(tmp_path, capsys):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing")
    for path in (broken, tmp_path / "nothing.csv"):
        arguments = ["--redshift", "z", "--bands", BANDS, "-o", str(tmp_path / "m")]
        assert train.main([str(path), *arguments]) == 2
        assert path.name in capsys.readouterr().err
    assert evaluate.main([str(tmp_path), str(broken), "--redshift", "z"]) == 2
    assert "holds no photo-z model" in capsys.readouterr().err


def test_bands_as_they_are_written():
    assert Band.parse("g") == Band("g", "g_mag", "g_mag_err")
    assert Band.parse(" g=G:GE ") == Band("g", "G", "GE")
    assert Band.parse("g=G") == Band("g", "G", None)
    with pytest.raises(GalaxyFileError):
        Band.parse("=G")
