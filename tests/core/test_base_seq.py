"""A chunk's `base_seq` is the TCP sequence number of offset 0: its bytes are where dpkt reads them on the wire.

dpkt reads each packet by itself; every byte of every chunk is looked up at `base_seq + offset + n`, modulo 2^32.
"""

from __future__ import annotations

import io
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import dpkt
import pytest
from hypothesis import given

from sensor.model.events import Chunk, Open
from tests.core.captures import ACK, CLIENT, RST, SECOND, SERVER, SYN, T0, Packet, Talk, ipv4, ipv6, pcap, timed, udp
from tests.core.conftest import Result
from tests.core.test_assembler import SETTINGS, conversations, frames_of

TURN = 1 << 32
RAW, ETHERNET = 101, 1
CLIENT6, SERVER6 = bytes.fromhex("20010db8" + "00" * 11 + "01"), bytes.fromhex("20010db8" + "00" * 11 + "02")
#: Initial numbers of client and server: far from the turn, right before it, and such that it falls within the stream.
INITIALS = [(1_000, 9_000), (TURN - 1, TURN - 2), (TURN - 5, TURN - 3), (0, TURN - 12)]

OUTER = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
MACS = bytes.fromhex("020000000002020000000001")
#: What a packet is put into, by its ethertype; dpkt takes it out again.
LAYERS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "vlan": lambda kind, packet: MACS + b"\x81\x00\x00\x64" + kind + packet,
    "vlan in vlan": lambda kind, packet: MACS + b"\x88\xa8\x00\x0a\x81\x00\x00\x14" + kind + packet,
    "gre": lambda kind, packet: MACS + b"\x08\x00" + ipv4(*OUTER, 47, b"\x00\x00" + kind + packet),
    "gre with sequence numbers": lambda kind, packet: (
        MACS + b"\x08\x00" + ipv4(*OUTER, 47, b"\x10\x00" + kind + b"\x00\x00\x00\x07" + packet)
    ),
    "gre in vlan": lambda kind, packet: (
        MACS + b"\x81\x00\x00\x64\x86\xdd" + ipv6(SERVER6, CLIENT6, 47, b"\x00\x00" + kind + packet)
    ),
}

#: source address and port, destination address and port
Way = tuple[bytes, int, bytes, int]


def talks() -> Iterable[Talk]:
    for initial in INITIALS:
        yield Talk(initial=initial)
        yield Talk(initial=initial, addresses=(CLIENT6, SERVER6))


@pytest.fixture(params=talks(), ids=lambda talk: f"{talk.initial[0]:#x}-ipv{4 if len(talk.addresses[0]) == 4 else 6}")
def talk(request: pytest.FixtureRequest) -> Talk:
    return request.param


