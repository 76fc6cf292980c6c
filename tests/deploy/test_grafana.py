"""The dashboard: it is what Grafana's own types say a dashboard is, and every query asks for metrics there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from exporters.forms.series import METRICS, PREFIX
from tests.deploy.conftest import DEPLOY, metric_names, run
from tests.deploy.test_centre_rules import COLLECTED, READ
from tests.deploy.test_prometheus import RECORDED

FILES = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
#: What the dashboard asks of the process beside the sensor's own metrics.
PROCESS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
#: What a sensor serves, and what a collector does; what the rules of the centre record.
SERVED = {*METRICS, *COLLECTED}
CENTRE = {rule["record"] for rule in READ if "record" in rule}


def read(file: Any) -> Any:
    return json.loads(file.read_text())


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """What of a document is missing or different in another."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if value is not None:
                yield from lost(value, after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{number}]")
    elif before != after:
        yield path


def queries(dashboard: Any) -> Iterator[str]:
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_in_it_is_unknown_to_the_types_made_from_the_schema(file: Any) -> None:
    models = pytest.importorskip(
        "grafana_foundation_sdk.models.dashboard", reason="grafana-foundation-sdk is not installed"
    )
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    pytest.importorskip("grafana_foundation_sdk.cog.plugins").register_default_plugins()
    before = read(file)
    after = json.loads(encoder.JSONEncoder().encode(models.Dashboard.from_json(before)))
    assert list(lost(before, after)) == []
    broken = {**before, "panel": before["panels"]}
    assert list(lost(broken, json.loads(encoder.JSONEncoder().encode(models.Dashboard.from_json(broken))))) == [
        ".panel"
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_can_be_provisioned_and_kept(file: Any) -> None:
    dashboard = read(file)
    assert dashboard["uid"] == {"minewatch": "minewatch-sensor", "minewatch-centre": "minewatch-centre"}[file.stem]
    assert dashboard["schemaVersion"] >= 36
    assert "id" not in dashboard
    assert (
        dashboard["templating"]["list"][0] | {"name": "DS_PROMETHEUS", "type": "datasource"}
        == dashboard["templating"]["list"][0]
    )
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${DS_PROMETHEUS}"
            assert panel["description"].endswith(".")
            assert all(target["datasource"]["uid"] == "${DS_PROMETHEUS}" for target in panel["targets"])
    taken = [(x, y) for panel in dashboard["panels"] for x, y in cells(panel["gridPos"])]
    assert len(taken) == len(set(taken)), "panels lie upon each other"


def cells(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    for x in range(place["x"], place["x"] + place["w"]):
        yield from ((x, y) for y in range(place["y"], place["y"] + place["h"]))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_query_asks_for_metrics_there_are(file: Any) -> None:
    asked = list(queries(read(file)))
    assert len(asked) > {"minewatch": 30, "minewatch-centre": 10}[file.stem]
    for query in asked:
        names = metric_names(query)
        assert names, query
        assert all(name.removeprefix(PREFIX) in SERVED for name in names - RECORDED - CENTRE - PROCESS), query


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_query_is_one_that_prometheus_can_read(file: Any, tmp_path: Any) -> None:
    rules = []
    for number, query in enumerate(queries(read(file))):
        plain = query.replace("$__rate_interval", "1m").replace("$instance", ".*").replace("$algorithm", "sha256d")
        rules.append({"record": f"query:{number}", "expr": plain})
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    checked = run("promtool", "check", "rules", "--lint=none", path)
    assert checked.returncode == 0, checked.stdout


def test_the_provisioning_points_to_where_the_package_puts_the_dashboards() -> None:
    providers = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "dashboards" / "minewatch.yaml").read_text())[
        "providers"
    ]
    assert providers[0]["options"]["path"] == "/usr/share/minewatch/grafana/dashboards"
    sources = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "datasources" / "minewatch.yaml").read_text())[
        "datasources"
    ]
    assert [source["type"] for source in sources] == ["prometheus"]
