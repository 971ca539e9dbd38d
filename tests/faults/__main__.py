"""``python -m tests.faults`` is ``tocsin faults``."""

import sys

from tests.faults.run import main

sys.exit(main())