def sent(packets: Iterable[dpkt.ip.IP | dpkt.ip6.IP6]) -> dict[Way, dict[int, set[int]]]:
    """Every byte of TCP payload by its sequence number; a SYN takes the number before its data."""
    found: dict[Way, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for packet in packets:
        tcp = packet.data
        if isinstance(tcp, dpkt.tcp.TCP):
            start = tcp.seq + bool(tcp.flags & dpkt.tcp.TH_SYN)
            for at, byte in enumerate(tcp.data, start):
                found[packet.src, tcp.sport, packet.dst, tcp.dport][at % TURN].add(byte)
    return found


def read(packets: Iterable[Packet]) -> list[dpkt.ip.IP | dpkt.ip6.IP6]:
    return [dpkt.ip.IP(data) if data[0] >> 4 == 4 else dpkt.ip6.IP6(data) for _, data in packets]


def innermost(frame: dpkt.Packet) -> dpkt.ip.IP | dpkt.ip6.IP6:
    packet = frame.data
    while not isinstance(packet.data, dpkt.tcp.TCP):
        packet = packet.data
    return packet


def assert_in_place(result: Result, on_the_wire: dict[Way, dict[int, set[int]]]) -> int:
    """All bytes of all chunks of the ways that dpkt found are where it read them; how many chunks these were."""
    flows = {event.flow: event for event in result.of(Open)}
    compared = 0
    for chunk in result.chunks:
        flow = flows[chunk.flow]
        ends = (flow.orig_addr, flow.orig_port), (flow.resp_addr, flow.resp_port)
        found = on_the_wire.get((*ends[chunk.direction], *ends[1 - chunk.direction]))
        if flow.proto == 6 and found is not None:
            compared += 1
            for at, byte in enumerate(chunk.data, chunk.base_seq + chunk.offset):
                assert byte in found.get(at % TURN, ()), (chunk, at % TURN)
    return compared


def run(engine, packets: list[Packet], bases: dict[int, int], **options) -> Result:
    """What comes of the packets, once it is seen that every chunk is in place and has its direction's base."""
    result = engine.packets(packets, RAW, **options)
    assert assert_in_place(result, sent(read(packets))) == len(result.chunks) > 0
    assert {(chunk.direction, chunk.base_seq) for chunk in result.chunks} == set(bases.items())
    return result


def first_bytes(talk: Talk) -> dict[int, int]:
    """By direction: the number after the SYN's."""
    return {direction: (talk.initial[direction] + 1) % TURN for direction in (0, 1)}


def test_base_seq_plus_offset_is_the_sequence_number_of_the_packet_with_that_payload(engine, talk):
    payloads = [(0, 0, b"{one"), (1, 0, b"first"), (0, 4, b"two"), (1, 5, b"second"), (0, 7, b"three")]
    packets = timed([*talk.handshake(), *frames_of(talk, payloads)])
    result = run(engine, packets, first_bytes(talk))
    numbers = {packet.data.data: packet.data.seq for packet in read(packets) if packet.data.data}
    assert {chunk.data: (chunk.base_seq + chunk.offset) % TURN for chunk in result.chunks} == numbers


def test_midstream_offset_0_is_the_first_payload_seen_of_each_direction(engine, talk):
    payloads = [(0, 50, b"{one"), (1, 70, b"first"), (0, 54, b"two"), (1, 75, b"second")]
    bases = {0: (talk.initial[0] + 51) % TURN, 1: (talk.initial[1] + 71) % TURN}
    result = run(engine, timed(frames_of(talk, payloads)), bases)
    assert [chunk.offset for chunk in result.chunks] == [0, 0, 4, 5]


def test_midstream_a_gate_that_opens_later_leaves_offset_0_where_it_was(engine, talk):
    payloads = [(0, 50, b"x" * 40), (1, 70, b"y" * 40), (0, 90, b'"mining.'), (1, 110, b"late")]
    bases = {0: (talk.initial[0] + 51) % TURN, 1: (talk.initial[1] + 71) % TURN}
    result = run(engine, timed(frames_of(talk, payloads)), bases)
    assert [(chunk.direction, chunk.offset) for chunk in result.chunks] == [(0, 25), (1, 40)]


def test_midstream_bytes_from_before_the_first_seen_are_in_place_too(engine, talk):
    frames = frames_of(talk, [(0, 50, b"x" * 40), (0, 20, b'"mining.' + b"z" * 12), (0, 90, b"tail")])
    run(engine, timed(frames), {0: (talk.initial[0] + 51) % TURN})


def test_payload_before_its_own_syn_is_offset_0_and_the_syn_moves_nothing(engine, talk):
    frames = [talk.data(0, 3, b"{x"), talk.packet(0, SYN, talk.initial[0]), talk.data(0, 5, b"more")]
    run(engine, timed(frames), {0: (talk.initial[0] + 4) % TURN})


def test_another_syn_of_an_open_flow_moves_nothing(engine, talk):
    other = talk.packet(0, SYN, talk.initial[0] + 500)
    for frames in (
        [*talk.handshake(), other, talk.data(0, 0, b"{")],
        [*talk.handshake(), talk.data(0, 0, b"{"), other],
    ):
        run(engine, timed([*frames, talk.data(0, 1, b"more")]), {0: first_bytes(talk)[0]})


def test_data_of_a_syn_begins_after_it(engine, talk):
    frames = [talk.packet(0, SYN, talk.initial[0], payload=b"{fast"), talk.data(0, 5, b"open")]
    run(engine, timed(frames), {0: first_bytes(talk)[0]})


@pytest.mark.parametrize("layer", LAYERS)
def test_under_vlans_and_tunnels_it_is_of_the_innermost_packet(engine, talk, layer):
    kind = b"\x08\x00" if len(talk.addresses[0]) == 4 else b"\x86\xdd"
    payloads = [(0, 0, b"{one"), (1, 0, b"first"), (0, 9, b"three"), (0, 4, b"22222"), (1, 5, b"second")]
    frames = [LAYERS[layer](kind, packet) for packet in [*talk.handshake(), *frames_of(talk, payloads)]]
    result = engine.packets(timed(frames), ETHERNET)
    packets = [innermost(dpkt.ethernet.Ethernet(frame)) for frame in frames]
    assert assert_in_place(result, sent(packets)) == len(result.chunks) == 4
    assert {(chunk.direction, chunk.base_seq) for chunk in result.chunks} == set(first_bytes(talk).items())


def test_reordering_retransmission_and_gaps_change_nothing(engine, talk):
    payloads = [(0, 0, b"{"), (0, 4, b"def"), (0, 1, b"abc"), (0, 2, b"bcdefg"), (0, 20, b"after"), (1, 9, b"held")]
    frames = [*talk.handshake(), *frames_of(talk, payloads), talk.data(1, 0, b"", acked=25), talk.data(0, 25, b"end")]
    result = run(engine, timed(frames, step_ns=11 * SECOND), first_bytes(talk))
    assert [(chunk.direction, chunk.offset, chunk.gap) for chunk in result.chunks] == [
        (0, 0, 0), (0, 1, 0), (0, 7, 0), (0, 20, 12), (0, 25, 0), (1, 9, 9),
    ]  # fmt: skip


def test_a_missing_start_changes_nothing(engine, talk):
    frames = [*talk.handshake(), talk.data(0, 4, b"late"), talk.data(1, 0, b"{eply", acked=8)]
    assert run(engine, timed(frames), first_bytes(talk)).chunks[0].gap == 4


def test_a_spent_gate_that_opens_again_keeps_offset_0(engine, talk):
    payloads = [(0, 0, b"{" + b"x" * 99), (0, 100, b"s" * 300), (1, 0, b"y" * 40), (0, 400, b'skip"mining.'),
                (0, 412, b"more"), (1, 40, b"late")]  # fmt: skip
    options = {"openings": [(6, 0, [(0x7B, 0x7B)], 100)], "session_bytes": 200}
    result = run(engine, timed([*talk.handshake(), *frames_of(talk, payloads)]), first_bytes(talk), **options)
    assert [(chunk.offset, chunk.gap) for chunk in result.chunks] == [(0, 0), (385, 285), (412, 0), (40, 0)]


def test_after_a_shape_both_sides_keep_their_offset_0(engine, talk):
    payloads = [(0, 0, b"a"), (1, 0, b"bc"), (0, 1, b"next"), (1, 2, b"reply")]
    run(engine, timed([*talk.handshake(), *frames_of(talk, payloads)]), first_bytes(talk))


def test_the_next_use_of_the_ports_has_its_own(engine, talk):
    new = Talk(initial=(77_000, 88_000), addresses=talk.addresses)
    old = [*talk.handshake(), talk.data(0, 0, b"{old"), talk.packet(1, RST | ACK, talk.initial[1] + 1)]
    packets = [*timed(old), *timed([*new.handshake(), new.data(0, 0, b"{new")], T0 + SECOND)]
    result = engine.packets(packets, RAW)
    assert [(chunk.data, chunk.base_seq) for chunk in result.chunks] == [
        (b"{old", first_bytes(talk)[0]),
        (b"{new", 77_001),
    ]
    assert assert_in_place(result, sent(read(packets))) == 2


def test_a_stream_longer_than_the_numbers_keeps_it_after_each_turn(engine):
    """Ten segments half a gibibyte apart: five gibibytes of stream, all but the segments lost and acknowledged."""
    step, talk = 1 << 29, Talk()
    frames = [*talk.handshake(), talk.data(0, 0, b"{")]
    for number in range(1, 11):
        frames += [talk.data(0, number * step, b"%x" % number), talk.data(1, 0, b"", acked=number * step + 1)]
    result = run(engine, timed(frames, step_ns=11 * SECOND), {0: 1_001})
    assert result.chunks[-1].offset == 10 * step > TURN


@SETTINGS
@given(conversation=conversations(handshake=True))
def test_any_conversation_from_its_handshake_is_in_place(engine, conversation):
    talk, _, pieces = conversation
    packets = timed([*talk.handshake(), *frames_of(talk, pieces[:1] + pieces[2:])])  # the second is lost
    result = engine.packets(packets)
    assert assert_in_place(result, sent(read(packets))) == len(result.chunks)
    assert {(chunk.direction, chunk.base_seq) for chunk in result.chunks} <= set(first_bytes(talk).items())


@SETTINGS
@given(conversation=conversations(handshake=False))
def test_any_conversation_joined_midstream_is_in_place(engine, conversation):
    talk, _, pieces = conversation
    packets = timed(frames_of(talk, pieces))
    result = engine.packets(packets)
    assert assert_in_place(result, sent(read(packets))) == len(result.chunks)


def test_datagrams_have_none(engine):
    payload = bytes(97) + b"\x01\xc0"
    frames = [udp(CLIENT, SERVER, (5_000, 6_000), payload), udp(SERVER, CLIENT, (6_000, 5_000), payload)]
    assert [chunk.base_seq for chunk in engine.packets(timed(frames)).chunks] == [-1, -1]


def test_a_chunk_made_without_it_has_none():
    assert Chunk._fields[6] == "base_seq"
    assert Chunk(1, 0, 0, 0, 0, b"x").base_seq == -1


def ip_packets(path: Path) -> list[dpkt.ip.IP | dpkt.ip6.IP6]:
    """IP over Ethernet, as far as dpkt reads it; nothing of other captures."""
    content = path.read_bytes()
    try:
        reader = dpkt.pcap.UniversalReader(io.BytesIO(content))
        frames = [dpkt.ethernet.Ethernet(data).data for _, data in reader] if reader.datalink() == 1 else []
    except (ValueError, dpkt.UnpackError, struct.error):
        return []
    return [packet for packet in frames if isinstance(packet, dpkt.ip.IP | dpkt.ip6.IP6)]


@pytest.mark.shared
def test_chunks_of_real_captures_are_in_place(engine, shared):
    compared = 0
    for path in sorted((shared / "mining").iterdir()):
        packets = ip_packets(path)
        if packets:
            compared += assert_in_place(engine.run(str(path)), sent(packets))
    assert compared > 1_000


def test_two_cuts_of_one_connection_agree_where_both_saw_the_syn(engine):
    """What it is for: two sensors that lost different packets of one connection say the same number."""
    talk = Talk(initial=(TURN - 2, 7))
    whole = [*talk.handshake(), *frames_of(talk, [(0, 0, b"{a"), (1, 0, b"{b"), (0, 2, b"{c"), (1, 2, b"{d")])]
    first, second = (engine.bytes(pcap(timed(part), RAW)) for part in (whole[:5] + whole[6:], whole[:4] + whole[5:]))
    assert [{(chunk.direction, chunk.base_seq) for chunk in result.chunks} for result in (first, second)] == [
        set(first_bytes(talk).items())
    ] * 2
