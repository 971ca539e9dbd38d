"""The drawing of a localisation: names of candidates that lie close together can be read."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from services.mma.sky_figure import MAX_NAMED, _write_names, spread


@pytest.mark.parametrize("heights", [[0.0] * 12, [0.95] * 12, [-0.2, 0.0, 0.01, 0.02, 0.9]])
def test_heights_are_spread(heights):
    moved = spread(np.array(heights), 0.09, 0.91)
    assert np.all(np.diff(moved) >= 0.09 - 1e-9)
    assert np.abs(moved).max() <= 0.91 + 1e-9


def test_heights_far_apart_stay():
    heights = np.array([-0.5, 0.0, 0.5])
    assert spread(heights, 0.09, 0.91).tolist() == heights.tolist()


@pytest.mark.parametrize("scatter", [0.0, 0.01, 0.3])
def test_no_name_stands_over_another(scatter):
    rng = np.random.default_rng(3)
    x, y = rng.normal(0.0, scatter, (2, MAX_NAMED))
    figure = Figure(figsize=(13.0, 5.2), dpi=130)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot(1, 2, 2)
    axes.set(xlim=(1.0, -1.0), ylim=(-1.0, 1.0), aspect="equal")
    _write_names(axes, x, y, [f"ZTF26abcdef{k}" for k in range(MAX_NAMED)], 1.0)
    canvas.draw()
    words = [Text.get_window_extent(text) for text in axes.texts]  # without the line to its dot
    assert len(words) == MAX_NAMED
    assert not any(a.overlaps(b) for k, a in enumerate(words) for b in words[:k])
