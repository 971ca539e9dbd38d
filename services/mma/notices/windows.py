"""How long after an event its optical counterpart may first be seen."""

from __future__ import annotations

from services.mma.notices.base import AssociationWindow

MERGER = AssociationWindow(
    1.0, 14.0, "kilonovae peak within days; AT2017gfo faded below 22 mag in 14 d (Abbott+ 2017)"
)
BURST = AssociationWindow(
    0.05, 10.0, "afterglows are found within days, their supernovae emerge within 10 d"
)
NEUTRINO = AssociationWindow(
    1.0, 30.0, "explosion -1 to +30 d for core collapse (IceCube optical follow-up, 2005.05340)"
)
X_RAY = AssociationWindow(1.0, 10.0, "afterglow-like, with a precursor's day before")
RADIO = AssociationWindow(1.0, 10.0, "no counterpart is known; the same span as for bursts")
GALACTIC_SUPERNOVA = AssociationWindow(
    0.1, 5.0, "shock breakout follows the neutrinos by minutes to a day (SNEWS, 2011.00035)"
)
OPTICAL = AssociationWindow(30.0, 30.0, "the same transient in another survey")
UNKNOWN = AssociationWindow(1.0, 10.0, "of no known kind: the span of bursts")
