"""The page on filters, written from what the code allows.

``python -m services.distribute.filters.reference`` writes ``docs/filters.md``; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from services.distribute.filters import DEFAULT_FILE
from shared.filters.derived import DERIVED
from shared.filters.syntax import LIST_FUNCTIONS, OPERATOR_SYMBOLS, SCALAR_FUNCTIONS
from shared.filters.user_filter import read_filters
from shared.filters.view import ALERT_FUNCTIONS, FUNCTION_MEANINGS

REFERENCE_FILE = Path(__file__).parents[3] / "docs" / "filters.md"

_HEAD = """\
# Filters

A filter says which alerts you want, as one SQL expression on one alert. Its alerts go to the topic
`out.<name>`, one Avro message each. This page is written by
`python -m services.distribute.filters.reference`.

```toml
[[filter]]
name = "rising"
description = "Young, real and bright"
owner = "me@example.org"
where = \"\"\"
days_since_first_detection < 5
AND magnitude_ab < 19
AND match_of('gcvs') IS NULL
\"\"\"
```

`tocsin filters check FILE.toml` says whether it would be accepted, and where not; it needs no
server. `TOCSIN_FILTERS_FILE=FILE.toml tocsin up` runs it, instead of the filters that come with
Tocsin (`services/distribute/filters/default.toml`: copy from there those you want to keep).

- `survey = "ztf"` keeps a filter to one survey. A filter that names a column of one survey
  (`survey_fields.drb`) runs for that survey only.
- A null result counts as false.
- Filters run together in one query per batch. One that fails, or exceeds the limits of time
  (`TOCSIN_FILTER_SECONDS`) or memory (`TOCSIN_FILTER_MEMORY_MIB`), is paused until the service is
  started again (`tocsin_filter_paused`); the others go on.
- A subscription gets an alert once, also after a crash. Kafka headers name the alert
  (`alert_id`, `survey`), its `schema`, and the packet it comes from (`delivery_id`:
  topic/partition/offset).
"""


def reference_text() -> str:
    """The page, in Markdown."""
    derived = "".join(f"| `{name}` | {meaning} |\n" for name, _, meaning in DERIVED)
    own = "".join(f"| `{call}` | {meaning} |\n" for call, meaning in FUNCTION_MEANINGS)
    shipped = "".join(
        f"| `{each.name}` | {each.description} |\n" for each in read_filters(DEFAULT_FILE)
    )
    return (
        f"{_HEAD}\n## Columns\n\nAll of the [data dictionary](data-dictionary.md), and:\n\n"
        f"| Column | Meaning |\n|---|---|\n{derived}"
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
