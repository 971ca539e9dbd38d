"""KM3NeT: tracks, showers and multiplets, JSON and VOEvent; radii are 90 %."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.families import Family

KM3NET = Family("KM3NeT", r"[^#]*[Kk][Mm]3[Nn]e[Tt]", ("km3net/",)).notice_type(
    "km3net", "neutrino", windows.NEUTRINO
)
