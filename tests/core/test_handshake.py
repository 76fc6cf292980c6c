"""One packet of a sender who sees nothing of a connection ends it never; a handshake that was answered does."""

from __future__ import annotations

import pytest

from sensor.model.events import Close, Open
from tests.core.captures import ACK, FIN, RST, SECOND, SYN, T0, Talk, timed

TALK = Talk()
NEW = Talk(initial=(77_000, 88_000))
OPENED = [*TALK.handshake(), TALK.data(0, 0, b"{")]


def after(frames: list[bytes], wait_s: float = 6) -> list[tuple[int, bytes]]:
    """What comes so long after the opened connection."""
    return [*timed(OPENED, step_ns=0), *timed(frames, T0 + int(wait_s * SECOND))]


def reasons(result) -> list[str]:
    return [close.reason for close in result.of(Close)]


def shares(first: int = 1) -> list[bytes]:
    return [TALK.data(0, first + number, b"s", acked=0) for number in range(5)]


STRAYS = {
    "a SYN": [NEW.packet(0, SYN, 77_000)],
    "a SYN of the other side": [NEW.packet(1, SYN, 77_000)],
    "a SYN with data": [NEW.packet(0, SYN, 77_000, payload=b'{"id":1}')],
    "many SYNs": [NEW.packet(0, SYN, 77_000 + number) for number in range(10)],
    "a SYN-ACK": [NEW.packet(1, SYN | ACK, 88_000, 77_001)],
    "a SYN-ACK of the miner's side": [NEW.packet(0, SYN | ACK, 77_000, 88_001)],
    "a SYN, and a SYN-ACK of another": [NEW.packet(0, SYN, 77_000), NEW.packet(1, SYN | ACK, 88_000, 77_002)],
    "a SYN, and data after it": [NEW.packet(0, SYN, 77_000), NEW.data(0, 0, b"")],
    "a SYN and a reset of it": [NEW.packet(0, SYN, 77_000), NEW.packet(1, RST | ACK, 0, 77_001)],
    "resets": [TALK.packet(side, RST, 500_000) for side in (0, 1)],
    "resets within the window": [TALK.rst(0, 700), TALK.rst(1, 700)],
    "FINs": [TALK.packet(side, FIN | ACK, 500_000) for side in (0, 1)],
}


@pytest.mark.parametrize("name", STRAYS)
def test_a_tracked_connection_outlives_strays(engine, name):
    for wait_s in (0, 6, 1_000):
        result = engine.packets(after([*STRAYS[name], *shares(), TALK.fin(0, 6), TALK.fin(1, 0)], wait_s))
        assert (len(result.of(Open)), reasons(result)) == (1, ["fin"])
        assert result.stream(0) == b"{sssss"
        strays = result.stats["stray_handshakes"] + result.stats["stray_endings"]
        assert strays == len(STRAYS[name]) - ("after" in name)


@pytest.mark.parametrize("wait_s", [0, 6])
@pytest.mark.parametrize("before", [[], [NEW.packet(0, SYN, 5)]])
def test_an_answered_handshake_begins_a_new_connection(engine, wait_s, before):
    frames = [*before, *NEW.handshake(), NEW.data(0, 0, b"{new"), NEW.data(1, 0, b"reply")]
    result = engine.packets(after(frames, wait_s))
    assert reasons(result) == ["reused", "end"]
    assert (result.stream(0), result.stream(1)) == (b"{{new", b"reply")
    assert (result.stats["flows_reused"], result.stats["stray_handshakes"]) == (1, len(before))
    opened, close = result.of(Open)[1], result.of(Close)[1]
    assert opened.first_ns == T0 + wait_s * SECOND + len(before) * 1_000_000
    assert (opened.basis, close.packets) == ("syn", (3, 2))
    assert result.of(Close)[0].last_ns == T0


def test_a_connection_seen_from_one_side_ends_where_its_sender_goes_on_from_the_new_syn(engine):
    first, third = TALK.handshake()[0], TALK.handshake()[2]
    frames = [NEW.packet(0, SYN, 77_000), NEW.data(0, 0, b""), NEW.data(0, 0, b"{new")]
    packets = [*timed([first, third, TALK.data(0, 0, b"{")], step_ns=0), *timed(frames, T0 + SECOND)]
    result = engine.packets(packets)
    assert (reasons(result), result.stream(0)) == (["reused", "end"], b"{{new")
    lonely = engine.packets([*packets[:-2], (T0 + 2 * SECOND, TALK.data(0, 1, b"s"))])
    assert (reasons(lonely), lonely.stream(0), lonely.stats["stray_handshakes"]) == (["end"], b"{s", 1)


def test_a_syn_sent_before_the_connection_hides_nothing_of_it(engine):
    frames = [NEW.packet(0, SYN, 5), NEW.packet(1, SYN | ACK, 6, 7), *OPENED, TALK.data(1, 0, b"reply"), *shares()]
    result = engine.packets(timed(frames))
    assert (result.stream(0), result.stream(1)) == (b"{sssss", b"reply")


def test_a_syn_ack_that_acknowledges_the_syn_outranks_one_before_it(engine):
    client, server = TALK.initial
    frames = [TALK.packet(1, SYN | ACK, 5, 9), *OPENED, TALK.data(1, 0, b"reply")]
    result = engine.packets(timed(frames))
    assert (result.stream(0), result.stream(1)) == (b"{", b"reply")
    assert (result.open.basis, client, server) == ("syn", 1_000, 9_000)


def test_both_sides_may_send_a_syn_at_once(engine):
    client, server = TALK.initial
    both = [
        TALK.packet(0, SYN, client),
        TALK.packet(1, SYN, server),
        TALK.packet(0, SYN | ACK, client, server + 1),
        TALK.packet(1, SYN | ACK, server, client + 1),
    ]
    result = engine.packets(timed([*both, TALK.data(0, 0, b"{"), TALK.data(1, 0, b"reply")]))
    assert (result.stream(0), result.stream(1)) == (b"{", b"reply")
    assert result.stats["stray_handshakes"] == 0


@pytest.mark.parametrize(
    "frame",
    [TALK.rst(0, 1), TALK.rst(1, 0), TALK.packet(1, RST, 9_006), TALK.rst(0, 2)],
    ids=["the miner's", "the pool's", "at what the miner acknowledged", "behind a FIN"],
)
def test_a_reset_at_the_number_that_is_expected_ends_the_connection(engine, frame):
    result = engine.packets(after([TALK.data(0, 1, b"", acked=5), frame]))
    assert (result.close.reason, result.stats["stray_endings"]) == ("rst", 0)


def test_a_reset_ends_a_connection_refused(engine):
    frames = [TALK.packet(0, SYN, 1_000), TALK.packet(1, RST | ACK, 0, 1_001), *NEW.handshake()[:1]]
    result = engine.packets(timed([*frames, NEW.data(0, 0, b"{")]))
    assert (result.stats["flows_reused"], result.stats["stray_endings"]) == (1, 0)


def test_of_the_syns_that_wait_the_oldest_is_given_up(engine):
    talks = [Talk(ports=(1_000 + number, 80)) for number in range(4_097)]
    news = [Talk(ports=talk.ports, initial=(77_000, 88_000)) for talk in talks]
    frames = [*(talk.data(side, 0, b"x") for talk in talks for side in (0, 1)), *(new.handshake()[0] for new in news)]
    frames += [new.handshake()[1] for new in (news[0], news[1])]
    result = engine.packets(timed(frames, step_ns=1_000))
    assert (result.stats["flows_reused"], result.stats["stray_handshakes"]) == (1, 2 + 4_095)
