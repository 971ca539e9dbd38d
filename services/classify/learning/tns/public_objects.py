"""TNS's public objects: a zipped CSV of all, made every night, and of what changed, every hour.

``tns_public_objects_YYYYMMDD.csv.zip`` is a day's changes, ``tns_public_objects_HH.csv.zip`` an
hour's, ``tns_public_objects.csv.zip`` everything. The first line says which time is covered, the
second names the columns.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

from pydantic import ValidationError

from shared.errors import RejectedRecordError
from shared.labels.class_names import class_of
from shared.schemas.label import Label

MAX_UNZIPPED_BYTES = 2**30
SURVEYS = (("ZTF", "ztf"), ("LSST", "lsst"), ("DiaObject", "lsst"))
"""How an internal name begins, and whose object it is."""
COLUMNS = ("name_prefix", "name", "ra", "declination", "redshift", "type", "internal_names",
           "lastmodified", "reporting_group")  # fmt: skip
TAXONOMY, TAXONOMY_VERSION = "tns", "2023"


def labels_in(content: bytes, taken_ms: int) -> Iterator[Label]:
    """One label for every object of ours that has a type.

    Parameters
    ----------
    content
        The zip file.
    taken_ms
        Now, Unix time, milliseconds.

    Raises
    ------
    RejectedRecordError
        ``not_tns_objects``, if it is no such file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [one for one in archive.infolist() if one.filename.endswith(".csv")]
            if len(names) != 1 or names[0].file_size > MAX_UNZIPPED_BYTES:
                raise RejectedRecordError("not_tns_objects", "it should hold one CSV file")
            with archive.open(names[0]) as file:
                lines = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
                yield from _labels(lines, taken_ms)
    except (zipfile.BadZipFile, csv.Error, EOFError) as error:
        raise RejectedRecordError("not_tns_objects", f"it cannot be read: {error}") from error


def _labels(lines: io.TextIOWrapper, taken_ms: int) -> Iterator[Label]:
    first = lines.readline()
    heading = first if "name_prefix" in first else lines.readline()
    columns = next(csv.reader([heading]), [])
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise RejectedRecordError("not_tns_objects", f"it has no column {missing[0]}")
    for row in csv.DictReader(lines, columns):
        if not row["type"] or class_of(row["type"]) is None:
            continue
        for name in (row["internal_names"] or "").split(","):
            survey = next((own for begins, own in SURVEYS if name.strip().startswith(begins)), None)
            if survey is not None:
                label = _label(row, name.strip(), survey, taken_ms)
                if label is not None:
                    yield label


def _label(row: dict[str, str], object_id: str, survey: str, taken_ms: int) -> Label | None:
    """The label of a row; None where its numbers are none (TNS has some by hand)."""
    try:
        when = datetime.fromisoformat(row["lastmodified"].strip()).replace(tzinfo=UTC)
        return Label(
            object_id=object_id,
            survey=survey,
            class_name=row["type"],
            taxonomy=TAXONOMY,
            taxonomy_version=TAXONOMY_VERSION,
            source="tns",
            confidence=1.0,
            author=f"TNS {row['reporting_group'] or ''}".strip(),
            said_ms=int(when.timestamp() * 1000),
            taken_ms=taken_ms,
            ra_deg=float(row["ra"]),
            dec_deg=float(row["declination"]),
            redshift=float(row["redshift"]) if row["redshift"] else None,
            reference=f"{row['name_prefix']} {row['name']}".strip(),
        )
    except (ValidationError, ValueError):
        return None
