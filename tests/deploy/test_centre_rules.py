"""The rules about collectors: promtool finds nothing wrong, they fire when they should and only then, and ask only for
metrics that a collector serves.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from exporters.forms.series import PREFIX
from sensor.collect.metrics import COUNTERS
from tests.deploy.conftest import DEPLOY, metric_names, run
from tests.deploy.test_prometheus import anchors

RULES = DEPLOY / "prometheus" / "minewatch-centre.rules.yml"
TESTS = Path(__file__).parent / "minewatch-centre.rules.test.yml"
READ = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
#: What a collector serves (`CollectMetrics.collect`).
COLLECTED = {
    *(name for name, *_ in COUNTERS),
    *("collect_lag_messages", "collect_batch_seconds", "collect_trouble"),
}


def test_the_rules_fire_when_they_should_and_only_then() -> None:
    for command in (("check", "rules", RULES), ("test", "rules", TESTS)):
        checked = run("promtool", *command)
        assert checked.returncode == 0, checked.stdout


def test_the_rules_ask_only_for_metrics_there_are() -> None:
    recorded = {rule["record"] for rule in READ if "record" in rule}
    for rule in READ:
        for name in metric_names(rule["expr"]) - recorded:
            assert name.removeprefix(PREFIX) in COLLECTED, name


def test_every_alert_is_tried_and_has_its_section_in_the_guide() -> None:
    tried = yaml.safe_load(TESTS.read_text())["tests"]
    fired = {one["alertname"] for case in tried for one in case["alert_rule_test"] if one.get("exp_alerts")}
    alerts = {rule["alert"]: rule for rule in READ if "alert" in rule}
    assert fired == set(alerts)
    for name, rule in alerts.items():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == "file:///usr/share/doc/minewatch/README.md"
        assert anchor == name.lower()
        assert anchor in anchors()
