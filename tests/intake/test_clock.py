"""Captures of a time that cannot be are told by the wall clock and by their neighbours; others never are."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.intake.clock import first_packet_ns, off_clock
from sensor.model.time import DAY_NS, FIRST_BLOCK_NS, HOUR_NS, PlausibleTime
from tests.demo.wire import START_US, Wire, host, network

NOW = START_US * 1_000
PLAUSIBLE = PlausibleTime.as_of(NOW + 30 * DAY_NS)


def off(starts: list[int | None]) -> list[int]:
    return sorted(off_clock(starts, PLAUSIBLE))


def test_captures_that_follow_each_other_are_in_time() -> None:
    assert off([NOW + hour * HOUR_NS for hour in range(48)]) == []


def test_gaps_of_weeks_are_gaps_and_no_fault_of_the_clock() -> None:
    assert off([NOW, NOW + 5 * DAY_NS, NOW + 20 * DAY_NS, NOW + 21 * DAY_NS]) == []


@pytest.mark.parametrize("wrong", [0, FIRST_BLOCK_NS - 1, NOW + 3_650 * DAY_NS])
def test_before_anything_was_mined_or_still_to_come_cannot_be(wrong: int) -> None:
    starts = [NOW, wrong, NOW + HOUR_NS]
    assert off(starts) == [1]
    assert off([wrong, *starts[::2]]) == [0]
    assert off([*starts[::2], wrong]) == [2]


def test_a_run_of_captures_of_another_year_between_others_is_off() -> None:
    year = NOW - 2_000 * DAY_NS
    assert off([NOW, year, year + HOUR_NS, year + 2 * HOUR_NS, NOW + 4 * HOUR_NS]) == [1, 2, 3]


def test_a_backlog_that_was_put_beside_newer_captures_is_in_time() -> None:
    assert off([NOW - 40 * DAY_NS, NOW - 39 * DAY_NS, NOW]) == []
    assert off([NOW, NOW - 40 * DAY_NS]) == []


def test_what_says_nothing_of_its_time_is_in_time() -> None:
    assert off([None, NOW, None]) == []


def test_the_first_packet_says_when_a_capture_is_of(tmp_path: Path) -> None:
    wire = Wire()
    wire.add(7, network(host("198.51.100.1"), host("203.0.113.1"), 1))
    wire.write(tmp_path / "a.pcap")
    assert first_packet_ns(str(tmp_path / "a.pcap")) == (START_US + 7) * 1_000
    (tmp_path / "b.pcap").write_bytes(b"no capture")
    assert first_packet_ns(str(tmp_path / "b.pcap")) is None
    assert first_packet_ns(str(tmp_path / "none.pcap")) is None
    assert first_packet_ns("-") is None


def test_where_the_clock_was_set_while_the_capture_was_written_the_first_plausible_packet_says_it(
    tmp_path: Path,
) -> None:
    wire = Wire()
    for number in range(40):
        wire.add(number - START_US, network(host("198.51.100.1"), host("203.0.113.1"), 1))
    wire.add(7, network(host("198.51.100.1"), host("203.0.113.1"), 1))
    wire.write(tmp_path / "a.pcap")
    assert first_packet_ns(str(tmp_path / "a.pcap"), PLAUSIBLE) == (START_US + 7) * 1_000
    assert first_packet_ns(str(tmp_path / "a.pcap")) == 0
