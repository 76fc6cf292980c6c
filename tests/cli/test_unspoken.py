"""A replay shows what was spoken; a finding in which nothing was is in its ledger alone, unless asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sensor.cli.replay
from sensor.cli.main import main
from sensor.ledger import Ledger
from sensor.line.replay import ReplayResult
from sensor.model.finding import Finding
from tests.ledger.test_unspoken import NAMED, SPOKEN


@pytest.mark.parametrize(("grade", "shown"), [(None, [SPOKEN]), ("named", [NAMED, SPOKEN])])
def test_a_replay_shows_what_was_not_spoken_only_if_asked(
    grade: str | None,
    shown: list[Finding],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = ReplayResult([NAMED, SPOKEN])
    monkeypatch.setattr(sensor.cli.replay, "replay", lambda *_, **__: found)
    (tmp_path / "a.pcap").write_bytes(b"")
    asked = [] if grade is None else ["--set", f"findings.least_grade={grade}"]
    url = f"sqlite:///{tmp_path}/ledger.db"
    files = ["--eve", str(tmp_path / "eve.json"), "--report", str(tmp_path / "page.html"), "--ledger", url]
    assert main(["replay", str(tmp_path / "a.pcap"), *files, *asked]) == 0
    events = [json.loads(line) for line in (tmp_path / "eve.json").read_text().splitlines()]
    identities = [event["mining"]["finding_id"] for event in events]
    assert identities == [finding.finding_id for finding in shown]
    assert (NAMED.finding_id in (tmp_path / "page.html").read_text()) is (NAMED in shown)
    ledger = Ledger.open(url)
    assert len(ledger.reader.findings()) == 2
    ledger.close()
