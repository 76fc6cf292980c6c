"""Segments cut, shuffled, delayed and sent again. All of it happens without any malice; nothing may be lost."""

from __future__ import annotations

import dataclasses
import random

from tests.reliability.evasion.case import Case, Cases, Expected, of
from tests.reliability.evasion.session import Decoy, Stack, before_each, goodbye, handshake, in_time, session, talk
from tests.reliability.evasion.wire import ACK, PSH, Segment


def cases() -> Cases:
    yield from cut()
    yield from shuffled()
    yield from overtaken()
    yield from repeated()


def cut() -> Cases:
    for piece in (1, 2, 3, 5, 7, 8, 13, 16, 31, 64, 100, 1_400):
        yield of("cut", f"{piece} bytes a segment", session(piece=piece))
    for seed in range(3):
        yield of("cut", f"random places, seed {seed}", session(random_pieces(seed)))
    yield of(
        "cut",
        "the end of a line alone",
        session([(side, part) for side, line in talk() for part in (line[:-1], line[-1:])]),
    )
    yield of("cut", "several lines a segment", session(gathered()))
    yield of("cut", "a line's end and the next line's begin together", session(straddling()))
    yield of("cut", "requests ahead of their answers", session(ahead()))


def random_pieces(seed: int) -> list[tuple[int, bytes]]:
    draw = random.Random(seed)
    found = []
    for side, line in talk():
        while line:
            size = draw.randint(1, 40)
            found.append((side, line[:size]))
            line = line[size:]
    return found


def gathered() -> list[tuple[int, bytes]]:
    """Consecutive lines of a side in one write."""
    found: list[tuple[int, bytes]] = []
    for side, line in talk():
        if found and found[-1][0] == side:
            found[-1] = (side, found[-1][1] + line)
        else:
            found.append((side, line))
    return found


def straddling() -> list[tuple[int, bytes]]:
    """Each side's stream in pieces of 90 bytes, wherever its lines end."""
    found: list[tuple[int, bytes]] = []
    rest = [b"", b""]
    for side, line in talk():
        rest[side] += line
        while len(rest[side]) >= 90:
            found.append((side, rest[side][:90]))
            rest[side] = rest[side][90:]
    return [*found, *((side, data) for side, data in enumerate(rest) if data)]


def ahead() -> list[tuple[int, bytes]]:
    """The handshake as it was, then shares in groups of four before any is answered."""
    lines = talk()
    first, shares = lines[:6], lines[6:]
    groups = [shares[at : at + 8] for at in range(0, len(shares), 8)]
    return [*first, *(one for group in groups for side in (0, 1) for one in group if one[0] == side)]


def moved(segments: list[Segment], within: int, seed: int, sides: tuple[int, ...] = (0, 1)) -> list[Segment]:
    """Every segment of `sides` up to `within` places from where it was."""
    draw = random.Random(seed)
    places = [place + (draw.random() * within if one.side in sides else 0) for place, one in enumerate(segments)]
    return in_time([segments[at] for at in sorted(range(len(segments)), key=places.__getitem__)])


def shuffled() -> Cases:
    whole = session()
    for within in (2, 4, 8):
        for seed in range(3):
            yield of("order", f"within {within} segments, seed {seed}", moved(whole, within, seed))
        for side, name in enumerate(("miner", "pool")):
            yield of("order", f"only the {name}'s, within {within}", moved(whole, within, 7, (side,)))
    bytewise = session(piece=20)
    for seed in range(3):
        yield of("order", f"20 bytes a segment, within 8, seed {seed}", moved(bytewise, 8, seed))
    yield of("order", "each line's pieces backwards", backwards(30))
    yield of("order", "each line's single bytes backwards", backwards(1))


def backwards(piece: int) -> list[Segment]:
    """The pieces of each line last first, then its acknowledgement."""
    stack = Stack()
    found = handshake(stack)
    for side, line in talk():
        pieces = [stack.segment(side, ACK | PSH, line[at : at + piece]) for at in range(0, len(line), piece)]
        found += [*reversed(pieces), stack.segment(1 - side, ACK)]
    return in_time([*found, *goodbye(stack)])


def overtaken() -> Cases:
    """One port of a tap is read later than the other: acknowledgements come before what they acknowledge."""
    whole = session()
    for side, name in enumerate(("miner", "pool")):
        for later in (1, 2, 3, 5, 8):
            places = [place + (later + 0.5 if one.side == side else 0) for place, one in enumerate(whole)]
            order = sorted(range(len(whole)), key=places.__getitem__)
            yield of("two ports", f"the {name}'s {later} segments late", in_time([whole[at] for at in order]))


def repeated() -> Cases:
    whole = session()
    yield of("again", "every segment twice", in_time([one for one in whole for _ in range(2)]))
    yield of("again", "every segment three times", in_time([one for one in whole for _ in range(3)]))
    yield of("again", "a segment five segments later", later_again(whole, 5))
    yield of("again", "a segment forty segments later", later_again(whole, 40))
    yield of("again", "the first half of each first", before_each(whole, halved(0)))
    yield of("again", "the second half of each first", before_each(whole, halved(1)))
    yield of("again", "the middle of each first", before_each(whole, halved(2)))
    yield of("again", "keep-alives without data", before_each(whole, alive(b"")), why="RFC 9293 section 3.8.4")
    yield of(
        "again", "keep-alives with one byte of anything", before_each(whole, alive(b"\0")), why="RFC 9293 section 3.8.4"
    )
    yield of("again", "each line sent again in one segment with the next", in_time(grown(whole)))
    yield lost()


def later_again(segments: list[Segment], later: int) -> list[Segment]:
    found = []
    for place, segment in enumerate(segments):
        found.append(segment)
        if place >= later and segments[place - later].data:
            found.append(segments[place - later])
    return in_time(found)


def halved(part: int) -> Decoy:
    """The first half, the second, or the middle of a segment, as a segment of its own."""

    def decoy(segment: Segment) -> list[Segment]:
        half = len(segment.data) // 2
        begin, end = ((0, half), (half, len(segment.data)), (half // 2, half + half // 2))[part]
        return [dataclasses.replace(segment, seq=segment.seq + begin, data=segment.data[begin:end])]

    return decoy


def alive(data: bytes) -> Decoy:
    """A keep-alive: one number before what the other side expects."""

    def decoy(segment: Segment) -> list[Segment]:
        return [dataclasses.replace(segment, seq=segment.seq - 1, data=data, flags=ACK)]

    return decoy


def lost() -> Case:
    """Ten segments of answers that no packet carried; the miner's own are all there."""
    whole = session()
    answers = [place for place, one in enumerate(whole) if one.side == 1 and b'"result":true' in one.data][5:15]
    left = [one for place, one in enumerate(whole) if place not in answers]
    return of("again", "ten answers never seen", in_time(left), Expected.COUNTED, "the capture lost them")


def grown(segments: list[Segment]) -> list[Segment]:
    """A segment begins with what its side sent before, as a stack does that joins what it sends again."""
    before: list[Segment | None] = [None, None]
    found = []
    for segment in segments:
        earlier = before[segment.side]
        if segment.data and earlier is not None:
            joined = dataclasses.replace(segment, seq=earlier.seq, data=earlier.data + segment.data)
            found.append(joined)
        else:
            found.append(segment)
        if segment.data:
            before[segment.side] = segment
    return found
