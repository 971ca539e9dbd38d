#!/opt/tocsin/bin/python
"""Without arguments: the image's service. With arguments: another module of the same image.

``serve.py services.mma.receive``. It becomes that process (exec), so that the worker itself gets
SIGTERM: it finishes the take, commits and leaves its group.
"""

import os
import sys
from pathlib import Path

for folder in (os.environ["NUMBA_CACHE_DIR"], os.environ["MPLCONFIGDIR"]):
    Path(folder).mkdir(parents=True, exist_ok=True)
arguments = sys.argv[1:] or [os.environ["TOCSIN_MODULE"]]
os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606  # is the point
