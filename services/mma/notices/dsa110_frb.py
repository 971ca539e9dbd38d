"""DSA-110: fast radio bursts, ellipses of 90 %."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.families import Family

DSA110_FRB = Family("DSA110_FRB", schemas=("dsa110/",)).notice_type(
    "dsa110_frb", "radio", windows.RADIO
)
