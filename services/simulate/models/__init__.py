"""Models of the changing sky: one file per kind of source, registered here."""

from services.simulate.models.afterglow import Afterglow
from services.simulate.models.agn import Agn
from services.simulate.models.asteroid import Asteroid
from services.simulate.models.base import SourceModel
from services.simulate.models.bogus import Bogus
from services.simulate.models.core_collapse import CoreCollapse
from services.simulate.models.eclipsing_binary import EclipsingBinary
from services.simulate.models.kilonova import Kilonova
from services.simulate.models.microlensing import Microlensing
from services.simulate.models.rr_lyrae import RrLyrae
from services.simulate.models.type_ia import TypeIa

MODELS: tuple[SourceModel, ...] = (
    TypeIa(),
    CoreCollapse(),
    Kilonova(),
    Afterglow(),
    Microlensing(),
    RrLyrae(),
    EclipsingBinary(),
    Agn(),
    Asteroid(),
    Bogus(),
)
"""Drawn in this order; the last fills up the night."""
