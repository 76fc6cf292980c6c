"""The files of deploy/compose, run: what three sensors find in captures comes to the console's ledger, each part lets
in whom it should and nobody else, and Prometheus sees all of them.
"""

from __future__ import annotations

import json
import shutil
import ssl
import sys
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.demo import make_demo
from tests.deploy.composed import COLLECTORS, COMPOSE, SENSORS
from tests.deploy.conftest import program, wait_for
from tests.deploy.running_centre import PATIENCE_S, RunningCentre, running_centre

TOPIC = "minewatch.reports.v1"


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCentre]:
    with running_centre(tmp_path_factory.mktemp("centre")) as running:
        _collectors(running)
        _console(running)
        _sensors(running)
        yield running


def _collectors(centre: RunningCentre) -> None:
    for name in COLLECTORS:
        listen = ("0.0.0.0:9470", f"127.0.0.1:{centre.ports[name]}")
        path = centre.configuration(name, "collector.yaml", listen)
        centre.start(name, [sys.executable, "-m", "sensor.cli", "collect", "-c", str(path)])
        address = f"http://127.0.0.1:{centre.ports[name]}/readyz"
        assert wait_for(lambda address=address: fetched(address) == "ok\n", PATIENCE_S), centre.log(name).read_text()


def _console(centre: RunningCentre) -> None:
    path = centre.configuration("console", "console.yaml")
    arguments = ("people", "add", "anna", "--role", "admin", "-c", str(path))
    added = centre.minewatch(*arguments, text="four words nobody guesses\n")
    assert added.returncode == 0, added.stderr
    own = ("--certificate", f"{centre.secrets}/console.pem", "--key", f"{centre.secrets}/console.key")
    listen = ("--listen", f"127.0.0.1:{centre.ports['console']}")
    command = [sys.executable, "-m", "sensor.cli", "console", "-c", str(path), *listen, *own, "--host", "localhost"]
    centre.start("console", command)


def _sensors(centre: RunningCentre) -> None:
    capture = centre.folder / "demo.pcap"
    make_demo.make(capture)
    for number, name in enumerate(SENSORS, 1):
        folder = centre.folder / f"captures-{name}"
        folder.mkdir()
        shutil.copy(capture, folder / "demo.pcap")
        port = f"127.0.0.1:{centre.ports[name]}"
        changes = (
            (f"interfaces: [{{name: mirror{number}}}]", f"folder: {folder}"),
            (f"127.0.0.1:{9470 + number}", port),
        )
        path = centre.configuration(name, f"{name}.yaml", *changes)
        memory = ("--set", f"capture.memory={centre.folder}/{name}.memory", "--set", "capture.settle_s=1")
        centre.start(name, [sys.executable, "-m", "sensor.cli", "run", "-c", str(path), *memory])


def fetched(address: str, centre: RunningCentre | None = None) -> str:
    context = ssl.create_default_context(cafile=centre.secrets / "ca.pem") if centre else None
    with urlopen(address, timeout=5, context=context) as answer:
        return str(answer.read().decode())


def test_what_sensors_find_comes_to_the_ledger_of_the_centre(centre: RunningCentre) -> None:
    path = str(centre.folder / "console.yaml")

    def listed() -> list[Any]:
        shown = centre.minewatch("ledger", "sensors", "--json", "-c", path)
        assert shown.returncode == 0, shown.stderr
        return list(json.loads(shown.stdout)["sensors"])

    logs = [centre.log(name) for name in (*SENSORS, *COLLECTORS)]
    came = wait_for(lambda: {one["sensor_id"] for one in listed()} >= set(SENSORS), PATIENCE_S)
    assert came, "\n".join(log.read_text() for log in logs)
    engine = create_engine(url_of(centre, "console"))
    with engine.connect() as connection:
        assert wait_for(lambda: bool(connection.scalar(text("SELECT COUNT(*) FROM findings"))), PATIENCE_S)
        assert connection.scalar(text("SELECT COUNT(*) FROM dead_letters")) == 0
    engine.dispose()


def test_the_console_answers_by_its_certificate(centre: RunningCentre) -> None:
    address = f"https://localhost:{centre.ports['console']}/health"
    assert wait_for(lambda: fetched(address, centre).startswith("ok"), PATIENCE_S), centre.log("console").read_text()


