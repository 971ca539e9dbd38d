#!/opt/tocsin/bin/python
"""Exit status 0 if the service in this container says that it makes progress (``/live``)."""

import os
import sys
import urllib.error
import urllib.request

try:
    port = os.environ["TOCSIN_HTTP_PORT"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=4) as answer:
        sys.exit(0 if answer.status == 200 else 1)
except (urllib.error.URLError, OSError) as error:
    sys.exit(f"not live: {error}")
