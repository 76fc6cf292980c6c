"""The daemon as its users meet it: it starts or says why not, finds what a replay finds, goes on over restarts, and
ends in time.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from sensor.intake import engine
from sensor.ledger import Ledger
from sensor.line.replay import replay
from sensor.signatures import load
from tests.daemon.sensor import ROOT, Sensor, reading, running

BROKEN = "findings: {update_seconds: 5}\ncapture: {folder: captures}\nestimate: {pue: 0.5}\n"


def replayed(path: Path) -> dict[str, tuple[str, int]]:
    done = replay([str(path)], load(), engine.load(), {"workers": 1})
    return {one.finding_id: (one.grade.label, one.shares.submitted) for one in done.findings}


def kept(sensor: Sensor) -> dict[str, tuple[str, int]]:
    return {
        one.finding.finding_id: (one.finding.grade.label, one.finding.shares.submitted) for one in sensor.findings()
    }


def command(*words: str, stdin: IO[bytes] | None = None) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, "PYTHONPATH": str(ROOT)}
    whole = [sys.executable, "-m", "sensor.cli", *words]
    return subprocess.run(whole, stdin=stdin, capture_output=True, text=True, check=False, timeout=60, env=known)


def put(demo: Path, folder: Path, name: str = "one.pcap") -> None:
    shutil.copy(demo, folder / "captures" / name)


def test_a_folder_is_read_once_and_gives_what_a_replay_gives(demo: Path, tmp_path: Path) -> None:
    config = reading(tmp_path)
    put(demo, tmp_path)
    with running(tmp_path, config) as sensor:
        sensor.ready().until(lambda: len(sensor.findings()) == 8)
        assert sensor.end()[0] == 0
        assert kept(sensor) == replayed(demo)
        events = sensor.events()
        assert {one["event_type"] for one in events} == {"mining", "node"}
        assert len({one["event_id"] for one in events}) == len(events)
    with running(tmp_path, config) as sensor:
        sensor.ready()
        time.sleep(2.5)
        assert sensor.end()[0] == 0
        assert kept(sensor) == replayed(demo)
        events = sensor.events()
        assert len({one["event_id"] for one in events}) == len(events)


def test_a_damaged_capture_is_named_once_and_the_others_are_read(demo: Path, tmp_path: Path) -> None:
    config = reading(tmp_path)
    (tmp_path / "captures" / "bad.pcap").write_bytes(b"no capture at all, but long enough for a header")
    (tmp_path / "captures" / "cut.pcap").write_bytes(demo.read_bytes()[:3_000])
    put(demo, tmp_path, "whole.pcap")
    with running(tmp_path, config) as sensor:
        sensor.ready().until(lambda: len(sensor.findings()) >= 8)
        sensor.end()
    assert sensor.said.count("bad.pcap: not a capture") == 1
    assert sensor.said.count("truncated at byte") == 1


def test_findings_go_on_over_a_restart(demo: Path, tmp_path: Path) -> None:
    config = reading(tmp_path)
    whole = demo.read_bytes()
    (tmp_path / "captures" / "1.pcap").write_bytes(whole[: len(whole) // 2])
    with running(tmp_path, config) as sensor:
        sensor.ready().until(lambda: len(sensor.findings()) >= 5)
        sensor.end()
        first = {one.finding.finding_id: one.finding for one in sensor.findings()}
        assert {one.state for one in first.values()} <= {"opened", "updated"}
    put(demo, tmp_path, "2.pcap")
    with running(tmp_path, config) as sensor:
        sensor.ready().until(lambda: len(sensor.findings()) == 8)
        sensor.end()
        for entry in sensor.findings():
            before = first.get(entry.finding.finding_id)
            assert before is None or entry.finding.first_ns <= before.first_ns
    states = [
        (one["mining"]["finding_id"], one["mining"]["state"])
        for one in sensor.events()
        if one["event_type"] == "mining"
    ]
    assert all(states.count((name, "opened")) == 1 for name in first)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_within_five_seconds(number: int, tmp_path: Path) -> None:
    with running(tmp_path, reading(tmp_path)) as sensor:
        sensor.ready().signal(number)
        began = time.monotonic()
        assert sensor.process.wait(10) == 0
        assert time.monotonic() - began < 5
        assert "STOPPING=1" in sensor.notified.read()


def test_told_twice_it_ends_at_once(tmp_path: Path) -> None:
    with running(tmp_path, reading(tmp_path), MINEWATCH_FAULT="line-hangs") as sensor:
        sensor.ready()
        time.sleep(3)
        sensor.signal(signal.SIGTERM)
        time.sleep(0.3)
        assert sensor.process.poll() is None
        sensor.signal(signal.SIGTERM)
        assert sensor.process.wait(2) == 1


def test_a_bad_configuration_is_refused_with_every_mistake(tmp_path: Path) -> None:
    (tmp_path / "minewatch.yaml").write_text(BROKEN + "exporters: {eve: {pfad: x}}\nledger: {url: ''}\n")
    done = command("run", "-c", str(tmp_path / "minewatch.yaml"))
    assert done.returncode == 78
    misspelt = ":1: findings.update_seconds: unknown key; did you mean findings.update_s?"
    for place in (misspelt, ":3: estimate.pue:", ":4: exporters.eve.pfad:", ":5:"):
        assert place in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("config", "sentence", "code"),
    [
        ("", "nothing to read", 2),
        ("capture: {folder: nowhere}", "no such folder", 1),
        ("capture: {interfaces: [{name: nosuch0}]}", "no such interface", 1),
        ("capture: {folder: captures, stdin: true}", "not read by one sensor", 78),
        ("capture: {folder: captures}\nledger: {url: 'sqlite:////proc/none/ledger.db'}", "ledger", 1),
        ("capture: {interfaces: [{name: lo, filter: 'port no'}]}", "filter", 78),
        ("capture: {folder: captures}\nfindings: {allow: [{network: 10.0.0.0/8}]}", "reason", 78),
        ("capture: {folder: captures}\nfindings: {allow: [{network: 10.0.0.0/33, reason: x}]}", "no network", 78),
        ("capture: {folder: captures}\nfindings: {allow: [{reason: x}]}", "must name one of", 78),
    ],
)
def test_what_cannot_be_started_is_said_in_a_sentence(config: str, sentence: str, code: int, tmp_path: Path) -> None:
    reading(tmp_path)
    ledger = "" if "ledger" in config else "\nledger: {url: 'sqlite:///ledger.db'}\n"
    (tmp_path / "minewatch.yaml").write_text(config + ledger)
    done = command("run", "--slow", "-c", str(tmp_path / "minewatch.yaml"))
    assert (done.returncode, sentence in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_is_read_to_its_end(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "minewatch.yaml").write_text("capture: {stdin: true}\nledger: {url: 'sqlite:///ledger.db'}\n")
    with demo.open("rb") as given:
        done = command("run", "-c", str(tmp_path / "minewatch.yaml"), stdin=given)
    assert done.returncode == 0, done.stderr
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    assert {one.finding.finding_id for one in ledger.reader.findings()} == set(replayed(demo))
    ledger.close()


def test_an_allow_list_keeps_quiet_what_is_known_and_says_why(demo: Path, tmp_path: Path) -> None:
    allowed = [
        {"network": "198.51.100.23", "reason": "our own test rigs"},
        {"domain": "example.test", "reason": "a lab"},
        {"signature": "ethproxy", "reason": "expired", "until": None},
    ]
    config = reading(tmp_path, findings={"allow": allowed, "least_grade": "verified"})
    put(demo, tmp_path)
    with running(tmp_path, config) as sensor:
        sensor.ready().until(lambda: len(sensor.findings()) == 8)
        sensor.end()
        reasons = {one.finding.miner_ip: one.suppressed for one in sensor.findings()}
        assert reasons["198.51.100.23"] == "allowed: our own test rigs"
        assert sum(reason is None for reason in reasons.values()) == 1
        assert {one["mining"]["grade"] for one in sensor.events() if one["event_type"] == "mining"} == {"verified"}
    explained = command("explain", "198.51.100.23", "-c", str(sensor.file))
    assert explained.returncode == 0, explained.stderr
    assert "our own test rigs" in explained.stdout
    assert "65 of 65 shares were acknowledged" in explained.stdout
