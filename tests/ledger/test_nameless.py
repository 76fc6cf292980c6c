"""A connection told without its login, by a sensor that joined it in the middle, counts with the finding of whoever
knows the login: in whichever order the records come."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.ledger import Ledger
from sensor.model.finding import Finding
from tests.demo import make_demo, miners
from tests.demo.wire import Tcp, Wire, host
from tests.ledger.test_two_sensors import NOW, Packets, _ports, found, once, read, rolled, totals


class Telling(NamedTuple):
    """What one sensor tells at once."""

    sensor_id: str
    run_id: str
    kind: str
    findings: list[Finding]


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> Packets:
    """The demo, and three miners behind one address at a pool whose shares do not name their login."""
    path = tmp_path_factory.mktemp("demo") / "demo.pcap"
    wire = Wire()
    make_demo.mining(wire)
    for number in range(3):
        ends = (host("198.51.100.9"), host("203.0.113.99"), (52_000 + 2 * number, 10_128))
        tcp = Tcp(wire, *ends, (15 + 9 * number) * miners.SECOND, rtt_us=18_000)
        miners.cryptonote(tcp, f"account{number}", "XMRig/6.22.2", 30, every_s=11 + number)
    wire.write(path)
    return read(path)


@pytest.fixture(scope="module")
def tellings(tmp_path_factory: pytest.TempPathFactory, packets: Packets) -> list[Telling]:
    """One sensor hears all; one joined in the middle, and tells twice; a replay of the late half; one hears only every
    second connection, from its beginning."""
    folder = tmp_path_factory.mktemp("parts")
    first, last = packets[0][0], packets[-1][0]
    late = [packet for packet in packets if packet[0] > first + (last - first) / 2]
    later = [packet for packet in late if packet[0] < first + (last - first) * 0.8]
    odd = [packet for packet in packets if _ports(packet[1]) % 4 == 0]
    return [
        Telling("whole", "a", "live", found(folder, packets)),
        Telling("joined", "b", "live", found(folder, later)),
        Telling("joined", "b", "live", found(folder, late)),
        Telling("replay", "c", "replay", found(folder, late)),
        Telling("odd", "d", "live", found(folder, odd)),
    ]


def told(url: str, tellings: Sequence[Telling]) -> None:
    for telling in tellings:
        ledger = Ledger.open(url, sensor_id=telling.sensor_id, run_id=telling.run_id, kind=telling.kind)  # type: ignore[arg-type]
        ledger.record(telling.findings, NOW)
        ledger.close()


def counted(url: str) -> dict[str, tuple[object, ...]]:
    """What is counted of every finding that counts anything."""
    return {name: sums for name, sums in totals(url).items() if sums[1]}


def moved(url: str) -> dict[str, str | None]:
    """Which finding became which."""
    ledger = Ledger.open(url)
    entries = ledger.reader.findings()
    ledger.close()
    return {one.finding.finding_id: one.finding.merged_into for one in entries if not one.finding.flow_count}


def in_order(order: Sequence[int]) -> list[int]:
    """An order in which a run's own records follow each other."""
    fixed = iter(sorted(number for number in order if number in (1, 2)))
    return [next(fixed) if number in (1, 2) else number for number in order]


def test_the_late_sensor_does_not_know_the_logins(tellings: list[Telling]) -> None:
    assert any(one.login is None and one.shares.submitted for one in tellings[1].findings)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0)])
def test_who_tells_last_makes_no_difference(
    tmp_path: Path, packets: Packets, tellings: list[Telling], order: Sequence[int]
) -> None:
    whole, hours = once(tmp_path, packets)
    url = f"sqlite:///{tmp_path}/ledger.db"
    told(url, [tellings[number] for number in order])
    assert {name: sums[:2] for name, sums in counted(url).items()} == {name: sums[:2] for name, sums in whole.items()}
    assert [line[:5] for line in rolled(url)] == [line[:5] for line in hours]
    if order[0] == 1:
        assert moved(url)
        assert set(moved(url).values()) <= set(whole)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory, tellings: list[Telling]) -> str:
    """The ledger of all records in their order."""
    url = f"sqlite:///{tmp_path_factory.mktemp('straight')}/ledger.db"
    told(url, tellings)
    return url


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(5)))
def test_any_order_gives_the_same_ledger(
    tmp_path_factory: pytest.TempPathFactory, tellings: list[Telling], straight: str, order: list[int]
) -> None:
    other = f"sqlite:///{tmp_path_factory.mktemp('order')}/ledger.db"
    told(other, [tellings[number] for number in in_order(order)])
    assert counted(other) == counted(straight)
    assert rolled(other) == rolled(straight)


def test_a_former_finding_ends_in_an_event_that_says_what_it_became(tmp_path: Path, tellings: list[Telling]) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    nameless = [one.finding_id for one in tellings[1].findings if one.login is None and one.flow_count]
    told(url, [tellings[1]])
    ledger = Ledger.open(url, sensor_id="whole", run_id="a")
    ledger.outbox.subscribe(["page"])
    ledger.record(tellings[0].findings, NOW)
    events = [event.record for event in ledger.outbox.read(0, 1_000)]
    ledger.close()
    last = {one.finding_id: one for one in events if isinstance(one, Finding)}
    assert nameless
    for one in (last[name] for name in nameless):
        assert (one.state, one.flow_count, one.shares.submitted, one.flows) == ("closed", 0, 0, [])
        assert one.merged_into is not None


def test_of_several_connections_each_goes_to_its_own_login(tmp_path: Path, tellings: list[Telling]) -> None:
    whole, late = tellings[0], tellings[2]
    (several,) = (one for one in late.findings if one.flow_count == 3)
    assert several.login is None
    for number, order in enumerate(itertools.permutations([whole, late])):
        url = f"sqlite:///{tmp_path}/{number}.db"
        told(url, order)
        assert set(counted(url)) == {one.finding_id for one in whole.findings}


def test_what_nobody_knows_the_login_of_stays(tmp_path: Path, packets: Packets, tellings: list[Telling]) -> None:
    """Of three connections of one address that were joined in the middle, another sensor heard two begin."""
    hidden = [packet for packet in packets if _ports(packet[1]) != 52_002 + 10_128]
    one_more, late = Telling("whole", "a", "live", found(tmp_path, hidden)), tellings[2]
    (several,) = (one for one in late.findings if one.flow_count == 3)
    left = next(flow for flow in several.flows if flow.key.src_port == 52_002)
    for number, order in enumerate(itertools.permutations([one_more, late])):
        url = f"sqlite:///{tmp_path}/{number}.db"
        told(url, order)
        shares, flow_count, *_ = counted(url)[several.finding_id]
        assert (shares[0], flow_count) == (left.shares.submitted, 1)  # type: ignore[index]
        known = {one.finding_id: one.shares.submitted for one in one_more.findings}
        got = {name: sums[0][0] for name, sums in counted(url).items()}  # type: ignore[index]
        assert got == known | {several.finding_id: left.shares.submitted}
