"""A sensor on a link that is killed at any moment: what it committed is in the ledger, nothing is there by halves, and
the time in which nobody listened stands as such in the coverage."""

from __future__ import annotations

import os
import random
import time
from itertools import pairwise
from pathlib import Path

from sensor.ledger import Ledger
from sensor.ledger.store.database import reading
from sensor.ledger.store.integrity import check_file
from sensor.ledger.store.schema import COVERAGE
from sensor.model.time import SECOND_NS
from tests.daemon.sensor import Sensor, running
from tests.daemon.test_live_daemon import frames, listening
from tests.daemon.test_two_daemons import truth
from tests.ledger.test_rollups import agree
from tests.live.conftest import Net

KILLS = int(os.environ.get("KILLS", "4"))


def committed(folder: Path) -> dict[str, tuple[int, int]]:
    """What the ledger has, which is sound and agrees with itself."""
    assert check_file(folder / "ledger.db").is_sound
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
    try:
        agree(ledger)
        findings = [entry.finding for entry in ledger.reader.findings()]
        return {one.finding_id: (one.shares.submitted, one.flow_count) for one in findings}
    finally:
        ledger.close()


def covered(folder: Path) -> list[tuple[int, int]]:
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
    try:
        with reading(ledger.engine) as connection:
            return sorted((row.from_ns, row.to_ns) for row in connection.execute(COVERAGE.select()))
    finally:
        ledger.close()


def delivered(sensor: Sensor) -> dict[str, int]:
    """The most shares of each finding that an event told of; a line that the kill cut is none."""
    most: dict[str, int] = {}
    path = sensor.folder / "eve.json"
    if path.exists():
        path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")))
    for event in sensor.events():
        mining = event.get("mining", {})
        if "finding_id" in mining:
            most[mining["finding_id"]] = max(most.get(mining["finding_id"], 0), mining["shares"]["submitted"])
    return most


def test_killed_at_any_moment_a_live_sensor_keeps_what_it_committed(net: Net, demo: Path, tmp_path: Path) -> None:
    generator, packets = random.Random(7), frames(demo)
    edges = [number * len(packets) // (KILLS + 1) for number in range(KILLS + 2)]
    config, gaps = listening("compiled", findings={"update_s": 1}), list[tuple[int, int]]()
    killed_ns, before = 0, dict[str, tuple[int, int]]()
    for number, (start, end) in enumerate(pairwise(edges)):
        with running(tmp_path, config) as sensor:
            sensor.ready()
            if killed_ns:
                gaps.append((killed_ns, time.time_ns()))
            for at in range(start, end, 50):
                net.send(packets[at : min(at + 50, end)])
                time.sleep(0.02)
            if number == KILLS:
                time.sleep(1.0)
                assert sensor.end()[0] == 0
                break
            time.sleep(generator.uniform(0.2, 3.0))
            sensor.process.kill()
            sensor.process.wait()
            killed_ns = time.time_ns()
            after = committed(tmp_path)
            shares_delivered = delivered(sensor)
            assert {name: after[name][0] >= shares for name, shares in shares_delivered.items()} == dict.fromkeys(
                shares_delivered, True
            )
            assert all(after[name] >= counts for name, counts in before.items())
            before = after
            time.sleep(1.5)
    got, whole = committed(tmp_path), {name: counts[0] for name, counts in truth(demo).items()}
    assert set(got) >= set(before)
    assert sum(shares for shares, _ in got.values()) <= sum(whole.values())
    assert sum(shares for shares, _ in got.values()) >= 0.2 * sum(whole.values())
    stretches = covered(tmp_path)
    for gap_from_ns, gap_to_ns in gaps:
        assert gap_to_ns - gap_from_ns > SECOND_NS
        assert not [1 for from_ns, to_ns in stretches if from_ns < gap_to_ns and to_ns > gap_from_ns]
