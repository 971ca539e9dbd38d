"""Made-up nights, played by a process that kills itself after a step. For test_nightly.py."""

import os
import signal

import numpy as np

from services.classify.learning.nightly import gate, steps
from services.classify.learning.nightly.books import Books
from services.classify.learning.nightly.run import run_night
from services.classify.learning.nightly.source import Known, NightAlerts

FIRST, NIGHTS = 60_000, 12
DAY_MS = 86_400_000


class MadeUp:
    """Twenty objects a night; half of them have a spectrum two nights later."""

    classes = ("a", "b", "c")
    features = tuple(f"f{k}" for k in range(5))

    def objects(self, night):
        rng = np.random.default_rng(night)
        kind = rng.integers(0, 3, 20)
        rows = rng.normal(size=(20, 5)).astype(np.float32)
        rows[np.arange(20), kind] += 5.0
        return kind, rows

    def alerts(self, night):
        names = np.array([f"o{night}_{k}" for k in range(20)])
        return NightAlerts(names, self.objects(night)[1])

    def labels(self, as_of_ms):
        return {
            f"o{night}_{k}": Known(self.classes[self.objects(night)[0][k]], self.end_ms(night + 2))
            for night in range(FIRST, FIRST + NIGHTS)
            for k in range(10)
            if self.end_ms(night + 2) <= as_of_ms
        }

    def end_ms(self, night):
        return (night + 1) * DAY_MS


def play_nights(folder, nights, kill_night, kill_step):
    """In a process of its own: it changes limits, and may end itself."""
    steps.LEAST_JUDGED = 20
    steps.REFIT_NIGHTS = 4
    gate.LATENCY_US = 1e9  # a shared machine's clock is not what is tested
    books = Books(folder)
    marker = folder / f"killed_{kill_night}_{kill_step}"

    def after(step):
        if books.progress()["night"] == kill_night and step == kill_step and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    last = books.progress().get("night") or FIRST
    for night in range(last, FIRST + nights):
        run_night(books, MadeUp(), night, seed=1, after=after)