def test_each_may_do_at_the_broker_what_it_is_for(centre: RunningCentre) -> None:
    assert attempted(centre, "sensor-2", "sensors", "write") is None
    assert "authoriz" in str(attempted(centre, "sensor-2", "sensors", "read")).lower()
    assert "authoriz" in str(attempted(centre, "collector", "centre", "write")).lower()
    assert "authoriz" in str(attempted(centre, "postgres", "sensors", "write")).lower()
    assert attempted(centre, None, "sensors", "write") is not None


def attempted(centre: RunningCentre, name: str | None, listener: str, what: str) -> object:
    """The error of one who writes or reads; None where it may."""
    kafka = pytest.importorskip("confluent_kafka")
    settings = {
        "bootstrap.servers": f"localhost:{centre.ports[listener]}",
        "security.protocol": "SSL",
        "ssl.ca.location": str(centre.secrets / "ca.pem"),
        "log_level": 0,
    }
    if name is not None:
        settings["ssl.certificate.location"] = str(centre.secrets / f"{name}.pem")
        settings["ssl.key.location"] = str(centre.secrets / f"{name}.key")
    errors: list[object] = []
    if what == "write":
        producer = kafka.Producer({**settings, "message.timeout.ms": 8_000, "error_cb": errors.append})
        producer.produce(TOPIC, b"{}", on_delivery=lambda error, _: errors.append(error))
        producer.flush(12)
        return next((error for error in errors if error is not None), None)
    consumer = kafka.Consumer({**settings, "group.id": "minewatch-collect-try", "error_cb": errors.append})
    consumer.assign([kafka.TopicPartition(TOPIC, 0, 0)])
    message = consumer.poll(10)
    consumer.close()
    return message.error() if message is not None else next(iter(errors), "no message")


def test_postgresql_lets_in_by_certificate_those_two_alone(centre: RunningCentre) -> None:
    for name in ("collector", "console"):
        assert_connects(url_of(centre, name))
    strangers = [url_of(centre, "console").replace("console.", "sensor-1.")]
    strangers.append(url_of(centre, "console").partition("&sslcert")[0] + "&sslcert=/none&sslkey=/none")
    strangers.append(url_of(centre, "console").replace("sslmode=verify-full", "sslmode=disable"))
    for url in strangers:
        with pytest.raises(OperationalError):
            assert_connects(url)


def url_of(centre: RunningCentre, name: str) -> str:
    """The URL of the ledger in a configuration, with the certificate of whoever is named."""
    lines = (centre.folder / "console.yaml").read_text().replace("\\\n", "").splitlines()
    url = next(line for line in lines if "postgresql+psycopg" in line).split('"')[1].replace(" ", "")
    return url.replace("console.", f"{name}.")


def assert_connects(url: str) -> None:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT current_user")) == "minewatch"
    finally:
        engine.dispose()


def test_a_message_that_nobody_can_read_is_put_aside_and_a_real_prometheus_says_so(centre: RunningCentre) -> None:
    assert attempted(centre, "sensor-1", "sensors", "write") is None  # "{}" is no report
    scraping = (COMPOSE / "prometheus" / "prometheus.yml").read_text().replace("15s", "1s")
    for number, name in enumerate(SENSORS, 1):
        scraping = scraping.replace(f"127.0.0.1:{9470 + number}", f"127.0.0.1:{centre.ports[name]}")
    for number, name in enumerate(COLLECTORS, 1):
        scraping = scraping.replace(f"127.0.0.1:{9480 + number}", f"127.0.0.1:{centre.ports[name]}")
    scraping = scraping.replace("/etc/prometheus/", f"{COMPOSE.parent}/prometheus/")
    (centre.folder / "prometheus.yml").write_text(scraping)
    listen = f"--web.listen-address=127.0.0.1:{centre.ports['prometheus']}"
    flags = [f"--config.file={centre.folder}/prometheus.yml", f"--storage.tsdb.path={centre.folder}/tsdb", listen]
    centre.start("prometheus", [program("prometheus"), *flags])

    def value(query: str) -> float:
        address = f"http://127.0.0.1:{centre.ports['prometheus']}/api/v1/query?query={query}"
        found = json.loads(fetched(address))["data"]["result"]
        return float(found[0]["value"][1]) if found else -1.0

    assert wait_for(lambda: value("count(up==1)") == 5, PATIENCE_S), centre.log("prometheus").read_text()
    assert wait_for(lambda: value("sum(minewatch_collect_bad_messages_total)") >= 1, PATIENCE_S)
    assert wait_for(lambda: value("sum(minewatch_collect_lag_messages)") == 0, PATIENCE_S)
    assert value("sum(minewatch_collect_trouble)") == 0
