"""The compose file: everything that it names is there, nothing has a default password or listens where it should not,
and every configuration in it is one that its program takes.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.composed import COLLECTORS, COMPOSE, SENSORS, TOOLS, make_secrets, mounted, on_this_host, services
from tests.deploy.conftest import DEPLOY, run

SERVICES = services()
#: Which runs once and ends.
ONCE = {"kafka-topic"}
#: The configuration of minewatch that each service reads.
CONFIGURED = {
    **{name: f"{name}.yaml" for name in SENSORS},
    **dict.fromkeys(COLLECTORS, "collector.yaml"),
    "console": "console.yaml",
}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_secrets(tmp_path_factory.mktemp("compose") / "secrets")


def test_the_reference_library_of_compose_finds_nothing_wrong(secrets: Path, tmp_path: Path) -> None:
    tool = TOOLS / "bin" / "compose-go"
    if not tool.exists():
        pytest.skip("compose-go is not here: make deploy-tools")
    copy = tmp_path / "compose.yaml"
    copy.write_text((COMPOSE / "compose.yaml").read_text().replace("./secrets/", f"{secrets}/"))
    checked = subprocess.run([tool, copy], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert set(yaml.safe_load(checked.stdout)["services"]) == set(SERVICES)
    copy.write_text(copy.read_text().replace("mem_limit", "memory_limit"))
    assert subprocess.run([tool, copy], capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_bounded_closed_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[a-z0-9/-]+:v?\d+(\.\d+)+(-[a-z0-9]+)?", service["image"]), "a version is to be pinned"
    assert service["cap_drop"] == ["ALL"]
    assert service["pids_limit"]
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]
    assert "privileged" not in service
    assert service["read_only"] or name == "kafka"
    assert name in ONCE or (service["restart"] == "unless-stopped" and service["healthcheck"]["test"][0] == "CMD")
    if name in SENSORS:
        assert (service["cap_add"], service["network_mode"]) == (["NET_RAW"], "host")
    else:
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "NET_RAW" not in service.get("cap_add", ())


@pytest.mark.parametrize("name", SERVICES)
def test_everything_that_is_published_listens_on_this_host_alone(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith(("127.0.0.1:", "${CONSOLE_ADDRESS:-127.0.0.1}:"))


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_reads_is_there(name: str, secrets: Path) -> None:
    for inside, outside in mounted(name, secrets).items():
        assert outside.exists(), f"{inside}: {outside}"


def test_no_password_stands_in_a_file() -> None:
    for path in COMPOSE.rglob("*"):
        if path.is_file() and "secrets" not in path.relative_to(COMPOSE).parts:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?i)password\w*\s*[=:]\s*(?!/run/secrets/|\{file: )\S", text), path
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert "PASSWORD" not in name or value.startswith("/run/secrets/")


def test_secrets_are_made_once_and_open_to_nobody(secrets: Path) -> None:
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    make_secrets(secrets)
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    for path in secrets.iterdir():
        if path.suffix in (".key", ".password") or path.name.endswith(".store.pem"):
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path.name
    assert len((secrets / "postgres.password").read_text()) == 48
    if os.geteuid() == 0:
        assert (secrets / "collector.key").stat().st_uid == 10_001


def test_each_certificate_is_of_the_authority_and_names_whom_it_is_for(secrets: Path) -> None:
    for name in ("kafka", "postgres", "console", "collector", *SENSORS):
        assert run("openssl", "verify", "-CAfile", secrets / "ca.pem", secrets / f"{name}.pem").returncode == 0
        shown = run("openssl", "x509", "-noout", "-subject", "-ext", "subjectAltName", "-in", secrets / f"{name}.pem")
        assert f"CN = {name}" in shown.stdout or f"CN={name}" in shown.stdout
        assert ("DNS:" in shown.stdout) == (name in ("kafka", "postgres", "console"))


def test_the_names_that_are_asked_for_stand_in_certificates(tmp_path: Path) -> None:
    folder = make_secrets(tmp_path / "named", KAFKA_NAMES="kafka.example.org", CONSOLE_NAMES="a.example,b.example")
    for name, wanted in (("kafka", ["kafka.example.org"]), ("console", ["a.example", "b.example"])):
        shown = run("openssl", "x509", "-noout", "-ext", "subjectAltName", "-in", folder / f"{name}.pem").stdout
        assert all(f"DNS:{one}" in shown for one in wanted)


@pytest.mark.parametrize("service", CONFIGURED)
def test_minewatch_takes_each_configuration(service: str, secrets: Path, tmp_path: Path) -> None:
    inside = "/etc/minewatch/minewatch.yaml"
    assert mounted(service, secrets)[inside] == COMPOSE / CONFIGURED[service]
    path = tmp_path / "minewatch.yaml"
    path.write_text(on_this_host((COMPOSE / CONFIGURED[service]).read_text(), service, secrets))
    assert "/run/secrets/" not in path.read_text()
    command = [sys.executable, "-m", "sensor.cli", "check", "--configuration-only", "-c", str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_prometheus_asks_where_metrics_are() -> None:
    scraped = yaml.safe_load((COMPOSE / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in scraped}
    read = {name: yaml.safe_load((COMPOSE / CONFIGURED[name]).read_text()) for name in CONFIGURED}
    assert targets["minewatch"] == [read[name]["exporters"]["prometheus"]["listen"] for name in SENSORS]
    port = read["collector-1"]["collect"]["listen"].rpartition(":")[2]
    assert [f"{target}:{port}" for target in targets["minewatch-collect"]] == [
        SERVICES[name]["ports"][0] for name in COLLECTORS
    ]
    for name in SENSORS:
        assert read[name]["exporters"]["prometheus"]["listen"] in str(SERVICES[name]["healthcheck"]["test"])


def test_promtool_finds_nothing_wrong_with_its_configuration(secrets: Path, tmp_path: Path) -> None:
    text = (COMPOSE / "prometheus" / "prometheus.yml").read_text()
    for inside, outside in mounted("prometheus", secrets).items():
        text = text.replace(inside, str(outside))
    (tmp_path / "prometheus.yml").write_text(text)
    checked = run("promtool", "check", "config", tmp_path / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout
    assert str(DEPLOY / "prometheus" / "minewatch-centre.rules.yml") in checked.stdout


def test_grafana_reads_what_is_shipped_where_it_is_looked_for(secrets: Path) -> None:
    files = mounted("grafana", secrets)
    provider = yaml.safe_load((files["/etc/grafana/provisioning"] / "dashboards" / "minewatch.yaml").read_text())
    assert files[provider["providers"][0]["options"]["path"]] == DEPLOY / "grafana" / "dashboards"
    source = yaml.safe_load((files["/etc/grafana/provisioning"] / "datasources" / "minewatch.yaml").read_text())
    assert source["datasources"][0]["url"] == "http://127.0.0.1:9090"
    assert "--web.listen-address=127.0.0.1:9090" in SERVICES["prometheus"]["command"]
