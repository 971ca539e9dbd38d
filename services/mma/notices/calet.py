"""CALET: light curves of its burst monitor. The position is that of the zenith, hence no place."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.families import Family

CALET = Family("CALET", r"nasa\.gsfc\.gcn/CA[Ll][Ee][Tt]").notice_type(
    "calet", "gamma_ray", windows.BURST
)
