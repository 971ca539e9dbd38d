"""Services elsewhere, asked off the hot path: CDS X-Match and SIMBAD, and what they know.

A worker of its own reads what has left the mesh, picks the objects that matter, and asks in bulk,
at its own pace; the answers go to ``updates``. Nothing waits for it. It asks nobody unless
TOCSIN_REMOTE_ENABLED says so, and never about a simulated alert.
"""

from __future__ import annotations

from services.xmatch.remote.base import RemoteService, RemoteTable
from services.xmatch.remote.cds_xmatch import CDS_XMATCH
from services.xmatch.remote.simbad import SIMBAD
from shared.registry import registry

SERVICES: dict[str, RemoteService] = registry((CDS_XMATCH, SIMBAD))
"""To add one: a module, a line here, a server that speaks its protocol in
shared/testing/sky_services.py."""


def chosen_tables(names: str) -> list[tuple[RemoteService, RemoteTable]]:
    """The tables of ``names``, ``service/table`` separated by commas.

    Raises
    ------
    ValueError
        If one is not registered.
    """
    chosen = []
    for name in filter(None, (part.strip() for part in names.split(","))):
        service_name, _, table_name = name.partition("/")
        service = SERVICES.get(service_name)
        table = service.tables.get(table_name) if service else None
        if service is None or table is None:
            known = [f"{s.name}/{t}" for s in SERVICES.values() for t in s.tables]
            raise ValueError(f"TOCSIN_REMOTE_TABLES: no {name!r}; there are {', '.join(known)}")
        chosen.append((service, table))
    return chosen
