"""The evasion matrix: every case, what came out of it, and whether that is what was expected.

`python -m tests.reliability.evasion.matrix` prints the cases that are not as expected and the figure of all.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sensor.intake import engine
from sensor.line.replay import ReplayResult, replay
from sensor.model.finding import Finding
from sensor.signatures import SignatureSet, load
from tests.reliability.evasion import (
    carriage_cases,
    decoy_cases,
    fragment_cases,
    handshake_cases,
    order_cases,
    text_cases,
)
from tests.reliability.evasion.case import Case, Expected
from tests.reliability.evasion.session import AGENT, LOGIN, SHARES
from tests.reliability.evasion.wire import write
from tests.reliability.result import Result

#: Any of these says that bytes could be read in more than one way, or that bytes are missing.
DOUBTS = ("overlap_conflicts", "bad_l4_checksum", "out_of_window", "gap_bytes")
#: Any of these says that something of a session was not read.
UNREAD = ("malformed_not_json", "malformed_incomplete", "candidates_spent", "ignored_udp")
FAMILIES = (order_cases, handshake_cases, decoy_cases, fragment_cases, carriage_cases, text_cases)


def all_cases() -> Iterator[Case]:
    for family in FAMILIES:
        yield from family.cases()


@dataclass(frozen=True)
class Outcome:
    """What was told of the one miner there is."""

    findings: int
    exact: bool
    submitted: int
    accepted: int
    grade: str
    doubts: dict[str, int]
    unread: dict[str, int]

    def is_as(self, expected: Expected) -> bool:
        if expected is Expected.UNREAD:
            return self.exact or any(self.unread.values())
        if expected is Expected.DOUBTED:
            return any(self.doubts.values())
        if self.findings != 1:
            return False
        match expected:
            case Expected.EXACT:
                return self.exact
            case Expected.AMBIGUOUS:
                return self.exact or any(self.doubts.values())
            case Expected.SENT:
                return self.submitted == SHARES
            case Expected.ANSWERED:
                return self.submitted == 0 or self.accepted <= SHARES
            case Expected.COUNTED:
                return self.submitted == SHARES and self.accepted == SHARES - 10 and self.doubts["gap_bytes"] > 0


def run(case: Case, signatures: SignatureSet, core: engine.Engine, folder: Path) -> Outcome:
    """Replay the case's capture with one core."""
    path = folder / "case.pcap"
    write(path, case.frames, case.link)
    return outcome(replay([str(path)], signatures, core, {}))


def outcome(result: ReplayResult) -> Outcome:
    found = result.findings
    first: Finding | None = found[0] if found else None
    return Outcome(
        findings=len(found),
        exact=first is not None and is_whole(first),
        submitted=first.shares.submitted if first else 0,
        accepted=first.shares.accepted if first else 0,
        grade=str(first.grade) if first else "",
        doubts={name: result.counters.get(name, 0) for name in DOUBTS},
        unread={name: {**result.counters, **result.lines}.get(name, 0) for name in UNREAD},
    )


def is_whole(finding: Finding) -> bool:
    """Everything there is to know of the miner."""
    return (
        (finding.login, finding.agent) == (LOGIN, AGENT)
        and (finding.shares.submitted, finding.shares.accepted) == (SHARES, SHARES)
        and not finding.shares.rejected
    )


def wrong(core: engine.Engine) -> Iterator[tuple[Case, Outcome]]:
    """The cases that did not come out as expected, in one core."""
    signatures = load()
    with tempfile.TemporaryDirectory() as folder:
        for case in all_cases():
            came = run(case, signatures, core, Path(folder))
            if not came.is_as(case.expected):
                yield case, came


def run_all() -> Result:
    """T7, in every core there is."""
    total = sum(1 for _ in all_cases())
    figures, good = [], True
    for core in {engine.load().name: engine.load(), "reference": engine.load("reference")}.values():
        titles = [case.title for case, _ in wrong(core)]
        good = good and not titles
        figures.append(
            f"{core.name}: {total - len(titles)} of {total}" + (f", not {'; '.join(titles)}" if titles else "")
        )
    return Result("; ".join(figures), good)


def main() -> None:
    """Print what is not as expected; exit code 1 if there is any."""
    found = list(wrong(engine.load("reference" if "reference" in sys.argv else "auto")))
    for case, came in found:
        print(f"{case.title}: expected {case.expected}, {came}")
    total = sum(1 for _ in all_cases())
    print(f"{total - len(found)} of {total} cases as expected")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
