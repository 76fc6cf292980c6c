"""Stratum V2 over Noise is told at its fourth frame, however the frames are cut, joined and sent ahead; BIP 324, and
what begins with 64 random bytes, is not.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from sensor.dialects.flights import Flights
from sensor.dialects.stream.message import Message

#: (time in ns, side, bytes)
Sent = tuple[int, int, int]
MILLISECOND = 1_000_000


def told(pieces: Iterable[Sent], *, opened: bool = False) -> list[tuple[str, int]]:
    """The messages, each with the number of pieces it took; `opened`: the core has seen the first two flights."""
    flights, found = Flights(), []
    if opened:
        flights.note(0, 0, (64, 234))
    for number, (ts_ns, side, size) in enumerate(pieces, 1):
        flights.add(side, ts_ns, 0, bytes([0x5A]) * size)
        found += [(read.value["method"], number) for read in flights.seen() if isinstance(read, Message)]
    found += [(read.value["method"], 0) for read in flights.finish() if isinstance(read, Message)]
    return found


def cut(rng: random.Random, sent: Iterable[Sent]) -> list[Sent]:
    """Each burst in pieces of any size."""
    found = []
    for ts_ns, side, size in sent:
        left = size
        while left:
            piece = rng.choice([left, rng.randint(1, left), min(left, 1)])
            found.append((ts_ns + len(found), side, piece))
            left -= piece
    return found


def session(rng: random.Random, *, ahead: bool, joined: bool) -> list[Sent]:
    """A handshake, a channel, and shares. `ahead`: the client does not wait for answers; `joined`: the server sends
    all it has at once."""
    setup, channel = 54 + rng.randint(20, 200), 79 + rng.randint(1, 120)
    opened, job, previous = 83 + rng.randint(1, 32), rng.choice([83, 87]), 86
    at, found = 0, [(0, 0, 64), (30 * MILLISECOND, 1, 234)]
    at = 60 * MILLISECOND
    if ahead:
        answers = [44, opened, job, previous]
        found += [(at, 0, setup), (at + 1, 0, channel)]
        at += 30 * MILLISECOND
        found += [(at, 1, sum(answers))] if joined else [(at + n, 1, size) for n, size in enumerate(answers)]
    else:
        found += [(at, 0, setup), (at + 30 * MILLISECOND, 1, 44), (at + 60 * MILLISECOND, 0, channel)]
        at += 90 * MILLISECOND
        found += [(at + n, 1, size) for n, size in enumerate([opened, job, previous])]
    for _ in range(6):
        at += 3_000 * MILLISECOND
        found += [(at, 0, rng.choice([62, 71])), (at + 30 * MILLISECOND, 1, rng.choice([58, 58 + 74, 58 + 86]))]
    return found


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("pieces", [False, True])
@pytest.mark.parametrize("ahead", [False, True])
def test_every_session_is_told_at_its_fourth_frame(ahead, pieces, opened):
    rng = random.Random(4)
    for _ in range(500):
        sent = session(rng, ahead=ahead, joined=False)
        fourth = 5 if ahead else 4
        chosen = sent[2:] if opened else sent
        assert told(chosen, opened=opened) == [("NoiseHandshake", fourth - (2 if opened else 0))]
        if pieces:
            bursts = [(at, side, size) for at, side, size in sent]
            begun = [(name, bool(number)) for name, number in told(cut(rng, bursts))]
            assert begun == [("NoiseHandshake", True)]


def test_where_the_success_is_joined_with_what_follows_the_next_bursts_decide():
    rng = random.Random(5)
    for _ in range(500):
        sent = session(rng, ahead=True, joined=True)
        ((name, number),) = told(cut(rng, sent) if rng.random() < 0.5 else sent)
        assert (name, bool(number)) == ("NoiseHandshake", True)


def bip_324(rng: random.Random, garbage: tuple[int, int]) -> list[Sent]:
    """Bitcoin's encrypted transport: keys and garbage, terminators (16) and version packets (20 and decoys), then
    messages of 20 bytes and more; `garbage` of initiator and responder."""
    contents = [1, 13, 33, 105, 121, 125, 9, 1 + 37 * rng.randint(1, 50), 25]
    found = [(0, 0, 64 + garbage[0])]
    if rng.random() < 0.5:
        found.append((30 * MILLISECOND, 1, 64 + garbage[1] + 36))
        server: list[int] = []
    else:
        found += [(30 * MILLISECOND, 1, 64 + garbage[1])]
        server = [36]
    at = 60 * MILLISECOND
    found.append((at, 0, 36 + 20 + rng.choice([105, 113, 121, 125])))
    found += [(at + 30 * MILLISECOND + number, 1, size) for number, size in enumerate(server)]
    for number in range(8):
        at += rng.choice([1, 40, 2_000]) * MILLISECOND
        found.append((at + number, rng.randrange(2), 20 + rng.choice(contents)))
    return found


def test_bip_324_is_none_in_ten_thousand_sessions():
    rng = random.Random(324)
    found = []
    for _ in range(10_000):
        sent = bip_324(rng, (rng.choice([0, rng.randrange(4_096)]), rng.randrange(4_096)))
        found += [name for name, _ in told(sent) if name == "NoiseHandshake"]
    assert found == []


def test_even_with_the_two_sizes_of_noise_bip_324_is_hardly_ever_taken_for_it():
    """The garbage that makes 234 bytes comes once in 4,096 times."""
    rng = random.Random(325)
    garbage = ((0, 134), (0, 170))
    taken = sum(
        any(name == "NoiseHandshake" for name, _ in told(bip_324(rng, rng.choice(garbage)))) for _ in range(10_000)
    )
    assert taken < 100


def test_what_begins_with_64_random_bytes_is_none_in_ten_thousand_sessions():
    rng = random.Random(64)
    for _ in range(10_000):
        sizes = [64, *(rng.randint(1, 1_400) for _ in range(9))]
        sent = [(number * 40 * MILLISECOND, number and rng.randrange(2), size) for number, size in enumerate(sizes)]
        assert told(sent) == []
