from __future__ import annotations

from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.reference import REFERENCE_FILE, reference


def test_the_page_is_current():
    written = REFERENCE_FILE.read_text(encoding="utf-8")
    assert written == reference(), "run: python -m services.xmatch.catalogs.reference"


def test_every_catalog_has_a_section():
    text = reference()
    for name, catalog in CATALOGS.items():
        section = text.split(f"### {name}\n")[1].split("\n### ")[0]
        for word in ("**Release**", "**Reference**", "**Radius**", "**Epoch**", catalog.licence):
            assert word in section, (name, word)
