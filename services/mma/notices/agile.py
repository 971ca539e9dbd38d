"""AGILE: MCAL alerts, which are times without a place. The mission ended in 2024."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.families import Family

AGILE = Family("AGILE", r"nasa\.gsfc\.gcn/AGILE").notice_type("agile", "gamma_ray", windows.BURST)
