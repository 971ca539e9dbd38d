"""How long our clients believe in a broker that does not answer, and in what they were told.

The clients' own defaults are made for distant clusters: 40 to 90 s for an answer, 5 min for
knowledge of who leads a partition. A broker that is frozen or cut off is replaced by its peers
after 9 s, so clients that insist are what makes an outage long. (aiokafka 0.14 does not ask for
the new leader when it is refused while it looks for a partition's first offset: it asks the old
one until its knowledge has aged. That made 160 to 240 s of a broker that was frozen for 15 s.)
"""

from __future__ import annotations

SESSION_S = 6.0
"""A worker that is silent for so long is dead to its group."""
HEARTBEAT_S = 2.0
REBALANCE_S = 10.0
"""Members of a group have so long to join again when it is formed anew."""
REQUEST_S = 15.0
"""Answers of a group's coordinator: longer than forming the group takes."""
SEND_S = 12.0
"""Acknowledgement of what is sent: longer than the 9 s after which a replica is given up."""
ANSWER_S = 8.0
"""Plain questions: offsets, topics."""
METADATA_AGE_S = 10.0
"""Who leads which partition is asked again after so long."""


def ms(seconds: float) -> int:
    """Milliseconds, as the clients want them."""
    return int(seconds * 1000)
