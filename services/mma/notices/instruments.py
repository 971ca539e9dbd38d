"""Instruments whose notices have no peculiarity: one row each."""

from __future__ import annotations

from services.mma.notices import windows
from services.mma.notices.base import GBM_CONTAINMENT, NoticeType
from services.mma.notices.families import Family

_GCN = r"nasa\.gsfc\.gcn/"

INSTRUMENTS: tuple[NoticeType, ...] = (
    Family("Fermi_LAT", _GCN + "Fermi#LAT", ("fermi/lat",)).notice_type(
        "fermi_lat", "gamma_ray", windows.BURST
    ),
    Family("INTEGRAL", _GCN + "INTEGRAL").notice_type("integral", "gamma_ray", windows.BURST),
    Family("AGILE", _GCN + "AGILE").notice_type("agile", "gamma_ray", windows.BURST),
    Family("CALET", _GCN + "CA[Ll][Ee][Tt]").notice_type("calet", "gamma_ray", windows.BURST),
    Family("GECAM", _GCN + "GECAM", containment=GBM_CONTAINMENT).notice_type(
        "gecam", "gamma_ray", windows.BURST
    ),
    Family("KONUS", _GCN + "KONUS").notice_type("konus", "gamma_ray", windows.BURST),
    Family("IPN", _GCN + "IPN").notice_type("ipn", "gamma_ray", windows.BURST),
    Family("SVOM", r"org\.svom/", ("svom/",)).notice_type("svom", "gamma_ray", windows.BURST),
    Family("BurstCube", schemas=("burstcube/",)).notice_type(
        "burstcube", "gamma_ray", windows.BURST
    ),
    Family("Glowbug", schemas=("glowbug/",)).notice_type("glowbug", "gamma_ray", windows.BURST),
    Family("HAWC", _GCN + "AMON.*HAWC", containment=GBM_CONTAINMENT).notice_type(
        "hawc", "gamma_ray", windows.BURST
    ),
    Family("MAXI", _GCN + "MAXI", ("maxi/",)).notice_type("maxi", "x_ray", windows.X_RAY),
    Family("EP", schemas=("einstein_probe/",)).notice_type(
        "einstein_probe", "x_ray", windows.X_RAY
    ),
    Family("KM3NeT", schemas=("km3net/",)).notice_type("km3net", "neutrino", windows.NEUTRINO),
    Family("AMON", _GCN + "AMON").notice_type("amon", "neutrino", windows.NEUTRINO),
    Family("SuperK", _GCN + "SK_SN", ("superk/",), GBM_CONTAINMENT).notice_type(
        "superk", "neutrino", windows.GALACTIC_SUPERNOVA
    ),
    Family("SNEWS", _GCN + "SNEWS").notice_type("snews", "neutrino", windows.GALACTIC_SUPERNOVA),
    Family("CHIME_FRB", r"ca\.chimenet|chimefrb", ("chime/",), GBM_CONTAINMENT).notice_type(
        "chime_frb", "radio", windows.RADIO
    ),
    Family("DSA110_FRB", schemas=("dsa110/",)).notice_type("dsa110_frb", "radio", windows.RADIO),
    Family("UTMOST_FRB", r"au\.edu\.swin/utmost").notice_type("utmost_frb", "radio", windows.RADIO),
    Family("Gaia", r"gaia\.cam\.uk/|voevent\.4pisky\.org/GAIA").notice_type(
        "gaia", "optical", windows.OPTICAL
    ),
    Family("MOA", _GCN + "MOA", unsaid_radius_deg=1.0 / 3600.0).notice_type(
        "moa", "optical", windows.OPTICAL
    ),
    Family("ASASSN", r"voevent\.4pisky\.org/ASASSN").notice_type(
        "asassn", "optical", windows.OPTICAL
    ),
    Family("CRTS", r"nvo\.caltech/voeventnet").notice_type("crts", "optical", windows.OPTICAL),
    Family("BOOM", schemas=("boom/",)).notice_type("boom", "optical", windows.OPTICAL),
)
"""Order counts: the first that recognises a document reads it."""
