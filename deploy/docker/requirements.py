"""What an image needs, a requirement a line, from pyproject.toml: its extras and the common ones.

Usage: requirements.py EXTRA[,EXTRA...] [PACKAGE,...], without the packages named last.
"""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]


def expanded(name: str) -> set[str]:
    """The requirements of an extra; ``tocsin[train]`` in it means another extra's."""
    found: set[str] = set()
    for requirement in extras[name]:
        inner = re.fullmatch(r"tocsin\[(.*)\]", requirement)
        if inner is None:
            found.add(requirement)
        else:
            found |= {each for other in inner[1].split(",") for each in expanded(other.strip())}
    return found


wanted = sys.argv[1].split(",") if len(sys.argv) in (2, 3) else []
without = set(sys.argv[2].split(",")) if len(sys.argv) == 3 else set()
if not wanted or not set(wanted) <= set(extras):
    sys.exit(
        f"usage: requirements.py EXTRA[,EXTRA...] [PACKAGE,...], of {', '.join(sorted(extras))}"
    )
needed = {*project["dependencies"], *(r for e in wanted for r in expanded(e))}
if not without <= needed:
    sys.exit(f"requirements.py: {', '.join(sorted(without - needed))} is not asked for anyway")
print(*sorted(needed - without), sep="\n")
