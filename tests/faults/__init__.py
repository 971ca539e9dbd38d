"""What is done to the mesh to see that nothing gets lost: ``tocsin faults``.

One file per kind of fault; the registry below is what the command runs, in this order.
"""

from __future__ import annotations

from tests.faults.base import Fault
from tests.faults.brokers import BrokerFrozen, BrokersDown
from tests.faults.envelopes import HostileEnvelopes
from tests.faults.killed import Killed
from tests.faults.packets import Poison, SchemaJump, Twice
from tests.faults.servers import DatabaseSlow, ServerAway, ServerKilled
from tests.faults.stopped import Hung, Stopped
from tests.faults.terminated import RollingRestart, Terminated

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
    SchemaJump(),
    HostileEnvelopes(),
    *(Hung(service) for service in ("ingest", "distribute")),
    BrokersDown(1),
    BrokersDown(2),
    BrokerFrozen(),
)
