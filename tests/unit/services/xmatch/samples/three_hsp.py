"""Made-up rows in the form of fink-science's 3hsp.csv."""

from __future__ import annotations

TEXT = """\
id , 3HSP Source name , BZcat name , R.A. , Dec , FOM
1 , "3HSPJ000100.0+293000" , "" , "00 01 00.00" , "+29 30 00.0" , 0.05
2 , "3HSPJ000200.0-001500" , "" , "00 02 00.00" , "-00 15 00.0" , 0.2
3 , "3HSPJ000300.0+000000" , "" , "00 61 00.00" , "+00 00 00.0" , 0.2
"""


def write(path):
    path.write_text(TEXT)


BAD_ROWS = 1
LEFT_OUT = {}
EXPECTED = [
    ((0.25, 29.5), [("3HSPJ000100.0+293000", None, 0.0)]),
    ((0.5, -0.24944444444444444), [("3HSPJ000200.0-001500", None, 2.0)]),
    ((0.5, -0.24888888888888888), []),
]
ROW = {}
PHOTOMETRY = {}
