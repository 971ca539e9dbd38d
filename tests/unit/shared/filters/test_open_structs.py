"""shared may not import ingest or classify; what it knows of their structs is compared here.

``python tests/unit/shared/filters/test_open_structs.py`` writes the file anew.
"""

import json

from services.classify import features
from services.ingest.surveys.lsst import SURVEY_FIELDS as LSST
from services.ingest.surveys.ztf import SURVEY_FIELDS as ZTF
from shared.filters.surveys import OPEN_STRUCTS_FILE


def current():
    def members(struct):
        return {field.name: str(field.type) for field in struct}

    surveys = {"ztf": members(ZTF), "lsst": members(LSST)}
    return {"survey_fields": surveys, "features": members(features.STRUCT)}


def test_the_known_members_are_those_that_are_written():
    known = json.loads(OPEN_STRUCTS_FILE.read_text(encoding="utf-8"))
    assert known == current(), f"run: python {__file__}"


if __name__ == "__main__":
    OPEN_STRUCTS_FILE.write_text(json.dumps(current(), indent=1) + "\n", encoding="utf-8")
