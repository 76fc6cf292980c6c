"""Prometheus and Alertmanager: their own tools find nothing wrong, and the real ones scrape, fire and deliver."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from exporters.forms.series import METRICS, PREFIX
from sensor.daemon.metrics_server import MetricsServer
from sensor.model.status import Status
from tests.deploy.conftest import DEPLOY, Spawn, free_port, metric_names, run, wait_for
from tests.exporters.statuses import busy, quiet

Serve = Callable[[Callable[[], Status]], MetricsServer]
RULES = DEPLOY / "prometheus" / "minewatch.rules.yml"
GROUPS = yaml.safe_load(RULES.read_text())["groups"]
ALERTS = {rule["alert"]: rule for group in GROUPS for rule in group["rules"] if "alert" in rule}
RECORDED = {rule["record"] for group in GROUPS for rule in group["rules"] if "record" in rule}


class Desk:
    """A receiver of Alertmanager's webhooks on loopback."""

    def __init__(self) -> None:
        alerts: list[dict[str, Any]] = []

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                alerts.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.alerts = alerts
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.server.shutdown()
    made.server.server_close()


def anchors() -> set[str]:
    """The headings of the guide as links to them are spelt."""
    lines = (DEPLOY / "README.md").read_text().splitlines()
    return {line.lstrip("# ").lower().replace(" ", "-") for line in lines if line.startswith("#")}


@pytest.mark.parametrize("status", [quiet, busy])
def test_promtool_finds_nothing_wrong_with_a_scrape(serve: Serve, status: Callable[[], Status]) -> None:
    with urlopen(f"http://127.0.0.1:{serve(status).port}/metrics") as answer:
        checked = run("promtool", "check", "metrics", text=answer.read().decode())
    assert (checked.returncode, checked.stdout) == (0, "")


def test_promtool_finds_nothing_wrong_with_rules_and_example() -> None:
    for what, file in (("rules", RULES), ("config", DEPLOY / "prometheus" / "prometheus.yml")):
        checked = run("promtool", "check", what, file)
        assert checked.returncode == 0, checked.stdout


def test_the_rules_fire_when_they_should_and_only_then() -> None:
    checked = run("promtool", "test", "rules", Path(__file__).parent / "minewatch.rules.test.yml")
    assert checked.returncode == 0, checked.stdout


def test_every_alert_is_tried_and_has_its_section_in_the_guide() -> None:
    tried = yaml.safe_load((Path(__file__).parent / "minewatch.rules.test.yml").read_text())["tests"]
    fired = {one["alertname"] for case in tried for one in case.get("alert_rule_test", []) if one.get("exp_alerts")}
    assert fired == set(ALERTS)
    for name, rule in ALERTS.items():
        assert {"summary", "description", "runbook_url"} <= rule["annotations"].keys()
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == "file:///usr/share/doc/minewatch/README.md"
        assert anchor == name.lower()
        assert anchor in anchors()


def test_the_rules_ask_only_for_metrics_there_are() -> None:
    for group in GROUPS:
        for rule in group["rules"]:
            for name in metric_names(rule["expr"]) - RECORDED:
                assert name.removeprefix(PREFIX) in METRICS, name


def test_amtool_finds_nothing_wrong_with_the_example() -> None:
    checked = run("amtool", "check-config", DEPLOY / "alertmanager" / "alertmanager.yml")
    assert checked.returncode == 0, checked.stdout


def test_a_real_prometheus_scrapes_fires_and_a_real_alertmanager_delivers(
    serve: Serve, spawn: Spawn, desk: Desk, tmp_path: Path
) -> None:
    reached: dict[str, float] = {"stratum-v1": 0}
    blind = replace(busy(), unready=("mirror0 is down",))

    def source() -> Status:
        return replace(
            blind, findings_reached={**blind.findings_reached, ("stratum-v1", "verified"): int(reached["stratum-v1"])}
        )

    sensor = serve(source)
    prometheus, alertmanager = free_port(), free_port()
    configure(tmp_path, sensor.port, alertmanager, desk.port)
    alone = ("--storage.path=am", "--cluster.listen-address=")
    spawn(
        "prometheus-alertmanager",
        "--config.file=alertmanager.yml",
        f"--web.listen-address=127.0.0.1:{alertmanager}",
        *alone,
    )
    spawn(
        "prometheus",
        "--config.file=prometheus.yml",
        f"--web.listen-address=127.0.0.1:{prometheus}",
        "--storage.tsdb.path=tsdb",
    )

    def asked(path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{prometheus}/api/v1/{path}", timeout=5) as answer:
            return json.load(answer)["data"]

    assert wait_for(lambda: bool(asked("query?query=minewatch_ready")["result"])), (
        tmp_path / "prometheus.log"
    ).read_text()
    assert asked("query?query=count(%7Bjob%3D%22minewatch%22%7D)")["result"][0]["value"][1] > "400"
    assert {target["health"] for target in asked("targets")["activeTargets"]} == {"up"}
    reached["stratum-v1"] = 1  # one new mine
    wanted = {"MinewatchBlind", "MinewatchNewMine"}
    assert wait_for(
        lambda: wanted <= {one["labels"]["alertname"] for one in asked("alerts")["alerts"] if one["state"] == "firing"}
    )
    assert wait_for(lambda: wanted <= {one["labels"]["alertname"] for one in desk.alerts}), desk.alerts
    mine = next(one for one in desk.alerts if one["labels"]["alertname"] == "MinewatchNewMine")
    assert (mine["labels"]["dialect"], mine["labels"]["grade"]) == ("stratum-v1", "verified")


def configure(folder: Path, sensor: int, alertmanager: int, desk: int) -> None:
    """The shipped examples, with free ports and without the patience that nobody has in a test."""
    rules = yaml.safe_load(RULES.read_text())
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        rule.pop("for", None)
    (folder / "minewatch.rules.yml").write_text(yaml.safe_dump(rules))
    scraping = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
    for old, new in ((":9469", f":{sensor}"), (":9093", f":{alertmanager}"), ("15s", "1s")):
        assert old in scraping
        scraping = scraping.replace(old, new)
    (folder / "prometheus.yml").write_text(scraping)
    routing = (DEPLOY / "alertmanager" / "alertmanager.yml").read_text()
    for old, new in ((":9999", f":{desk}"), ("group_wait: 10s", "group_wait: 1s")):
        assert old in routing
        routing = routing.replace(old, new)
    (folder / "alertmanager.yml").write_text(routing)
