"""The catalogs, in the order in which equally near matches are listed."""

from __future__ import annotations

from services.xmatch.catalogs.base import Catalog
from services.xmatch.catalogs.gcvs import GCVS
from services.xmatch.catalogs.openngc import OPENNGC
from services.xmatch.catalogs.vsx import VSX
from shared.registry import registry

CATALOGS: dict[str, Catalog] = registry((OPENNGC, GCVS, VSX))
"""To add one: a module, a line here, a sample in tests/unit/services/xmatch/samples."""
