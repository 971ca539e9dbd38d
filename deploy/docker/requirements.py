"""What one service needs, a requirement a line, from pyproject.toml: its extra and the common ones.

Usage: requirements.py SERVICE
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
if len(sys.argv) != 2 or sys.argv[1] not in extras:
    sys.exit(f"usage: requirements.py SERVICE, one of {', '.join(sorted(extras))}")
print(*sorted({*project["dependencies"], *extras[sys.argv[1]]}), sep="\n")
