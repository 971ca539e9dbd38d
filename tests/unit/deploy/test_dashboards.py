"""The dashboards' JSON is current, and every panel says what it shows."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.grafana.build import BOARDS, FOLDER, main

PROMETHEUS = Path(__file__).parents[3] / "deploy/prometheus"


def test_the_json_is_what_the_tables_say(capsys) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_every_panel_is_labelled_and_fits(board) -> None:
    made = json.loads((FOLDER / f"{board.name}.json").read_text())
    assert made["uid"] == f"tocsin-{board.name}"
    panels = [panel for panel in made["panels"] if panel["type"] != "row"]
    assert len(panels) == sum(len(row.panels) for row in board.rows)
    for panel in panels:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert [target["refId"] for target in panel["targets"]] == sorted(
            {target["refId"] for target in panel["targets"]}
        )
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24


def test_promtool_agrees_with_the_rules() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool (Debian's package prometheus)")
    tests = [str(PROMETHEUS / name) for name in ("rules_test.yml", "rules_slow_test.yml")]
    command = ["promtool", "test", "rules", *tests]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alarm_is_tried() -> None:
    rules = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
    alarms = {
        rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule
    }
    raised = {
        check["alertname"]
        for name in ("rules_test.yml", "rules_slow_test.yml")
        for test in yaml.safe_load((PROMETHEUS / name).read_text())["tests"]
        for check in test.get("alert_rule_test", ())
        if check.get("exp_alerts")
    }
    assert raised == alarms


def test_every_alarm_has_its_page_in_the_runbook() -> None:
    rules = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())
    alarms = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    page = (PROMETHEUS.parents[1] / "docs/operate.md").read_text()
    anchors = {
        line[4:].lower().replace(" ", "-") for line in page.splitlines() if line[:4] == "### "
    }
    assert len(alarms) > 10
    for alarm in alarms:
        path, _, anchor = alarm["annotations"]["runbook"].partition("#")
        assert path == "docs/operate.md"
        assert anchor in anchors, alarm["alert"]
