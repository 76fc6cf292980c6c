"""What the headers of a direction tell of its sender: acknowledgements that move, packets that come by one way."""

from __future__ import annotations

import struct

import pytest

from sensor.model.events import PathFacts
from tests.core.captures import ACK, RST, Talk, checksum, timed

TALK = Talk()
HELLO = TALK.handshake()
ETHERNET = 1


def path_of(result, direction: int = 0) -> PathFacts:
    return result.close.paths[direction]


def acks_of(*acked: int) -> list[bytes]:
    """The client's lines, each acknowledging so much of the server's stream; nothing of the server is in sight."""
    return [TALK.data(0, number, b"{", acked=bytes_) for number, bytes_ in enumerate(acked)]


@pytest.mark.parametrize(
    ("acked", "advances", "acked_bytes"),
    [
        ([0, 0, 0, 0], 0, 0),
        ([0, 40, 40, 90], 2, 90),
        ([7, 8, 3, 8, 9], 2, 2),
        ([0, 1 << 30, (1 << 30) + 1], 2, (1 << 30) + 1),
        ([0, (1 << 30) + 1, 5], 1, 5),
    ],
)
def test_acknowledgements_that_move_forward_are_counted(engine, acked, advances, acked_bytes):
    result = engine.packets(timed(acks_of(*acked)))
    assert path_of(result) == PathFacts(advances, acked_bytes, 0, 0)
    assert path_of(result, 1) == PathFacts(0, 0, 0, 0)


def test_a_chunk_states_what_its_sender_had_acknowledged_by_then(engine):
    result = engine.packets(timed([*acks_of(0, 40), TALK.data(1, 0, b"reply", acked=2), *acks_of(40, 40, 90)[2:]]))
    assert [(chunk.direction, chunk.ack_advances, chunk.acked_bytes) for chunk in result.chunks] == [
        (0, 0, 0),
        (0, 1, 40),
        (1, 0, 0),
        (0, 2, 90),
    ]


def test_acknowledgements_move_over_the_turn_of_the_numbers(engine):
    talk = Talk(initial=(5, 0xFFFFFFF0))
    frames = [talk.data(0, number, b"{", acked=acked) for number, acked in enumerate([0, 10, 20, 30])]
    assert path_of(engine.packets(timed(frames))) == PathFacts(3, 30, 0, 0)


def test_an_acknowledgement_without_payload_counts_and_a_reset_does_not(engine):
    frames = [*acks_of(0), TALK.data(0, 1, b"", acked=9), TALK.data(0, 1, b"", acked=50, flags=ACK | RST)]
    assert path_of(engine.packets(timed(frames))) == PathFacts(1, 9, 0, 0)


def of_ttl(frame: bytes, ttl: int) -> bytes:
    head = frame[:8] + bytes([ttl]) + frame[9:10] + bytes(2) + frame[12:20]
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + frame[20:]


def from_mac(frame: bytes, last: int) -> bytes:
    return bytes(6) + bytes([2, 0, 0, 0, 0, last]) + b"\x08\x00" + frame


def test_packets_that_come_another_way_are_counted_each_way(engine):
    client = [from_mac(of_ttl(frame, ttl), mac) for frame, ttl, mac in zip(
        acks_of(0, 0, 0, 0, 0), [64, 64, 61, 61, 64], [1, 1, 2, 1, 1], strict=True
    )]  # fmt: skip
    server = [from_mac(of_ttl(TALK.data(1, number, b"x"), 50), 9) for number in range(3)]
    result = engine.packets(timed([*client, *server]), ETHERNET)
    assert result.close.paths == (PathFacts(0, 0, 2, 2), PathFacts(0, 0, 0, 0))
