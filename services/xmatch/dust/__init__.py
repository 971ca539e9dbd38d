"""E(B-V) of the Milky Way's dust from a map file of this machine; nothing is ever fetched."""

from __future__ import annotations

from pathlib import Path

from services.xmatch.dust.base import DustMap, DustMapError
from services.xmatch.dust.healpix_map import open_healpix
from services.xmatch.dust.zenithal_map import open_zenithal


def open_dust_map(path: Path) -> DustMap:
    """Open a dust map.

    Parameters
    ----------
    path
        A HEALPix FITS file (CSFD of Chiang 2023, Planck), or the folder with the two files of
        Schlegel, Finkbeiner & Davis 1998, ``SFD_dust_4096_ngp.fits`` and ``_sgp.fits``.

    Raises
    ------
    DustMapError
        If it is neither; the message says what is missing.
    """
    if path.is_dir():
        return open_zenithal(path)
    if path.is_file():
        return open_healpix(path)
    raise DustMapError(f"there is no dust map {path}; give a HEALPix FITS file or the SFD folder")
