"""Passband curves that a user gives for extras: ``u.dat`` ... ``y.dat``, checked before use."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from services.classify.optional.base import ExtraRefusedError

EDGES_ANGSTROM: dict[str, tuple[int, int]] = {
    "u": (3200, 4050),
    "g": (4010, 5520),
    "r": (5480, 6930),
    "i": (6880, 8190),
    "z": (8150, 9230),
    "y": (9190, 10600),
}
"""Where a passband of LSST is above half its peak, rounded to 10 Angstrom."""
_MOST_BYTES = 4 << 20
_LEAST_ROWS = 5


def passband_files(folder: Path | None) -> dict[str, str]:
    """Path of the curve of each band that the folder has one for.

    Raises
    ------
    ExtraRefusedError
        If it has none, or one is no curve of its band in Angstrom.
    """
    if folder is None:
        return {}
    paths = {band: folder / f"{band}.dat" for band in EDGES_ANGSTROM}
    found = {band: path for band, path in paths.items() if path.is_file()}
    if not found:
        raise ExtraRefusedError(f"{folder} holds none of u.dat, g.dat ... y.dat")
    for band, path in found.items():
        _check(band, path)
    return {band: str(path.resolve()) for band, path in found.items()}


def _check(band: str, path: Path) -> None:
    if path.stat().st_size > _MOST_BYTES:
        raise ExtraRefusedError(f"{path} is larger than {_MOST_BYTES >> 20} MiB: no passband")
    try:
        wavelength, transmission = np.loadtxt(path, usecols=(0, 1), unpack=True, ndmin=2)
    except (ValueError, IndexError) as error:
        raise ExtraRefusedError(
            f"{path}: two columns are needed, wavelength in Angstrom and transmission"
        ) from error
    usable = (
        len(wavelength) >= _LEAST_ROWS
        and bool(np.all(np.diff(wavelength) > 0.0))
        and bool(np.all(np.isfinite(transmission)))
        and transmission.sum() > 0.0
    )
    if not usable:
        raise ExtraRefusedError(f"{path}: wavelengths must rise, transmissions be finite numbers")
    mean = float(np.average(wavelength, weights=transmission))
    low, high = EDGES_ANGSTROM[band]
    if not low <= mean <= high:
        raise ExtraRefusedError(
            f"{path}: its mean wavelength is {mean:.0f}, that of a band {band} lies between {low}"
            f" and {high} Angstrom; nanometres are tenfold Angstroms"
        )
