"""What is done to the mesh to see that nothing gets lost: ``tocsin faults``.

One file per kind of fault; the registry below is what the command runs, in this order: those that
want the same mesh stand together.
"""

from __future__ import annotations

from tests.faults.base import Fault
from tests.faults.brokers import BrokerFrozen, BrokersDown
from tests.faults.bugs import Bug
from tests.faults.disk import DiskFull
from tests.faults.envelopes import HostileEnvelopes
from tests.faults.killed import Killed
from tests.faults.leaders import LeadersMove
from tests.faults.network import Cut, Parted, Slow
from tests.faults.packets import Poison, SchemaJump, Twice, TwiceAcrossRestart
from tests.faults.servers import DatabaseSlow, ServerAway, ServerKilled
from tests.faults.stopped import Hung, Stopped
from tests.faults.terminated import RollingRestart, Terminated
from tests.faults.workers import FrozenAndKilled


def fused(fault: Fault) -> Fault:
    """The same fault where ingest, xmatch, classify and mma share a process, the river."""
    fault.mesh_settings = {**fault.mesh_settings, "fused": True}
    if "river" not in fault.name:
        fault.name = f"river-{fault.name}"
    return fault


_SERVICES = ("ingest", "xmatch", "classify", "mma", "distribute", "archive")

FAULTS: tuple[Fault, ...] = (
    *(Killed(service) for service in _SERVICES),
    *(Terminated(service) for service in _SERVICES),
    *(Stopped(service) for service in _SERVICES),
    RollingRestart(),
    ServerKilled("kafka"),
    ServerAway("kafka"),
    ServerKilled("database"),
    ServerAway("database"),
    DatabaseSlow(),
    Poison(),
    Twice(),
    TwiceAcrossRestart(),
    SchemaJump(),
    HostileEnvelopes(),
    *(Hung(service) for service in ("ingest", "distribute")),
    *(fused(kind("river")) for kind in (Killed, Terminated, Stopped)),
    fused(ServerKilled("kafka")),
    fused(TwiceAcrossRestart("river")),
    *(Bug(service) for service in _SERVICES),
    *(FrozenAndKilled(service) for service in ("ingest", "xmatch", "distribute")),
    DiskFull("broker-disk-full", "broker-on-small-disk", "the broker"),
    DiskFull("disk-full", "all-on-small-disk", "broker, database, packets and logs"),
    BrokersDown(1),
    BrokersDown(2),
    BrokerFrozen(),
    LeadersMove(),
    Cut(1),
    Cut(3),
    Parted(),
    Slow(),
)
