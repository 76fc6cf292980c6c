"""One part of the evaluation: sessions of some families are drawn, written as captures, read by minewatch, deleted."""

from __future__ import annotations

import ipaddress
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests.evaluation import runs
from tests.evaluation.bursts import STYLES, Profile, Session, lay_out
from tests.evaluation.families import Family
from tests.evaluation.talk import Talk, World
from tests.evaluation.wire import Capture

#: Where addresses of clients and of servers begin: private use, and benchmarks (RFC 2544).
CLIENTS, SERVERS = int(ipaddress.ip_address("10.0.1.0")), int(ipaddress.ip_address("198.18.0.0"))
#: Sessions begin within so much of a capture's start, where the part says nothing else; those that are joined are so
#: late.
SPREAD_S, JOINED_S = 600.0, (120.0, 900.0)
#: A look at a time needs a little more than that of capture.
SLACK_S = 10.0
LOSS = 0.05
#: How often each suite carries a session. CBC hides lengths; it is rare, and has a row of its own.
SUITES = {"tls13": 62, "tls12-gcm": 20, "tls12-chacha": 10, "tls12-cbc-etm": 5, "tls12-cbc": 3}
#: A beat that gives one of these answers was tested.
TESTED = ("follows", "does not")
PORTS = (443, 443, 443, 3333, 5555, 8443, 9000, 14_444)


@dataclass(frozen=True)
class Part:
    """What is drawn, and how it is seen."""

    section: str
    seed: str
    counts: tuple[tuple[Family, int], ...]
    hours: float
    joins: bool = True  # half of the sessions are joined in their midst
    lossy: bool = False
    real_blocks: bool = False
    cuts_minutes: tuple[int, ...] = ()  # captures that end before
    replays: bool = True
    servers: int = 2  # of each family
    spread_s: float = SPREAD_S


class Outcome(NamedTuple):
    """One session, and what was said of it."""

    family: str
    minutes: int
    suite: str
    joined: bool
    lossy: bool
    real_blocks: bool
    replayed: bool
    thin: bool  # minewatch has it among its thin sessions
    swapped: bool  # the server was taken for the client
    behaves: bool
    reported: bool
    grammar_p: float | None
    beats: tuple[tuple[str, float, float], ...]  # coin, p, p of all flows and coins together
    synchrony_p: float | None
    least_p: float | None  # of all looks
    untestable: str | None
    truth: int  # answered shares while it was seen
    shares: tuple[float, float] | None


@dataclass
class PartResult:
    """All outcomes of a part, and what it took."""

    section: str
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    sessions: int = 0
    packets: int = 0
    octets: int = 0
    writer_s: float = 0.0
    sensor_s: float = 0.0
    wall_s: float = 0.0


def carry_out(part: Part, profiles: Sequence[Profile], real: Sequence[float] | None, folder: Path) -> PartResult:
    """Draws, writes, asks, deletes."""
    begun, result = time.monotonic(), PartResult(part.section)
    folder = folder / f"{part.section}-{part.seed}".replace(" ", "-").replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    cpu_s = time.process_time()
    rng = random.Random(part.seed)
    span_s = part.spread_s + JOINED_S[1] + part.hours * 3600 + 60
    world = World(rng, span_s, list(real) if real and part.real_blocks else None)
    sessions = draw(part, world, profiles, rng)
    capture = Capture(sessions, lay_out(sessions, rng), world.start_s, rng.getrandbits(32))
    start = np.array([s.talk.start_s for s in sessions])
    joined = np.array([s.joined_s for s in sessions])
    since = np.where(joined > 0, start + joined, -np.inf)
    blocks = _block_files(world, folder)
    result.sessions = len(sessions)
    for minutes in (*part.cuts_minutes, round(part.hours * 60)):
        whole = minutes == round(part.hours * 60)
        until = np.full(len(start), np.inf) if whole else start + joined + minutes * 60 + SLACK_S
        path = folder / f"{minutes}.pcap"
        result.packets += capture.write(path, capture.keep(since, until, LOSS if part.lossy else 0.0))
        result.octets += path.stat().st_size
        answers = runs.ask([path], blocks, folder, part.replays)
        path.unlink()
        result.sensor_s += answers.cpu_s
        result.failures += [f"{part.section} {part.seed}: {failure}" for failure in answers.failures]
        if not answers.failures:
            result.outcomes += [_outcome(part, session, minutes, answers, world) for session in sessions]
    for leftover in folder.iterdir():
        leftover.unlink()
    folder.rmdir()
    result.writer_s = time.process_time() - cpu_s
    result.wall_s = time.monotonic() - begun
    return result


