"""Which parts make an evaluation, in full and in quick."""

from __future__ import annotations

from tests.evaluation import families, traffic
from tests.evaluation.families import Family
from tests.evaluation.parts import Part

FAMILIES, NULL, NOISE, LONG = "families", "null", "noise", "six hours"
#: Of the ordinary families together so many sessions at least: none false among 29,957 bounds the rate by 1 in 10,000.
FULL_ORDINARY = 1_008
#: Which of the captures of an hour are cut at 10 and 30 minutes, and which are replayed besides: reading is what costs.
CUT_EACH, REPLAY_EACH = 6, 3
#: Servers of a family in each capture: what is a family's constants at one is another's elsewhere.
SERVERS_EACH = 6
#: Meaningless sessions are spread over five days, so that few share their blocks: standard errors take them as
#: independent.
NULL_SPREAD_S = 5 * 86_400.0


def parts(quick: bool, seed: str) -> list[Part]:
    """All parts, the sections in turns, so that a run that is stopped has some of each; most of the families."""
    rows = [_families(quick, seed), _null(quick, seed), _noise(quick, seed), _long(quick, seed)]
    spread = [
        (index / len(row) * (0.8 if not number else 1.0), number, part)
        for number, row in enumerate(rows)
        for index, part in enumerate(row)
    ]
    return [part for _, _, part in sorted(spread, key=lambda item: item[:2])]


def _families(quick: bool, seed: str) -> list[Part]:
    many, ordinary, mining = (2, 4, 3) if quick else (42, FULL_ORDINARY // 42, 5)
    counts = (*((f, ordinary) for f in families.ordinary()), *((f, mining) for f in families.mining()))
    return [
        Part(
            FAMILIES,
            f"{seed}-{number}",
            counts,
            hours=1,
            lossy=number % 3 == 0,
            real_blocks=number % 2 == 0,
            cuts_minutes=(10, 30) if number % CUT_EACH == 1 else (),
            replays=number % REPLAY_EACH == 1,
            servers=2 if quick else SERVERS_EACH,
        )
        for number in range(many)
    ]


def _null(quick: bool, seed: str) -> list[Part]:
    each, many = (300, 1) if quick else (1_000, 20)
    return [
        Part(
            NULL,
            f"{seed}-{name}-{number}",
            ((Family(name, False, traffic.meaningless(name), "hand", False), each),),
            hours=traffic.DAY_HOURS if name == "day and night" else 1,
            joins=False,
            real_blocks=number % 2 == 0,
            replays=False,
            servers=each // 5,
            spread_s=NULL_SPREAD_S,
        )
        for number in range(many)
        for name in traffic.MODELS
    ]


def _noise(quick: bool, seed: str) -> list[Part]:
    many, mining, other = (1, 60, 200) if quick else (4, 250, 1_250)
    noise = families.noise()
    counts = tuple((family, mining if family.mining else other) for family in noise)
    return [
        Part(NOISE, f"{seed}-{number}", counts, hours=1 / 6, joins=False, lossy=False, servers=20)
        for number in range(many)
    ]


def _long(quick: bool, seed: str) -> list[Part]:
    many, each = (1, 1) if quick else (2, 7)
    counts = tuple((family, each) for family in (*families.ordinary(), *families.mining()))
    return [
        Part(LONG, f"{seed}-{number}", counts, hours=6, real_blocks=number % 2 == 0, replays=False)
        for number in range(many)
    ]
