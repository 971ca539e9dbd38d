import io
import os
import tarfile
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from services.classify.light_curve_file import LightCurveFileError
from services.classify.training.datasets import DATASETS
from services.classify.training.datasets.base import FLUXCAL_NJY
from services.classify.training.datasets.elasticc import UNLABELLED
from shared.light_curves.bands import BAND_CODES

SHELF = Path(os.environ.get("TOCSIN_DATA", Path(__file__).parents[5] / "shared" / "data"))
SOURCE = {
    "type": "record",
    "name": "source",
    "fields": [
        {"name": "diaSourceId", "type": "long"},
        {"name": "diaObjectId", "type": "long"},
        {"name": "midPointTai", "type": "double"},
        {"name": "filterName", "type": "string"},
        {"name": "psFlux", "type": "float"},
        {"name": "psFluxErr", "type": "float"},
    ],
}
PACKET = {
    "type": "record",
    "name": "alert",
    "fields": [
        {"name": "diaSource", "type": SOURCE},
        {"name": "prvDiaSources", "type": ["null", {"type": "array", "items": "source"}]},
        {
            "name": "diaObject",
            "type": {
                "type": "record",
                "name": "object",
                "fields": [
                    {"name": "ra", "type": "double"},
                    {"name": "decl", "type": "double"},
                    {"name": "hostgal_zphot_q50", "type": ["null", "float"]},
                ],
            },
        },
    ],
}


def source(number: int, object_id: int, mjd: float, band: str, flux: float) -> dict[str, Any]:
    return {"diaSourceId": number, "diaObjectId": object_id, "midPointTai": mjd,
            "filterName": band, "psFlux": flux, "psFluxErr": 2.0}  # fmt: skip


@pytest.fixture
def elasticc(tmp_path: Path) -> Path:
    """Object 7 in two alerts that share a source, object 9 in one; a data folder."""
    first = source(1, 7, 60_000.0, "g", 100.0)
    second, other = source(2, 7, 60_003.0, "Y", 150.0), source(3, 9, 60_001.0, "r", 50.0)
    place = {"ra": 266.405, "decl": -28.936, "hostgal_zphot_q50": 0.25}
    packets = [
        {"diaSource": first, "prvDiaSources": None, "diaObject": place},
        {"diaSource": second, "prvDiaSources": [first], "diaObject": place},
        {"diaSource": other, "prvDiaSources": [],
         "diaObject": {**place, "hostgal_zphot_q50": -9.0}},
    ]  # fmt: skip
    folder = tmp_path / "lsst" / "elasticc"
    folder.mkdir(parents=True)
    with tarfile.open(folder / "made_up_elasticc.tar.xz", "w:xz") as archive:
        for k, packet in enumerate(packets):
            content = io.BytesIO()
            fastavro.writer(content, PACKET, [packet])
            member = tarfile.TarInfo(f"data/{k}.avro")
            member.size = content.tell()
            content.seek(0)
            archive.addfile(member, content)
    return tmp_path


def test_elasticc_joins_the_alerts_of_an_object(elasticc: Path) -> None:
    truth = elasticc / "lsst" / "elasticc" / "truth.csv"
    truth.write_text("diaObjectId,gentype\n7,26\n")
    found = DATASETS["elasticc"].load(elasticc)
    assert found.truth.object_id.tolist() == ["7", "9"]
    assert found.truth.class_name.tolist() == ["SN Ibc", UNLABELLED]
    curves = found.curves
    assert curves.lengths.tolist() == [2, 1]
    assert curves.mjd_tai.tolist() == [60_000.0, 60_003.0, 60_001.0]
    assert curves.band.tolist() == [BAND_CODES[one] for one in "gyr"]
    np.testing.assert_allclose(curves.flux_njy, np.array([100, 150, 50]) * FLUXCAL_NJY, rtol=1e-6)
    np.testing.assert_allclose(found.surroundings.host_redshift, [0.25, np.nan])
    np.testing.assert_allclose(found.surroundings.galactic_latitude_deg, 0.0, atol=0.1)