def draw(part: Part, world: World, profiles: Sequence[Profile], rng: random.Random) -> list[Session]:
    """The sessions of a part, those of a family on a few servers."""
    sessions: list[Session] = []
    by_suite: dict[str, list[Profile]] = {}
    for profile in profiles:
        by_suite.setdefault(profile.suite, []).append(profile)
    suites = [suite for suite in SUITES if suite in by_suite]
    weights = [SUITES[suite] for suite in suites]
    for order, (family, many) in enumerate(part.counts):
        for _ in range(many):
            number = rng.randrange(part.servers)
            server = world.server(family.name, number)
            port = server.trait("port", lambda r: r.choice(PORTS))
            joined_s = rng.uniform(*JOINED_S) if part.joins and rng.random() < 0.5 else 0.0
            own = random.Random(rng.getrandbits(64))
            talk = Talk(own, server, rng.uniform(0, part.spread_s), joined_s + part.hours * 3600)
            family.play(talk)
            talk.rows = [row for row in talk.rows if row.at_s < talk.until_s]
            own_profile = None if family.raw else rng.choice(by_suite[rng.choices(suites, weights)[0]])
            sessions.append(
                Session(
                    talk=talk,
                    family=family.name,
                    profile=own_profile,
                    style=rng.choice(STYLES),
                    mss=rng.choice([1448, 1448, 1400, 1360]),
                    client=(CLIENTS + len(sessions), rng.randrange(32_768, 60_999)),
                    server=(SERVERS + 1024 * order + number, port),
                    joined_s=joined_s,
                    isn=(rng.getrandbits(32), rng.getrandbits(32)),
                )
            )
    return sessions


def _block_files(world: World, folder: Path) -> dict[str, Path]:
    """Files with the blocks' times of all coins."""
    files = {}
    for coin, times in world.blocks.items():
        path = folder / f"{coin}.blocks"
        path.write_text("".join(f"{world.start_s + at:.3f}\n" for at in times), encoding="ascii")
        files[coin] = path
    return files


def _outcome(part: Part, session: Session, minutes: int, answers: runs.Answers, world: World) -> Outcome:
    address = str(ipaddress.ip_address(session.client[0]))
    row = answers.sessions.get(address)
    until_s = session.joined_s + minutes * 60
    return Outcome(
        family=session.family,
        minutes=minutes,
        suite=session.profile.suite if session.profile else "alone" if session.style == "own" else "together",
        joined=session.joined_s > 0,
        lossy=part.lossy,
        real_blocks=world.real,
        replayed=part.replays,
        thin=row is not None,
        swapped=row is not None and row.swapped,
        behaves=row is not None and row.behaves,
        reported=address in answers.reported,
        grammar_p=row.grammar_p if row else None,
        beats=tuple((coin, p, counted) for coin, answer, p, counted in row.beats if answer in TESTED) if row else (),
        synchrony_p=row.synchrony_p if row else None,
        least_p=min((p for _, p in row.looks), default=None) if row else None,
        untestable=row.untestable if row else None,
        truth=sum(session.joined_s <= at <= until_s for at in session.talk.shares),
        shares=row.shares if row else None,
    )
