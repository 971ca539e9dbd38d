"""Konus-Wind: light curves, which the network turns into annuli; no place of their own."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.families import Family

KONUS = Family("KONUS", r"nasa\.gsfc\.gcn/KONUS").notice_type("konus", "gamma_ray", windows.BURST)
