"""Two daemons of two names on one ledger: the findings come to what one would have found, whatever is dealt to whom,
also when one is killed and reads a capture again; and every exporter of each gets every event.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL
from typing import Any

import dpkt
import pytest

from sensor import signatures
from sensor.intake import engine
from sensor.ledger import Ledger
from sensor.line.join import MAX_FLOWS
from sensor.line.replay import replay
from tests.daemon.sensor import Sensor, reading, running
from tests.demo import miners
from tests.demo.miners import SECOND
from tests.demo.wire import Tcp, Wire, host
from tests.ledger.servers import postgresql

Packets = list[tuple[float, bytes]]
#: Captures of each sensor, and how long they may take, in seconds.
PIECES, PATIENCE_S = 4, 60.0
#: Kills in one test.
KILLS = int(os.environ.get("KILLS", "3"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/shared.db"
        return
    with postgresql() as server:
        yield server


def read(path: Path) -> Packets:
    with path.open("rb") as file:
        return list(dpkt.pcap.Reader(file))


def write(path: Path, packets: Packets) -> None:
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, nano=True)
        for at, data in packets:
            writer.writepkt(data, at)


def fill(folder: Path, packets: Packets) -> None:
    """The captures of one sensor: pieces of time, one after another."""
    (folder / "captures").mkdir(parents=True)
    edges = [number * len(packets) // PIECES for number in range(PIECES + 1)]
    for number, (start, end) in enumerate(itertools.pairwise(edges)):
        write(folder / "captures" / f"{number}.pcap", packets[start:end])


def configured(folder: Path, url: str, sensor_id: str) -> dict[str, Any]:
    return reading(folder, sensor_id=sensor_id, ledger={"url": url})


def dealt(packets: Packets, number: int) -> Packets:
    """Every second connection."""
    return [(at, data) for at, data in packets if ports(data) % 2 == number]


def ports(data: bytes) -> int:
    segment = getattr(dpkt.ethernet.Ethernet(data).data, "data", None)
    return segment.sport + segment.dport if isinstance(segment, dpkt.tcp.TCP) else 0


def counted(url: str) -> dict[str, tuple[int, int, int]]:
    ledger = Ledger.open(url)
    try:
        findings = [entry.finding for entry in ledger.reader.findings()]
        return {one.finding_id: (one.shares.submitted, one.shares.accepted, one.flow_count) for one in findings}
    finally:
        ledger.close()


def truth(demo: Path) -> dict[str, tuple[int, int, int]]:
    done = replay([str(demo)], signatures.load(), engine.load(), {"workers": 1})
    return {one.finding_id: (one.shares.submitted, one.shares.accepted, one.flow_count) for one in done.findings}


def until_read(folder: Path, sensor: Sensor) -> None:
    """Wait until a sensor remembers all its captures as read."""
    memory = folder / "read.json"
    sensor.until(lambda: memory.exists() and memory.read_text().count(".pcap") >= PIECES, PATIENCE_S)


def reconnecting(path: Path, connections: int) -> None:
    """A miner that comes back again and again, each time through another port."""
    wire = Wire()
    miner, pool = host("198.51.100.23"), host("203.0.113.40")
    for number in range(connections):
        tcp = Tcp(wire, miner, pool, (20_000 + number, 3333), number * 20 * SECOND)
        miners.stratum(tcp, "wallet.rig", "cgminer/4.12", 3, 2.0)
    wire.write(path)


@pytest.mark.parametrize("deal", [dealt, lambda packets, _: packets], ids=["halves", "mirrored"])
def test_two_sensors_come_to_what_one_finds(
    demo: Path, tmp_path: Path, url: str, deal: Callable[[Packets, int], Packets]
) -> None:
    packets = read(demo)
    with ExitStack() as stack:
        sensors: list[Sensor] = []
        for number in range(2):
            folder = tmp_path / f"edge-{number}"
            fill(folder, deal(packets, number))
            config = configured(folder, url, f"edge-{number}")
            sensors.append(stack.enter_context(running(folder, config)).ready())
        for sensor in sensors:
            until_read(sensor.folder, sensor)
        assert counted(url) == truth(demo)
        last = time.monotonic() + 20
        while True:
            for sensor in sensors:
                sensor.notified.read()  # as a service manager does: a socket that nobody reads blocks
            event_ids = [{event["event_id"] for event in sensor.events()} for sensor in sensors]
            if event_ids[1] <= event_ids[0] or time.monotonic() > last:
                break
            time.sleep(0.2)
        assert event_ids[1] <= event_ids[0]  # the second began later, and gets what came from then on
        assert all(sensor.end()[0] == 0 for sensor in sensors)


@pytest.mark.parametrize("deal", [dealt, lambda packets, _: packets], ids=["halves", "mirrored"])
def test_more_connections_than_a_record_lists_are_each_counted_once(
    tmp_path: Path, deal: Callable[[Packets, int], Packets]
) -> None:
    count = MAX_FLOWS + 64
    reconnecting(tmp_path / "all.pcap", count)
    packets, url = read(tmp_path / "all.pcap"), f"sqlite:///{tmp_path}/shared.db"
    for number in range(2):
        folder = tmp_path / f"edge-{number}"
        fill(folder, deal(packets, number))
        with running(folder, configured(folder, url, folder.name)) as sensor:
            until_read(folder, sensor.ready())
            assert sensor.end()[0] == 0
    ((submitted, accepted, connections),) = counted(url).values()
    assert (submitted, accepted, connections) == (3 * count, 3 * count, count)


def test_killed_at_any_moment_a_folder_is_counted_once(demo: Path, tmp_path: Path) -> None:
    url, generator = f"sqlite:///{tmp_path}/shared.db", random.Random(5)
    packets = read(demo)
    folders = [tmp_path / f"edge-{number}" for number in range(2)]
    for number, folder in enumerate(folders):
        fill(folder, dealt(packets, number))
    for kill in range(KILLS):
        folder = folders[kill % 2]
        with running(folder, configured(folder, url, folder.name)) as sensor:
            sensor.ready()
            time.sleep(generator.uniform(0.0, 3.0))
            sensor.signal(SIGKILL)
            sensor.process.wait()
    for folder in folders:
        with running(folder, configured(folder, url, folder.name)) as sensor:
            until_read(folder, sensor.ready())
            assert sensor.end()[0] == 0
    assert counted(url) == truth(demo)
