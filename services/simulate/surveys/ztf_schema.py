"""The ZTF alert schema, version 4.02: field names and types as the survey publishes them.

Source: the public schema of ZTF's alerts (github.com/ZwickyTransientFacility/ztf-avro-alert).
In the tables ``name:type`` is a plain field, ``name:type?`` may be null with default null,
``name:type!`` may be null without a default.
"""

from __future__ import annotations

from typing import Any

SCHEMA_VERSION = "4.02"

_EXPOSURE = """
jd:double fid:int pid:long diffmaglim:float? pdiffimfilename:string? programpi:string?
programid:int
"""

_PLACE_AND_SHAPE = """
magap:float? sigmagap:float? distnr:float? magnr:float? sigmagnr:float? chinr:float?
sharpnr:float? sky:float? magdiff:float? fwhm:float? classtar:float? mindtoedge:float?
magfromlim:float? seeratio:float? aimage:float? bimage:float? aimagerat:float? bimagerat:float?
elong:float? nneg:int? nbad:int? rb:float? ssdistnr:float? ssmagnr:float? ssnamenr:string?
sumrat:float? magapbig:float? sigmagapbig:float?
"""

_CANDIDATE = (
    _EXPOSURE
    + """
candid:long isdiffpos:string tblid:long? nid:int? rcid:int? field:int? xpos:float? ypos:float?
ra:double dec:double magpsf:float sigmapsf:float chipsf:float?
"""
    + _PLACE_AND_SHAPE
    + """
ranr:double decnr:double
sgmag1:float? srmag1:float? simag1:float? szmag1:float? sgscore1:float? distpsnr1:float?
ndethist:int ncovhist:int jdstarthist:double? jdendhist:double? scorr:double? tooflag:int0
objectidps1:long? objectidps2:long?
sgmag2:float? srmag2:float? simag2:float? szmag2:float? sgscore2:float? distpsnr2:float?
objectidps3:long?
sgmag3:float? srmag3:float? simag3:float? szmag3:float? sgscore3:float? distpsnr3:float?
nmtchps:int rfid:long jdstartref:double jdendref:double nframesref:int rbversion:string
dsnrms:float? ssnrms:float? dsdiff:float? magzpsci:float? magzpsciunc:float? magzpscirms:float?
nmatches:int clrcoeff:float? clrcounc:float? zpclrcov:float? zpmed:float? clrmed:float?
clrrms:float? neargaia:float? neargaiabright:float? maggaia:float? maggaiabright:float?
exptime:float? drb:float? drbversion:string
"""
)

_PREVIOUS = (
    _EXPOSURE
    + """
candid:long! isdiffpos:string! tblid:long? nid:int? rcid:int? field:int? xpos:float? ypos:float?
ra:double! dec:double! magpsf:float! sigmapsf:float! chipsf:float?
"""
    + _PLACE_AND_SHAPE
    + """
ranr:double! decnr:double! scorr:double? magzpsci:float? magzpsciunc:float? magzpscirms:float?
clrcoeff:float? clrcounc:float? rbversion:string
"""
)

_FORCED = """
field:int? rcid:int? fid:int pid:long rfid:long sciinpseeing:float? scibckgnd:float?
scisigpix:float? magzpsci:float? magzpsciunc:float? magzpscirms:float? clrcoeff:float?
clrcounc:float? exptime:float? adpctdif1:float? adpctdif2:float? diffmaglim:float?
programid:int jd:double forcediffimflux:float? forcediffimfluxunc:float? procstatus:string?
distnr:float? ranr:double decnr:double magnr:float? sigmagnr:float? chinr:float? sharpnr:float?
"""


def _record(name: str, table: str) -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    for entry in table.split():
        field, kind = entry.split(":")
        if kind.endswith("?"):
            fields.append({"name": field, "type": ["null", kind[:-1]], "default": None})
        elif kind.endswith("!"):
            fields.append({"name": field, "type": ["null", kind[:-1]]})
        elif kind.endswith("0"):
            fields.append({"name": field, "type": [kind[:-1], "null"], "default": 0})
        else:
            fields.append({"name": field, "type": kind})
    return {
        "type": "record",
        "name": f"ztf.alert.{name}",
        "version": SCHEMA_VERSION,
        "fields": fields,
    }


CANDIDATE = _record("candidate", _CANDIDATE)
PREVIOUS = _record("prv_candidate", _PREVIOUS)
FORCED = _record("fp_hist", _FORCED)
_CUTOUT = {
    "type": "record",
    "name": "ztf.alert.cutout",
    "version": SCHEMA_VERSION,
    "fields": [{"name": "fileName", "type": "string"}, {"name": "stampData", "type": "bytes"}],
}


def _optional(name: str, kind: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", kind], "default": None}


ALERT: dict[str, Any] = {
    "type": "record",
    "name": "ztf.alert",
    "version": SCHEMA_VERSION,
    "doc": "avro alert schema for ZTF (www.ztf.caltech.edu)",
    "fields": [
        {"name": "schemavsn", "type": "string"},
        {"name": "publisher", "type": "string"},
        {"name": "objectId", "type": "string"},
        {"name": "candid", "type": "long"},
        {"name": "candidate", "type": CANDIDATE},
        _optional("prv_candidates", {"type": "array", "items": PREVIOUS}),
        _optional("fp_hists", {"type": "array", "items": FORCED}),
        _optional("cutoutScience", _CUTOUT),
        _optional("cutoutTemplate", "ztf.alert.cutout"),
        _optional("cutoutDifference", "ztf.alert.cutout"),
    ],
}

HEAD: dict[str, Any] = {**ALERT, "fields": ALERT["fields"][:5]}
"""What stands before the lists: scalars only, so that one encoder writes it."""
