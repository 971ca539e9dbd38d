"""A broker calls nobody unless it is told to."""

import os
import subprocess
import sys

import pytest


@pytest.mark.long
def test_the_worker_says_so_and_leaves_unless_it_is_enabled():
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_REMOTE")}
    run = subprocess.run(
        [sys.executable, "-m", "services.xmatch.remote"], env=environment, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert "TOCSIN_REMOTE_ENABLED=true" in run.stderr
    assert "Traceback" not in run.stderr
