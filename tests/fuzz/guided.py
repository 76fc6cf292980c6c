"""Fuzz one group of targets for some seconds: guided by coverage where atheris is there, else by seeded damage.

`python -m tests.fuzz.guided GROUP --seconds 60 --keep FOLDER`. Each input that breaks something, or takes longer than
a second, is left in the folder with a text beside it that says why; the last line of the output is the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import random
import resource
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: An input may take so much CPU time.
SLOW_S = 1.0
#: With instrumentation all is slower: what is slow then is looked at again without it.
GUIDED_SLOW_S = 2.0
MEMORY_MIB = 512
#: Different finds that are left of one run.
MAX_FINDS = 20
MAX_INPUT_BYTES = 65_536


class Finds:
    """Feeds inputs to a target and leaves those that break something, one for each place in the code."""

    def __init__(self, target: Any, keep: Path, slow_s: float) -> None:
        self._target, self._keep, self._slow_s = target, keep, slow_s
        self._places: set[str] = set()
        self.runs = 0
        self.slowest_s = 0.0

    def feed(self, data: bytes) -> None:
        """One input; never raises."""
        self.runs += 1
        began = time.process_time()
        try:
            self._target.feed(data)
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            self._leave("broken", f"{type(error).__name__} {frame.filename}:{frame.lineno}", data, error)
        spent = time.process_time() - began
        self.slowest_s = max(self.slowest_s, spent)
        if spent > self._slow_s:
            self._leave("slow", "slow", data, None)

    def _leave(self, kind: str, place: str, data: bytes, error: Exception | None) -> None:
        if place in self._places or len(self._places) >= MAX_FINDS:
            return
        self._places.add(place)
        self._keep.mkdir(parents=True, exist_ok=True)
        name = f"{self._target.name}-{kind}-{hashlib.sha256(data).hexdigest()[:12]}"
        (self._keep / name).write_bytes(data)
        text = "".join(traceback.format_exception(error)) if error else f"{self.slowest_s:.2f} s of CPU\n"
        (self._keep / f"{name}.txt").write_text(text, encoding="utf-8", errors="replace")


def load(group: str) -> Any:
    return importlib.import_module("tests.fuzz.targets.registry").group(group)


def by_damage(group: str, seconds: float, seed: int, keep: Path) -> dict[str, object]:
    """Seeded damage until the time is over."""
    target = load(group)
    finds, rng, seeds = Finds(target, keep, SLOW_S), random.Random(seed), target.seeds()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        finds.feed(target.mutate(rng, seeds))
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
    return {"by": "damage", "runs": finds.runs, "slowest_s": round(finds.slowest_s, 2), "peak_mib": peak_mib}


def by_coverage(atheris: Any, options: argparse.Namespace) -> None:
    """Guided by coverage. Does not return: libFuzzer ends the process."""
    group, keep = options.group, options.keep
    folder: Path = options.corpus or Path("build/fuzz/corpus") / group
    importlib.import_module("tests.dump.as_written").prefer_sources()  # compiled modules tell of no line they run
    with atheris.instrument_imports(include=["sensor"]):
        target = load(group)
    finds, seeds = Finds(target, keep, GUIDED_SLOW_S), target.seeds()
    beside = random.Random(options.seed).sample(seeds, min(len(seeds), 200))

    def mutate(data: bytes, max_size: int, number: int) -> bytes:
        rng = random.Random(number)
        changed = target.mutate(rng, [data, *beside[:1]]) if rng.random() < 0.5 else atheris.Mutate(data, len(data))
        return bytes(changed[:max_size])

    folder.mkdir(parents=True, exist_ok=True)
    for place, content in enumerate(seeds):
        (folder / f"seed-{place}").write_bytes(content[:MAX_INPUT_BYTES])
    values: dict[str, object] = {"max_total_time": int(options.seconds), "seed": options.seed, "timeout": 60}
    values |= {"max_len": MAX_INPUT_BYTES, "rss_limit_mb": MEMORY_MIB, "print_final_stats": 1}
    values |= {"artifact_prefix": f"{keep}/{group}-"}
    keep.mkdir(parents=True, exist_ok=True)
    flags = [f"-{name}={value}" for name, value in values.items()]
    atheris.Setup([group, *flags, str(folder)], _quiet(finds.feed), custom_mutator=mutate)
    atheris.Fuzz()


def _quiet(feed: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """libFuzzer's report is enough: what is fed may warn as often as it likes."""
    importlib.import_module("warnings").simplefilter("ignore")
    importlib.import_module("logging").disable()
    return feed


def main() -> None:
    """Fuzz one group; the figures are the last line, as JSON without atheris and as libFuzzer's statistics with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz/finds"))
    parser.add_argument("--corpus", type=Path, help="where inputs that found something new are kept")
    parser.add_argument("--damage", action="store_true", help="without guidance, even if atheris is there")
    options = parser.parse_args()
    try:
        atheris = None if options.damage else importlib.import_module("atheris")
    except ImportError:
        atheris = None
    if atheris is not None:
        by_coverage(atheris, options)
    print(json.dumps(by_damage(options.group, options.seconds, options.seed, options.keep)))


if __name__ == "__main__":
    sys.exit(main())
