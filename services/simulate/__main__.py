"""``python -m services.simulate`` is the command ``tocsin simulate``: no Faust worker here."""

from __future__ import annotations

import sys

from services.simulate.night import main

if __name__ == "__main__":
    sys.exit(main())
