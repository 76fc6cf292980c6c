"""`minewatch collect`: what keeps it from starting is one sentence that names the key, and a signal ends it in good
order.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.daemon.configuration import load
from sensor.ledger import Ledger
from sensor.ledger.central import CentralLedger, CollectBatch, CollectPage, DeadLetter, TopicPlace
from sensor.settings.document import ConfigError
from tests.collect.brokers import mock_brokers, put, written
from tests.collect.test_collector import scraped
from tests.collect.test_messages import text
from tests.delivery.receivers import eventually, free_port
from tests.ledger.made import finding

NOW = 1_700_000_000_000_000_000


def configured(folder: Path, **collect: object) -> str:
    """A configuration with this section."""
    given = {"ledger": {"url": f"sqlite:///{folder}/central.db"}, "collect": collect}
    return written(folder, "minewatch.yaml", json.dumps(given))


def test_without_its_section_it_does_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "minewatch.yaml", "{}")
    assert main(["collect", "-c", path]) == 78
    assert "there is no section collect in the configuration" in capsys.readouterr().err


def test_without_its_library_it_does_not_start_and_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    assert main(["collect", "-c", configured(tmp_path, brokers=["127.0.0.1:9"], transport="tcp")]) == 78
    assert "collect: its library is not installed: pip install 'minewatch[kafka]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("collect", "sentence"),
    [
        ({}, "collect.brokers: field required"),
        ({"brokers": ["a:1"], "grup": "x"}, "collect.grup: unknown key"),
        ({"brokers": ["a"]}, "must be host:port"),
        ({"brokers": ["a:1"], "listen": "9470"}, "must be address:port"),
        ({"brokers": ["a:1"], "batch_reports": 0}, "collect.batch_reports"),
    ],
)
def test_a_mistake_in_its_section_names_the_key(tmp_path: Path, collect: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(Path(configured(tmp_path, **collect)))
    assert sentence in str(caught.value)


def test_files_are_meant_from_the_configurations_folder(tmp_path: Path) -> None:
    sasl = {"username": "collector", "password_file": "password"}
    settings = load(Path(configured(tmp_path, brokers=["a:1"], sasl=sasl, tls={"ca": "ca.pem"})))
    assert settings.collect is not None
    assert settings.collect.sasl is not None
    assert settings.collect.sasl.password_file == f"{tmp_path}/password"
    assert settings.collect.tls.ca == f"{tmp_path}/ca.pem"


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("confluent_kafka")
    sasl = {"username": "collector", "password_file": "none"}
    path = configured(tmp_path, brokers=["127.0.0.1:9"], transport="tcp", sasl=sasl)
    assert main(["collect", "-c", path]) == 78
    assert f"collect: sasl.password_file: {tmp_path}/none: No such file" in capsys.readouterr().err


def test_what_was_put_aside_is_listed_without_its_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = configured(tmp_path, brokers=["a:1"])
    assert main(["collect", "--dead-letters", "5", "-c", path]) == 1
    assert "is no file" in capsys.readouterr().err
    ledger = Ledger.open(f"sqlite:///{tmp_path}/central.db")
    assert main(["collect", "--dead-letters", "5", "-c", path]) == 0
    assert capsys.readouterr().out == "no message was put aside\n"
    letters = [DeadLetter(TopicPlace("t", 2, at), f"newer\x1b[2J {at}", b"Mr Li") for at in range(7)]
    CentralLedger(ledger, 100).take(CollectBatch((CollectPage((), letters),), {("t", 2): 0}, {("t", 2): 7}), NOW)
    ledger.close()
    assert main(["collect", "--dead-letters", "2", "-c", path]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"t [2] at {at}: newer·[2J {at} (5 bytes stored)" for at in (6, 5)]


def test_it_collects_until_a_signal_and_answers_scrapes(tmp_path: Path) -> None:
    with mock_brokers(1) as brokers:
        put(brokers.places, "live.v1", [("10.0.0.1", text(finding(1)).encode())])
        port = free_port()
        path = configured(tmp_path, brokers=brokers.places, transport="tcp", topic="live", listen=f"127.0.0.1:{port}")
        command = [sys.executable, "-m", "sensor.cli", "collect", "-c", path]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        try:
            eventually(lambda: (tmp_path / "central.db").exists())
            ledger = Ledger.open(f"sqlite:///{tmp_path}/central.db")
            central = CentralLedger(ledger, 1)
            eventually(lambda: sum(central.positions("live.v1").values()) == 1)
            assert "minewatch_collect_records_total 1.0" in scraped(port, "/metrics")
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            assert time.monotonic() - begun < 10
            assert [entry.finding.finding_id for entry in ledger.reader.findings()] == ["finding-1"]
            ledger.close()
        finally:
            process.kill()
            process.communicate()
