"""How a connection begins and ends, and packets that say it does: SYN, FIN and RST, in and out of place."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from tests.reliability.evasion.case import Case, Cases, of
from tests.reliability.evasion.session import Stack, goodbye, handshake, in_time, session, spoken, talk
from tests.reliability.evasion.wire import ACK, FIN, PSH, RST, SYN, Segment

#: After the greeting and some shares: where a stray packet is put.
MIDDLE = 60


def cases() -> Cases:
    yield from beginnings()
    yield from numbers()
    yield from strays()
    yield from endings()


def beginnings() -> Cases:
    whole = session()
    yield of("begin", "no handshake", whole[3:])
    yield of("begin", "only the SYN", [whole[0], *whole[3:]])
    yield of("begin", "only the SYN-ACK", whole[1:])
    yield of("begin", "the SYN three times", [whole[0], whole[0], *whole])
    yield of("begin", "the SYN-ACK three times", [*whole[:2], whole[1], whole[1], *whole[2:]])
    yield of("begin", "the SYN after the SYN-ACK", [whole[1], whole[0], *whole[2:]])
    yield of("begin", "both SYNs at once", simultaneous(), why="RFC 9293 section 3.5, figure 8")
    yield of("begin", "the SYN-ACK split in an ACK and a SYN", split(), why="RFC 9293 section 3.5 allows it")
    yield of("begin", "the first line on the SYN", fast_open(), why="RFC 7413")
    yield of("begin", "a SYN without an answer, then the connection", retried())
    for sent in (SYN | FIN, SYN | RST):
        stray = Segment(0, sent, 77, 0, at_us=whole[0].at_us)
        yield of("begin", f"a SYN with flags {sent} before", in_time([stray, *whole]))


def simultaneous() -> list[Segment]:
    stack = Stack()
    first, second = stack.segment(0, SYN), stack.segment(1, SYN)
    stack_ack = [
        dataclasses.replace(first, flags=SYN | ACK, ack=stack.following[1]),
        dataclasses.replace(second, flags=SYN | ACK, ack=stack.following[0]),
    ]
    return in_time([first, second, *stack_ack, *spoken(stack, talk()), *goodbye(stack)])


def split() -> list[Segment]:
    stack = Stack()
    first = stack.segment(0, SYN)
    alone = stack.segment(1, ACK)
    return in_time([first, alone, stack.segment(1, SYN), stack.segment(0, SYN | ACK), *spoken_after_split(stack)])


def spoken_after_split(stack: Stack) -> list[Segment]:
    # The miner's SYN-ACK repeats its SYN: it takes no new number.
    stack.following[0] -= 1
    return [stack.segment(1, ACK), *spoken(stack, talk()), *goodbye(stack)]


def fast_open() -> list[Segment]:
    stack = Stack()
    lines = talk()
    first = stack.segment(0, SYN, lines[0][1])
    return in_time(
        [first, stack.segment(1, SYN | ACK), stack.segment(0, ACK), *spoken(stack, lines[1:]), *goodbye(stack)]
    )


def retried() -> list[Segment]:
    """The first SYN has another number; nobody answered it."""
    whole = session()
    return in_time([dataclasses.replace(whole[0], seq=555_000), *whole])


def numbers() -> Cases:
    for name, first in (("the miner's numbers", (0xFFFFFF00, 9_000_000)), ("the pool's numbers", (1_000, 0xFFFFFE00))):
        stack = Stack(following=list(first))
        yield of("numbers", f"{name} wrap", session(stack=stack))
    yield of(
        "numbers", "both sides' numbers wrap in the handshake", session(stack=Stack(following=[0xFFFFFFFF, 0xFFFFFFFF]))
    )
    yield of("numbers", "both begin at zero", session(stack=Stack(following=[0, 0])))
    yield of(
        "numbers",
        "they wrap with one byte a segment",
        session(piece=1, stack=Stack(following=[0xFFFFFE00, 0xFFFFFF80])),
    )


def put(stray: Iterable[Segment], silence_us: int = 0) -> list[Segment]:
    """The session with `stray` in its middle, after a silence."""
    whole = session()
    found = in_time([*whole[:MIDDLE], *stray, *whole[MIDDLE:]])
    return [
        one if place < MIDDLE else dataclasses.replace(one, at_us=one.at_us + silence_us)
        for place, one in enumerate(found)
    ]


def strays() -> Cases:
    whole = session()
    at = {side: next(one for one in whole[MIDDLE:] if one.side == side) for side in (0, 1)}
    for silence_s in (0, 10, 100):
        for side, name in enumerate(("miner", "pool")):
            syn = Segment(side, SYN, 123_456, 0)
            yield of("stray", f"a SYN from the {name}'s address after {silence_s} s", put([syn], silence_s * 1_000_000))
    yield of("stray", "a SYN with data", put([Segment(0, SYN, 123_456, 0, b'{"id":1}\n')]))
    yield of("stray", "a SYN in the window", put([Segment(0, SYN, at[0].seq + 500, 0)]), why="RFC 5961 section 4")
    yield of("stray", "a SYN-ACK that acknowledges nothing of it", put([Segment(1, SYN | ACK, 123_456, 42)]))
    yield of("stray", "ten SYNs", put([Segment(0, SYN, 1_000_003 * number, 0) for number in range(1, 11)]))
    for side, name in enumerate(("miner", "pool")):
        far = dataclasses.replace(at[side], seq=at[side].seq + (1 << 30), data=b"")
        near = dataclasses.replace(at[side], seq=at[side].seq + 700, data=b"")
        yield of("stray", f"a RST far from the {name}'s numbers", put([dataclasses.replace(far, flags=RST)]))
        yield of(
            "stray",
            f"a RST within the {name}'s window",
            put([dataclasses.replace(near, flags=RST)]),
            why="RFC 5961 section 3.2: only the exact number resets",
        )
        yield of("stray", f"a FIN far from the {name}'s numbers", put([dataclasses.replace(far, flags=FIN | ACK)]))
        yield of("stray", f"a FIN ahead of the {name}'s data", put([dataclasses.replace(near, flags=FIN | ACK)]))
    yield of(
        "stray", "data a window away", put([dataclasses.replace(at[0], seq=at[0].seq + (1 << 30) + 9, data=b"x" * 50)])
    )
    yield of("stray", "data long before", put([dataclasses.replace(at[0], seq=at[0].seq - 90_000, data=b"x" * 50)]))


def endings() -> Cases:
    whole = session()
    yield of("end", "no FIN", whole[:-3])
    yield of("end", "a RST", in_time([*whole[:-3], Segment(0, RST, whole[-3].seq, 0)]))
    yield of("end", "the FIN on the last line", last_line_ends(whole))
    yield of("end", "both sides' FIN three times", in_time([*whole, *whole[-3:], *whole[-3:]]))
    yield of("end", "the FIN before the last line", in_time([*whole[:-7], whole[-3], *whole[-7:-3], *whole[-2:]]))
    half = session()
    yield of("end", "the pool's FIN long before its last line", in_time([*half[:-7], whole[-2], *half[-7:]]))
    yield reused()


def last_line_ends(whole: list[Segment]) -> list[Segment]:
    """The pool's last line and its FIN in one segment."""
    last = max(place for place, one in enumerate(whole) if one.side == 1 and one.data)
    found = [*whole[:last], dataclasses.replace(whole[last], flags=ACK | PSH | FIN), *whole[last + 1 :]]
    return in_time([one for one in found if not (one.side == 1 and one.flags == FIN | ACK)])


def reused() -> Case:
    """Another connection of the same ends before: its numbers are others'."""
    before = Stack(following=[400_000_000, 700_000_000])
    earlier = [*handshake(before), *spoken(before, [(0, b"GET / HTTP/1.0\r\n\r\n"), (1, b"HTTP/1.0 404 No\r\n\r\n")])]
    return of(
        "end",
        "a new connection of the same ports after a RST",
        in_time([*earlier, Segment(1, RST | ACK, before.following[1], before.following[0]), *session()]),
    )
