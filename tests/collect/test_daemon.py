"""From packets to the centre: a daemon in its sandbox reads captures and reports, a collector writes, and the centre
has what the daemon's own ledger has.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from sensor.ledger import Ledger
from tests.collect.brokers import mock_brokers, written
from tests.collect.test_group import Member, until
from tests.demo import make_demo
from tests.ledger.test_central import rows_in_any_order


def test_the_centre_has_what_the_daemons_own_ledger_has(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    make_demo.make(tmp_path / "demo.pcap")
    shutil.move(tmp_path / "demo.pcap", spool / "demo.pcap")
    own = f"sqlite:///{tmp_path}/own.db"
    with mock_brokers(1) as brokers:
        settings = {
            "sensor_id": "edge-1",
            "ledger": {"url": own},
            "capture": {"folder": str(spool)},
            "exporters": {"kafka": {"brokers": brokers.places, "transport": "tcp", "topic": "daemon"}},
        }
        path = written(tmp_path, "minewatch.yaml", json.dumps(settings))
        command = [sys.executable, "-m", "sensor.cli", "run", "-q", "-c", path]
        daemon = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        member = Member(f"sqlite:///{tmp_path}/central.db", brokers, "daemon")
        try:
            until(lambda: bool(member.ledger.reader.findings()), member)
            daemon.send_signal(signal.SIGTERM)
            _, journal = daemon.communicate(timeout=30)
            assert daemon.returncode == 0, journal
            ledger = Ledger.open(own, sensor_id="edge-1")
            assert ledger.reports.backlog("kafka").depth == 0
            taken = ledger.reports.backlog("kafka").position
            assert taken > 0
            until(lambda: sum(member.central.positions("daemon.v1").values()) >= taken, member)
            assert rows_in_any_order(member.ledger) == rows_in_any_order(ledger)
            ledger.close()
        finally:
            daemon.kill()
            member.close()
