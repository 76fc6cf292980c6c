"""What the behaviour room finds and what it takes for mining, by family.

    python -m tests.behaviour.evaluate mining 20 60        20 sessions a family, 60 minutes, opening seen
    python -m tests.behaviour.evaluate mining 20 60 mid    joined after 5 minutes, without and with a clock of blocks
    python -m tests.behaviour.evaluate ordinary 200 60 [mid]
    python -m tests.behaviour.evaluate nulls 2000
    ... FORGE                                              a folder with forge.py: its families, too

Seeds are the names of families and the numbers of sessions. Half of the records' losses and both styles are in the
generators; lengths are those of the record model, not of captures.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from sensor.behaviour.block_beat import BlockBeat, beats_of
from sensor.behaviour.dialect_lengths import DialectLengths, lengths_of
from sensor.behaviour.grammar import look_at
from sensor.behaviour.judge import judge_behaviour
from sensor.behaviour.templates import templates_of
from sensor.behaviour.trace import SERVER, Trace
from sensor.signatures import load
from tests.behaviour.mining import play, playable
from tests.behaviour.nulls import LEVELS, MODELS, excess, structureless
from tests.behaviour.ordinary_first import FIRST
from tests.behaviour.ordinary_second import SECOND
from tests.behaviour.plans import poisson, traces_of

JOIN_S = 300.0
Family = Callable[[random.Random, float, float], tuple[Trace, list[float]]]
SIGNATURES = load()
GRAMMARS: list[DialectLengths] = [v for dialect in SIGNATURES.dialects for v in lengths_of(dialect, SIGNATURES)]


def dialect_families() -> dict[str, Family]:
    """Played from the examples of every dialect that has a grammar; 0.1 to 20 shares a minute."""
    found: dict[str, Family] = {}
    for dialect in SIGNATURES.dialects:
        templates = templates_of(dialect, SIGNATURES)
        if not lengths_of(dialect, SIGNATURES) or not playable(templates):
            continue

        def make(
            rng: random.Random, until_s: float, join_s: float, own: object = templates
        ) -> tuple[Trace, list[float]]:
            rate = 10 ** rng.uniform(-1, 1.3)
            blocks = list(poisson(rng, until_s, rng.choice((60.0, 120.0, 600.0))))
            plan = play(own, rng, until_s, rate, blocks)  # type: ignore[arg-type]
            loss = 0.05 if rng.random() < 0.33 else 0.0
            return traces_of(plan, rng, joined_s=join_s, loss=loss), blocks

        found[dialect.name] = make
    return found


def ordinary_families() -> dict[str, Family]:
    def made(build: Callable[..., object]) -> Family:
        return lambda rng, until_s, join_s: (traces_of(build(rng, until_s), rng, joined_s=join_s), [])  # type: ignore[arg-type]

    first = {f"1 {name}": made(build) for name, build in FIRST.items()}
    return first | {f"2 {name}": made(build) for name, build in SECOND.items()}


def forged(forge: ModuleType, families: dict[str, object], mining: bool) -> dict[str, Family]:
    """The families of forge.py, by its own model of records (TLS 1.3)."""

    def family(name: str) -> Family:
        def make(rng: random.Random, until_s: float, join_s: float) -> tuple[Trace, list[float]]:
            build, coin = families[name] if mining else (families[name], "XMR")  # type: ignore[misc]
            clock = forge.Clock(rng, forge.COINS[coin], until_s)
            rows = [row for row in forge.records(build(rng, until_s, clock), rng) if row[0] >= join_s]
            times, sides, lengths = (tuple(row[i] for row in rows) for i in range(3))
            at_ns = tuple(int(at * 1e9) for at in times)
            return Trace(at_ns, sides, tuple(n - 17 for n in lengths), 0, join_s == 0), [b for b in clock.t if b > 0]

        return make

    return {f"forge {name}": family(name) for name in families if name != "sv2"}


def beat(trace: Trace, blocks_s: list[float]) -> BlockBeat | None:
    """Against the clock of the coin; of the server's records those that do not come right after one of the client's."""
    unasked = [
        at
        for i, (at, side) in enumerate(zip(trace.times_ns, trace.directions, strict=True))
        if side == SERVER and (i == 0 or trace.directions[i - 1] == SERVER)
    ]
    return beats_of(unasked, {"coin": [int(at * 1e9) for at in blocks_s]})[0] if blocks_s else None


def evaluate(families: dict[str, Family], number: int, minutes: float, join_s: float) -> None:
    totals = [0.0, 0.0, 0.0]
    for name, family in families.items():
        low = behaves = timed = 0
        for n in range(number):
            rng = random.Random(f"{name} {n}")
            trace, blocks = family(rng, minutes * 60 + join_s, join_s)
            result = look_at(trace, GRAMMARS)
            low += result.p <= 1e-5
            behaves += judge_behaviour(result).behaves
            timed += judge_behaviour(result, beat(trace, blocks)).behaves
        shares = (low / number, behaves / number, timed / number)
        totals = [total + share / len(families) for total, share in zip(totals, shares, strict=True)]
        print(f"{name:26} p<=1e-5 {low:4}  behaves {behaves:4}  with a clock {timed:4}  of {number}", flush=True)
    print(f"{'mean of families':26} {totals[0]:.3f} {totals[1]:.3f} {totals[2]:.3f}")


def nulls(number: int) -> None:
    for model in MODELS:
        for gated in (False, True):
            found = []
            for n in range(number):
                trace = structureless(random.Random(f"{model} {n}"), model, 600 if n % 2 else 3_600)
                found.append(look_at(trace, GRAMMARS, gated=gated).p)
            rows = [f"{sum(p <= level for p in found)} ({excess(found, level):+.1f})" for level in LEVELS]
            print(
                f"{model:15} {'gates' if gated else 'no gates':9} at or below {LEVELS}: {rows} of {number}", flush=True
            )


def main(arguments: list[str]) -> None:
    what, number = arguments[0], int(arguments[1])
    if what == "nulls":
        nulls(number)
        return
    folder = next((Path(text) for text in arguments if "/" in text), None)
    families = dialect_families() if what == "mining" else ordinary_families()
    for forge in _forge(folder):
        own = forge.MINING if what == "mining" else forge.BENIGN
        families |= forged(forge, own, what == "mining")
    evaluate(families, number, float(arguments[2]), JOIN_S if "mid" in arguments else 0.0)


def _forge(folder: Path | None) -> Iterator[ModuleType]:
    if folder is not None:
        spec = importlib.util.spec_from_file_location("forge", folder / "forge.py")
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            yield module


if __name__ == "__main__":
    main(sys.argv[1:])
