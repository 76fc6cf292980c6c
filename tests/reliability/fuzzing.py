"""Fuzzing guided by coverage for four times a minute: no crash, no input over a second, no 512 MiB.

`python -m tests.reliability.fuzzing`; FUZZ_PART_SECONDS shortens it.
"""

from __future__ import annotations

import os
import sys

from tests.fuzz.run import fuzz
from tests.reliability.result import Result

#: The reader of captures; decapsulation and reassembly; readers of streams; dialects. Each has its minute, and all
#: targets have a share of the whole.
PARTS, PART_SECONDS = 4, 60.0


def run() -> Result:
    """T10: every target fuzzed; a find is a crash, a slow input, or over 512 MiB."""
    seconds = PARTS * float(os.environ.get("FUZZ_PART_SECONDS", PART_SECONDS))
    outcomes, skipped = fuzz(seconds)
    finds = [find for outcome in outcomes for find in outcome.finds]
    peak_mib = max(outcome.peak_mib for outcome in outcomes)
    idle = [outcome.name for outcome in outcomes if not outcome.runs]
    inputs = sum(outcome.runs for outcome in outcomes)
    figure = f"{seconds:.0f} s, {len(outcomes)} parts, {inputs:,} inputs: {len(finds)} finds, peak {peak_mib} MiB"
    notes = [*finds[:3], *(f"{name} did not run" for name in idle), *(f"skipped {reason}" for reason in skipped)]
    return Result("; ".join([figure, *notes]), not finds and not idle)


if __name__ == "__main__":
    result = run()
    print(result.figure)
    sys.exit(not result.passed)
