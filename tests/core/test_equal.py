"""The two cores are one border.

Equal events and equal counters, on random traffic and on every capture of the shared collection.

Here too: scapy, which is neither of them, reads the same packets and finds the same segments.
"""

from __future__ import annotations

import itertools
import logging
import random
from ipaddress import ip_address
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sensor.model.encrypted import AddressNamed, DnsAnswer
from sensor.model.events import End, Event, Open
from sensor.model.gate_opening import GateOpening
from sensor.reference.decode import segments
from tests.core.captures import CLIENT, RAW_IPV4, SECOND, SERVER, T0, Talk, ipv4, timestamp, udp
from tests.core.conftest import Result, needs_compiled

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.config import conf  # noqa: E402
from scapy.layers.inet import IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment  # noqa: E402


def with_own_numbers(events: list[Event]) -> list[Event]:
    """Flow ids by first appearance: a core may number as it likes."""
    numbers: dict[int, int] = {}
    return [
        event
        if isinstance(event, End | DnsAnswer | AddressNamed)
        else event._replace(flow=numbers.setdefault(event.flow, len(numbers)))
        for event in events
    ]


def by_connection(events: list[Event]) -> dict[object, list[Event]]:
    """Events in their order within each connection: workers take turns as they like."""
    opened: dict[int, object] = {}
    found: dict[object, list[Event]] = {}
    for event in without_source(events):
        if isinstance(event, Open):
            opened[event.flow] = (event.orig_addr, event.orig_port, event.resp_addr, event.resp_port, event.ts_ns)
        if not isinstance(event, End | DnsAnswer | AddressNamed):
            found.setdefault(opened[event.flow], []).append(event._replace(flow=0))
    return found


def without_source(events: list[Event]) -> list[Event]:
    return [event._replace(source="") if "source" in event._fields else event for event in events]


def comparable(result: Result) -> dict[str, int]:
    """The counters; but how far a core had read ahead when a bad record stopped it is its own affair."""
    stats = dict(result.stats)
    if any(end.error for end in result.of(End)):
        del stats["source_bytes"]
    return stats


def difference(reference: Result, compiled: Result) -> str | None:
    """The first thing that is not the same, in one line."""
    expected, found = (without_source(with_own_numbers(result.events)) for result in (reference, compiled))
    for number, (left, right) in enumerate(itertools.zip_longest(expected, found)):
        if left != right:
            return f"event {number}: reference {left}, compiled {right}"
    ours, theirs = comparable(reference), comparable(compiled)
    unequal = [
        f"{name} {ours.get(name)}, {theirs.get(name)}"
        for name in ours.keys() | theirs
        if ours.get(name) != theirs.get(name)
    ]
    return f"counters, reference and compiled: {'; '.join(sorted(unequal))}" if unequal else None


PAYLOADS = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b"{", b'{"id":1}\n', b'"mining.', b'"min', b"ing.submit", b'"job_id"']),
    st.sampled_from([b"\xf9\xbe", b"\xb4\xd9", b"\x00\x00\x04", b"x" * 90]),
    st.sampled_from([b"\0" + b"r" * 16, b"\1" + b"s" * 40, b"POST / ", b"200 no", b"200 ocsp", b"z" * 16]),
)
PLACES = st.one_of(
    st.integers(-20, 200), st.sampled_from([0, 1, 2, 9, 1_000, 1 << 30, (1 << 30) + 300, -(1 << 30), 1 << 31])
)


OPTIONS = st.one_of(
    st.just(b""),
    st.binary(max_size=24),
    st.sampled_from([0, 1, 5, 1_000, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFF]).map(timestamp),
)


@st.composite
def tcp_packets(draw) -> bytes:
    ports = draw(st.sampled_from([40_000, 40_001])), draw(st.sampled_from([80, 3_333]))
    initial = draw(st.sampled_from([(1_000, 9_000), (0xFFFFFFF0, 0xFFFFFFFE), (5, 6)]))
    talk = Talk(ports=ports, initial=initial, options=draw(OPTIONS))
    direction, payload = draw(st.integers(0, 1)), draw(PAYLOADS)
    flags = draw(st.sampled_from([0x10] * 12 + [0x02, 0x12, 0x12, 0x02, 0x11, 0x14, 0x04, 0x00, 0x01, 0x06]))
    seq, acked = draw(PLACES) if not flags & 0x02 else -1, draw(PLACES)
    frame = talk.data(direction, seq, payload, acked=acked, flags=flags)
    if draw(st.integers(0, 15)) == 0:
        frame = frame[: draw(st.integers(0, len(frame)))]
    if draw(st.integers(0, 15)) == 0:
        at = draw(st.integers(0, max(0, len(frame) - 1)))
        frame = frame[:at] + draw(st.binary(min_size=1, max_size=1)) + frame[at + 1 :]
    return frame


@st.composite
def udp_packets(draw) -> bytes:
    ends = [CLIENT, SERVER]
    direction = draw(st.integers(0, 1))
    ports = [(5_000, 6_000), (6_000, 5_000)][direction]
    payload = draw(st.sampled_from([b"", b"x", bytes(97) + b"\x01\xc0", bytes(97) + b"\x01\xc0" + bytes(3_000)]))
    return udp(ends[direction], ends[1 - direction], ports, payload)


@st.composite
def fragments(draw) -> bytes:
    whole = Talk().data(0, 0, b"{" + b"abcdefgh" * 4)[20:]
    start = draw(st.integers(0, len(whole) // 8)) * 8
    data = whole[start : start + draw(st.sampled_from([0, 8, 16, 24, 20, 64]))]
    more = draw(st.booleans())
    return ipv4(
        CLIENT, SERVER, 6, data, identification=draw(st.integers(0, 1)), place=start // 8 | (0x2000 if more else 0)
    )


@st.composite
def contradicting(draw) -> list[bytes]:
    """A session each of whose segments comes in fragments, some of them twice, with other bytes, in any order."""
    talk = Talk()
    found = [*talk.handshake(), talk.data(0, 0, b'{"id":1}\n')]
    whole = []
    for number in range(draw(st.integers(1, 6))):
        whole.append(talk.data(draw(st.integers(0, 1)), 9 + 40 * number, b'"mining.' + b"%030d\n" % number))
    for identification, packet in enumerate(whole, 1):
        data, size = packet[20:], draw(st.sampled_from([8, 16, 24]))
        parts = [(at, data[at : at + size]) for at in range(0, len(data), size)]
        for at, part in draw(st.lists(st.sampled_from(parts), max_size=6)):
            parts.append((at, bytes(byte ^ draw(st.sampled_from([0, 1, 0x15])) for byte in part)))
        parts = draw(st.permutations(parts))
        source, target = packet[12:16], packet[16:20]
        found += [
            ipv4(
                source, target, 6, part, identification=identification, place=at // 8 | 0x2000 * (at + size < len(data))
            )
            for at, part in parts
        ]
    return found


#: Openings that wait for their answer, and one that does not.
TRIED = [
    GateOpening(6, 0, ((0x7B, 0x7B),), 300),
    GateOpening(6, 0, ((0, 0), (1, 255)), 300, 17, (((1, 1),), ((0x78, 0x78), (0x78, 0x7A)))),
    GateOpening(6, 0, ((0x50, 0x50), (0x4F, 0x4F)), 300, 0, (), b"ocsp"),
    GateOpening(6, 0, ((0x78, 0x7A),), 300, 0, (((0x32, 0x32),),), b"ocsp"),
]
STEPS = st.sampled_from(
    [0, 1, 1_000_000, 1_000_000, SECOND, 5 * SECOND, 11 * SECOND, 61 * SECOND, 700 * SECOND, -SECOND, -20 * SECOND]
)
PACKETS = st.lists(
    st.tuples(STEPS, st.one_of(tcp_packets(), tcp_packets(), tcp_packets(), udp_packets(), fragments())), max_size=60
)
LIMITS = st.sampled_from(
    [
        {},
        {"session_bytes": 50, "openings": [(6, 0, [(0x7B, 0x7B)], 20), (17, 97, [(1, 1)], 100)]},
        {"candidates": 1, "session_bytes": 100},
        {"candidates": 2},
        {"candidates": 5, "literals": [b"ing."]},
        {"openings": TRIED},
        {"openings": TRIED, "candidates": 1, "session_bytes": 100},
        {"openings": [one._replace(budget_bytes=60) for one in TRIED], "candidates": 3},
        {"openings": TRIED, "held_bytes": 200},
        {"openings": TRIED, "reorder_bytes": 40, "tcp_timeout_s": 20},
        {"reorder_bytes": 40},
        {"reorder_segments": 2},
        {"held_bytes": 100},
        {"held_bytes": 300, "candidates": 3},
        {"candidate_timeout_s": 30, "tcp_timeout_s": 20, "tcp_new_timeout_s": 7, "udp_timeout_s": 3},
        {"fragments": 1},
        {"fragment_bytes": 30},
    ]
)


EXCLUDED = st.sampled_from(
    [((), ())] * 3 + [((), (6_000,)), (((CLIENT, 32),), ()), (((SERVER, 8),), (80,)), (((bytes(16), 0),), (40_001,))]
)


@needs_compiled
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(packets=PACKETS, limits=LIMITS, exclude=EXCLUDED)
def test_random_traffic(engine_named, packets, limits, exclude):
    ts_ns, timeline = T0, []
    for step_ns, frame in packets:
        ts_ns += step_ns
        timeline.append((ts_ns, frame))
    assert (
        difference(
            *(
                engine_named(name).packets(timeline, RAW_IPV4, exclude=exclude, **limits)
                for name in ("reference", "compiled")
            )
        )
        is None
    )


@needs_compiled
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames=contradicting(), limits=st.sampled_from([{}, {}, {"fragment_bytes": 120}, {"held_bytes": 300}]))
def test_random_fragments_that_contradict_each_other(engine_named, frames, limits):
    timeline = [(T0 + number * 1_000_000, frame) for number, frame in enumerate(frames)]
    reference, one, two = (
        engine_named(name).packets(timeline, RAW_IPV4, **limits, **workers)
        for name, workers in (("reference", {}), ("compiled", {}), ("compiled", {"workers": 2}))
    )
    assert difference(reference, one) is None
    if "held_bytes" not in limits:  # each worker has its part of that
        assert by_connection(one.events) == by_connection(two.events)


@needs_compiled
@settings(max_examples=100, deadline=None)
@given(
    fields=st.lists(
        st.one_of(st.just(b"\x00"), st.sampled_from([b"\x0a\x00", b"\x0b\x01\x01", b"\x29\x03abc"])), max_size=4
    ),
    kind=st.integers(0, 3),
    end=st.sampled_from([b"\x01", b"", b"\x0a\xff"]),
    cut=st.integers(0, 80),
)
def test_random_mirrors_of_tzsp(engine_named, fields, kind, end, cut):
    inner = bytes(12) + b"\x08\x00" + Talk().data(0, 0, b'{"id":1}\n')
    frame = udp(CLIENT, SERVER, (1, 37_008), (bytes([1, kind, 0, 1]) + b"".join(fields) + end + inner)[: 10 + cut])
    assert (
        difference(*(engine_named(name).packets([(T0, frame)], RAW_IPV4) for name in ("reference", "compiled"))) is None
    )


@needs_compiled
@settings(max_examples=150, deadline=None)
@given(
    frame=st.binary(max_size=120),
    link=st.sampled_from([0, 1, 9, 12, 50, 104, 108, 113, 228, 229, 276]),
    tunnel=st.booleans(),
)
def test_random_bytes(engine_named, frame, link, tunnel):
    if tunnel:
        frame = udp(CLIENT, SERVER, (1, [2_152, 4_789, 6_081, 37_008, 1_701, 9_000][len(frame) % 6]), frame)
        link = RAW_IPV4
    assert difference(*(engine_named(name).packets([(T0, frame)], link) for name in ("reference", "compiled"))) is None


def captures_in(folder: Path) -> list[Path]:
    return sorted(path for name in ("mining", "benign") for path in (folder / name).iterdir() if path.is_file())


@pytest.mark.shared
@needs_compiled
def test_every_shared_capture(engine_named, shared):
    reference, compiled = engine_named("reference"), engine_named("compiled")
    different = []
    paths = captures_in(shared)
    for path in paths:
        results = []
        for engine in (reference, compiled):
            try:
                results.append(engine.run(str(path)))
            except engine.module.CaptureError as error:
                results.append(Result([], {"refused: " + error.reason: 1}))
        what = difference(*results)
        if what:
            different.append(f"{path.name}: {what}")
    assert not different, f"{len(different)} of {len(paths)} captures differ:\n" + "\n".join(different)


#: Where the port makes the core look into the datagram, scapy may or may not.
TUNNEL_PORTS = {2_152, 4_789, 6_081, 8_472, 37_008}
#: Scapy reads on where the core calls a header impossible.
STRICTER = {"cut", "depth", "ip", "tcp", "udp"}


def scapy_segment(link: int, frame: bytes) -> tuple[bytes, int, bytes, int, bytes] | None:
    """Addresses, ports and payload by scapy; None where it finds no TCP or UDP, or only a part of a datagram."""
    layer = conf.l2types.num2layer.get(link)
    if layer is None:
        return None
    try:
        packet = layer(frame)
    except Exception:  # scapy's dissectors raise what they like at damaged packets
        return None
    network = None
    for part in packet.iterpayloads():
        if type(part) in (IP, IPv6):
            network = part
        elif type(part) is IPv6ExtHdrFragment and (part.offset or part.m):
            return None
        elif type(part) in (TCP, UDP):
            break
    else:
        return None
    if network is None or (type(network) is IP and (network.frag or network.flags.MF)) or part.dport in TUNNEL_PORTS:
        return None
    payload = part.original[part.dataofs * 4 :] if type(part) is TCP else part.original[8 : part.len or None]
    source, destination = (ip_address(address).packed for address in (network.src, network.dst))
    return source, part.sport, destination, part.dport, payload


@pytest.mark.shared
def test_scapy_finds_the_same_segments(shared, capsys):
    paths = captures_in(shared)
    benign = [path for path in paths if path.parent.name == "benign"]
    chosen = [path for path in paths if path.parent.name == "mining"] + random.Random(1).sample(benign, 300)
    compared = stricter = 0
    for path in chosen:
        for number, (link, frame, segment) in enumerate(itertools.islice(segments(str(path)), 200)):
            expected = scapy_segment(link, frame)
            if expected is None:
                continue
            where = f"{path.name}, packet {number + 1}: {frame[:80].hex()}"
            if isinstance(segment, str):
                assert segment in STRICTER, f"{segment} in {where}"
                stricter += 1
                continue
            assert (segment.src, segment.src_port, segment.dst, segment.dst_port, segment.payload) == expected, where
            compared += 1
    with capsys.disabled():
        print(
            f"\nscapy agrees on {compared} packets of {len(chosen)} captures, "
            f"and reads on in {stricter} impossible ones"
        )
    assert compared > 5_000
    assert stricter < compared / 100
