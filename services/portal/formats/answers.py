"""Answers in the forms of this folder, and what the OpenAPI document says of them."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pyarrow as pa
from fastapi.responses import Response

from services.portal.formats.choice import MEDIA_TYPES, ImageFormat, TableFormat
from services.portal.formats.tables import written


def json_answer(content: Any) -> Response:
    """Arrow's values as JSON: NaN is null."""
    return Response(orjson.dumps(content, default=str), media_type="application/json")


async def table_answer(table: pa.Table, form: str, more: dict[str, Any] | None = None) -> Response:
    """A table in the form that was chosen."""
    content = await asyncio.to_thread(written, table, form, more=more)
    return Response(content, media_type=MEDIA_TYPES[form], headers={"Vary": "Accept"})


def table_responses() -> dict[int | str, dict[str, Any]]:
    """What a route that answers with tables says of the forms beside JSON."""
    forms = (TableFormat.CSV, TableFormat.PARQUET, TableFormat.VOTABLE)
    return {200: {"content": {_bare(MEDIA_TYPES[one]): {} for one in forms}}, 406: _PROBLEM}


def image_responses() -> dict[int | str, dict[str, Any]]:
    """The same for images."""
    return {200: {"content": {MEDIA_TYPES[one]: {} for one in ImageFormat}}, 406: _PROBLEM}


_PROBLEM = {"description": "None of the forms that Accept allows"}


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0]
