"""What users watch: hits of their lists of positions, and of their regions of the sky.

A private hit is on the river, for its owner's filters; distribute takes it out of everything that
leaves the mesh on anyone else's behalf (docs/watchlists.md).
"""

from __future__ import annotations

import pyarrow as pa

from shared.schemas.fields import column

OWNER = "owner"
IS_PUBLIC = "is_public"

_WHOSE = [
    column("name", pa.string(), "Name of the list or region, unique for its owner."),
    column(OWNER, pa.string(), "Whose it is."),
    column("version", pa.string(), "Version that was matched, counted from 1."),
    column(IS_PUBLIC, pa.bool_(), "False: only its owner is told."),
]

WATCHLISTS = column(
    "watchlists",
    pa.list_(
        pa.struct(
            [
                *_WHOSE,
                column(
                    "separation_arcsec",
                    pa.float32(),
                    "Great-circle distance from the watched position.",
                    unit="arcsec",
                ),
                column(
                    "target",
                    pa.string(),
                    "The list's name of the watched position.",
                    null="the list has none",
                ),
            ]
        )
    ),
    "Positions of users' watchlists within their radius, nearest first; private ones only where "
    "they are the reader's own.",
    null="nobody watches anything here, or xmatch has not run",
)

REGIONS = column(
    "regions",
    pa.list_(pa.struct(_WHOSE)),
    "Users' regions of the sky (MOCs) that hold the alert; private ones as above.",
    null="nobody watches anything here, or xmatch has not run",
)

WATCHED: tuple[pa.Field, ...] = (WATCHLISTS, REGIONS)
"""What xmatch adds for users who watch, after ``DESCRIBED``."""
