"""Sessions as bursts of bytes: what each end writes at once, with the TLS records in it. The step between what is said
(`talk`) and what stands in a capture (`wire`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.evaluation.sealing import APPLICATION, HEADER_BYTES, SUITES, Cutter
from tests.evaluation.talk import DOWN, UP, Talk

#: How lines that are written at once leave: in one record; each in its record, all in one segment; each in its own.
STYLES = ("one", "packed", "own")
#: What is written after something else follows it by so much, and by so much a byte; the writer's segments take less.
ROW_S, OCTET_S = 1e-4, 2e-8


class Profile(NamedTuple):
    """A pair of TLS stacks, and the real bytes of their handshake."""

    client: str
    server: str
    suite: str
    named: bool  # the hello has a server name
    flights: tuple[tuple[int, bytes], ...]  # side and bytes, in order; those behind the client's last are tickets

    @property
    def name(self) -> str:
        """As the tables show it."""
        return f"{self.client}-{self.server}-{self.suite}{'-sni' if self.named else ''}"


@dataclass(slots=True)
class Session:
    """A talk and how it is carried."""

    talk: Talk
    family: str
    profile: Profile | None  # None: the lengths are those of raw frames, without TLS
    style: str
    mss: int
    client: tuple[int, int]  # address as a number, port
    server: tuple[int, int]
    joined_s: float = 0.0  # the sensor sees it from then on; 0: from its opening
    isn: tuple[int, int] = (1, 1)


@dataclass(slots=True)
class Bursts:
    """Columns of many sessions' bursts and records."""

    session: list[int] = field(default_factory=list)
    side: list[int] = field(default_factory=list)
    at_s: list[float] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    record_burst: list[int] = field(default_factory=list)
    record_offset: list[int] = field(default_factory=list)
    record_type: list[int] = field(default_factory=list)
    record_length: list[int] = field(default_factory=list)
    literal: list[tuple[int, bytes]] = field(default_factory=list)  # burst, its first bytes
    hello: list[int] = field(default_factory=list)  # bursts that begin with a ClientHello

    def add(self, number: int, side: int, at_s: float) -> int:
        """A new, empty burst."""
        self.session.append(number)
        self.side.append(side)
        self.at_s.append(at_s)
        self.size.append(0)
        return len(self.size) - 1

    def record(self, burst: int, kind: int, length: int) -> None:
        """One more record at a burst's end."""
        self.record_burst.append(burst)
        self.record_offset.append(self.size[burst])
        self.record_type.append(kind)
        self.record_length.append(length)
        self.size[burst] += HEADER_BYTES + length


def lay_out(sessions: list[Session], rng: random.Random) -> Bursts:
    """Every burst of every session; times are seconds since the world's start."""
    bursts = Bursts()
    for number, session in enumerate(sessions):
        if session.profile is None:
            _raw(bursts, number, session)
        else:
            _sealed(bursts, number, session, session.profile, rng)
    return bursts


def _raw(bursts: Bursts, number: int, session: Session) -> None:
    for row in sorted(session.talk.rows, key=lambda row: row.at_s):
        if session.style == "own":
            for order, length in enumerate(row.lengths):
                burst = bursts.add(number, row.side, session.talk.start_s + row.at_s + order * 1e-4)
                bursts.size[burst] = length
        else:
            burst = bursts.add(number, row.side, session.talk.start_s + row.at_s)
            bursts.size[burst] = sum(row.lengths)


def _sealed(bursts: Bursts, number: int, session: Session, profile: Profile, rng: random.Random) -> None:
    talk, suite = session.talk, SUITES[profile.suite]
    opened_s, tickets_s, last = _handshake(bursts, number, session, profile)
    cutters = Cutter(suite, profile.client), Cutter(suite, profile.server)
    rows = sorted(talk.rows, key=lambda row: row.at_s)
    # The first words may leave with the client's Finished.
    together = suite.version == "1.3" and rows and rows[0].side == UP and rows[0].at_s < 1e-3
    open_burst = last if together and rng.random() < 0.3 else None
    free_s = opened_s
    for at, side, lengths in rows:
        # What is said in order stays so; up to TLS 1.2 nobody speaks before the server's Finished.
        first_s = tickets_s + 1e-4 if side == DOWN or suite.version == "1.2" else opened_s
        at_s = max(opened_s + at, first_s, free_s)
        free_s = at_s + ROW_S * len(lengths) + sum(lengths) * OCTET_S
        burst = open_burst if open_burst is not None else bursts.add(number, side, at_s)
        open_burst = None
        if session.style == "one" or len(lengths) == 1:
            for length in cutters[side].cut(sum(lengths)):
                bursts.record(burst, APPLICATION, length)
            continue
        for order, plain in enumerate(lengths):
            if order and session.style == "own":
                burst = bursts.add(number, side, at_s + order * ROW_S)
            for length in cutters[side].cut(plain):
                bursts.record(burst, APPLICATION, length)
    kind, length = suite.close_bytes
    closer = rng.randrange(2)
    bursts.record(bursts.add(number, closer, max(free_s, opened_s + talk.until_s) + 0.5), kind, length)


def _handshake(bursts: Bursts, number: int, session: Session, profile: Profile) -> tuple[float, float, int | None]:
    """Adds the flights; returns when the client was ready, when the last ticket came, and the client's last burst."""
    at_s, ready_s, last = session.talk.start_s, session.talk.start_s, None
    for side, content in profile.flights:
        if bursts.side and bursts.session[-1] == number and bursts.side[-1] != side:
            at_s += session.talk.rtt_s if side == DOWN else 2e-3
        burst = bursts.add(number, side, at_s)
        bursts.size[burst] = len(content)
        bursts.literal.append((burst, content))
        if side == UP:
            if last is None:
                bursts.hello.append(burst)
            ready_s, last = at_s + 5e-4, burst
        at_s += 2e-4
    return ready_s, at_s, last
