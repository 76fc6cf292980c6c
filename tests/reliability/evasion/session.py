"""One mining session as TCP segments: a miner of a known login sends forty shares, and the pool accepts each."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.reliability.evasion.wire import ACK, FIN, MINER, POOL, PSH, START_US, SYN, Ends, Segment

LOGIN, AGENT, SHARES = "acct.rack07-13", "cgminer/4.12.1", 40
#: A frame every 50 ms, so that a share comes each 0.2 s and nothing looks sent in one go.
STEP_US = 50_000
CLIENT_ISN, SERVER_ISN = 1_000, 9_000_000
MSS = 1_400
Talk = list[tuple[int, bytes]]


def talk(shares: int = SHARES, end: bytes = b"\n") -> Talk:
    """Who speaks (0 the miner), and the line with its end."""

    def line(side: int, value: object) -> tuple[int, bytes]:
        return side, json.dumps(value, separators=(",", ":")).encode() + end

    job = ["a", "ab" * 32, "01", "02", [], "20000000", "1a0ffff0", "689c3000", True]
    lines = [
        line(0, {"id": 1, "method": "mining.subscribe", "params": [AGENT]}),
        line(1, {"id": 1, "result": [[["mining.notify", "2"]], "f1b0dee5", 4], "error": None}),
        line(0, {"id": 2, "method": "mining.authorize", "params": [LOGIN, "x"]}),
        line(1, {"id": 2, "result": True, "error": None}),
        line(1, {"id": None, "method": "mining.set_difficulty", "params": [1024]}),
        line(1, {"id": None, "method": "mining.notify", "params": job}),
    ]
    for number in range(shares):
        share = [LOGIN, "a", f"{number:08x}", f"{0x689C3007 + number // 5:08x}", f"{0x0A1B2C3D + 977 * number:08x}"]
        lines.append(line(0, {"id": 4 + number, "method": "mining.submit", "params": share}))
        lines.append(line(1, {"id": 4 + number, "result": True, "error": None}))
    return lines


@dataclass
class Stack:
    """Both ends of a connection, to make segments in order."""

    following: list[int] = dataclasses.field(default_factory=lambda: [CLIENT_ISN, SERVER_ISN])
    at_us: int = START_US
    ends: Ends = (MINER, POOL)

    def segment(self, side: int, flags: int, data: bytes = b"", **more: int | bytes) -> Segment:
        """The next segment of a side, which moves its sequence number."""
        ack = self.following[1 - side] if flags & ACK else 0
        segment = Segment(side, flags, self.following[side], ack, data, self.at_us, ends=self.ends)
        self.following[side] += len(data) + (1 if flags & (SYN | FIN) else 0)
        self.at_us += STEP_US
        return dataclasses.replace(segment, **more)  # type: ignore[arg-type]


def handshake(stack: Stack) -> list[Segment]:
    return [stack.segment(0, SYN), stack.segment(1, SYN | ACK), stack.segment(0, ACK)]


def spoken(stack: Stack, lines: Iterable[tuple[int, bytes]], piece: int = MSS) -> list[Segment]:
    """Every line in pieces, each acknowledged by the other side when the line is over."""
    found = []
    for side, data in lines:
        found += [stack.segment(side, ACK | PSH, data[at : at + piece]) for at in range(0, len(data), piece)]
        found.append(stack.segment(1 - side, ACK))
    return found


def goodbye(stack: Stack) -> list[Segment]:
    return [stack.segment(0, FIN | ACK), stack.segment(1, FIN | ACK), stack.segment(0, ACK)]


def session(lines: Talk | None = None, piece: int = MSS, stack: Stack | None = None) -> list[Segment]:
    """The whole connection."""
    stack = stack or Stack()
    return [*handshake(stack), *spoken(stack, lines or talk(), piece), *goodbye(stack)]


#: What is sent beside a segment.
Decoy = Callable[[Segment], list[Segment]]


def in_time(segments: list[Segment]) -> list[Segment]:
    """The same segments with the times of their places."""
    return [dataclasses.replace(one, at_us=START_US + STEP_US * place) for place, one in enumerate(segments)]


def before_each(segments: list[Segment], decoy: Decoy) -> list[Segment]:
    """What `decoy` makes of a segment with data, sent before it."""
    return in_time([one for segment in segments for one in ([*decoy(segment), segment] if segment.data else [segment])])


def after_each(segments: list[Segment], decoy: Decoy) -> list[Segment]:
    return in_time([one for segment in segments for one in ([segment, *decoy(segment)] if segment.data else [segment])])


def junk(segment: Segment, **more: int | bytes) -> Segment:
    """A segment of the same place and length, with other bytes."""
    return dataclasses.replace(segment, data=bytes((byte ^ 0x15) | 0x40 for byte in segment.data), **more)  # type: ignore[arg-type]