def test_elasticc_without_its_truth_labels_nothing(elasticc: Path) -> None:
    found = DATASETS["elasticc"].load(elasticc)
    assert set(found.truth.class_name.tolist()) == {UNLABELLED}
    assert not found.truth.is_sn_ia.any()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_own_light_curves_with_labels(ending: str, tmp_path: Path) -> None:
    folder = tmp_path / "own_archive"
    folder.mkdir()
    table = pa.table(
        {
            "object_id": ["b", "a", "a", "c"],
            "mjd": [60_002.0, 60_001.0, 60_000.0, 60_004.0],
            "band": ["r", "g", "g", "i"],
            "flux": [10.0, 300.0, 200.0, 5.0],
            "flux_err": [1.0, 10.0, 10.0, 1.0],
            "redshift": [0.1, 0.2, 0.2, None],
        }
    )
    if ending == "csv":
        pa.csv.write_csv(table, folder / "light_curves.csv")
    else:
        pq.write_table(table, folder / "light_curves.parquet")
    (folder / "labels.csv").write_text("object_id,label\na,Ia\nb,SN IIP\n")
    found = DATASETS["own_archive"].load(tmp_path)
    assert found.truth.object_id.tolist() == ["a", "b", "c"]
    assert found.truth.class_name.tolist() == ["SN Ia", "SN II", "unlabelled"]
    assert found.truth.is_sn_ia.tolist() == [True, False, False]
    assert found.curves.flux_njy.tolist() == [200.0, 300.0, 10.0, 5.0]
    np.testing.assert_allclose(found.surroundings.host_redshift, [0.2, 0.1, np.nan])


def test_own_light_curves_in_two_files_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "own_archive"
    folder.mkdir()
    for name in ("light_curves.csv", "light_curves.parquet", "labels.csv"):
        (folder / name).write_text("")
    with pytest.raises(LightCurveFileError, match="one file of light curves"):
        DATASETS["own_archive"].load(tmp_path)


def test_sdss_rrlyrae_are_differences_from_their_medians(tmp_path: Path) -> None:
    folder = tmp_path / "light_curves" / "sdss_s82_rrlyrae"
    folder.mkdir(parents=True)
    rows = [(4099, 51_075.0 + k, "g" if k < 3 else "r", 17.0 + 0.1 * k, 0.01) for k in range(6)]
    names = ("id", "time", "band", "mag", "magerr")
    table = pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))
    pq.write_table(table, folder / "rrlyrae_lc.parquet")
    found = DATASETS["sdss_rrlyrae"].load(tmp_path)
    assert found.truth.class_name.tolist() == ["RR Lyrae"]
    assert not found.truth.is_sn_ia.any()
    flux, band = found.curves.flux_njy, found.curves.band
    for code, magnitude in ((BAND_CODES["g"], 17.1), (BAND_CODES["r"], 17.4)):
        of_band = flux[band == code]
        assert of_band[1] == 0.0
        assert of_band[0] > 0.0 > of_band[2]
        expected = 10.0 ** (-0.4 * (magnitude - 31.4)) * (10.0**0.04 - 1.0)
        assert of_band[0] == pytest.approx(expected, rel=1e-3)


@pytest.mark.long
@pytest.mark.shelf
@pytest.mark.skipif(
    not (SHELF / "lsst" / "elasticc").is_dir(), reason="TOCSIN_DATA has no elasticc"
)
def test_the_real_elasticc_alerts_become_light_curves() -> None:
    found = DATASETS["elasticc"].load(SHELF)
    assert len(found) == 515
    assert len(found.curves.mjd_tai) >= 5_607
    assert set(found.curves.band.tolist()) <= set(BAND_CODES.values())
    assert (found.curves.flux_err_njy > 0.0).all()


@pytest.mark.shelf
@pytest.mark.skipif(
    not (SHELF / "light_curves" / "sdss_s82_rrlyrae").is_dir(),
    reason="TOCSIN_DATA has no sdss_s82_rrlyrae",
)
def test_the_real_rr_lyrae_are_483() -> None:
    found = DATASETS["sdss_rrlyrae"].load(SHELF)
    assert len(found) == 483
    assert 0.4 < np.mean(found.curves.flux_njy > 0.0) < 0.6
