"""Datagrams in fragments, in and out of order, with decoys: RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence

from tests.reliability.evasion.case import Case, Cases, Expected
from tests.reliability.evasion.session import junk, session
from tests.reliability.evasion.wire import (
    IPV4,
    IPV6,
    TCP,
    Frame,
    Segment,
    addresses_of,
    ethernet,
    ipv4,
    ipv6,
    packet4,
    packet6,
    tcp,
)

FRAGMENT = 44
#: Offset in bytes, whether more follow, and the bytes.
Part = tuple[int, bool, bytes]
Order = Callable[[list[Part], list[Part]], Sequence[Part]]


def parts(data: bytes, size: int) -> list[Part]:
    return [(at, at + size < len(data), data[at : at + size]) for at in range(0, len(data), size)]


def fragments4(segment: Segment, identity: int, found: Sequence[Part]) -> list[Frame]:
    addresses = addresses_of(segment.side)
    return [
        (
            segment.at_us + place,
            ethernet(ipv4(addresses, TCP, data, place=(more << 13) | at // 8, identity=identity), IPV4),
        )
        for place, (at, more, data) in enumerate(found)
    ]


def fragments6(segment: Segment, identity: int, found: Sequence[Part]) -> list[Frame]:
    addresses = addresses_of(segment.side, six=True)
    return [
        (
            segment.at_us + place,
            ethernet(ipv6(addresses, FRAGMENT, struct.pack("!BBHI", TCP, 0, at | more, identity) + data), IPV6),
        )
        for place, (at, more, data) in enumerate(found)
    ]


def in_order(true: list[Part], _decoys: list[Part]) -> Sequence[Part]:
    return true


def shuffle(true: list[Part], _decoys: list[Part]) -> Sequence[Part]:
    return random.Random(len(true)).sample(true, len(true))


def hidden_among(true: list[Part], decoys: list[Part]) -> Sequence[Part]:
    """A decoy of each middle fragment before the true one, and the first fragment last: none is complete early."""
    return [*(one for pair in zip(decoys[1:], true[1:], strict=True) for one in pair), true[0]]


def hidden_after(true: list[Part], decoys: list[Part]) -> Sequence[Part]:
    return [*(one for pair in zip(true[1:], decoys[1:], strict=True) for one in pair), true[0]]


ORDERS: dict[str, tuple[Order, Expected, str]] = {
    "in order": (in_order, Expected.EXACT, ""),
    "backwards": (lambda true, _: true[::-1], Expected.EXACT, ""),
    "shuffled": (shuffle, Expected.EXACT, ""),
    "each twice": (lambda true, _: [one for one in true for _ in range(2)], Expected.EXACT, ""),
    "the last first": (lambda true, _: [true[-1], *true[:-1]], Expected.EXACT, ""),
    "decoys before": (
        hidden_among,
        Expected.AMBIGUOUS,
        "RFC 791 section 3.2 uses the newer copy, and hosts differ; RFC 5722 throws an IPv6 datagram away",
    ),
    "decoys after": (
        hidden_after,
        Expected.AMBIGUOUS,
        "RFC 791 section 3.2 uses the newer copy, and hosts differ; RFC 5722 throws an IPv6 datagram away",
    ),
}


def mirrored(parts_of: list[Part]) -> list[Part]:
    """Each fragment with its words the other way round: the datagram's checksum is as right as that of the true one."""
    turned = []
    for at, more, data in parts_of:
        words = [data[place : place + 2] for place in range(0, len(data), 2)]
        turned.append((at, more, b"".join(reversed(words)) if len(data) % 2 == 0 else data))
    return turned


def cases() -> Cases:
    for size in (8, 16, 24, 64):
        yield cut_up("in order", size, six=False)
        yield cut_up("in order", size, six=True)
    for name in list(ORDERS)[1:]:
        yield cut_up(name, 24, six=False)
        yield cut_up(name, 24, six=True)
    for name in ("decoys before", "decoys after"):
        for six in (False, True):
            yield cut_up(name, 24, six=six, sums=True)
    yield atomic()
    yield never_whole()
    yield interleaved()


def cut_up(name: str, size: int, *, six: bool, sums: bool = False) -> Case:
    """`sums`: the decoys have right checksums."""
    order, expected, why = ORDERS[name]
    make = fragments6 if six else fragments4
    found: list[Frame] = []
    for identity, segment in enumerate(session(), 1):
        if not segment.data:
            found.append((segment.at_us, ethernet(*(packet6 if six else packet4)(segment))))
            continue
        addresses = addresses_of(segment.side, six=six)
        true, decoys = (parts(tcp(one, addresses), size) for one in (segment, junk(segment)))
        found += make(segment, identity, order(true, mirrored(true) if sums else decoys))
    name += ", checksums right" if sums else ""
    return Case("fragments", f"IPv{6 if six else 4}, {size} bytes, {name}", found, expected, why)


def atomic() -> Case:
    """RFC 6946: a fragment header on a whole datagram."""
    found = []
    for segment in session():
        data = tcp(segment, addresses_of(segment.side, six=True))
        found += fragments6(segment, 5, [(0, False, data)])
    return Case("fragments", "IPv6, a whole datagram with a fragment header", found, why="RFC 6946")


def never_whole() -> Case:
    """Beside the session, from the same ends, thousands of first fragments that nothing follows."""
    found: list[Frame] = []
    for number, segment in enumerate(session()):
        found.append((segment.at_us, ethernet(*packet4(segment))))
        data = tcp(segment, addresses_of(segment.side))[:16]
        for more in range(20):
            found += fragments4(segment, 1_000 + number * 20 + more, [(0, True, data)])
    return Case("fragments", "IPv4, twenty unfinished datagrams beside each segment", found)


def interleaved() -> Case:
    """Fragments of four consecutive segments come in turn."""
    found: list[Frame] = []
    waiting: list[list[Frame]] = []
    for identity, segment in enumerate(session(), 1):
        data = tcp(segment, addresses_of(segment.side))
        waiting.append(fragments4(segment, identity, parts(data, 24)))
        if len(waiting) == 4:
            found += in_turn(waiting)
            waiting = []
    return Case("fragments", "IPv4, four datagrams in turn", [*found, *in_turn(waiting)])


def in_turn(waiting: list[list[Frame]]) -> list[Frame]:
    longest = max((len(one) for one in waiting), default=0)
    return [one[place] for place in range(longest) for one in waiting if place < len(one)]
