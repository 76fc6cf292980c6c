"""A folder is read in the order of its packets, whatever its files are called and however they came; captures of a time
that cannot be are said, counted and not read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sensor.daemon.intake import AHEAD, MOST_LOOKED_AT, Folder
from sensor.model.events import End
from sensor.settings.sections import CaptureSettings
from tests.daemon.journal import WrittenJournal
from tests.demo.wire import START_US, Wire, host, network

HOUR_US = 3_600_000_000
NOW_NS = (START_US + 30 * 24 * HOUR_US) * 1_000
LOOK_NS = 2_000_000_000


class Attached:
    """An engine that notes what is attached."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def attach(self, core: object, name: str) -> None:  # noqa: ARG002
        self.names.append(Path(name).name)


def capture(folder: Path, name: str, at_us: int) -> None:
    wire = Wire()
    wire.add(at_us, network(host("198.51.100.1"), host("203.0.113.1"), 1))
    wire.write(folder / name)
    os.utime(folder / name, ns=(NOW_NS, NOW_NS))


def read(folder: Path, journal: WrittenJournal) -> tuple[list[str], dict[str, int]]:
    engine: Any = Attached()
    spool = Folder(engine, object(), CaptureSettings(folder=str(folder), settle_s=1), journal)  # type: ignore[arg-type]
    now_ns, taken = NOW_NS + 60 * LOOK_NS, 0
    for _ in range(20):
        now_ns += LOOK_NS
        spool.look(now_ns)
        for name in engine.names[taken : taken + AHEAD]:
            spool.ended(End(str(folder / name), 1, None, 0), now_ns)
            taken += 1
    return engine.names, dict(spool.counters)


def test_a_backlog_is_read_in_the_order_of_its_packets(tmp_path: Path) -> None:
    names = {"c.pcap": 1, "a.pcap": 3, "d.pcap": 0, "b.pcap": 2}
    for name, hour in names.items():
        capture(tmp_path, name, hour * HOUR_US)
    found, counters = read(tmp_path, WrittenJournal())
    assert found == ["d.pcap", "c.pcap", "b.pcap", "a.pcap"]
    assert (counters["captures_read"], counters["captures_off_clock"]) == (4, 0)


def test_captures_of_a_time_that_cannot_be_are_said_once_and_not_read(tmp_path: Path) -> None:
    capture(tmp_path, "a.pcap", 0)
    capture(tmp_path, "b.pcap", 10 * 365 * 24 * HOUR_US)
    capture(tmp_path, "c.pcap", HOUR_US)
    capture(tmp_path, "d.pcap", -START_US + 7)
    journal = WrittenJournal()
    found, counters = read(tmp_path, journal)
    assert found == ["a.pcap", "c.pcap"]
    assert counters["captures_off_clock"] == 2
    assert len(journal.sentences) == 2
    assert "has not come yet" in journal.sentences[0]
    assert "1970-01-01" in journal.sentences[1]
    again, counters = read(tmp_path, journal)
    assert (again, counters["captures_read"]) == ([], 0)


def test_captures_are_read_once_the_hosts_clock_is_right(tmp_path: Path) -> None:
    for hour in range(3):
        capture(tmp_path, f"{hour}.pcap", hour * HOUR_US)
    engine: Any = Attached()
    settings, journal = CaptureSettings(folder=str(tmp_path), settle_s=1), WrittenJournal()
    spool = Folder(engine, object(), settings, journal)  # type: ignore[arg-type]
    wrong_ns = NOW_NS - 20 * 365 * 24 * HOUR_US * 1_000
    for look in range(5):
        spool.look(wrong_ns + look * LOOK_NS)
    assert engine.names == []
    assert len(journal.sentences) == len({sentence.partition(":")[0] for sentence in journal.sentences})
    for look in range(3):
        spool.look(NOW_NS + 60 * LOOK_NS + look * LOOK_NS)
    assert engine.names == ["0.pcap", "1.pcap"]


def test_a_backlog_of_many_captures_is_looked_at_in_turns(tmp_path: Path) -> None:
    count = MOST_LOOKED_AT + 5
    for number in range(count):
        capture(tmp_path, f"{count - number:04}.pcap", number * HOUR_US // 60)
    found, _ = read(tmp_path, WrittenJournal())
    assert found[:2] == [f"{count:04}.pcap", f"{count - 1:04}.pcap"]


def test_of_captures_that_must_be_searched_each_look_takes_one(tmp_path: Path) -> None:
    """The search takes long, and the watchdog waits for every look."""
    for number in range(5):
        capture(tmp_path, f"{number}.pcap", -START_US + number)
    capture(tmp_path, "a.pcap", 0)
    engine: Any = Attached()
    spool = Folder(engine, object(), CaptureSettings(folder=str(tmp_path), settle_s=1), WrittenJournal())  # type: ignore[arg-type]
    looked_at = []
    for look in range(7):
        spool.look(NOW_NS + (60 + look) * LOOK_NS)
        looked_at.append(len(spool._starts))
    assert looked_at[:5] == [1, 2, 3, 4, 5]
    assert engine.names == ["a.pcap"]
