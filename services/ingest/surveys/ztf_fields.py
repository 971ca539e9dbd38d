"""ZTF's candidate scalars that travel as ``survey_fields``, under ZTF's names, by Arrow type.

Schemas 2.0 to 4.02 together; file names are left out, and ``candid`` is the alert's identifier.
Meanings and units: https://zwickytransientfacility.github.io/ztf-avro-alert/schema.html
"""

from __future__ import annotations

import pyarrow as pa

CANDIDATE: dict[str, str] = {
    "float64": """
        jd ra dec ranr decnr jdstarthist jdendhist scorr jdstartref jdendref
    """,
    "int32": """
        fid programid nid rcid field nneg nbad ndethist ncovhist tooflag nmtchps
        nframesref nmatches
    """,
    "int64": """
        pid tblid objectidps1 objectidps2 objectidps3 rfid
    """,
    "float32": """
        diffmaglim xpos ypos magpsf sigmapsf chipsf magap sigmagap distnr magnr sigmagnr
        chinr sharpnr sky magdiff fwhm classtar mindtoedge magfromlim seeratio aimage
        bimage aimagerat bimagerat elong rb ssdistnr ssmagnr sumrat magapbig sigmagapbig
        sgmag1 srmag1 simag1 szmag1 sgscore1 distpsnr1 sgmag2 srmag2 simag2 szmag2
        sgscore2 distpsnr2 sgmag3 srmag3 simag3 szmag3 sgscore3 distpsnr3 dsnrms ssnrms
        dsdiff magzpsci magzpsciunc magzpscirms clrcoeff clrcounc zpclrcov zpmed clrmed
        clrrms neargaia neargaiabright maggaia maggaiabright exptime drb
    """,
    "string": """
        programpi isdiffpos ssnamenr rbversion drbversion
    """,
}
"""Arrow type to names, separated by blanks."""

TYPES: dict[str, pa.DataType] = {
    name: pa.type_for_alias(alias) for alias, names in CANDIDATE.items() for name in names.split()
}
"""Arrow type of each field."""
