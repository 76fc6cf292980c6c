"""Sessions of Stratum V2 over Noise by the sizes of their frames, and what is like them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from sensor.dialects.flights import Flights
from sensor.dialects.stream.message import Message

#: (time in ns, side, bytes)
Sent = tuple[int, int, int]
MILLISECOND = 1_000_000
#: What the core gives of a flow whose first two flights are Noise's (docs/border.md, "Prefilter", 4.).
BUDGET_BYTES = 8_192


def methods(pieces: Iterable[Sent]) -> list[str]:
    """The messages of a flow as the core shows it: nothing unless its first two flights have their sizes; then what
    follows, as far as the budget goes."""
    rest, sizes = list(pieces), [0, 0]
    while rest and sizes != [64, 234]:
        _, side, size = rest.pop(0)
        sizes[side] += size
    if sizes != [64, 234]:
        return []
    flights, found, budget = Flights(), [], BUDGET_BYTES
    flights.note(0, 0, (64, 234))
    for ts_ns, side, size in rest:
        if budget <= 0:
            break
        budget -= size
        flights.add(side, ts_ns, 0, bytes(size))
        found += [read.value["method"] for read in flights.seen() if isinstance(read, Message)]
    found += [read.value["method"] for read in flights.finish() if isinstance(read, Message)]
    return found


def is_taken(pieces: Iterable[Sent]) -> bool:
    """Whether it is taken for the whole handshake in the end."""
    found = methods(pieces)
    return "NoiseHandshake" in found and "NoiseRefuted" not in found


def mining(rng: random.Random, *, ahead: bool, joined: bool, bursts: int = 40, channels: int = 1) -> list[Sent]:
    """One with an extended channel: jobs whose branches come and go, shares, answers to each or to several. `ahead`:
    the client does not wait for answers; `joined`: what is sent at once is one piece; `channels`: how many."""
    user, share, coinbase = rng.randint(1, 120), 63 + rng.choice([4, 6, 8, 8, 8, 12]), rng.randint(90, 500)
    opened = 81 + rng.randint(4, 32)

    def job() -> int:
        return 57 + coinbase + 32 * rng.choice([10, 11, 11, 12])

    found: list[Sent] = [(0, 0, 64), (30 * MILLISECOND, 1, 234)]
    at = 60 * MILLISECOND

    def send(side: int, *sizes: int) -> None:
        pieces = [sum(sizes)] if joined else sizes
        found.extend((at + number * 1_000, side, size) for number, size in enumerate(pieces))

    send(0, 54 + rng.randint(10, 250), *([81 + user] if ahead else []))
    at += 30 * MILLISECOND
    if not ahead:
        send(1, 44)
        at += MILLISECOND
        send(0, 81 + user)
        at += 30 * MILLISECOND
    send(1, *([44] if ahead else []), opened, job(), 86)
    for _ in range(channels - 1):
        at += rng.choice([200, 5_000]) * MILLISECOND
        send(0, 81 + user + rng.randint(0, 2))
        at += 30 * MILLISECOND
        send(1, opened, job(), 86)
    batch = rng.choice([1, 1, 8])
    for number in range(bursts):
        at += round(rng.expovariate(1 / 8_000) + 300) * MILLISECOND
        if rng.random() < 0.4:
            send(1, *rng.choice([(job(),), (job(), 86), (74,), (job(),)]))
        else:
            send(0, *[share] * rng.choice([1, 1, 1, 1, 2]))
            at += 30 * MILLISECOND
            if number % batch == 0:
                send(1, rng.choice([58, 58, 58, 58, 58, 65]))
    return found


def near(rng: random.Random, most: int) -> list[Sent]:
    """Such a session, each size but the first off by up to so much."""
    sent = mining(rng, ahead=rng.random() < 0.5, joined=rng.random() < 0.5)
    return [
        (at, side, size + (rng.randint(-most, most) if number else 0)) for number, (at, side, size) in enumerate(sent)
    ]


def drawn(rng: random.Random, sizes: Callable[[], int], answer: Callable[[], int]) -> list[Sent]:
    """64 bytes, an answer, and 2 to 24 pieces of drawn sizes, in turns or not."""
    turns, at = rng.random() < 0.5, 40 * MILLISECOND
    found: list[Sent] = [(0, 0, 64), (at, 1, answer())]
    for number in range(rng.randint(2, 24)):
        at += rng.choice([1, 40, 400, 3_000]) * MILLISECOND
        found.append((at, number % 2 if turns or not number else rng.randrange(2), sizes()))
    return found


def few(rng: random.Random) -> Callable[[], int]:
    """One to four lengths."""
    lengths = [rng.randrange(20, 400) for _ in range(rng.randint(1, 4))]
    return lambda: rng.choice(lengths)
