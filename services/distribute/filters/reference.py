"""The page on filters, written from what the code allows.

``python -m services.distribute.filters.reference`` writes ``docs/filters.md`` from
``reference_head.md`` and the registries; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from services.distribute.filters import DEFAULT_FILE
from shared.filters.derived import CATALOGS, DERIVED, OF_CATALOG
from shared.filters.syntax import LIST_FUNCTIONS, OPERATOR_SYMBOLS, SCALAR_FUNCTIONS
from shared.filters.user_filter import read_filters
from shared.filters.view import ALERT_FUNCTIONS, FUNCTION_MEANINGS

REFERENCE_FILE = Path(__file__).parents[3] / "docs" / "filters.md"

HEAD_FILE = Path(__file__).with_name("reference_head.md")


_CATALOG_ROW = (
    "| `<catalog>_source_id`, `_separation_arcsec`, `_class`, `_redshift`, `_magnitude`"
    " | The nearest source in one catalog; null if none. |\n"
)


def reference_text() -> str:
    """The page, in Markdown."""
    of_catalogs = {name for name, _, _ in OF_CATALOG}
    derived = "".join(
        f"| `{name}` | {meaning} |\n" for name, _, meaning in DERIVED if name not in of_catalogs
    )
    own = "".join(f"| `{call}` | {meaning} |\n" for call, meaning in FUNCTION_MEANINGS)
    shipped = "".join(
        f"| `{each.name}` | {each.description} |\n" for each in read_filters(DEFAULT_FILE)
    )
    return (
        f"{HEAD_FILE.read_text(encoding='utf-8')}\n## Columns\n\n"
        f"All of the [data dictionary](data-dictionary.md), lists included,"
        f" and:\n\n| Column | Meaning |\n|---|---|\n{derived}{_CATALOG_ROW}"
        f"\nCatalogs with such columns: {_words(frozenset(CATALOGS))}.\n"
        f"\n## Functions\n\n| Function | Meaning |\n|---|---|\n{own}\n"
        f"Of DuckDB's own, on single values: {_words(SCALAR_FUNCTIONS - {'mag'})}.\n\n"
        f"On lists, not inside a lambda: {_words(LIST_FUNCTIONS)}.\n\n"
        f"Operators: {_words(OPERATOR_SYMBOLS)}, comparisons, `AND`, `OR`, `NOT`, `IN`,"
        " `BETWEEN`, `LIKE`, `CASE`, `CAST` to a number, a text or a boolean, `x[i]`,"
        " `struct.member`, `lambda x: ...`, and `TRY(...)`, which makes an error null.\n"
        f"\n## Filters that come with Tocsin\n\n| Filter | What for |\n|---|---|\n{shipped}"
    )


def _words(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names - set(ALERT_FUNCTIONS)))


if __name__ == "__main__":
    REFERENCE_FILE.write_text(reference_text(), encoding="utf-8")
