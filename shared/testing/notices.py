"""Made-up notices of every type, and made-up sky maps."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from astropy.io import fits

V20 = "http://www.ivoa.net/xml/VOEvent/v2.0"


def voevent(
    ivorn: str,
    *,
    role: str = "observation",
    time: str = "2024-01-15T00:00:00",
    issued: str = "2024-01-15T00:01:00",
    place: tuple[float, float, float] | None = (150.0, 20.0, 1.0),
    params: dict[str, str] | None = None,
    cites: Sequence[tuple[str, str]] = (),
    namespace: str = V20,
    scale: str = "UTC",
    version: str = "2.0",
) -> bytes:
    """A VOEvent packet as GCN writes it; ``place`` is ra, dec and error radius, degrees."""
    position = ""
    if place is not None:
        ra, dec, error = place
        position = (
            f'<Position2D unit="deg"><Name1>RA</Name1><Name2>Dec</Name2><Value2><C1>{ra}</C1>'
            f"<C2>{dec}</C2></Value2><Error2Radius>{error}</Error2Radius></Position2D>"
        )
    what = "".join(f'<Param name="{k}" value="{v}"/>' for k, v in (params or {}).items())
    cited = "".join(f'<EventIVORN cite="{kind}">{other}</EventIVORN>' for kind, other in cites)
    return (
        f'<?xml version="1.0"?><voe:VOEvent xmlns:voe="{namespace}" version="{version}" '
        f'role="{role}" ivorn="{ivorn}"><Who><Date>{issued}</Date></Who><What>{what}</What>'
        f"<WhereWhen><ObsDataLocation><ObservationLocation>"
        f'<AstroCoordSystem id="{scale}-ICRS-GEO"/>'
        f'<AstroCoords coord_system_id="{scale}-ICRS-GEO"><Time><TimeInstant><ISOTime>{time}'
        f"</ISOTime></TimeInstant></Time>{position}</AstroCoords></ObservationLocation>"
        f"</ObsDataLocation></WhereWhen><Citations>{cited}</Citations></voe:VOEvent>"
    ).encode()


def gcn_json(schema: str, **fields: Any) -> bytes:
    """A notice of the GCN unified schema; ``fields`` replace the usual ones."""
    said = {
        "$schema": f"https://gcn.nasa.gov/schema/main/gcn/notices/{schema}.schema.json",
        "trigger_time": "2024-01-15T00:00:00Z",
        "alert_datetime": "2024-01-15T00:01:00Z",
        "id": ["1234"],
        "ra": 150.0,
        "dec": 20.0,
        "ra_dec_error": 1.0,
    }
    return json.dumps(said | fields).encode()


def multi_order_map(
    uniq: Sequence[int], density: Sequence[float], *, unit: str = "sr-1", **header: Any
) -> bytes:
    """FITS bytes of a multi-order map."""
    columns = [
        fits.Column("UNIQ", "K", array=np.array(uniq)),
        fits.Column("PROBDENSITY", "D", unit=unit, array=np.array(density)),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update({"ORDERING": "NUNIQ", "COORDSYS": "C", **header})
    sink = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(sink)
    return sink.getvalue()


def base_cells_map(share_of_cell_4: float = 0.8) -> bytes:
    """Twelve cells of order 0; cell 4 (about 0, 0) holds the share, the others the rest evenly."""
    area = 4 * np.pi / 12
    rest = (1 - share_of_cell_4) / 11
    shares = [share_of_cell_4 if cell == 4 else rest for cell in range(12)]
    return multi_order_map([4 + cell for cell in range(12)], [s / area for s in shares])


def lvk_json(
    superevent_id: str = "S240115a",
    alert_type: str = "INITIAL",
    *,
    created: str = "2024-01-15T00:05:00Z",
    time: str = "2024-01-15T00:00:00.000Z",
    sky_map: bytes | None = None,
) -> bytes:
    """An igwn.gwalert with a map."""
    event = None
    if alert_type != "RETRACTION":
        encoded = base64.b64encode(base_cells_map() if sky_map is None else sky_map).decode()
        event = {
            "time": time,
            "far": 1e-9,
            "significant": True,
            "instruments": ["H1", "L1"],
            "classification": {"BNS": 0.9, "Terrestrial": 0.1},
            "properties": {"HasNS": 1.0},
            "skymap": encoded,
        }
    return json.dumps(
        {
            "alert_type": alert_type,
            "time_created": created,
            "superevent_id": superevent_id,
            "event": event,
        }
    ).encode()


SAMPLES: dict[str, bytes] = {
    "lvk": lvk_json(),
    "fermi_gbm": voevent("ivo://nasa.gsfc.gcn/Fermi#GBM_Fin_Pos1", params={"TrigID": "1234"}),
    "swift": voevent("ivo://nasa.gsfc.gcn/SWIFT#XRT_Pos_1", params={"TrigID": "1234"}),
    "icecube": voevent(
        "ivo://nasa.gsfc.gcn/AMON#ICECUBE_GOLD_Event1",
        params={"run_id": "12", "event_id": "34", "signalness": "0.5"},
    ),
    "fermi_lat": voevent("ivo://nasa.gsfc.gcn/Fermi#LAT_Offline_Pos"),
    "integral": voevent("ivo://nasa.gsfc.gcn/INTEGRAL#Wakeup_Pos_1"),
    "agile": voevent("ivo://nasa.gsfc.gcn/AGILE#A_MCAL_Alert"),
    "calet": voevent("ivo://nasa.gsfc.gcn/CALET#GBM_FLT"),
    "gecam": voevent("ivo://nasa.gsfc.gcn/GECAM#FLT_Event"),
    "konus": voevent("ivo://nasa.gsfc.gcn/KONUS#Lightcurve"),
    "ipn": voevent("ivo://nasa.gsfc.gcn/IPN#Raw"),
    "svom": gcn_json("svom/trigger", instrument="ECLAIRs"),
    "burstcube": gcn_json("burstcube/alert"),
    "glowbug": gcn_json("glowbug/Alert"),
    "hawc": voevent("ivo://nasa.gsfc.gcn/AMON#HAWC_BURST_MONITOR_Event"),
    "maxi": gcn_json("maxi/gsc.unknown"),
    "einstein_probe": gcn_json("einstein_probe/wxt/alert"),
    "km3net": gcn_json("km3net/alert"),
    "amon": voevent("ivo://nasa.gsfc.gcn/AMON#NU_EM_Event"),
    "superk": gcn_json("superk/sn_alert"),
    "snews": voevent("ivo://nasa.gsfc.gcn/SNEWS#Event1"),
    "chime_frb": gcn_json("chime/frb", ra_dec_error=[0.5, 0.4, 10]),
    "dsa110_frb": gcn_json("dsa110/frb"),
    "utmost_frb": voevent("ivo://au.edu.swin/utmost#FRB1"),
    "gaia": voevent("ivo://gaia.cam.uk/alerts#Gaia16aac", scale="TDB"),
    "moa": voevent("ivo://nasa.gsfc.gcn/MOA#Lensing_Event"),
    "asassn": voevent("ivo://voevent.4pisky.org/ASASSN#1"),
    "crts": voevent("ivo://nvo.caltech/voeventnet/catot#1"),
    "boom": gcn_json("boom/alert"),
    "other": voevent("ivo://example.org/stream#1"),
}
"""One notice for each entry of the registry; the contract test wants every one."""
