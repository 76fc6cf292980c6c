"""A decoy beside each line, of the same place: what a receiver throws away, and what receivers read differently."""

from __future__ import annotations

import dataclasses
import struct

from tests.reliability.evasion.case import Cases, Expected, of
from tests.reliability.evasion.session import Decoy, after_each, before_each, in_time, junk, session
from tests.reliability.evasion.wire import ACK, FIN, PSH, SYN, URG, Segment

OVERLAP = "RFC 9293 section 3.10.7.4 does not say which copy of an octet counts; stacks differ (first, last, by place)"


def cases() -> Cases:
    yield from thrown_away()
    yield from every_checksum()
    yield from read_twice()
    yield from urgent()


def thrown_away() -> Cases:
    """Every receiver drops the decoy."""
    decoys: dict[str, tuple[Decoy, str]] = {
        "a wrong TCP checksum": (lambda one: [junk(one, tcp_sum_off=1)], "RFC 9293 section 3.1"),
        "a TCP checksum of zero off by many": (lambda one: [junk(one, tcp_sum_off=0x1234)], "RFC 9293 section 3.1"),
        "a wrong IP checksum": (lambda one: [junk(one, ip_sum_off=1)], "RFC 791 section 3.1"),
        "a header shorter than 20 bytes": (lambda one: [junk(one, header_words=4)], "RFC 9293 section 3.1"),
        "a header longer than the segment": (lambda one: [short_header(one)], "RFC 9293 section 3.1"),
        "two wrong checksums": (lambda one: [junk(one, tcp_sum_off=1), junk(one, tcp_sum_off=2)], "RFC 9293"),
    }
    for name, (decoy, why) in decoys.items():
        yield of("thrown away", f"{name}, before", before_each(session(), decoy), why=why)
        yield of("thrown away", f"{name}, after", after_each(session(), decoy), why=why)
    yield of(
        "thrown away",
        "a wrong checksum, with small pieces",
        before_each(session(piece=9), decoys["a wrong TCP checksum"][0]),
    )


def short_header(segment: Segment) -> Segment:
    return dataclasses.replace(junk(segment), data=segment.data[:8], header_words=15)


def every_checksum() -> Cases:
    """A capture made where the sender's card computes the sum has wrong ones throughout: nothing follows from them."""
    whole = session()
    both = [dataclasses.replace(one, tcp_sum_off=0x0F0F) for one in whole]
    yield of("offload", "every checksum is wrong", both, why="checksum offload on the capturing host")
    for side, name in enumerate(("miner", "pool")):
        found = [dataclasses.replace(one, tcp_sum_off=0x0F0F) if one.side == side else one for one in whole]
        yield of("offload", f"every checksum of the {name} is wrong", found, why="checksum offload on that host")
    data = [dataclasses.replace(one, tcp_sum_off=0x0F0F) if one.side == 0 and one.data else one for one in whole]
    yield of("offload", "every checksum of the miner's data is wrong", data, why="segmentation offload on that host")


