"""MOA: microlensing events. The packets say no error; one arcsecond is taken."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.families import Family

MOA = Family("MOA", r"nasa\.gsfc\.gcn/MOA", unsaid_radius_deg=1.0 / 3600.0).notice_type(
    "moa", "optical", windows.OPTICAL
)
