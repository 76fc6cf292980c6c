"""M4: what a single sender can put on the link of an innocent address, in every core there is; and the real sessions
that resemble it, which must still be found.

python -m tests.reliability.framing     one line for each capture that did not come out as it should, and the figure
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sensor import signatures
from sensor.intake import engine
from sensor.intake.engine import EngineError
from tests.framing.forgers import FORGERS, PLAYED
from tests.framing.honest import HONEST
from tests.framing.verdicts import Outcome, outcome_of
from tests.reliability.result import Result

ENGINES: tuple[engine.Name, ...] = ("compiled", "reference")


def run() -> Result:
    """Every forger at most an attempt, nothing reported, no case; every real session reported with its shares."""
    count, wrong, engines = 0, [], []
    for name in ENGINES:
        try:
            results = list(_all(name))
        except EngineError:
            continue
        engines.append(name)
        count += len(results)
        wrong += [f"{capture} ({name}): {why}" for capture, why in results if why]
    for line in wrong:
        print(f"  {line}", file=sys.stderr)
    figure = (
        f"{len(FORGERS)} forgers, {len(PLAYED)} played session, {len(HONEST)} real ones in {' and '.join(engines)}: "
        f"{count - len(wrong)} of {count} as they should be"
    )
    return Result(figure, passed=bool(engines) and not wrong)


def _all(name: engine.Name) -> Iterator[tuple[str, str]]:
    """Each capture, and what is wrong with what came of it."""
    shipped = signatures.load()
    makers = {**FORGERS, **PLAYED, **{real: maker for real, (maker, _, _) in HONEST.items()}}
    for capture, maker in makers.items():
        with tempfile.TemporaryDirectory() as folder:
            yield capture, _wrong(capture, outcome_of(maker, name, Path(folder), shipped))


def _wrong(capture: str, outcome: Outcome) -> str:
    if capture in FORGERS:
        return ", ".join([*outcome.accused, *(f"node {node.protocol}" for node in outcome.nodes)])
    if capture in PLAYED:
        return ", ".join(f"case {case.case_id}" for case in outcome.cases)
    _, grade, shares = HONEST[capture]
    found = [(finding.grade.label, finding.shares.submitted) for finding in outcome.reported]
    return "" if found == [(grade, shares)] else f"found {found}"


if __name__ == "__main__":
    result = run()
    word = "yes" if result.passed else "NO"
    print(f"M4 framing (at most an attempt, nothing reported, no case): {word}: {result.figure}")
    sys.exit(not result.passed)
