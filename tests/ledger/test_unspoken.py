"""Findings in which nothing was spoken: in the ledger and in `explain`, told to nobody unless that is asked for."""

from __future__ import annotations

import argparse
import dataclasses
from datetime import date
from pathlib import Path

import pytest

from sensor.cli import explain
from sensor.ledger import Ledger
from sensor.ledger.replay import ReplayLedger
from sensor.line.suppress import Suppression
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.settings.sections import AllowEntry, FindingsSettings, LedgerSettings
from tests.ledger.made import as_seen_by
from tests.line.hints import MINER, POOL, behaved, named, subject
from tests.line.test_unspoken import replayed
from tests.session.dialogue import events
from tests.session.test_pipeline import SHARE

TODAY = date(2023, 11, 15)
(NAMED,) = replayed([], named())
(BEHAVED,) = replayed([], behaved(of=subject(port=443)))
(LOOKED_UP,) = replayed([], named(of=subject(None, None), grade=Grade.LOOKED_UP))
(SPOKEN,) = replayed(events(SHARE), named())
SILENT = [NAMED, BEHAVED, LOOKED_UP]


def recorded(folder: Path, findings: list[Finding], settings: FindingsSettings | None = None) -> Ledger:
    where = LedgerSettings(url=f"sqlite:///{folder}/ledger.db")
    replayed_ledger = ReplayLedger(where, settings or FindingsSettings())
    replayed_ledger.finish(findings)
    assert replayed_ledger.trouble is None
    return Ledger.open(where.url)


def asked(folder: Path, address: str, capsys: pytest.CaptureFixture[str]) -> str:
    (folder / "minewatch.yaml").write_text(f"ledger: {{url: 'sqlite:///{folder}/ledger.db'}}\n")
    explain.run(
        argparse.Namespace(
            address=address,
            at=None,
            vlan=None,
            interface=None,
            config=folder / "minewatch.yaml",
            overrides=[],
            quiet=True,
        )
    )
    return capsys.readouterr().out


@pytest.mark.parametrize("finding", SILENT, ids=["named", "behaved", "looked-up"])
def test_by_default_none_is_told(finding: Finding) -> None:
    suppression = Suppression(FindingsSettings())
    assert suppression.reason(finding, TODAY) == "nothing was spoken, and least_grade is speaks"
    assert suppression.heard([finding, SPOKEN], TODAY) == [SPOKEN]
    sure = dataclasses.replace(finding, confidence=1.0)
    assert suppression.reason(sure, TODAY) is not None
    assert Suppression(FindingsSettings(least_grade="speaks")).reason(sure, TODAY) is not None


def test_what_was_spoken_is_told_as_before() -> None:
    assert Suppression(FindingsSettings()).reason(SPOKEN, TODAY) is None


def test_asked_for_they_are_told_down_to_that_grade() -> None:
    suppression = Suppression(FindingsSettings(least_grade="named"))
    assert suppression.heard(SILENT, TODAY) == [NAMED, BEHAVED]
    assert suppression.reason(LOOKED_UP, TODAY) == "its grade looked-up is below named"
    allowed = FindingsSettings(least_grade="looked-up", allow=[AllowEntry(network=f"{MINER}/32", reason="ours")])
    assert Suppression(allowed).heard(SILENT, TODAY) == []


def test_the_name_that_was_asked_for_is_the_pools_and_the_allow_list_sees_it() -> None:
    (asked_for,) = replayed([], named(of=subject(host="eu.pool.example")), named(sni="other"))
    assert asked_for.pool.host == "eu.pool.example"
    allowed = FindingsSettings(least_grade="named", allow=[AllowEntry(domain="pool.example", reason="ours")])
    assert Suppression(allowed).heard([asked_for, NAMED], TODAY) == [NAMED]


def test_a_name_beside_what_was_spoken_excuses_nobody() -> None:
    """Whoever mines in the clear could ask for an allowed name beside it."""
    (spoken,) = replayed(events(SHARE), named(of=subject(host="eu.pool.example")))
    allowed = FindingsSettings(allow=[AllowEntry(domain="pool.example", reason="ours")])
    assert Suppression(allowed).heard([spoken], TODAY) == [spoken]


def test_the_ledger_keeps_them_untold_and_opens_no_case(tmp_path: Path) -> None:
    ledger = recorded(tmp_path, [*SILENT])
    entries = {entry.finding.finding_id: entry for entry in ledger.reader.findings(MINER)}
    told = [entries[finding.finding_id].finding for finding in SILENT]
    assert told == [as_seen_by(finding, "replay") for finding in SILENT]
    assert all(entry.suppressed for entry in entries.values())
    assert ledger.reader.cases() == []
    ledger.close()


def test_explain_says_what_it_rests_on_and_that_nobody_was_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded(tmp_path, [*SILENT]).close()
    text = asked(tmp_path, MINER, capsys)
    assert f"was not heard to mine at {POOL} port 3333: named" in text
    assert "was not heard to mine at a pool whose address is not known: looked-up" in text
    assert "dialect not known" in text
    assert "named by pool-sni: named, 4.1 bits\n" in text
    assert "behaved by block-beat: behaves, 6 bits, p = 0.003\n" in text
    assert text.count("    not told: nothing was spoken") == 3
    assert " mines at " not in text
    assert "None" not in text
    assert "would be the pool of" in asked(tmp_path, POOL, capsys)


def test_explain_lists_them_beside_what_was_spoken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path, [SPOKEN, dataclasses.replace(NAMED, merged_into=SPOKEN.finding_id)]).close()
    text = asked(tmp_path, MINER, capsys)
    assert f"mines at {POOL} port 3333: accepted" in text
    assert "spoken by stratum-v1: accepted, 20 bits\n    named by pool-sni: named, 4.1 bits\n    told" in text
    assert f"became finding {SPOKEN.finding_id}" in text
