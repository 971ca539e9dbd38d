"""CHIME/FRB: fast radio bursts, JSON ellipses and VOEvents of 68 %."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import GBM_CONTAINMENT
from services.mma.notices.families import Family

CHIME_FRB = Family("CHIME_FRB", r"ca\.chimenet|chimefrb", ("chime/",), GBM_CONTAINMENT).notice_type(
    "chime_frb", "radio", windows.RADIO
)
