"""The learning step of the demo: it says what happened, and fits a terminal of 80 columns."""

import io

from rich.console import Console

from services.console.show.learning import show_nights, show_targets


def shown(show, *what):
    screen = Console(file=io.StringIO(), width=80, highlight=False)
    show(screen, *what)
    return screen.file.getvalue()


def test_a_line_a_night():
    night = {"night": 61_000, "alerts": 137, "lessons": "", "accuracy": "", "verdict": "too early",
             "champion_accuracy": "", "refitted_accuracy": ""}  # fmt: skip
    later = {**night, "night": 61_001, "lessons": 75, "accuracy": 0.93, "champion_accuracy": 0.91,
             "verdict": "promoted: the challenger"}  # fmt: skip
    lines = shown(show_nights, [night, later]).splitlines()
    assert lines[2].split() == ["61000", "137", "0", "-", "-", "-", "too", "early"]
    assert lines[3].split()[2:6] == ["75", "0.910", "0.930", "-"]
    assert max(map(len, lines)) <= 80


def test_the_first_places_of_every_facility():
    place = {"facility": "keck", "rank": 1, "object_id": "[red]x", "mag_predicted": 18.26,
             "exposure_s": 600.0, "reason": "SN II 0.53 or AGN 0.24"}  # fmt: skip
    places = [{**place, "rank": k + 1, "is_random": k == 1} for k in range(9)]
    bias = {"random_share": 0.18, "quota_violations": 0.0, "js_class": 0.02, "js_magnitude": 0.01}
    made = {"targets": places, "bias": bias}
    said = shown(show_targets, made, {"[red]x": "type_ia"})
    assert said.count("[red]x") == said.count("type_ia") == 4
    assert said.count("drawn at random") == 1
    assert "9 places, 1 random" in said
    assert "10 min" in said
    assert max(map(len, said.splitlines())) <= 80
