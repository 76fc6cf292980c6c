"""The same captures told to a ledger in any pieces, by any sensors, once or again, come to the same."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dpkt
import pytest

from sensor import signatures
from sensor.intake.engine import load
from sensor.ledger import Ledger
from sensor.ledger.write.sensors import SensorError
from sensor.line.replay import replay
from sensor.line.same_connection import MAX_ALIKE
from sensor.model.finding import Finding
from sensor.model.time import DAY_NS, HOUR_NS, SECOND_NS
from tests.demo import make_demo

NOW = 1_900_000_000 * SECOND_NS
Packets = list[tuple[float, bytes]]


def read(path: Path) -> Packets:
    with path.open("rb") as file:
        return list(dpkt.pcap.Reader(file))


def found(folder: Path, packets: Sequence[tuple[float, bytes]]) -> list[Finding]:
    """What the line finds in some packets."""
    path = folder / f"{random.getrandbits(64):x}.pcap"
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, nano=True)
        for at, data in packets:
            writer.writepkt(data, at)
    return replay([str(path)], signatures.load(), load("auto"), {"workers": 1, "flows": 4096}).findings


def tell(url: str, sensor_id: str, run_id: str, findings: Sequence[Finding], **more: Any) -> None:
    ledger = Ledger.open(url, sensor_id=sensor_id, run_id=run_id, **more)
    ledger.record(list(findings), NOW)
    ledger.close()


def totals(url: str) -> dict[str, tuple[object, ...]]:
    """Of every finding with a login what is counted, and its rate and energy."""
    ledger = Ledger.open(url)
    try:
        return {
            one.finding_id: (
                dataclasses.astuple(one.shares),
                one.flow_count,
                one.jobs,
                one.stream_bytes,
                pytest.approx(one.work_hashes),
                pytest.approx(one.active_seconds),
                one.hashrate_hps and pytest.approx(one.hashrate_hps.best),
                one.energy_kwh and pytest.approx(one.energy_kwh.best),
            )
            for one in (entry.finding for entry in ledger.reader.findings())
        }
    finally:
        ledger.close()


def rolled(url: str) -> list[tuple[object, ...]]:
    """The roll-ups by miner and algorithm."""
    ledger = Ledger.open(url)
    newest = ledger.reader.newest_ns() or 0
    lines = ledger.reader.summary(newest - newest % DAY_NS - DAY_NS, newest + HOUR_NS).lines
    ledger.close()
    return [
        (line.address, line.algorithm, line.shares, line.accepted, line.sessions, pytest.approx(line.energy_kwh.best))
        for line in lines
    ]


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> Packets:
    path = tmp_path_factory.mktemp("demo") / "demo.pcap"
    make_demo.make(path)
    return read(path)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


def once(tmp_path: Path, packets: Packets) -> tuple[dict[str, tuple[object, ...]], list[tuple[object, ...]]]:
    """The truth: one sensor, one run."""
    url = f"sqlite:///{tmp_path}/once.db"
    tell(url, "edge-1", "a", found(tmp_path, packets))
    return totals(url), rolled(url)


def test_one_link_mirrored_to_two_sensors_counts_once(tmp_path: Path, url: str, packets: Packets) -> None:
    whole, hours = once(tmp_path, packets)
    later = [(at + 0.4, data) for at, data in packets]  # the second one's clock is a little ahead
    tell(url, "edge-1", "a", found(tmp_path, packets))
    tell(url, "edge-2", "b", found(tmp_path, later))
    assert {name: sums[:4] for name, sums in totals(url).items()} == {name: sums[:4] for name, sums in whole.items()}
    assert [line[:5] for line in rolled(url)] == [line[:5] for line in hours]
    ledger = Ledger.open(url)
    seen_by = {entry.finding.seen_by for entry in ledger.reader.findings()}
    ledger.close()
    assert seen_by == {("edge-1", "edge-2")}


def bars(url: str) -> dict[str, int]:
    """Of every finding the shares in its timeline."""
    ledger = Ledger.open(url)
    entries = ledger.reader.findings()
    ledger.close()
    return {entry.finding.finding_id: sum(entry.finding.timeline.counts) for entry in entries if entry.finding.timeline}


@pytest.mark.parametrize("later_s", [0.0, 0.4, 1.9])
def test_a_timeline_of_two_sensors_has_each_share_once(
    tmp_path: Path, url: str, packets: Packets, later_s: float
) -> None:
    alone = found(tmp_path, packets)
    tell(url, "edge-1", "a", alone)
    tell(url, "edge-2", "b", found(tmp_path, [(at + later_s, data) for at, data in packets]))
    assert bars(url) == {one.finding_id: one.shares.submitted for one in alone}
    if not later_s:
        ledger = Ledger.open(url)
        got = {entry.finding.finding_id: entry.finding.timeline for entry in ledger.reader.findings()}
        ledger.close()
        assert got == {one.finding_id: one.timeline for one in alone}


def test_a_timeline_of_captures_that_overlap_has_each_share_once(tmp_path: Path, url: str, packets: Packets) -> None:
    middle = (packets[0][0] + packets[-1][0]) / 2
    for number, part in enumerate((packets, [packet for packet in packets if packet[0] > middle], packets)):
        tell(url, "edge-1", f"run-{number}", found(tmp_path, part))
    ledger = Ledger.open(url)
    shares = {entry.finding.finding_id: entry.finding.shares.submitted for entry in ledger.reader.findings()}
    ledger.close()
    assert {name: count for name, count in bars(url).items() if shares[name]} == {
        name: count for name, count in shares.items() if count
    }


def test_connections_dealt_to_two_sensors_add_up_to_one_run(tmp_path: Path, url: str, packets: Packets) -> None:
    whole, hours = once(tmp_path, packets)
    halves: tuple[Packets, Packets] = ([], [])
    for at, data in packets:
        halves[_ports(data) % 2].append((at, data))
    for number, half in enumerate(halves):
        tell(url, f"edge-{number}", "a", found(tmp_path, half))
    assert totals(url) == whole
    assert rolled(url) == hours


def test_another_vrf_is_another_connection(tmp_path: Path, url: str, packets: Packets) -> None:
    tell(url, "edge-1", "a", found(tmp_path, packets))
    alone = totals(url)
    elsewhere = found(tmp_path, packets)
    for one in elsewhere:
        for flow in one.flows:
            flow.vrf = "blue"
    tell(url, "edge-2", "b", elsewhere)
    assert all(sums[1] == 2 * alone[name][1] for name, sums in totals(url).items())  # type: ignore[operator]


def test_told_again_by_the_same_run_or_another_nothing_is_added(tmp_path: Path, url: str, packets: Packets) -> None:
    whole, hours = once(tmp_path, packets)
    for run_id in ("a", "a", "b", "c"):
        tell(url, "edge-1", run_id, found(tmp_path, packets))
    for run_id in ("x", "y", "x"):
        tell(url, "replay", run_id, found(tmp_path, packets), kind="replay")
    assert totals(url) == whole
    assert rolled(url) == hours


@pytest.mark.parametrize("overlap", [0.0, 0.3])
def test_pieces_that_overlap_come_to_the_shares_of_the_whole(
    tmp_path: Path, url: str, packets: Packets, overlap: float
) -> None:
    whole = {name: sums[0] for name, sums in once(tmp_path, packets)[0].items()}
    first, last = packets[0][0], packets[-1][0]
    middle, more = (first + last) / 2, (last - first) * overlap
    pieces = (
        [packet for packet in packets if packet[0] < middle],
        [packet for packet in packets if packet[0] >= middle - more],
    )
    for number, piece in enumerate(pieces):
        tell(url, "edge-1", f"run-{number}", found(tmp_path, piece))
    submitted = sum(sums[0][0] for sums in totals(url).values())  # type: ignore[index]
    assert submitted == pytest.approx(sum(shares[0] for shares in whole.values()), rel=0.01)  # type: ignore[index]


def test_clocks_too_far_apart_are_said_and_not_joined(tmp_path: Path, url: str, packets: Packets) -> None:
    tell(url, "edge-1", "a", found(tmp_path, packets))
    alone = totals(url)
    tell(url, "edge-2", "b", found(tmp_path, [(at + 7_200, data) for at, data in packets]))
    ledger = Ledger.open(url)
    notes = {one.sensor_id: one.clock_note for one in ledger.reader.sensors()}
    ledger.close()
    assert notes["edge-1"] is None
    assert "their clocks differ" in str(notes["edge-2"])
    assert all(sums[1] == 2 * alone[name][1] for name, sums in totals(url).items())  # type: ignore[operator]


def test_a_clock_whose_offset_is_stated_is_joined(tmp_path: Path, url: str, packets: Packets) -> None:
    tell(url, "edge-1", "a", found(tmp_path, packets))
    alone = totals(url)
    later = found(tmp_path, [(at + 7_200, data) for at, data in packets])
    tell(url, "edge-2", "b", later, clock_offset_ns=7_200 * SECOND_NS)
    assert {name: sums[:3] for name, sums in totals(url).items()} == {name: sums[:3] for name, sums in alone.items()}


def test_what_one_sensor_lost_the_other_supplies(tmp_path: Path, url: str, packets: Packets) -> None:
    whole = once(tmp_path, packets)[0]
    generator = random.Random(11)
    for number in range(2):
        kept = [packet for packet in packets if generator.random() > 0.05]
        tell(url, f"edge-{number}", "a", found(tmp_path, kept))
    both = totals(url)
    got = sum(sums[0][0] for sums in both.values())  # type: ignore[index]
    want = sum(sums[0][0] for sums in whole.values())  # type: ignore[index]
    assert 0.97 * want <= got <= 1.02 * want


def test_a_renamed_sensor_goes_on_and_a_retired_one_is_remembered(tmp_path: Path, url: str, packets: Packets) -> None:
    tell(url, "edge-1", "a", found(tmp_path, packets))
    whole = totals(url)
    ledger = Ledger.open(url)
    ledger.rename_sensor("edge-1", "north")
    ledger.close()
    tell(url, "north", "a", found(tmp_path, packets))
    assert totals(url) == whole
    ledger = Ledger.open(url)
    ledger.retire_sensor("north", NOW)
    for wrong in (lambda: ledger.retire_sensor("north", NOW), lambda: ledger.rename_sensor("none", "x")):
        with pytest.raises(SensorError):
            wrong()
    assert [one.sensor_id for one in ledger.reader.sensors() if one.retired_ns is not None] == ["north"]
    ledger.close()


def _ports(data: bytes) -> int:
    """A number that both directions of a connection have; 0 for what is none."""
    frame = dpkt.ethernet.Ethernet(data)
    segment = getattr(frame.data, "data", None)
    return segment.sport + segment.dport if isinstance(segment, dpkt.tcp.TCP) else 0


def test_captures_that_overlap_in_one_replay_count_once(tmp_path: Path, packets: Packets) -> None:
    middle = (packets[0][0] + packets[-1][0]) / 2
    paths = [tmp_path / "whole.pcap", tmp_path / "again.pcap"]
    for path, part in zip(paths, (packets, [packet for packet in packets if packet[0] > middle]), strict=True):
        with path.open("wb") as file:
            writer = dpkt.pcap.Writer(file, nano=True)
            for at, data in part:
                writer.writepkt(data, at)
    core = load("auto")
    alone = replay([str(paths[0])], signatures.load(), core, {"workers": 1, "flows": 4096}).findings
    both = replay(list(map(str, paths)), signatures.load(), core, {"workers": 1, "flows": 4096}).findings
    # What was joined without the login, or the pool that a proxy was asked for, is a finding of its own here; a ledger
    # knows whose it is.
    shares = {one.finding_id: one.shares.submitted for one in both}
    assert shares | {one.finding_id: one.shares.submitted for one in alone} == shares


def test_what_came_twice_stays_off_when_the_finding_goes_on(tmp_path: Path, url: str, packets: Packets) -> None:
    whole, hours = once(tmp_path, packets)
    middle = (packets[0][0] + packets[-1][0]) / 2
    first_half = [packet for packet in packets if packet[0] < middle]
    for run_id, part in (("a", first_half), ("b", first_half), ("c", packets), ("d", first_half)):
        tell(url, "edge-1", run_id, found(tmp_path, part))
    assert {name: sums[:3] for name, sums in totals(url).items()} == {name: sums[:3] for name, sums in whole.items()}
    assert [line[:5] for line in rolled(url)] == [line[:5] for line in hours]


def test_an_allow_list_and_a_false_alarm_hold_after_a_restart_and_for_every_sensor(
    tmp_path: Path, url: str, packets: Packets
) -> None:
    findings = found(tmp_path, packets)
    ledger = Ledger.open(url, sensor_id="edge-1", run_id="a")
    ledger.record(findings, NOW)
    ledger.close()
    ledger = Ledger.open(url, sensor_id="edge-1", run_id="b")
    ledger.record(findings, NOW, {one.finding_id: "allowed: known" for one in findings})
    assert {entry.suppressed for entry in ledger.reader.findings()} == {"allowed: known"}
    ledger.close()
    ledger = Ledger.open(url, sensor_id="edge-2", run_id="c")
    ledger.record(findings, NOW)  # nobody told this one: it is reported
    assert {entry.suppressed for entry in ledger.reader.findings()} == {None}
    for case in ledger.reader.cases():
        ledger.set_case(case.case_id, "false-alarm", NOW, who="Li", why="an exhibit")
    ledger.close()
    ledger = Ledger.open(url, sensor_id="edge-1", run_id="d")
    ledger.record(findings, NOW)
    assert all(str(entry.suppressed).startswith("false alarm") for entry in ledger.reader.findings())
    ledger.close()


def test_after_a_rename_events_name_the_sensor_as_it_is_called_now(tmp_path: Path, url: str, packets: Packets) -> None:
    tell(url, "edge-1", "a", found(tmp_path, packets[: len(packets) // 2]))
    ledger = Ledger.open(url)
    ledger.rename_sensor("edge-1", "north")
    ledger.close()
    tell(url, "north", "a", found(tmp_path, packets))
    ledger = Ledger.open(url)
    assert {entry.finding.seen_by for entry in ledger.reader.findings()} == {("north",)}
    ledger.close()


def test_clocks_apart_are_not_joined_however_long_the_connections(tmp_path: Path, url: str, packets: Packets) -> None:
    tell(url, "edge-1", "a", found(tmp_path, packets))
    alone = totals(url)
    tell(url, "edge-2", "b", found(tmp_path, [(at + 10, data) for at, data in packets]))
    assert all(sums[1] == 2 * alone[name][1] for name, sums in totals(url).items())  # type: ignore[operator]


def test_a_port_used_over_and_over_is_compared_with_few(packets: Packets, tmp_path: Path) -> None:
    flow = found(tmp_path, packets)[0].flows[0]
    assert flow.trace is not None
    many = [
        dataclasses.replace(flow, first_ns=flow.first_ns + number, key=dataclasses.replace(flow.key, flow_id=number))
        for number in range(3 * MAX_ALIKE)
    ]
    ledger = Ledger.open(f"sqlite:///{tmp_path}/many.db", sensor_id="edge-1", run_id="a")
    finding = found(tmp_path, packets)[0]
    ledger.record([dataclasses.replace(finding, flows=many, flow_count=len(many))], NOW)
    assert ledger.reader.findings()[0].finding.flow_count == len(many)  # one run's own sums have each once
    ledger.close()
