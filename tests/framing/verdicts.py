"""What comes of a forged capture with nothing configured: the findings, what is reported of them, and the cases."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sensor import signatures
from sensor.intake import engine
from sensor.ledger import Ledger
from sensor.ledger.replay import ReplayLedger
from sensor.line.replay import replay
from sensor.line.suppress import Suppression
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.model.summary import Case
from sensor.model.time import day_of
from sensor.settings.sections import FindingsSettings, LedgerSettings
from sensor.signatures.model import SignatureSet
from tests.demo.wire import Wire
from tests.framing.forgers import Forger

LIMITS = {"workers": 1, "flows": 65_536}


@dataclasses.dataclass
class Outcome:
    """One capture, replayed with a ledger of its own."""

    findings: list[Finding]
    nodes: list[Node]
    reported: list[Finding]
    cases: list[Case]
    counters: dict[str, int]  # of the line

    @property
    def accused(self) -> list[str]:
        """What says that somebody mines: a finding of mining that was spoken, a report, a case."""
        mining = [
            f"{finding.miner_ip} {finding.grade.label} ({finding.activity})"
            for finding in self.findings
            if finding.activity == "mining" and finding.grade >= Grade.SPEAKS
        ]
        reports = [f"reported: {finding.miner_ip} {finding.grade.label}" for finding in self.reported]
        return [*mining, *reports, *(f"case {case.case_id}" for case in self.cases)]


def outcome_of(forger: Forger, name: engine.Name, folder: Path, shipped: SignatureSet | None = None) -> Outcome:
    """Replay what a forger made, by one engine. Raises EngineError if that is not here."""
    wire = Wire()
    forger(wire)
    capture = folder / "forged.pcap"
    wire.write(capture)
    settings, url = FindingsSettings(), f"sqlite:///{folder}/ledger.db"
    ledger = ReplayLedger(LedgerSettings(url=url), settings)
    done = replay([str(capture)], shipped or signatures.load(), engine.load(name), LIMITS, steps=ledger)
    ledger.finish([*done.passed, *done.records])
    suppression = Suppression(settings)
    today = day_of(max((finding.last_ns for finding in done.findings), default=0))
    reported = [finding for finding in done.findings if suppression.reason(finding, today) is None]
    return Outcome(done.findings, done.nodes, reported, cases_of(url), done.lines)


def cases_of(url: str) -> list[Case]:
    """The cases of a ledger."""
    ledger = Ledger.open(url)
    try:
        return list(ledger.reader.cases())
    finally:
        ledger.close()
