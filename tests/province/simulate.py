"""The days of a province as frames in time order: machines that mine, pools that steer them, and some ordinary traffic.

Shares are a Poisson process of the true rate over the difficulty in force; no nonce is searched.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.province.connection import MILLISECOND_US, MINER, POOL, Connection, Timed
from tests.province.frames import Direction
from tests.province.roster import BLOCK_PORTS, HOUR_US, SECOND_US, Machine, Span
from tests.province.talk import Talk
from tests.province.truth import Truth

KEEP_ALIVE_US = 150 * SECOND_US
#: How long a connection lives, on average, and how one ends: by the miner, by the pool, or without a word.
LIFE_US = 12 * HOUR_US
ENDS, ENDS_OFTEN = ("closed", "reset", "silent"), (0.6, 0.25, 0.15)
REFUSED = 0.01
#: A pool looks at a machine's pace after so many shares, and changes the difficulty when it is off by this factor.
PACE_SHARES, PACE_FACTOR = 16, 1.7
#: What is still under way when the capture ends lies after it.
ORDINARY_AN_HOUR = 3


def frames(machines: Sequence[Machine], truth: Truth, seed: str, *, pace: float = 1.0) -> Iterator[Timed]:
    """All frames of the captured stretch in time order. `pace` stretches the pools' share intervals and job times."""
    sources = [_recorded(machine, truth, f"{seed} {machine.name}", pace) for machine in machines]
    yield from heapq.merge(*sources, _ordinary(truth.captured, f"{seed} ordinary"))


def _recorded(machine: Machine, truth: Truth, seed: str, pace: float) -> Iterator[Timed]:
    """What the capture has of a machine: nothing before it began, and not what it dropped."""
    drops = random.Random(f"{seed} drops")
    captured, latest_us = truth.captured, 0
    for at_us, frame in _Life(machine, truth, random.Random(seed), pace).frames():
        latest_us = max(latest_us, at_us)  # a connection's last words may come after the next one's first
        if captured.begin_us <= latest_us < captured.end_us and drops.random() >= machine.loss:
            yield latest_us, frame


@dataclass
class _Life:
    """A machine from its first connection to its last."""

    machine: Machine
    truth: Truth
    rng: random.Random
    pace: float

    def frames(self) -> Iterator[Timed]:
        """Every stretch in which it is switched on, connection after connection."""
        for span in self.machine.spans:
            now_us = span.begin_us + self.rng.randrange(90 * SECOND_US)
            while now_us < span.end_us:
                end_us, ports = self._line(now_us, span)
                wanted_us = now_us + int(self.rng.expovariate(1 / LIFE_US)) + 120 * SECOND_US
                connection = self._connect(now_us, ports)
                planned = wanted_us < end_us or end_us < span.end_us
                yield from self._connection(connection, min(wanted_us, end_us), planned=not planned)
                now_us = max(connection.now_us, min(wanted_us, end_us)) + self.rng.randrange(5, 60) * SECOND_US

    def _line(self, now_us: int, span: Span) -> tuple[int, range]:
        """Until when, and from which ports, the machine may connect."""
        for lease in self.machine.leases:
            if lease.span.begin_us <= now_us < lease.span.end_us:
                return min(span.end_us, lease.span.end_us), range(lease.first_port, lease.first_port + BLOCK_PORTS)
        return span.end_us, range(32_768, 60_999)

    def _connect(self, now_us: int, ports: range) -> Connection:
        machine, pool = self.machine, self.machine.pool
        other = pool.address6 if ":" in machine.address else pool.address
        miner = (machine.address, self.rng.choice(ports))
        return Connection(miner, (other, pool.port), now_us, self.rng, self.rng.randrange(15, 70))

    def _connection(self, connection: Connection, end_us: int, *, planned: bool) -> Iterator[Timed]:
        """One connection; a planned end is the machine's own."""
        talk = self.machine.talk(self.rng)
        yield from connection.open()
        steering = _Steering(self.machine, talk, self.pace, connection.now_us)
        for side, data in talk.greeting(steering.difficulty):
            yield from connection.say(side, data)
        yield from self._mine(connection, talk, steering, end_us)
        connection.now_us = max(connection.now_us, end_us)
        end = "closed" if planned else self.rng.choices(ENDS, ENDS_OFTEN)[0]
        if end == "closed":
            yield from connection.close()
        elif end == "reset":
            yield from connection.reset(POOL)

    def _mine(self, connection: Connection, talk: Talk, steering: _Steering, end_us: int) -> Iterator[Timed]:
        machine, rng, job_us = self.machine, self.rng, int(self.machine.pool.job_s * self.pace * SECOND_US)
        before_us = connection.now_us
        share_us, next_job_us = before_us + self._wait_us(talk, steering), before_us + rng.randrange(job_us)
        while True:
            at_us = min(share_us, next_job_us, end_us)
            self.truth.mined(machine, before_us, at_us)
            before_us = max(before_us, at_us)
            while at_us - connection.now_us > KEEP_ALIVE_US:
                connection.now_us += KEEP_ALIVE_US
                yield from connection.keep_alive(POOL)
            if at_us >= end_us:
                return
            connection.now_us = max(connection.now_us, at_us)
            if at_us == share_us:
                yield from self._share(connection, talk, steering)
                if steering.changes(connection.now_us):
                    yield from connection.say(POOL, talk.retarget(steering.difficulty))
                share_us = at_us + self._wait_us(talk, steering)
            else:
                yield from connection.say(POOL, talk.job(clean=rng.random() < 0.3))
                next_job_us = at_us + int(rng.uniform(0.7, 1.3) * job_us)

    def _wait_us(self, talk: Talk, steering: _Steering) -> int:
        return int(self.rng.expovariate(self.machine.device.rate_hps / talk.hashes(steering.difficulty)) * SECOND_US)

    def _share(self, connection: Connection, talk: Talk, steering: _Steering) -> Iterator[Timed]:
        accepted = self.rng.random() >= REFUSED
        self.truth.share(self.machine, connection.now_us, talk.hashes(steering.difficulty), accepted=accepted)
        yield from connection.say(MINER, talk.share(), acknowledge=False)
        yield from connection.say(POOL, talk.answer(accepted=accepted))
        steering.shares += 1


