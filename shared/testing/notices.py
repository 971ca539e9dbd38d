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


CIRCULAR_BODY = """\
On 17/09/22 at 20:54:30.43 UT IceCube detected a track-like, very-high-energy event.

RA: 77.43 (+1.30/-0.80 deg 90% PSF containment) J2000
Dec: 5.72 (+0.70/-0.40 deg 90% PSF containment) J2000
"""
"""The form of IceCube's circulars, with the values of GCN 21916."""


def circular(event: str = "IceCube-170922A", body: str = CIRCULAR_BODY) -> bytes:
    """A circular of ``gcn.circulars``."""
    return json.dumps(
        {
            "eventId": event,
            "subject": f"{event}: a track",
            "circularId": 21916,
            "createdOn": 1506128400000,
            "submitter": "someone",
            "body": body,
        }
    ).encode()


_BOOM_DATA = {
    "targets": [
        {
            "event_name": "ZTF25abcdefg",
            "ra": 150.0,
            "dec": 20.0,
            "classification_scores": {"SN Ia": 0.9},
            "gcn_crossmatch": [{"ref_type": "GW", "ref_ID": "S240115a"}],
        }
    ],
    "photometry": [
        {"event_name": "ZTF25abcdefg", "observation_start": "2024-01-15T03:00:00Z", "mag": 18.1},
        {"event_name": "ZTF25abcdefg", "observation_start": "2024-01-14T03:00:00Z"},
    ],
}
_SNEWS = {"TrigID": "1000194", "RADec_valid": "false", "Test": "false"}
_IPN = {
    "TrigID": "2020",
    "IPN_RA_Center": "150.0",
    "IPN_Dec_Center": "20.0",
    "IPN_Radius": "60.0",
    "IPN_Width": "0.5",
}
_SK = {"Trigger_Number": "10051", "Src_Error68": "0.6", "Src_Error90": "0.9",
       "Min_Distance": "2.0", "Max_Distance": "3.0"}  # fmt: skip
_UTMOST = {"beam_semi-major_axis": "75", "beam_semi-minor_axis": "0.35"}

SAMPLES: dict[str, bytes] = {
    "lvk": lvk_json(),
    "fermi_gbm": voevent("ivo://nasa.gsfc.gcn/Fermi#GBM_Fin_Pos1", params={"TrigID": "1234"}),
    "fermi_lat": voevent("ivo://nasa.gsfc.gcn/Fermi#LAT_Offline_Pos"),
    "swift": voevent("ivo://nasa.gsfc.gcn/SWIFT#XRT_Pos_1", params={"TrigID": "1234"}),
    "icecube": voevent(
        "ivo://nasa.gsfc.gcn/AMON#ICECUBE_GOLD_Event1",
        params={"run_id": "12", "event_id": "34", "signalness": "0.5", "src_error_90": "1.0"},
    ),
    "hawc": voevent(
        "ivo://nasa.gsfc.gcn/AMON#HAWC_BURST_MONITOR_Event",
        params={"run_id": "12", "event_id": "34", "src_err_90": "24.0"},
    ),
    "amon": voevent(
        "ivo://nasa.gsfc.gcn/AMON#NU_EM_Event",
        place=(150.0, 20.0, 0.17),
        params={"Event_ID": "108943", "src_err_90": "18.92", "src_err_50": "10.2"},
    ),
    "km3net": gcn_json("km3net/alert", event_name="KM3-240115A", p_astro=0.6),
    "superk": voevent("ivo://nasa.gsfc.gcn/SK_SN#Event_1", place=(150, 20, 0), params=_SK),
    "snews": voevent("ivo://nasa.gsfc.gcn/SNEWS#Event1", place=(0, 0, 360), params=_SNEWS),
    "svom": gcn_json("svom/trigger", instrument="ECLAIRs", ra_dec_error=0.1),
    "einstein_probe": gcn_json("einstein_probe/wxt/alert", instrument="WXT", ra_dec_error=0.05),
    "integral": voevent("ivo://nasa.gsfc.gcn/INTEGRAL#Wakeup_Pos_1", params={"TrigID": "12"}),
    "agile": voevent("ivo://nasa.gsfc.gcn/AGILE#A_MCAL_Alert"),
    "calet": voevent("ivo://nasa.gsfc.gcn/CALET#GBM_FLT"),
    "gecam": voevent(
        "ivo://nasa.gsfc.gcn/GECAM#FLT_Event", params={"Trigger_Number": "66", "SRC_CLASS": "GRB"}
    ),
    "konus": voevent("ivo://nasa.gsfc.gcn/KONUS#Lightcurve"),
    "ipn": voevent("ivo://nasa.gsfc.gcn/IPN#Pos_1", place=(-1, -1, -1), params=_IPN),
    "burstcube": gcn_json("burstcube/alert"),
    "glowbug": gcn_json("glowbug/Alert"),
    "maxi": gcn_json("maxi/gsc.unknown"),
    "counterpart": voevent(
        "ivo://nasa.gsfc.gcn/COUNTERPART#Position_1",
        params={"TrigID": "866783", "Telescope": "Swift-XRT"},
    ),
    "chime_frb": gcn_json("chime/frb", ra_dec_error=[0.5, 0.4, 10]),
    "dsa110_frb": gcn_json("dsa110/frb", ra_dec_error=[0.02, 0.016]),
    "utmost_frb": voevent("ivo://au.edu.swin/utmost#FRB1", place=(150, 20, 1.25), params=_UTMOST),
    "gaia": voevent("ivo://gaia.cam.uk/alerts#Gaia16aac", scale="TDB"),
    "moa": voevent("ivo://nasa.gsfc.gcn/MOA#Lensing_Event", place=(150, 20, 0)),
    "asassn": voevent("ivo://voevent.4pisky.org/ASASSN#1", params={"id_assasn": "ASASSN-20aq"}),
    "crts": voevent("ivo://nvo.caltech/voeventnet/catot#1"),
    "boom": gcn_json("boom/alert", ra=None, dec=None, id=None, trigger_time=None, data=_BOOM_DATA),
    "circular": circular(),
    "other": voevent("ivo://example.org/stream#1"),
}
"""One notice for each entry of the registry; the contract test wants every one."""
