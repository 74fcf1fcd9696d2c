"""Alert rules and dashboard, against the metrics that the bot declares; a flow test holds those to its page."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.metrics import METRICS, PREFIX
from tests.deploy_tools import program

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"
LABELS = {PREFIX + metric.name: set(metric.labels) for metric in METRICS}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def queries() -> list[tuple[str, str]]:
    """Every query, with the text that is made of its labels."""
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]
    alerts = [(rule["expr"], " ".join(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))) for rule in rules()]
    return [
        *alerts,
        *((target["expr"], " ".join(re.findall(r"{{(\w+)}}", target["legendFormat"]))) for target in targets),
    ]


@pytest.mark.parametrize(("query", "words"), queries())
def test_rules_and_dashboard_ask_only_for_what_the_bot_reports(query: str, words: str) -> None:
    selectors = re.findall(r"(registry_bot_\w+)(?:\{([^}]*)\})?", query)
    groupings = re.findall(r"\bby \(([^)]*)\)", query)

    assert selectors
    for name, matchers in selectors:
        assert set(re.findall(r"(\w+)=", matchers)) <= LABELS[name]
        for grouping in groupings:
            assert set(grouping.split(", ")) <= LABELS[name]
    assert set(words.split()) <= {label for grouping in groupings for label in grouping.split(", ")}


def test_the_runbook_has_the_section_that_an_alert_names() -> None:
    headings = re.findall(r"(?m)^#+ (.+)$", (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"))
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert {rule["annotations"]["runbook"] for rule in rules()} <= {f"docs/runbook.md#{anchor}" for anchor in anchors}


@pytest.mark.parametrize("arguments", [("check", "rules", "rules.yaml"), ("test", "rules", "rules_test.yaml")])
def test_prometheus_takes_the_rules_and_alerts_as_expected(arguments: tuple[str, ...]) -> None:
    command = [str(program("promtool")), *arguments]
    checked = subprocess.run(command, cwd=RULES.parent, capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr
