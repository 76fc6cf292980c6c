"""The flow table.

Who began a flow, when it is over and why, over one file or several, and what happens when there is no room.
"""

from __future__ import annotations

import pytest

from sensor.model.events import Chunk, Close, End, Open
from tests.core.captures import ACK, CLIENT, ETHERNET, FIN, RST, SECOND, SERVER, SYN, T0, Talk, pcap, timed, udp

TALK = Talk()
HELLO = TALK.handshake()
OPENED = [*HELLO, TALK.data(0, 0, b"{")]


def at(seconds: float, frame: bytes) -> tuple[int, bytes]:
    return T0 + int(seconds * SECOND), frame


def other(port: int = 7, payload: bytes = b"") -> bytes:
    """A packet of another flow, to let time pass."""
    return Talk(ports=(port, port)).data(0, 0, payload)


def closes(result) -> list[tuple[str, int]]:
    """Reason, and how long the flow lived in seconds."""
    return [(close.reason, (close.last_ns - close.first_ns) // SECOND) for close in result.of(Close)]


@pytest.mark.parametrize(
    ("direction", "flags", "ports", "originator", "basis"),
    [
        (0, SYN, (40_000, 3_333), 0, "syn"),
        (0, SYN, (80, 3_333), 0, "syn"),
        (1, SYN | ACK, (40_000, 3_333), 0, "syn"),
        (0, ACK, (40_000, 80), 0, "port"),
        (1, ACK, (40_000, 80), 0, "port"),
        (1, ACK, (40_000, 1_023), 0, "port"),
        (1, ACK, (40_000, 1_024), 1, "first-seen"),
        (1, ACK, (40_000, 3_333), 1, "first-seen"),
        (0, ACK, (80, 443), 0, "first-seen"),
    ],
)
def test_the_first_packet_tells_who_began(engine, direction, flags, ports, originator, basis):
    talk = Talk(ports=ports)
    first = talk.packet(direction, flags, talk.initial[direction])
    result = engine.packets(timed([first, talk.data(direction, 0, b"{")]))
    opened = result.open
    expected = [(CLIENT, ports[0]), (SERVER, ports[1])]
    assert (opened.orig_addr, opened.orig_port) == expected[originator]
    assert (opened.resp_addr, opened.resp_port) == expected[1 - originator]
    assert (opened.basis, opened.midstream) == (basis, basis != "syn")
    assert result.chunks[0].direction == (0 if direction == originator else 1)


def test_a_later_syn_changes_neither_originator_nor_basis(engine):
    result = engine.packets(timed([TALK.data(1, 0, b"x"), HELLO[0], TALK.data(0, 0, b"{")]))
    assert (result.open.orig_addr, result.open.basis, result.open.midstream) == (SERVER, "first-seen", False)


def test_vlans_do_not_split_a_flow(engine):
    def tagged(vlan: int, frame: bytes) -> bytes:
        return bytes(12) + b"\x81\x00" + vlan.to_bytes(2, "big") + b"\x08\x00" + frame

    frames = [tagged(number % 2 + 1, frame) for number, frame in enumerate([*HELLO, *[TALK.data(0, 0, b"{")] * 2])]
    result = engine.packets(timed(frames), 1)
    assert (result.open.vlans, result.stream(0), result.stats["flows_opened"]) == ((2,), b"{", 1)


def test_totals_are_of_the_whole_flow_and_of_each_side(engine):
    result = engine.packets(timed([*OPENED, TALK.data(1, 0, b"reply")]))
    assert (result.close.packets, result.close.bytes) == ((3, 2), (40 + 40 + 41, 40 + 45))
    assert (result.close.first_ns, result.close.last_ns) == (T0, T0 + 4_000_000)
    assert result.open.first_ns == T0


@pytest.mark.parametrize(
    ("frames", "options", "timeout_s", "reason"),
    [
        (OPENED, {}, 1_800, "idle"),
        (OPENED, {"candidate_timeout_s": 100}, 100, "idle"),
        (OPENED, {"openings": [(6, 0, [(0x7B, 0x7B)], 1)]}, 600, "idle"),
        (OPENED[3:], {"openings": [(6, 0, [(0x7B, 0x7B)], 1)]}, 60, "idle"),
        (OPENED[3:], {"openings": [(6, 0, [(0x7B, 0x7B)], 1)], "tcp_new_timeout_s": 20}, 20, "idle"),
        ([*OPENED, TALK.fin(0, 1)], {}, 1_800, "idle"),
        ([*OPENED, TALK.fin(0, 1), TALK.fin(1, 0)], {}, 10, "fin"),
        ([*OPENED, TALK.rst(0, 1)], {}, 10, "rst"),
        ([*OPENED, TALK.rst(1, 0)], {"closed_timeout_s": 30}, 30, "rst"),
        ([*OPENED, TALK.fin(0, 1), TALK.fin(1, 0), TALK.rst(1, 1)], {}, 10, "rst"),
        ([udp(CLIENT, SERVER, (5, 6), bytes(97) + b"\x01\xc0")], {}, 60, "idle"),
    ],
)
def test_a_silent_flow_ends_after_its_timeout(engine, frames, options, timeout_s, reason):
    packets = timed(frames, step_ns=0)
    # The sweep falls on the moment itself: up to the timeout a flow lives, and a nanosecond later it does not.
    for wait_ns, gone in [(timeout_s * SECOND, False), (timeout_s * SECOND + 1, True)]:
        result = engine.packets([*packets, (T0 + wait_ns, other()), (T0 + wait_ns, other(8))], **options)
        assert (
            (result.of(Close)[0].reason == reason)
            if gone or reason != "idle"
            else (result.of(Close)[0].reason == "end")
        )
        assert result.stats["flows_expired"] == gone


def test_a_packet_after_the_timeout_begins_a_new_flow_even_between_sweeps(engine):
    packets = [
        at(0, other()),
        *[(T0 + 9 * SECOND, frame) for frame in [*OPENED, TALK.rst(1, 0)]],
        at(19.5, TALK.data(0, 1, b"{")),
    ]
    result = engine.packets(packets, closed_timeout_s=5, openings=[(6, 0, [(0x7B, 0x7B)], 50)])
    assert [type(event) for event in result.events] == [Open, Chunk, Close, Open, Chunk, End, Close]
    assert closes(result) == [("rst", 0), ("end", 0)]


def test_flows_are_swept_every_10_seconds_in_the_order_they_began(engine):
    packets = [at(number / 10, other(port, b"{")) for number, port in enumerate([3, 1, 2])]
    packets += [at(9.9, other(9)), at(10, other(9)), at(14, other(9)), at(19, other(9)), at(20, other(9))]
    result = engine.packets(packets, candidate_timeout_s=12)
    ports = {opened.flow: opened.orig_port for opened in result.of(Open)}
    assert [(ports[close.flow], close.reason) for close in result.of(Close)] == [(3, "idle"), (1, "idle"), (2, "idle")]
    assert result.stats["flows_expired"] == 3


def test_time_that_goes_back_moves_the_sweep_back_and_makes_no_flow_idle(engine):
    packets = [*timed(OPENED), at(-3_000, other()), at(-2_900, TALK.data(0, 1, b"x"))]
    result = engine.packets(packets)
    assert result.stream(0) == b"{x"
    assert (result.close.reason, result.close.last_ns) == ("end", T0 + 3_000_000)


NEW = Talk(initial=(77_000, 88_000))


@pytest.mark.parametrize(
    ("ending", "wait_s", "syn", "reason"),
    [
        ([TALK.fin(0, 1), TALK.fin(1, 0)], 1, NEW.handshake()[0], "fin"),
        ([TALK.rst(1, 0)], 0.1, NEW.handshake()[0], "rst"),
        ([TALK.rst(1, 0)], 0.1, NEW.packet(1, SYN, 5), "rst"),
        ([], 4.9, NEW.handshake()[0], None),
        ([], 600, NEW.handshake()[0], None),
        ([], 6, HELLO[0], None),
        ([TALK.fin(0, 1)], 4, NEW.handshake()[0], None),
        ([], 6, NEW.handshake()[1], None),
    ],
)
def test_a_new_syn_reuses_the_ports_of_a_closed_flow_and_alone_of_no_other(engine, ending, wait_s, syn, reason):
    frames = timed([*OPENED, *ending], step_ns=0)
    result = engine.packets([*frames, at(wait_s, syn), at(wait_s, NEW.data(0, 0, b"{"))])
    assert result.stats["flows_reused"] == (reason is not None)
    if reason:
        assert result.of(Close)[0].reason == reason
        assert [opened.first_ns for opened in result.of(Open)] == [T0, T0 + int(wait_s * SECOND)]
    else:
        assert len(result.of(Open)) == 1


def test_a_flow_joined_midstream_and_closed_is_reused_by_any_syn(engine):
    frames = [
        *timed([TALK.data(0, 0, b"{"), TALK.fin(0, 1), TALK.fin(1, 0)]),
        at(1, HELLO[0]),
        at(1, TALK.data(0, 0, b"{")),
    ]
    result = engine.packets(frames)
    assert result.stats["flows_reused"] == 1
    assert [opened.basis for opened in result.of(Open)] == ["first-seen", "syn"]


def test_both_fins_are_needed_to_close(engine):
    for flags, reason in [
        ((FIN, 0), "end"),
        ((0, FIN), "end"),
        ((FIN, FIN), "fin"),
        ((RST, 0), "rst"),
        ((FIN, RST), "rst"),
    ]:
        frames = [TALK.data(direction, 1, b"", flags=ACK | flag) for direction, flag in enumerate(flags)]
        assert engine.packets(timed(OPENED + frames)).close.reason == reason


def test_a_flow_without_an_open_gate_makes_no_event(engine):
    result = engine.packets(timed([*HELLO, TALK.data(0, 0, b"GET"), TALK.fin(0, 3), TALK.fin(1, 0)]))
    assert [type(event) for event in result.events] == [End]
    assert result.stats["flows_opened"] == 1


def test_a_full_table_evicts_what_is_no_candidate(engine):
    packets = timed([other(1, b"{"), other(2), other(3), other(1, b"x"), other(4)])
    result = engine.packets(packets, flows=2)
    assert (result.stats["flows_evicted"], result.stats["flows_opened"]) == (2, 4)
    assert closes(result) == [("end", 0)]


def test_a_table_full_of_candidates_evicts_one(engine):
    result = engine.packets(timed([other(port, b"{") for port in range(1, 6)]), flows=3)
    assert (result.stats["flows_evicted"], result.stats["candidates_opened"]) == (2, 5)
    assert sorted(close.reason for close in result.of(Close)) == ["end", "end", "end", "evicted", "evicted"]


def test_an_evicted_flow_that_was_closed_keeps_its_reason(engine):
    frames = [TALK.data(0, 0, b"{"), TALK.rst(0, 1), other(1, b"x")]
    assert engine.packets(timed(frames), flows=1).close.reason == "rst"


def files(engine, *parts):
    return [engine.file(pcap(part)) for part in parts]


def test_a_file_that_continues_in_time_continues_the_flows(engine):
    sources = files(engine, timed(OPENED), timed([TALK.data(0, 1, b"more")], T0 + 1_800 * SECOND))
    result = engine.run(*sources, tcp_timeout_s=4_000)
    assert [type(event) for event in result.events] == [Open, Chunk, End, Chunk, End, Close]
    assert result.stream(0) == b"{more"
    assert (result.open.source, [end.source for end in result.of(End)]) == (sources[0], sources)


@pytest.mark.parametrize("start_ns", [T0 - 1, T0 + 3_000_000 - 1, T0 + 3_000_000 + 1_800 * SECOND + 1])
def test_a_file_of_another_time_has_other_flows(engine, start_ns):
    sources = files(engine, timed(OPENED), timed([TALK.data(0, 0, b"{new")], start_ns))
    result = engine.run(*sources)
    assert [type(event) for event in result.events] == [Open, Chunk, End, Close, Open, Chunk, End, Close]
    assert [close.reason for close in result.of(Close)] == ["end", "end"]
    assert [opened.source for opened in result.of(Open)] == sources


def test_a_file_without_packets_changes_nothing_between_two_that_continue(engine):
    sources = files(engine, timed(OPENED), [], timed([TALK.data(0, 1, b"more")], T0 + SECOND))
    assert engine.run(*sources).stream(0) == b"{more"


def test_a_file_of_another_time_has_other_fragments(engine):
    whole = TALK.data(0, 0, b"{" + b"x" * 39)
    head = bytearray(whole[:20])

    def part(place: int, data: bytes) -> bytes:
        head[2:4], head[4:6], head[6:8] = (20 + len(data)).to_bytes(2, "big"), b"\0\7", place.to_bytes(2, "big")
        return bytes(head) + data

    first, last = part(0x2000, whole[20:44]), part(3, whole[44:])
    for start_ns, segments in [(T0 + SECOND, 1), (T0 - SECOND, 0)]:
        assert engine.run(*files(engine, timed([first]), timed([last], start_ns))).stats["segments"] == segments


def test_closed_flows_keep_their_reason_at_the_end(engine):
    assert engine.packets(timed([*OPENED, TALK.fin(0, 1), TALK.fin(1, 0)])).close.reason == "fin"
    assert engine.packets(timed([*OPENED, TALK.rst(1, 0)])).close.reason == "rst"
    assert engine.packets(timed(OPENED)).close.reason == "end"


@pytest.mark.parametrize(
    ("addresses", "kind"),
    [((CLIENT, SERVER), b"\x08\x00"), ((bytes(15) + b"\1", bytes(15) + b"\2"), b"\x86\xdd")],
    ids=["IPv4", "IPv6"],
)
def test_many_workers_give_the_same_events_of_every_flow(engine, addresses, kind):
    talks = [Talk(ports=(port, 80), addresses=addresses) for port in range(2_000, 2_050)]
    frames = [bytes(12) + kind + talk.data(side, step, b"{") for step in range(3) for talk in talks for side in (0, 1)]
    results = [engine.packets(timed(frames), ETHERNET, workers=workers) for workers in (1, 4)]
    by_flow = []
    for result in results:
        flows: dict[int, list[tuple]] = {}
        for event in result.events:
            if not isinstance(event, End):
                fields = (
                    field for field in event[1:] if not isinstance(field, str)
                )  # the source's name is not the same
                flows.setdefault(event.flow, []).append((type(event).__name__, *fields))
        by_flow.append(sorted(flows.values(), key=lambda events: events[0]))
    assert by_flow[0] == by_flow[1]
    assert {name: results[0].stats[name] for name in results[0].stats} == results[1].stats