class _Steering:
    """A pool's choice of difficulty: a power of two of its own scale, from a low start to what suits the machine."""

    def __init__(self, machine: Machine, talk: Talk, pace: float, now_us: int) -> None:
        self._interval_us = machine.pool.interval_s * pace * SECOND_US
        suits = machine.device.rate_hps * machine.pool.interval_s * pace / talk.hashes(1.0)
        self.difficulty: float = _power(suits * machine.pool.start)
        self.shares, self._since_us = 0, now_us

    def changes(self, now_us: int) -> bool:
        """Whether the pool changes the difficulty now."""
        if self.shares < PACE_SHARES:
            return False
        mean_us = max(MILLISECOND_US, (now_us - self._since_us) / self.shares)
        self.shares, self._since_us = 0, now_us
        off = self._interval_us / mean_us
        if 1 / PACE_FACTOR < off < PACE_FACTOR:
            return False
        self.difficulty = _power(self.difficulty * off)
        return True


def _power(value: float) -> float:
    """The nearest power of two, as a whole number where it is one."""
    power = 2.0 ** round(math.log2(value))
    return int(power) if power >= 1 else power


def _ordinary(captured: Span, seed: str) -> Iterator[Timed]:
    """Look-ups and pages: a little, so that not everything in the captures is mining."""
    rng = random.Random(seed)
    now_us = captured.begin_us + 40 * SECOND_US
    while now_us < captured.end_us - 60 * SECOND_US:
        client = f"198.51.100.{rng.randrange(10, 120)}"
        yield from _look_up(client, now_us, rng)
        web = Connection((client, rng.randrange(32_768, 61_000)), ("203.0.113.10", 80), now_us + 40_000, rng, 20)
        yield from web.open()
        yield from web.say(MINER, b"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nAccept: text/html\r\n\r\n")
        body = rng.randbytes(600).hex().encode()
        yield from web.say(POOL, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        yield from web.close()
        now_us = web.now_us + int(rng.uniform(0.5, 1.5) * HOUR_US / ORDINARY_AN_HOUR)


def _look_up(client: str, now_us: int, rng: random.Random) -> Iterator[Timed]:
    port, number = rng.randrange(20_000, 60_000), rng.randbytes(2)
    name = b"\x03www\x07example\x03com\x00\x00\x01\x00\x01"
    there = Direction.between((client, port), ("192.0.2.53", 53), 61)
    back = Direction.between(("192.0.2.53", 53), (client, port), 52)
    yield now_us, there.udp(number + bytes.fromhex("01000001000000000000") + name, now_us)
    answer = bytes.fromhex("c00c000100010000012c0004cb00710a")
    yield now_us + 9_000, back.udp(number + bytes.fromhex("81800001000100000000") + name + answer, now_us)
