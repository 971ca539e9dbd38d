from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from services.classify.light_curve_file import LightCurveFileError, read_light_curves
from shared.light_curves.bands import DETECTION, FORCED

FLUX = """object_id,mjd,band,flux,flux_err,redshift,label
b,60002,r,300,10,0.1,SN Ia
a,60001,g,200,10,,II P
a,60000,ztfr,20,10,,II P
a,60003,K,20,10,,II P
b,60001,V,100,0,0.1,SN Ia
"""
MAG = """object_id,mjd,band,mag,mag_err
1,60000,r,20.0,0.1
1,60001,R,20.0,
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "curves.csv"
    path.write_text(text)
    return path


def test_fluxes(tmp_path: Path) -> None:
    found = read_light_curves(written(tmp_path, FLUX))
    assert found.object_id.tolist() == ["a", "b"]
    assert found.curves.lengths.tolist() == [2, 1]
    assert found.curves.mjd_tai.tolist() == [60_000.0, 60_001.0, 60_002.0]
    assert found.curves.kind.tolist() == [FORCED, DETECTION, DETECTION]
    assert found.redshift.tolist()[1] == 0.1
    assert found.label.tolist() == ["II P", "SN Ia"]
    assert found.dropped == {"unknown band": 1, "no positive error": 1}


def test_magnitudes(tmp_path: Path) -> None:
    curves = read_light_curves(written(tmp_path, MAG)).curves
    assert curves.flux_njy[0] == pytest.approx(36_307.8, rel=1e-4)
    assert curves.flux_njy[1] == pytest.approx(36_307.8 * 10 ** (-0.4 * 0.21), rel=1e-4)
    assert curves.flux_err_njy[0] / curves.flux_njy[0] == pytest.approx(0.0921, rel=1e-3)
    assert curves.flux_err_njy[1] / curves.flux_njy[1] == pytest.approx(0.0921, rel=1e-3)
    assert (curves.kind == DETECTION).all()


@pytest.mark.parametrize(("other", "fainter_mag"), [("g", 0.0), ("V", 0.21)])
def test_r_beside_nothing_but_g_and_i_is_that_of_ztf(
    other: str, fainter_mag: float, tmp_path: Path
) -> None:
    text = f"object_id,mjd,band,mag,mag_err\n1,60000,R,20.0,0.1\n1,60001,{other},20.0,0.1\n"
    curves = read_light_curves(written(tmp_path, text)).curves
    assert curves.band[0] == 2
    assert curves.flux_njy[0] == pytest.approx(36_307.8 * 10 ** (-0.4 * fainter_mag), rel=1e-4)


def test_parquet_is_read_the_same(tmp_path: Path) -> None:
    csv = written(tmp_path, FLUX)
    pq.write_table(pa_csv.read_csv(csv), tmp_path / "curves.parquet")
    one, two = read_light_curves(csv), read_light_curves(tmp_path / "curves.parquet")
    np.testing.assert_array_equal(one.curves.flux_njy, two.curves.flux_njy)


def test_as_of_some_days_forgets_the_future(tmp_path: Path) -> None:
    found = read_light_curves(written(tmp_path, FLUX)).as_of(0.5)
    assert found.curves.mjd_tai.tolist() == [60_000.0, 60_001.0, 60_002.0]
    later = FLUX + "a,60009,g,500,10,,II P\n"
    assert read_light_curves(written(tmp_path, later)).as_of(5.0).curves.lengths[0] == 2


def test_total_fluxes_lose_their_median(tmp_path: Path) -> None:
    rows = "".join(f"s,{60000 + k},g,{100 + f},1\n" for k, f in enumerate((0, 0, 50, 0, -3)))
    text = "object_id,mjd,band,flux,flux_err\n" + rows
    found = read_light_curves(written(tmp_path, text)).without_median()
    assert found.curves.flux_njy.tolist() == [0.0, 0.0, 50.0, 0.0, -3.0]
    assert found.curves.kind.tolist() == [FORCED, FORCED, DETECTION, FORCED, FORCED]


def test_a_batch_of_any_part(tmp_path: Path) -> None:
    found = read_light_curves(written(tmp_path, FLUX))
    whole, second = found.batch(), found.batch(1, 9)
    assert len(whole) == 2
    assert second.strings("object_id") == ["b"]
    assert second.light_curves.flux_njy.tolist() == [300.0]
    assert second.column("matches")[0].as_py()[0]["redshift"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("object_id,mjd,flux,flux_err\na,1,2,3\n", "no column band"),
        ("object_id,mjd,band\na,1,g\n", "no column flux"),
        ("object_id,mjd,band,flux,flux_err\na,1,g,much,1\n", "not numbers"),
        ("object_id,mjd,band,flux,flux_err\na,1,K,2,1\n", "no usable point"),
        ("", "cannot read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(LightCurveFileError, match=words):
        read_light_curves(written(tmp_path, text))


def test_flux_and_magnitude_may_stand_in_one_file(tmp_path: Path) -> None:
    text = (
        "object_id,mjd,band,flux,flux_err,mag,mag_err\no,60000,g,100,50,,\n"
        "o,60001,g,,,20.0,0.1\no,60002,g,,,20.0,\no,60003,g,5,-1,,\no,60004,g,,,,\n"
    )
    found = read_light_curves(written(tmp_path, text))
    assert found.curves.kind.tolist() == [FORCED, DETECTION, DETECTION]
    np.testing.assert_allclose(found.curves.flux_njy, [100.0, 36_307.8, 36_307.8], rtol=1e-4)
    assert found.dropped == {"no flux": 1, "no positive error": 1}


@pytest.mark.parametrize(
    ("name", "code"),
    [("ztfg", 1), ("ZTF_r", 2), ("lsstr", 2), ("LSST-y", 5), ("1", 1), ("2", 2), ("3", 3),
     ("0", 0), ("V", 1), ("Rc", 2), ("i'", 3), ("ps1z", 4)],
)  # fmt: skip
def test_bands_as_observers_call_them(name: str, code: int, tmp_path: Path) -> None:
    path = written(tmp_path, f"object_id,mjd,band,mag\no,60000,{name},20\n")
    assert read_light_curves(path).curves.band.tolist() == [code]


def test_what_is_no_number_is_dropped_and_the_rest_goes_on(tmp_path: Path) -> None:
    text = "object_id,mjd,band,flux,flux_err\no,60000,g,100,5\no,late,g,100,5\no,60001,g,inf,5\n"
    found = read_light_curves(written(tmp_path, text))
    assert found.curves.mjd_tai.tolist() == [60_000.0]
    assert found.dropped == {"no time": 1, "no flux": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [("object_id,mjd,band,mag\no,2460000.5,g,20\n", "Julian"),
     ("object_id,mjd,band,mag\no,late,g,20\n", "not numbers"),
     ("object_id,mjd,band,mag\no,60000,Q,20\n", "it has: Q"),
     ("object_id,mjd,band,mag\n", "no rows")],
)  # fmt: skip
def test_a_file_without_a_usable_point_says_why(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(LightCurveFileError, match=said):
        read_light_curves(written(tmp_path, text))


def test_a_light_curve_of_the_portal_is_one_object(tmp_path: Path) -> None:
    path = tmp_path / "ZTF21abiuvdk.csv"
    path.write_text(
        "mjd_tai,band,kind,flux_njy,flux_err_njy,magnitude_ab\n"
        "59399.1,r,detection,5000.0,200.0,22.15\n"
        "59400.1,g,upper_limit,,150.0,\n"
        "59401.1,g,detection,9000.0,200.0,21.5\n"
    )
    read = read_light_curves(path)
    assert read.object_id.tolist() == ["ZTF21abiuvdk"]
    assert len(read.curves.mjd_tai) == 2