def read_twice() -> Cases:
    """Receivers differ, or the receiver's distance and state decide: nobody on the way can know."""
    known: dict[str, tuple[Decoy, str]] = {
        "other bytes": (lambda one: [junk(one)], OVERLAP),
        "other bytes, low TTL": (lambda one: [junk(one, ttl=1)], "how far the receiver is is not in the capture"),
        "the first half with other bytes": (lambda one: [cut(junk(one), 0, 2)], OVERLAP),
        "the second half with other bytes": (lambda one: [cut(junk(one), 1, 2)], OVERLAP),
        "the middle with other bytes": (lambda one: [middle(junk(one))], OVERLAP),
        "other bytes, longer": (lambda one: [dataclasses.replace(junk(one), data=junk(one).data + b"~~")], OVERLAP),
        "other bytes with an old timestamp": (
            lambda one: [junk(one, options=stamp(1))],
            "RFC 7323 section 5: only where timestamps were agreed on",
        ),
        "other bytes with an MD5 signature": (
            lambda one: [junk(one, options=b"\x13\x12" + bytes(16))],
            "RFC 2385: only where a key was agreed on",
        ),
        "other bytes without ACK": (
            lambda one: [junk(one, flags=PSH)],
            "RFC 9293 section 3.10.7.4 drops it; old stacks did not",
        ),
        "other bytes that acknowledge what was never sent": (
            lambda one: [junk(one, ack=one.ack + 70_000)],
            "RFC 9293 section 3.10.7.4 drops it; old stacks did not",
        ),
        "other bytes with SYN": (
            lambda one: [junk(one, flags=SYN | ACK)],
            "RFC 5961 section 4 answers it; old stacks reset",
        ),
        "other bytes with FIN": (lambda one: [junk(one, flags=FIN | ACK | PSH)], OVERLAP),
        "other bytes with every flag": (lambda one: [junk(one, flags=0x29)], OVERLAP),
    }
    for name, (decoy, why) in known.items():
        yield of("two readings", f"{name}, before", before_each(session(), decoy), Expected.AMBIGUOUS, why)
    for name in (
        "other bytes",
        "the first half with other bytes",
        "other bytes, longer",
        "the middle with other bytes",
    ):
        decoy = known[name][0]
        yield of("two readings", f"{name}, after", after_each(session(), decoy), Expected.AMBIGUOUS, OVERLAP)
        yield of(
            "two readings", f"{name}, ahead of a hole", behind_a_hole(decoy, first=True), Expected.AMBIGUOUS, OVERLAP
        )
        # The longer decoy's last bytes come first where the next line should: no reading that is tried has its words.
        expected = Expected.DOUBTED if name == "other bytes, longer" else Expected.AMBIGUOUS
        yield of("two readings", f"{name}, into a hole", behind_a_hole(decoy, first=False), expected, OVERLAP)


def cut(segment: Segment, part: int, of_parts: int) -> Segment:
    size = len(segment.data) // of_parts
    return dataclasses.replace(
        segment, seq=segment.seq + part * size, data=segment.data[part * size : (part + 1) * size]
    )


def middle(segment: Segment) -> Segment:
    third = len(segment.data) // 3
    return dataclasses.replace(segment, seq=segment.seq + third, data=segment.data[third : 2 * third])


def stamp(value: int) -> bytes:
    """RFC 7323 section 3.2."""
    return struct.pack("!BBBBII", 1, 1, 8, 10, value, 1)


def behind_a_hole(decoy: Decoy, *, first: bool) -> list[Segment]:
    """Each line's first byte comes last: decoy and true bytes wait for it together."""
    found = []
    for segment in session():
        if len(segment.data) < 9:
            found.append(segment)
            continue
        rest = dataclasses.replace(segment, seq=segment.seq + 1, data=segment.data[1:])
        both = [*decoy(rest), rest] if first else [rest, *decoy(rest)]
        found += [*both, dataclasses.replace(segment, data=segment.data[:1])]
    return in_time(found)


def urgent() -> Cases:
    whole = session()
    for name, pointer in (("the last byte", None), ("nothing", 0), ("far ahead", 40_000)):
        found = [
            dataclasses.replace(one, flags=one.flags | URG, urgent=len(one.data) if pointer is None else pointer)
            if one.data
            else one
            for one in whole
        ]
        yield of("urgent", f"the pointer says {name}", found, why="RFC 6093: urgent data stays in the stream")
    mark = [(0, b"\0")]
    yield of(
        "urgent",
        "one urgent byte in the midst of a line",
        urgent_byte(mark[0][1]),
        Expected.AMBIGUOUS,
        "RFC 6093 section 3: some stacks take the urgent byte out of the stream",
    )


def urgent_byte(mark: bytes) -> list[Segment]:
    """A byte too many in the midst of each line of the miner, marked urgent: only out of the stream it makes sense."""
    shift = [0, 0]
    found = []
    for one in session():
        moved = dataclasses.replace(one, seq=one.seq + shift[one.side], ack=one.ack + shift[1 - one.side])
        if one.side == 0 and len(one.data) > 20:
            data = one.data[:10] + mark + one.data[10:]
            moved = dataclasses.replace(moved, data=data, flags=one.flags | URG, urgent=11)
            shift[0] += 1
        found.append(moved)
    return found
