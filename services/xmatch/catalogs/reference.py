"""The reference of the catalogs, written from the registry itself.

``python -m services.xmatch.catalogs.reference`` writes ``docs/catalogs.md``; a test compares.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from services.xmatch.catalogs import CATALOGS
from services.xmatch.catalogs.base import Catalog

REFERENCE_FILE = Path(__file__).parents[3] / "docs" / "catalogs.md"

INTRODUCTION = """\
# Catalogs

Every alert is matched with the catalogs of the machine it passes, locally and per batch.
This page is written by `python -m services.xmatch.catalogs.reference` from
`services/xmatch/catalogs/`; change it there.

## Using them

| command | does |
|---|---|
| `tocsin catalogs list` | what is served, what is registered and waits for its file |
| `tocsin catalogs import NAME [FILE...]` | \
imports a registered catalog; without a file, from its Python package |
| `tocsin catalogs import my_list --file F.csv --ra ra --dec dec --radius-arcsec 2` | \
imports a list of your own |
| `tocsin catalogs show NAME` | provenance and some rows |
| `tocsin catalogs verify NAME` or `--all` | checksums, order, counts; exit code 1 when damaged |
| `tocsin catalogs remove NAME[@VERSION]` | deletes a version |

- `TOCSIN_XMATCH_CATALOGS` names the catalogs to search, `all` by default: what packages bring and
  what is imported. One that is not there is skipped with a warning.
- A file may be FITS, Parquet, CSV (also `.gz`, `.zip`), VOTable, or a HATS directory. It streams
  through: 10 million rows with proper motions took 33 s of CPU and 854 MB of memory at the peak,
  mapped pages included; the disk holds the rows twice meanwhile.
- A version is `<release>-<checksum of the files>` and stands in every match it made. Versions lie
  side by side in `<state>/catalogs/<name>/`; the file `current` names the one that is served. An
  import appears all at once, and workers take it up within `TOCSIN_XMATCH_LOOK_EVERY_S` (10 s),
  without a restart.
- Each version holds `hats/`, which `lsdb.read_hats` opens without Tocsin, and `index/`, which
  workers map: processes share its pages, and memory is only what alerts have touched.
- Rows without a position on the sky are left out, counted, and the first of them named by file
  and row. A damaged file is refused and nothing changes.
- A catalog whose version is damaged is skipped with a message; the others go on being served.

## Adding one

One file in `services/xmatch/catalogs/`, one line in its `__init__.py`, one sample in
`tests/unit/services/xmatch/samples/`. Most need only a `ColumnMap`: which column of the published
file is which standard column. The standard columns are those of `CatalogRows`
(`services/xmatch/catalogs/base.py`): positions, proper motions, axes, error ellipses, redshifts,
distances, magnitudes.

"""


def reference() -> str:
    """The whole page, in Markdown."""
    packaged = [c for c in CATALOGS.values() if c.package is not None]
    others = [c for c in CATALOGS.values() if c.package is None]
    parts = [
        INTRODUCTION,
        "## All catalogs\n\n",
        "| catalog | what | kind | radius | epoch | from |\n|---|---|---|---|---|---|\n",
        *(_line(catalog) for catalog in [*packaged, *others]),
        "\n## From Python packages\n\n",
        *(_section(catalog) for catalog in packaged),
        "## Registered ready, for a deployment that has the file\n\n",
        *(_section(catalog) for catalog in others),
    ]
    return "".join(parts).rstrip() + "\n"


def _line(catalog: Catalog) -> str:
    source = f"`{catalog.package.distribution}`" if catalog.package else "your file"
    radius = f'{catalog.radius_arcsec:g}"'
    return (
        f"| [{catalog.name}](#{catalog.name}) | {catalog.title} | {catalog.kind} | {radius} | "
        f"{catalog.epoch_year:g} | {source} |\n"
    )


def _section(catalog: Catalog) -> str:
    module = importlib.import_module(f"services.xmatch.catalogs.{catalog.name}")
    text = inspect.cleandoc(module.__doc__ or "")
    first, _, rest = text.partition("\n")
    told = first.rstrip() + "\n\n" + _as_list(rest)
    facts = [
        ("kind", catalog.kind + (", may hold host galaxies" if catalog.has_hosts else "")),
        ("licence", catalog.licence),
        ("get it", f"`{catalog.mend}`"),
    ]
    if catalog.magnitude_band:
        facts.insert(1, ("magnitude", catalog.magnitude_band))
    lines = "".join(f"| {name} | {value} |\n" for name, value in facts)
    lines += "".join(f"| `{name}` | {value} |\n" for name, value in catalog.made_of.items())
    return f"### {catalog.name}\n\n{told}\n| | |\n|---|---|\n{lines}\n"


def _as_list(text: str) -> str:
    """The module's notes (``Release: ...``), each an item of a list; RST quotes become ours."""
    items: list[str] = []
    for line in text.strip().splitlines():
        head = line.split(":", 1)[0]
        if head in ("Release", "Reference", "Radius", "Epoch") and ":" in line:
            items.append(f"- **{head}**:{line[len(head) + 1 :]}")
        elif items and items[-1].startswith("- **Epoch") and line.startswith("``"):
            items.append(f"- {line}")
        elif items:
            items[-1] += f"\n  {line}"
    return "\n".join(items).replace("``", "`") + "\n"


def main() -> None:
    """Write the page."""
    REFERENCE_FILE.write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    main()
