"""Reloads of a running sensor: taken up whole or refused whole, with file and line; and a watchdog that is fed only
while all moves.
"""

from __future__ import annotations

import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.daemon.sensor import reading, running

OWN = """kind: pools
name: own
description: x
references: [y]
pools: [{suffix: pool.example, name: Own, operator: Own, source: z, confidence: high}]
examples: [{host: pool.example, name: Own}]
"""


def test_a_broken_file_is_refused_with_its_line_and_the_old_one_stays(demo: Path, tmp_path: Path) -> None:
    config = reading(tmp_path)
    with running(tmp_path, config) as sensor:
        sensor.ready()
        sensor.write("capture: {folder: captures, memory: read.json, settle_s: 1}\nfindings:\n  update_s: soon\n")
        sensor.reload()
        assert "minewatch.yaml:3: findings.update_s" in sensor.said
        sensor.write(config | {"findings": {"least_grade": "verified"}})
        sensor.reload()
        assert "reloaded: all" in sensor.said
        (tmp_path / "captures" / "one.pcap").write_bytes(demo.read_bytes())
        sensor.until(lambda: len(sensor.findings()) == 8)
        sensor.end()
    assert {one["mining"]["grade"] for one in sensor.events() if one["event_type"] == "mining"} == {"verified"}


def test_what_needs_a_restart_is_said_and_not_half_taken_up(tmp_path: Path) -> None:
    config = reading(tmp_path)
    (tmp_path / "other").mkdir()
    with running(tmp_path, config) as sensor:
        sensor.ready()
        sensor.write(config | {"workers": 2, "capture": config["capture"] | {"folder": "other"}})
        sensor.reload()
        sensor.end()
    assert "workers: this takes effect only after a restart" in sensor.said
    assert "another folder" in sensor.said


def test_signatures_alone_are_reloaded_and_broken_ones_refused(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(OWN)
    with running(tmp_path, reading(tmp_path, signatures={"files": ["own.yaml"]})) as sensor:
        sensor.ready()
        sensor.reload(signal.SIGUSR2)
        assert "reloaded: signatures" in sensor.said
        own.write_text(OWN.replace("suffix", "sufix"))
        sensor.reload(signal.SIGUSR2)
        assert "own.yaml:5: pools[0]: unknown key" in sensor.said or "own.yaml:5: pools[0].sufix" in sensor.said
        sensor.end()


def test_every_line_is_in_the_files_over_a_rotation(demo: Path, tmp_path: Path) -> None:
    config = reading(tmp_path)
    with running(tmp_path, config) as sensor:
        sensor.ready()
        for number in range(3):
            (tmp_path / "captures" / f"{number}.pcap").write_bytes(demo.read_bytes())
            sensor.until(lambda: len(sensor.findings()) == 8)
            if (tmp_path / "eve.json").exists():
                (tmp_path / "eve.json").rename(tmp_path / f"eve.json.{number}")
            sensor.reload()
        sensor.end()
    lines = [line for path in tmp_path.glob("eve.json*") for line in path.read_text().splitlines()]
    ids = [line.partition('"event_id":"')[2][:20] for line in lines]
    assert len(ids) == len(set(ids)) >= 9


def test_other_destinations_are_taken_up(demo: Path, tmp_path: Path) -> None:
    config = reading(tmp_path)
    with running(tmp_path, config) as sensor:
        sensor.ready()
        sensor.write(
            config
            | {"exporters": {"eve": [{"name": "a", "path": "a.json"}, {"name": "b", "path": "b.json", "redact": True}]}}
        )
        sensor.reload()
        (tmp_path / "captures" / "one.pcap").write_bytes(demo.read_bytes())
        sensor.until(lambda: len(sensor.findings()) == 8)
        sensor.end()
    counts = [len((tmp_path / name).read_text().splitlines()) for name in ("a.json", "b.json")]
    assert counts[0] == counts[1] >= 9


@pytest.mark.parametrize("fault", ["none", "line-hangs", "delivery-hangs"])
def test_the_watchdog_is_fed_only_while_every_stage_moves(fault: str, tmp_path: Path) -> None:
    with running(tmp_path, reading(tmp_path), MINEWATCH_FAULT=fault, WATCHDOG_USEC="4000000") as sensor:
        sensor.ready()
        time.sleep(6)
        before = sensor.notified.read().count("WATCHDOG=1")
        time.sleep(4)
        after = sensor.notified.read().count("WATCHDOG=1")
        assert (after > before) == (fault == "none"), (fault, before, after)
        assert before > 0


def test_metrics_and_health_are_served(demo: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = reading(tmp_path)
    config["exporters"]["prometheus"] = {"listen": f"127.0.0.1:{port}"}
    (tmp_path / "captures" / "one.pcap").write_bytes(demo.read_bytes())

    def get(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    with running(tmp_path, config) as sensor:
        sensor.ready().until(lambda: len(sensor.findings()) == 8)
        sensor.until(lambda: 'minewatch_findings_open{grade="accepted"} 7.0' in get("/metrics")[1])
        said = get("/metrics")[1]
        assert 'minewatch_findings_total{dialect="stratum-v1",grade="verified"} 1.0' in said
        assert "minewatch_ledger_records_total 9.0" in said or "minewatch_ledger_records_total" in said
        assert get("/healthz")[0] == get("/readyz")[0] == 200
        sensor.write("nonsense: [")
        sensor.reload()
        assert 'minewatch_reloads_total{kind="config",result="refused"} 1.0' in get("/metrics")[1]
        assert 'minewatch_reload_last_successful{kind="config"} 0.0' in get("/metrics")[1]
        for secret in ("198.51.100", "acct", "bc1q", "pool.example"):
            assert secret not in said
        sensor.end()
