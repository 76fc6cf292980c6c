"""The simulated captures are what they claim to be: whole, valid, repeatable, and of the stated rates."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import dpkt
import pytest

from sensor.signatures.loader import load
from tests.province.build import Province, build
from tests.province.frames import checksum
from tests.province.roster import DAY_US, HOUR_US, NAT_ADDRESS


def packets(path: Path) -> Iterator[tuple[float, bytes]]:
    with path.open("rb") as file:
        yield from dpkt.pcap.Reader(file)


def digest(paths: list[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes()[24:])
    return whole.hexdigest()


def test_a_seed_gives_the_same_bytes_again_and_another_gives_others(tmp_path: Path) -> None:
    first, again, other = (
        build(tmp_path / name, days=1, count=2, seed=seed, pace=8.0)
        for name, seed in (("a", "1"), ("b", "1"), ("c", "2"))
    )
    assert digest(first.files[24]) == digest(again.files[24]) != digest(other.files[24])
    assert first.truth.sums() == again.truth.sums() != other.truth.sums()


def test_every_cut_holds_the_same_packets(province: Province) -> None:
    assert len({digest(paths) for paths in province.files.values()}) == 1
    assert [len(province.files[hours]) for hours in (1, 6, 24)] == [72, 12, 3]


def test_every_frame_is_valid_with_right_checksums(province: Province) -> None:
    count = 0
    for _, frame in packets(province.files[24][0]):
        network = dpkt.ethernet.Ethernet(frame).data
        content = frame[14 + (40 if isinstance(network, dpkt.ip6.IP6) else 20) :]
        protocol = network.nxt if isinstance(network, dpkt.ip6.IP6) else network.p
        pseudo = network.src + network.dst + len(content).to_bytes(4, "big") + protocol.to_bytes(4, "big")
        assert checksum(pseudo + content) in (0, 0xFFFF)
        if isinstance(network, dpkt.ip.IP):
            assert network.len == len(frame) - 14
            assert checksum(frame[14:34]) in (0, 0xFFFF)
        count += 1
    assert count > 1_000


def test_streams_have_no_hole_but_where_the_capture_dropped_packets(province: Province) -> None:
    expected: dict[tuple[bytes, int, bytes, int], int] = {}
    holes, segments = 0, 0
    for path in province.files[24]:
        for _, frame in packets(path):
            network = dpkt.ethernet.Ethernet(frame).data
            tcp = network.data
            if not isinstance(tcp, dpkt.tcp.TCP):
                continue
            key = (network.src, tcp.sport, network.dst, tcp.dport)
            if tcp.flags & dpkt.tcp.TH_SYN:
                expected.pop(key, None)
            segments += 1
            if not tcp.data and not tcp.flags & (dpkt.tcp.TH_SYN | dpkt.tcp.TH_FIN):
                continue  # a keep-alive repeats the byte before the next
            holes += 0 < (tcp.seq - expected.get(key, tcp.seq)) % (1 << 32) < 1 << 31
            expected[key] = (tcp.seq + len(tcp.data) + bool(tcp.flags & (dpkt.tcp.TH_SYN | dpkt.tcp.TH_FIN))) % (
                1 << 32
            )
    assert 0 < holes < 0.01 * segments


def test_connections_run_across_the_cuts_and_were_there_before_the_first_packet(province: Province) -> None:
    for path in province.files[24]:
        opened: set[frozenset[tuple[bytes, int]]] = set()
        joined: set[frozenset[tuple[bytes, int]]] = set()
        for _, frame in packets(path):
            network = dpkt.ethernet.Ethernet(frame).data
            tcp = network.data
            if isinstance(tcp, dpkt.tcp.TCP) and tcp.data:
                ends = frozenset({(network.src, tcp.sport), (network.dst, tcp.dport)})
                joined |= {ends} - opened
            elif isinstance(tcp, dpkt.tcp.TCP) and tcp.flags & dpkt.tcp.TH_SYN:
                opened.add(frozenset({(network.src, tcp.sport), (network.dst, tcp.dport)}))
        assert len(joined) >= 5


def test_shares_are_as_many_as_the_rate_makes_them(province: Province) -> None:
    for (algorithm, day), amount in province.truth.sums().items():
        if day == "total":
            # A share's work varies with the difficulty, so that the spread is somewhat above that of equal shares.
            assert abs(amount.work / amount.hashes - 1.0) < 6.0 / math.sqrt(amount.shares), algorithm


def test_subscribers_connect_from_the_ports_they_had_at_the_time(province: Province) -> None:
    leases = [lease for machine in province.machines for lease in machine.leases]
    seen: defaultdict[str, int] = defaultdict(int)
    for path in province.files[24]:
        for at_s, frame in packets(path):
            network = dpkt.ethernet.Ethernet(frame).data
            if network.src == ip_address(NAT_ADDRESS).packed and isinstance(network.data, dpkt.tcp.TCP):
                at_us, port = round(at_s * 1e6), network.data.sport
                its = [
                    lease.account
                    for lease in leases
                    if lease.first_port <= port < lease.first_port + 1_024
                    and lease.span.begin_us <= at_us < lease.span.end_us + 1_000_000
                ]
                assert len(its) == 1
                seen[its[0]] += 1
    assert set(seen) == {lease.account for lease in leases}


def test_somebody_leaves_somebody_returns_and_somebody_works_at_night(province: Province) -> None:
    hours: defaultdict[str, set[int]] = defaultdict(set)
    for (name, hour), amount in province.truth.hours.items():
        hours[name] |= {hour} if amount.seconds else set()
    last = max(hour for _, hour in province.truth.hours)
    assert max(hours["leaver"]) < last - 24
    assert {(hour + 8) % 24 for hour in hours["lab"]} == {23, 0, 1, 2, 3, 4, 5, 6}
    returner = sorted(hours["returner"])
    assert max(after - before for before, after in pairwise(returner)) > 24


def test_machines_have_the_figures_that_the_table_of_devices_states(province: Province) -> None:
    devices = load().devices
    for machine in province.machines:
        device = machine.device
        if device.named:
            efficiency = devices.efficiency(device.algorithm, device.model, None)
            assert efficiency is not None
            assert efficiency.joules == pytest.approx(device.watts / device.rate_hps)


def test_hours_of_a_wrong_clock_are_shown_by_it_and_were_in_between(province: Province) -> None:
    for day, path in province.wrong.items():
        first = next(iter(packets(path)))[0]
        assert day in {"2036-05-05", "1970-01-01"}
        assert int(day[:4]) - 1970 == int(first // (365.25 * 24 * 3_600))
        middle_us = path.stat().st_mtime_ns // 1_000
        assert province.period.midnight_us + DAY_US < middle_us < province.period.captured.end_us - HOUR_US
