"""Evaluates how hidden mining is found, and writes docs/evaluation.md. See the Makefile's target `evaluate`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

from tests.evaluation import handshakes, page, real_table, reality, schedule
from tests.evaluation.parts import PartResult, carry_out
from tests.evaluation.talk import real_blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "evaluation.md"
#: After so many parts the page is written anew, so that a stop loses little.
PAGE_EACH = 8


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small one")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--minutes", type=float, default=0, help="no part begins later; without it 55, quick 4")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "evaluation")
    parser.add_argument("--section", action="append", help="only this; may be repeated")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args()
    begun = time.monotonic()
    end_s = begun + 60 * (options.minutes or (4 if options.quick else 55))
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    done = page.Evaluation(options.seed, options.quick)
    profiles, done.missing = handshakes.profiles(options.folder)
    done.pairs = len(profiles)
    say(f"{len(profiles)} pairs of stacks; missing: {done.missing or 'none'}")
    stacks = handshakes.Stacks(options.folder)
    stacks.build()
    compared = profiles[::4] if options.quick else profiles
    done.reality = reality.compare_all(stacks, compared, options.seed)
    say(f"compared with real stacks: {sum(not row.differs for row in done.reality)} of {len(done.reality)} equal")
    done.planned = [
        part
        for part in schedule.parts(options.quick, options.seed)
        if part.section in (options.section or [part.section])
    ]
    real = real_blocks()
    with ProcessPoolExecutor(options.jobs) as pool:
        waiting = list(done.planned)
        running: set[Future[PartResult]] = set()
        while waiting or running:
            while waiting and len(running) < options.jobs and time.monotonic() < end_s:
                running.add(pool.submit(carry_out, waiting.pop(0), profiles, real, options.folder))
            if not running:
                break
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                take(done, future.result(), begun)
                if not len(done.parts) % PAGE_EACH:
                    write(done, options.page, begun)
    done.hidden = real_table.text(profiles, options.folder)
    write(done, options.page, begun)
    say(page.summary(done))
    say(f"written: {options.page}")
    return 0


def take(done: page.Evaluation, result: PartResult, begun_s: float) -> None:
    """One more part is there."""
    done.parts.append(result)
    done.loads.append(os.getloadavg()[0])
    for failure in result.failures:
        say(failure)
    say(
        f"{time.monotonic() - begun_s:6.0f} s  {len(done.parts)}/{len(done.planned)} {result.section}: "
        f"{result.sessions} sessions, {result.octets / 1e6:.0f} MB, "
        f"writer {result.writer_s:.0f} s, minewatch {result.sensor_s:.0f} s"
    )


def write(done: page.Evaluation, path: Path, begun_s: float) -> None:
    """The page of what was measured by now."""
    done.seconds = time.monotonic() - begun_s
    path.write_text(page.text(done), encoding="utf-8")


def say(words: str) -> None:
    """On the terminal."""
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
