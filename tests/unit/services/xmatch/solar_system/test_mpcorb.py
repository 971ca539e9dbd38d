from __future__ import annotations

import gzip

import numpy as np
import pytest

from services.xmatch.solar_system.mpcorb import OrbitFileError, read_mpcorb


@pytest.fixture
def file(tmp_path, asteroids):
    def write(lines, head="MINOR PLANET CENTER ORBIT DATABASE\n\n" + "-" * 160 + "\n"):
        path = tmp_path / "MPCORB.DAT"
        path.write_text(head + "".join(line + "\n" for line in lines))
        return path

    return write


def test_reads_names_epochs_and_elements(file, asteroids):
    orbits = read_mpcorb(file([*asteroids.LINES, "", asteroids.LINES[0][:160]]))
    assert orbits.names.to_pylist()[0] == "(1) Ceres"
    assert orbits.names.to_pylist()[-1] == "00001"
    assert sorted(set(orbits.epoch_mjd_tt)) == [60200.0, 61000.0]
    assert orbits.eccentricity[0] == pytest.approx(0.0789125)
    assert orbits.magnitude[0] == pytest.approx(3.34)
    semi_major = np.linalg.norm(orbits.perihelion_vector_au, axis=1)
    assert semi_major[0] == pytest.approx(2.7672544)
    assert np.degrees(orbits.daily_motion_rad[0]) == pytest.approx(0.21410680, rel=1e-6)
    across = np.sum(orbits.perihelion_vector_au * orbits.side_vector_au, axis=1)
    assert across == pytest.approx(np.zeros(len(orbits)), abs=1e-12)


def test_without_a_header_and_gzipped(tmp_path, asteroids):
    path = tmp_path / "MPCORB.DAT.gz"
    path.write_bytes(gzip.compress("\n".join(asteroids.LINES).encode()))
    assert len(read_mpcorb(path)) == len(asteroids.LINES)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: line[:60],
        lambda line: line[:70] + "1.2000000" + line[79:],
        lambda line: line[:26] + "  *.*****" + line[35:],
        lambda line: line[:20] + "K23ZZ" + line[25:],
        lambda line: line[:92] + "  -2.767254" + line[103:],
        lambda line: line[:92] + " " * 11 + line[103:],
    ],
)
def test_a_bad_line_is_left_out_and_the_rest_is_read(file, asteroids, spoil):
    lines = list(asteroids.LINES)
    lines[1] = spoil(lines[1])
    assert len(read_mpcorb(file(lines))) == len(lines) - 1


@pytest.mark.parametrize("content", [b"", b"\x00\xff" * 500, b"<html>not found</html>\n" * 9])
def test_refuses_what_is_not_mpcorb(tmp_path, content):
    path = tmp_path / "MPCORB.DAT"
    path.write_bytes(content)
    with pytest.raises(OrbitFileError, match=r"MPCORB\.DAT"):
        read_mpcorb(path)


def test_refuses_a_missing_or_broken_file(tmp_path):
    with pytest.raises(OrbitFileError, match="give the path"):
        read_mpcorb(tmp_path / "nothing")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x" * 5000)[:30])
    with pytest.raises(OrbitFileError, match="give the path"):
        read_mpcorb(tmp_path / "cut.gz")
