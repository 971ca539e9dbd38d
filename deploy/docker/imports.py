"""Whether what a service imports, now or later, is there: run in the build, after ``slim.sh``.

Usage: imports.py MODULE. Reads the sources of the module's package, and of everything of ours that
these import, and imports every module of other packages that they name, unless the whole package is
not installed (an extra of verbs that the image does not have). The module itself must import.
"""

import ast
import importlib
import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path

OURS = ("services", "shared")


def named(path: Path) -> set[str]:
    """Modules that a source imports, anywhere in it; of ``from a import b`` both a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def source(module: str, root: Path) -> Path | None:
    """The file of a module of ours; None if the name is of something in a module."""
    place = root.joinpath(*module.split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def problem(name: str) -> str | None:
    """What is wrong with a module, or thing in a module, of others; None if it can be imported."""
    try:
        importlib.import_module(name)
    except ImportError as error:
        package = (error.name or name).partition(".")[0]
        if package not in sys.modules and PathFinder.find_spec(package) is None:
            return None  # of an extra that this image does not have
        parent, _, last = name.rpartition(".")
        return None if hasattr(sys.modules.get(parent), last) else f"{name}: {error}"
    return None


def main(module: str) -> int:
    """Import the module and all that its sources name."""
    spec = importlib.util.find_spec("shared")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("imports.py: our own packages are not installed here")
    root = Path(spec.submodule_search_locations[0]).parent
    importlib.import_module(module)
    package = root.joinpath(*module.split("."))
    waiting = list(package.rglob("*.py")) if package.is_dir() else [package.with_suffix(".py")]
    seen: set[Path] = set()
    others: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in named(path):
            if name.partition(".")[0] not in OURS:
                others.add(name)
            elif (found := source(name, root)) is not None:
                waiting.append(found)
    broken = [line for name in sorted(others) if (line := problem(name)) is not None]
    print(f"{module}: {len(seen)} sources, which name {len(others)} things of other packages")
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
