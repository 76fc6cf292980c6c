"""Findings that are no mining are listed and exported only where they are asked for."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from sensor.cli.main import main
from sensor.ledger import Ledger
from tests.cli.test_json import SCHEMA
from tests.ledger.mining import HOUR, MONDAY, mined


@pytest.fixture
def url(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(address)
    for number, activity in enumerate(("mining", "attempt", "observer", "probe"), 1):
        ledger.record([mined(number, MONDAY, MONDAY + HOUR, 9, activity=activity)], MONDAY + HOUR)
    ledger.close()
    return address


@pytest.mark.parametrize("activity", ["attempt", "observer", "probe"])
def test_each_activity_is_listed_by_itself(activity: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "list", "--activity", activity, "--json", "--ledger", url]) == 0
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, {"$ref": "#/$defs/ledger list --activity", "$defs": SCHEMA["$defs"]})
    assert [found["activity"] for found in answer["findings"]] == [activity]
    assert main(["ledger", "export", "--activity", activity, "--ledger", url, "--from", "2020-01-01"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 2
    assert f",{activity}," in rows[1]


def test_without_being_asked_for_only_mining_is_listed(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "list", "--json", "--ledger", url]) == 0
    assert json.loads(capsys.readouterr().out)["total"] == 1


def test_what_has_no_case_has_no_state(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "list", "--activity", "probe", "--state", "new", "--ledger", url]) != 0
    assert "--state does not go with --activity probe" in capsys.readouterr().err
