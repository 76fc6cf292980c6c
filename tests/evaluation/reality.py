"""Whether the writer's sessions equal real ones: the same talks over real stacks and kernel TCP on the loopback, with a
stretched clock, compared record by record with a capture of the writer: types, lengths, directions, order.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.evaluation import reader
from tests.evaluation.bursts import Profile, Session, lay_out
from tests.evaluation.families import Family, mining, ordinary
from tests.evaluation.handshakes import NAME, Heard, Row, Stacks
from tests.evaluation.sealing import SUITES
from tests.evaluation.talk import DOWN, UP, Talk, World
from tests.evaluation.wire import Capture

#: Rows of a talk that are played, and how many times faster than they are said.
ROWS, SCALE = 48, 1200
AT_ONCE = 6
Kind = tuple[int, int, int]  # side, type, length of the body


class Comparison(NamedTuple):
    """One talk over one pair of stacks."""

    profile: str
    family: str
    style: str
    records: int
    differs: str  # "" where nothing does


def compare_all(stacks: Stacks, profiles: Sequence[Profile], seed: str) -> list[Comparison]:
    """Two talks over each pair: one whose lines leave in one record, one whose lines leave alone."""
    rng = random.Random(f"{seed} reality")
    families = [*mining(), *ordinary()]
    tasks = [(profile, rng.choice(families), style, rng.random()) for profile in profiles for style in ("one", "own")]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda task: compare(stacks, *task), tasks))


def compare(stacks: Stacks, profile: Profile, family: Family, style: str, draw: float) -> Comparison:
    """Plays and writes one talk."""
    rng = random.Random(draw)
    world = World(rng, 5400)
    talk = Talk(rng, world.server(family.name, 0), 1.0, 3600)
    family.play(talk)
    talk.rows = sorted(talk.rows, key=lambda row: row.at_s)[:ROWS]
    try:
        heard = stacks.play(
            profile.client, profile.server, profile.suite, NAME if profile.named else "", *_script(talk, style)
        )
    except Exception as error:  # a stack that fails is a row of the table
        return Comparison(profile.name, family.name, style, 0, f"not played: {type(error).__name__}: {error}"[:200])
    real, written = _heard(heard), _written(talk, profile, family, style)
    return Comparison(
        profile.name, family.name, style, len(written[UP]) + len(written[DOWN]), _difference(real, written, profile)
    )


def _script(talk: Talk, style: str) -> tuple[list[Row], list[Row]]:
    """Each end waits for what the other said before, then for the stretched gap."""
    scripts: tuple[list[Row], list[Row]] = ([], [])
    said = [0, 0]
    before_s = -180.0  # the first words wait until tickets came
    for at_s, side, lengths in talk.rows:
        pause_ms = max(2, round(1000 * (at_s - before_s) / SCALE))
        scripts[side].append((said[1 - side], pause_ms, lengths, style == "own"))
        said[side] += sum(lengths)
        before_s = at_s
    return scripts


def _heard(heard: Heard) -> tuple[list[Kind], list[Kind], list[Kind]]:
    """Records of both sides, and of both in the order in which they were whole."""
    contents = bytearray(), bytearray()
    sides: tuple[list[Kind], list[Kind]] = ([], [])
    order: list[Kind] = []
    for side, part in heard:
        contents[side].extend(part)
        found = [
            (side, kind, length)
            for end, kind, length in reader.split(bytes(contents[side]))
            if end + length <= len(contents[side])
        ]
        order += found[len(sides[side]) :]
        sides[side][:] = found
    return *sides, order


def _written(talk: Talk, profile: Profile, family: Family, style: str) -> tuple[list[Kind], list[Kind], list[Kind]]:
    """The same of a capture."""
    session = Session(talk, family.name, profile, style, 1448, (0x0A000101, 40_000), (0xC6120001, 443))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.pcap"
        Capture([session], lay_out([session], random.Random(1)), 1_600_000_000.0, 1, smooth=True).write(path)
        rows = [(int(r.source[0] != "10.0.1.1"), r.kind, r.length) for r in reader.records(path)]
    return [row for row in rows if row[0] == UP], [row for row in rows if row[0] == DOWN], rows


def _difference(
    real: tuple[list[Kind], list[Kind], list[Kind]],
    written: tuple[list[Kind], list[Kind], list[Kind]],
    profile: Profile,
) -> str:
    """The first difference; the records that close are left out, for real stacks differ in who closes."""
    closing = SUITES[profile.suite].close_bytes
    opening = [0, 0]
    for side in (UP, DOWN):
        flights = b"".join(content for own, content in profile.flights if own == side)
        opening[side] = len(reader.split(flights))
        ours, theirs = _open(written[side], closing), _open(real[side], closing)
        if ours != theirs:
            place = next(
                (i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]),
                min(len(ours), len(theirs)),
            )
            where = f"{'up' if side == UP else 'down'} at record {place}"
            return f"{where}: {theirs[place : place + 3]} is {ours[place : place + 3]}"
    orders = [_spoken(_open(rows[2], closing), opening) for rows in (real, written)]
    return "" if orders[0] == orders[1] else "order of directions"


def _open(rows: list[Kind], closing: tuple[int, int]) -> list[Kind]:
    """Without the records that close."""
    rows = list(rows)
    while rows and rows[-1][1:] == closing:
        rows.pop()
    return rows


def _spoken(rows: list[Kind], opening: Sequence[int]) -> list[Kind]:
    """Without each side's handshake."""
    left = list(opening)
    found = []
    for row in rows:
        if left[row[0]]:
            left[row[0]] -= 1
        else:
            found.append(row)
    return found
