"""Glowbug: bursts seen from the Space Station, mostly without a place."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.families import Family

GLOWBUG = Family("Glowbug", schemas=("glowbug/",)).notice_type(
    "glowbug", "gamma_ray", windows.BURST
)
