"""The catalogs, in the order in which equally near matches are listed."""

from __future__ import annotations

from services.xmatch.catalogs.allwise import ALLWISE
from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.catwise2020 import CATWISE2020
from services.xmatch.catalogs.desi_dr1 import DESI_DR1
from services.xmatch.catalogs.erosita import EROSITA
from services.xmatch.catalogs.four_fgl import FOUR_FGL
from services.xmatch.catalogs.four_lac import FOUR_LAC
from services.xmatch.catalogs.gaia_bright import GAIA_BRIGHT
from services.xmatch.catalogs.gaia_dr3 import GAIA_DR3
from services.xmatch.catalogs.gcvs import GCVS
from services.xmatch.catalogs.glade_plus import GLADE_PLUS
from services.xmatch.catalogs.gwgc import GWGC
from services.xmatch.catalogs.hipparcos import HIPPARCOS
from services.xmatch.catalogs.legacy_dr10 import LEGACY_DR10
from services.xmatch.catalogs.mangrove import MANGROVE
from services.xmatch.catalogs.milliquas import MILLIQUAS
from services.xmatch.catalogs.ned_lvs import NED_LVS
from services.xmatch.catalogs.openngc import OPENNGC
from services.xmatch.catalogs.ps1_dr2 import PS1_DR2
from services.xmatch.catalogs.simbad import SIMBAD
from services.xmatch.catalogs.spicy import SPICY
from services.xmatch.catalogs.three_hsp import THREE_HSP
from services.xmatch.catalogs.tns import TNS
from services.xmatch.catalogs.twomass_psc import TWOMASS_PSC
from services.xmatch.catalogs.twomass_xsc import TWOMASS_XSC
from services.xmatch.catalogs.vsx import VSX
from shared.registry import registry

CATALOGS: dict[str, Catalog] = registry(
    (
        # A package brings the file.
        OPENNGC,
        GCVS,
        VSX,
        THREE_HSP,
        FOUR_LAC,
        MANGROVE,
        HIPPARCOS,
        GAIA_BRIGHT,
        # A deployment brings it.
        GAIA_DR3,
        SIMBAD,
        MILLIQUAS,
        TWOMASS_PSC,
        TWOMASS_XSC,
        ALLWISE,
        CATWISE2020,
        PS1_DR2,
        NED_LVS,
        DESI_DR1,
        LEGACY_DR10,
        GLADE_PLUS,
        FOUR_FGL,
        EROSITA,
        SPICY,
        TNS,
        GWGC,
    )
)
"""To add one: a module, a line here, a sample in tests/unit/services/xmatch/samples."""

PACKAGED: tuple[str, ...] = tuple(name for name, c in CATALOGS.items() if c.package is not None)
"""Those whose file a Python package brings."""
