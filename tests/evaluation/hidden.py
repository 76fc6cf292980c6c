"""Captures of real sessions of which only times and lengths are public: one record a segment, TLS around it.

The bytes are random; the hellos are a recorded pair's. What is not one record a segment is cut as OpenSSL sends it: the
client's change of cipher (6 bytes) and Finished (74) before its first words, two tickets of 255.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.evaluation.bursts import Bursts, Profile, Session
from tests.evaluation.sealing import APPLICATION, HANDSHAKE, HEADER_BYTES
from tests.evaluation.talk import DOWN, UP, Talk, World
from tests.evaluation.wire import Capture

FOLDER = Path(__file__).parents[3] / "shared" / "hidden"
CHANGE_CIPHER = bytes((20, 3, 3, 0, 1, 1))
FINISHED_BYTES, TICKET_BYTES = 74, 255
#: What TLS 1.3 adds to a line in clear, with the record's header.
SEALED_BYTES = 22


class RealSession(NamedTuple):
    """One session of the published data: (seconds, side, bytes on the wire) of each segment with payload."""

    name: str
    clear: bool
    segments: tuple[tuple[float, int, int], ...]


def sessions(folder: Path = FOLDER) -> Iterator[RealSession]:
    """All sessions with at least a minute of records."""
    for path in sorted(folder.glob("real-*.json")):
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for number, flow in enumerate(content["flows"]):
            rows = tuple((row[0], row[1], row[3]) for row in flow["p"] if row[3])
            if rows and rows[-1][0] - rows[0][0] >= 60:
                yield RealSession(f"{path.stem}, flow {number}", "clear" in path.stem, rows)


def to_pcap(real: RealSession, profile: Profile, path: Path) -> None:
    """Writes one session as a capture."""
    rng = random.Random(real.name)
    first_s = real.segments[0][0]
    world = World(rng, 0.0)
    talk = Talk(rng, world.server("real", 0), 1.0, real.segments[-1][0] - first_s + 1)
    bursts = Bursts()
    if real.clear:
        _sealed(real, profile, bursts)
    else:
        _cut(real, profile, bursts)
    session = Session(talk, "real", profile, "own", 1448, (0x0A000101, 40_000), (0xC6120001, 9200))
    Capture([session], bursts, first_s - 1.0, 1).write(path)


def _burst(bursts: Bursts, side: int, at_s: float, *bodies: int) -> None:
    burst = bursts.add(0, side, 1.0 + at_s)
    for body in bodies:
        bursts.record(burst, APPLICATION, body)


def _literal(bursts: Bursts, side: int, at_s: float, content: bytes) -> None:
    burst = bursts.add(0, side, 1.0 + at_s)
    bursts.size[burst] = len(content)
    bursts.literal.append((burst, content))


def _sealed(real: RealSession, profile: Profile, bursts: Bursts) -> None:
    """A session in clear: a handshake in front, and each line sealed."""
    for order, (side, content) in enumerate(profile.flights):
        _literal(bursts, side, -0.5 + 0.02 * order, content)
    for at_s, side, length in real.segments:
        _burst(bursts, side, at_s - real.segments[0][0], length + SEALED_BYTES - HEADER_BYTES)


def _cut(real: RealSession, profile: Profile, bursts: Bursts) -> None:
    """A session in TLS 1.3: hellos, then records as they stand on the wire."""
    first_s, hello = real.segments[0][0], profile.flights[0][1]
    answer = next(content for side, content in profile.flights if side == DOWN)
    joined = _flights(real.segments)
    finished = ticketed = False
    for number, (at_s, side, length) in enumerate(joined):
        at_s -= first_s
        if number == 0:
            _literal(bursts, UP, at_s, hello)
        elif number == 1:
            _literal(bursts, DOWN, at_s, _filled(answer, length))
        elif side == UP and not finished:
            finished = True
            head = CHANGE_CIPHER + bytes((APPLICATION, 3, 3)) + (FINISHED_BYTES - HEADER_BYTES).to_bytes(2, "big")
            _literal(bursts, UP, at_s, head + bytes(FINISHED_BYTES - HEADER_BYTES))
            left = length - len(CHANGE_CIPHER) - FINISHED_BYTES
            if left > HEADER_BYTES:
                _burst(bursts, UP, at_s + 1e-4, left - HEADER_BYTES)
        elif side == DOWN and not ticketed and length >= 2 * TICKET_BYTES:
            ticketed, left = True, length - 2 * TICKET_BYTES
            tickets = [TICKET_BYTES - HEADER_BYTES] * 2
            _burst(bursts, DOWN, at_s, *tickets, *([left - HEADER_BYTES] if left > HEADER_BYTES else []))
        else:
            _burst(bursts, side, at_s, length - HEADER_BYTES)


def _flights(segments: Sequence[tuple[float, int, int]]) -> list[tuple[float, int, int]]:
    """The client's segments of its second flight are one; a full segment's follower belongs to it."""
    joined: list[tuple[float, int, int]] = []
    for number, (at_s, side, length) in enumerate(segments):
        if number and segments[number - 1][2] >= 1400 and segments[number - 1][1] == side and joined[-1][1] == side:
            joined[-1] = (joined[-1][0], side, joined[-1][2] + length)
        else:
            joined.append((at_s, side, length))
    return joined


def _filled(answer: bytes, length: int) -> bytes:
    """A server's first flight of this length: the recorded ServerHello and change of cipher, then one record."""
    end = HEADER_BYTES + int.from_bytes(answer[3:5], "big")
    head = answer[:end] + CHANGE_CIPHER
    assert answer[0] == HANDSHAKE
    left = length - len(head) - HEADER_BYTES
    return head + bytes((APPLICATION, 3, 3)) + left.to_bytes(2, "big") + bytes(left)


def recorded_kinds(path: Path) -> dict[str, str]:
    """By port the kind of session in a recorded capture."""
    ports: dict[str, str] = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))["port"]
    return ports
