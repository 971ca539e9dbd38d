"""BurstCube: positions with a map in the notice; radii are 90 %."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.families import Family

BURSTCUBE = Family("BurstCube", schemas=("burstcube/",)).notice_type(
    "burstcube", "gamma_ray", windows.BURST
)
