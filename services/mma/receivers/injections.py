"""A test notice every few minutes through the same intake, to see that the line works.

A worker holds it against an alert made for it (``services/mma/injected_alert.py``), so that its
association comes back on ``associations``, a test like all that comes of it: what is seen to work
is receiving, reading, the topic, the index, the match and telling.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import structlog

from services.mma.receivers.injection_watch import INJECTION_STREAM, InjectionWatch
from services.mma.receivers.intake import Take

log = structlog.get_logger()


def injection(moment: datetime, ra_deg: float, dec_deg: float) -> bytes:
    """A VOEvent of role test: nothing real ever comes of it.

    Parameters
    ----------
    moment
        Time of the event and of writing, UTC.
    ra_deg, dec_deg
        Its place, ICRS, with a 90 % radius of one degree.
    """
    when = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" version="2.0" role="test"
 ivorn="ivo://{INJECTION_STREAM}#{when}">
<Who><AuthorIVORN>ivo://tocsin</AuthorIVORN><Date>{when}</Date></Who>
<What/>
<WhereWhen><ObsDataLocation><ObservatoryLocation id="none"/><ObservationLocation>
<AstroCoordSystem id="UTC-ICRS-GEO"/><AstroCoords coord_system_id="UTC-ICRS-GEO">
<Time unit="s"><TimeInstant><ISOTime>{when}</ISOTime></TimeInstant></Time>
<Position2D unit="deg"><Name1>RA</Name1><Name2>Dec</Name2>
<Value2><C1>{ra_deg:.5f}</C1><C2>{dec_deg:.5f}</C2></Value2>
<Error2Radius>1.0</Error2Radius></Position2D>
</AstroCoords></ObservationLocation></ObsDataLocation></WhereWhen>
</voe:VOEvent>""".encode()


async def inject(every_s: float, take: Take, watch: InjectionWatch) -> None:
    """Inject for ever; the place goes round the sky by the hour."""
    while True:
        moment = datetime.now(UTC)
        ra_deg = (moment.timestamp() / 240.0) % 360.0
        sent_s = time.time()
        taken = await take("injection", injection(moment, ra_deg, 0.0))
        log.info("injected", outcome=taken.outcome)
        if taken.notice is not None:
            watch.sent(taken.notice.event_id, sent_s)
        await asyncio.sleep(every_s)
