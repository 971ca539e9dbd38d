"""Which form is wanted: ``?format=`` first, then the ``Accept`` header, then the first offered."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from fastapi import Query

from services.portal.problems import ProblemError

_LONGEST_ACCEPT = 1000


class TableFormat(StrEnum):
    """Forms of a table."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    VOTABLE = "votable"


class ImageFormat(StrEnum):
    """Forms of a cutout."""

    FITS = "fits"
    PNG = "png"


MEDIA_TYPES: dict[str, str] = {
    TableFormat.JSON: "application/json",
    TableFormat.CSV: "text/csv; charset=utf-8",
    TableFormat.PARQUET: "application/vnd.apache.parquet",
    TableFormat.VOTABLE: "application/x-votable+xml",
    ImageFormat.FITS: "image/fits",
    ImageFormat.PNG: "image/png",
}
_ALSO = {
    "text/xml": TableFormat.VOTABLE,
    "application/xml": TableFormat.VOTABLE,
    "application/x-parquet": TableFormat.PARQUET,
    "application/parquet": TableFormat.PARQUET,
    "application/fits": ImageFormat.FITS,
}
_BY_MEDIA_TYPE = {media.partition(";")[0]: name for name, media in MEDIA_TYPES.items()} | _ALSO

TableFormatQuery = Annotated[
    TableFormat | None, Query(alias="format", description="Form of the answer; else by Accept")
]
ImageFormatQuery = Annotated[
    ImageFormat | None, Query(alias="format", description="Form of the image; else by Accept")
]


def chosen(given: str | None, accept: str | None, offered: Sequence[str]) -> str:
    """The form to answer in.

    Raises
    ------
    ProblemError
        406, if the Accept header allows none of those offered.
    """
    if given is not None:
        return given
    wanted = _by_preference(accept or "*/*")
    for media_type in wanted:
        if media_type in {"*/*", "application/*"}:
            return offered[0]
        if media_type == "text/*" and TableFormat.CSV in offered:
            return TableFormat.CSV
        if media_type == "image/*":
            return next((one for one in offered if one in set(ImageFormat)), offered[0])
        found = _BY_MEDIA_TYPE.get(media_type)
        if found in offered:
            return str(found)
    raise ProblemError(406, f"Accept: one of {', '.join(MEDIA_TYPES[one] for one in offered)}")


def _by_preference(accept: str) -> list[str]:
    """Media types of an Accept header, the most wanted first."""
    entries = []
    for place, entry in enumerate(accept[:_LONGEST_ACCEPT].split(",")):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        if weight > 0 and media_type:
            entries.append((-weight, place, media_type))
    return [media_type for _, _, media_type in sorted(entries)]
