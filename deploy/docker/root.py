"""Makes the image's whole file system: Python, the virtual environment, and what these link to.

Usage: root.py VENV FOLDER. Nothing else of the base image goes along: no shell, no package
manager, no tools; only the interpreter, its library, shared objects that something here is linked
against (as ``ldd`` says), certificates, time zones and a user.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

USER = 10001
LEFT_OUT = (
    "test", "tests", "idlelib", "tkinter", "turtledemo", "turtle.py", "ensurepip", "lib2to3",
    "pydoc_data", "site-packages", "dist-packages", "config-*", "_tkinter*", "_test*", "_xxtest*",
    "_ctypes_test*", "__pycache__", "*.a",
)  # fmt: skip
"""Of Python's library: what serves its own tests, windows, and installing."""
ETC = ("/etc/ssl", "/usr/lib/ssl", "/usr/share/zoneinfo", "/etc/os-release", "/usr/lib/os-release",
       "/etc/nsswitch.conf", "/usr/lib/locale/C.utf8", "/usr/share/ca-certificates")  # fmt: skip


def main(venv: Path, root: Path) -> None:
    """Fill ``root``."""
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path(f"/{name}").is_symlink():
            (root / "usr" / name).mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(f"usr/{name}")
    python = Path(os.path.realpath(sys.executable))
    library = Path(sysconfig.get_path("stdlib"))
    leave = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(library, _in(root, library), symlinks=True, ignore=leave)
    shutil.copytree(venv, _in(root, venv), symlinks=True)
    _copy(python, root)
    for name in ("python3", "python3.11"):
        link = _in(root, python.parent / name)
        if not link.exists():
            link.symlink_to(python.name)
    for path in map(Path, ETC):
        if path.is_dir():
            shutil.copytree(path, _in(root, path), symlinks=True, dirs_exist_ok=True)
        elif path.exists():
            _copy(path, root)
    for needed in sorted(linked([python, *_shared(_in(root, library)), *_shared(venv)])):
        _copy(Path(needed), root)
    _user(root)


def linked(objects: list[Path]) -> set[str]:
    """Shared objects of the system that any of ``objects`` is linked against."""
    done = subprocess.run(["ldd", *map(str, objects)], capture_output=True, text=True, check=False)
    found = set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", done.stdout, re.MULTILINE))
    return {path for path in found if not path.startswith("/opt/")}


def _shared(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.so*") if path.is_file()]


def _in(root: Path, path: Path) -> Path:
    """Where ``path`` is under ``root``."""
    return root / path.relative_to("/")


def _copy(path: Path, root: Path) -> None:
    """A file under its own name, whatever it was a link to."""
    to = _in(root, path)
    to.parent.mkdir(parents=True, exist_ok=True)
    if not to.exists():
        shutil.copy2(path, to)


def _user(root: Path) -> None:
    etc = root / "etc"
    (etc / "passwd").write_text(
        f"root:x:0:0:root:/:/sbin/nologin\ntocsin:x:{USER}:{USER}::/var/lib/tocsin:/sbin/nologin\n"
    )
    (etc / "group").write_text(f"root:x:0:\ntocsin:x:{USER}:\n")
    state = root / "var/lib/tocsin"
    state.mkdir(parents=True)
    os.chown(state, USER, USER)
    (root / "tmp").mkdir(mode=0o1777)
    (root / "tmp").chmod(0o1777)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
