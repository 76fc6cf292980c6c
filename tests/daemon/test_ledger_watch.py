"""Trouble of the ledger is said when it begins and when it ends: in the journal, in health and in the metrics."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sensor.daemon.ledger_watch import LedgerWatch
from sensor.ledger.store.database import newest_schema
from sensor.ledger.store.errors import LedgerError
from sensor.model.exit_codes import BUSY, RUN_ERROR
from sensor.model.time import SECOND_NS
from tests.daemon.journal import WrittenJournal
from tests.daemon.sensor import ROOT, running
from tests.daemon.test_live_daemon import fill as fill_disk
from tests.daemon.test_two_daemons import configured, fill, read
from tests.delivery.receivers import free_port
from tests.exporters.test_lines import small_disk
from tests.ledger.test_care import PAGE, filled

FULL, LOCKED = LedgerError("ledger x: the disk is full", "full"), LedgerError("ledger x: it is locked", "locked")
DAMAGED = LedgerError("ledger x: the database is damaged", "damaged")


def test_trouble_is_said_once_when_it_begins_and_once_when_it_ends() -> None:
    journal = WrittenJournal()
    watch = LedgerWatch(journal)
    for second in range(5):
        watch.look([None, FULL], second * SECOND_NS, 7)
    assert watch.faults == {"full": 1, "damaged": 0, "locked": 0, "other": 0}
    watch.look([LOCKED], 5 * SECOND_NS, 9)
    watch.look([None, None], 8 * SECOND_NS, 0)
    watch.look([None, None], 9 * SECOND_NS, 0)
    assert journal.sentences == [
        "ledger x: the disk is full; records wait, and are tried again",
        "ledger x: it is locked; records wait, and are tried again",
        "ledger: is written again after 8 s; 0 records still wait",
    ]
    assert (watch.trouble, sum(watch.faults.values())) == (None, 0)


def test_damage_does_not_mend_itself() -> None:
    journal = WrittenJournal()
    watch = LedgerWatch(journal)
    watch.note(DAMAGED)
    for second in range(5):
        watch.look([None], second * SECOND_NS, 0)
    assert watch.faults["damaged"] == 1
    assert journal.sentences == [
        "ledger x: the database is damaged; stop the sensor and restore a copy (minewatch ledger restore), or move the "
        "file away"
    ]


def asked(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.status) + "\n" + answer.read().decode()
    except urllib.error.HTTPError as error:
        return str(error.code) + "\n" + error.read().decode()


def until(what: Callable[[], bool]) -> None:
    last = time.monotonic() + 20
    while not what():
        assert time.monotonic() < last
        time.sleep(0.1)


@pytest.fixture
def port() -> int:
    return free_port()


def watched(folder: Path, url: str, port: int) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    (folder / "captures").mkdir(exist_ok=True)
    config = configured(folder, url, "edge")
    exporters = {**config.get("exporters", {}), "prometheus": {"listen": f"127.0.0.1:{port}"}}
    return {**config, "exporters": exporters}


def test_a_locked_ledger_is_said_and_so_is_its_end(tmp_path: Path, port: int) -> None:
    folder, url = tmp_path / "edge", f"sqlite:///{tmp_path}/ledger.db"
    with running(folder, watched(folder, url, port)) as sensor:
        sensor.ready()
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        until(lambda: "locked" in asked(port, "/healthz"))
        assert asked(port, "/healthz").startswith("200\nok\nledger ")
        assert asked(port, "/readyz").startswith("503\n")
        assert 'minewatch_ledger_trouble{fault="locked"} 1.0' in asked(port, "/metrics")
        assert 'minewatch_ledger_trouble{fault="damaged"} 0.0' in asked(port, "/metrics")
        other.execute("ROLLBACK")
        until(lambda: asked(port, "/healthz") == "200\nok\n")
        assert 'minewatch_ledger_trouble{fault="locked"} 0.0' in asked(port, "/metrics")
        sensor.end()
        log = sensor.log.read_text()
    assert log.count("it is locked by another process; records wait, and are tried again") == 1
    assert log.count("ledger: is written again after ") == 1


def test_a_full_disk_is_said_and_so_is_its_end(demo: Path, tmp_path: Path, port: int) -> None:
    small = tmp_path / "small"
    small.mkdir()
    with small_disk(small, 16_384) as disk:
        folder = tmp_path / "edge"
        config = watched(folder, f"sqlite:///{disk}/ledger.db", port)
        with running(folder, config) as sensor:
            sensor.ready()
            fill_disk(disk)
            (folder / "captures").rmdir()
            fill(folder, read(demo))
            until(lambda: "the disk is full" in asked(port, "/healthz"))
            assert 'minewatch_ledger_trouble{fault="full"} 1.0' in asked(port, "/metrics")
            (disk / "ballast").unlink()
            until(lambda: asked(port, "/healthz") == "200\nok\n")
            sensor.end()
            log = sensor.log.read_text()
    assert log.count("the disk is full; records wait, and are tried again") == 1
    assert log.count("ledger: is written again after ") == 1
    assert "damaged" not in log


def test_a_damaged_page_is_said_at_the_start(tmp_path: Path, port: int) -> None:
    url = filled(tmp_path, 2_000)
    path = tmp_path / "ledger.db"
    pages = path.stat().st_size // PAGE
    with path.open("r+b") as file:
        file.seek((pages - 40) * PAGE)
        file.write(bytes(PAGE))
    folder = tmp_path / "edge"
    with running(folder, watched(folder, url, port)) as sensor:
        sensor.ready()
        assert "the database is damaged" in asked(port, "/healthz")
        assert 'minewatch_ledger_trouble{fault="damaged"} 1.0' in asked(port, "/metrics")
        sensor.end()
        assert sensor.log.read_text().count("the database is damaged: ") == 1


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    words = (sys.executable, "-m", "sensor.cli", "ledger", *words, "-c", str(folder / "minewatch.yaml"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment, cwd=folder)


def test_beside_a_running_sensor_a_ledger_is_copied_and_checked_and_not_restored(tmp_path: Path, port: int) -> None:
    url, folder = filled(tmp_path, 30), tmp_path / "edge"
    with running(folder, watched(folder, url, port)) as sensor:
        sensor.ready()
        backup = command(folder, "backup", str(tmp_path / "copy.db"))
        assert (backup.returncode, backup.stderr) == (0, "")
        assert backup.stdout.startswith(f"{tmp_path}/copy.db: a copy of {tmp_path}/ledger.db, ")
        looked = command(folder, "check")
        assert (looked.returncode, looked.stderr) == (0, "")
        assert looked.stdout.startswith(f"sound: schema {newest_schema()}, ")
        refused = command(folder, "restore", str(tmp_path / "copy.db"))
        assert refused.returncode == BUSY
        assert "uses it: stop it first; nothing was changed" in refused.stderr
        sensor.end()
    done = command(folder, "restore", str(tmp_path / "copy.db"))
    assert done.returncode == 0, done.stderr
    assert "; the one before is kept as " in done.stdout
    assert len(list(tmp_path.glob("ledger.db.before-restore-*Z"))) == 1
    damaged = bytearray((tmp_path / "ledger.db").read_bytes())
    damaged[5 * PAGE : 6 * PAGE] = bytes(PAGE)
    (tmp_path / "ledger.db").write_bytes(damaged)
    found = command(folder, "check")
    assert found.returncode == RUN_ERROR
    assert found.stdout
    assert "the ledger is damaged: restore a copy" in found.stderr
