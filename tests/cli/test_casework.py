"""`minewatch ledger set` with all that the console has: the same commands and refusals, and a row in the audit."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sensor.audit.system_user import system_actor
from sensor.cli.main import main
from sensor.ledger import Ledger
from tests.cli.test_audit import records
from tests.cli.test_json import check
from tests.ledger.mining import HOUR, MONDAY, mined, owned
from tests.people.desk import SUZHOU, WUXI, add, opened

DAY = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = f"sqlite:///{tmp_path_factory.mktemp('desk')}/ledger.db"
    ledger = Ledger.open(place)
    for number in range(1, 8):
        ledger.record([mined(number, MONDAY, MONDAY + 5 * HOUR, 900, attribution=owned(number))], MONDAY)
    ledger.close()
    with opened(place) as door:
        add(door, "li", "officer", SUZHOU)
        add(door, "wang", "officer", WUXI)
        add(door, "sun", "reader", SUZHOU)
    return place


def said(capsys: pytest.CaptureFixture[str], url: str, *more: str) -> tuple[int, str, str]:
    code = main(["ledger", *more, "--ledger", url])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_one_call_does_all_of_it_in_its_order(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "报告.txt").write_text("found 540 machines", encoding="utf-8")
    code, out, err = said(
        capsys, url, "set", "1", "notified", "--why", "letter 12", "--assign", "li", "--due", DAY,
        "--conclusion", "集中式矿场", "--measure", "power-cut", "--measure", "扣留或没收设备",
        "--machines", "asic=540:Antminer S19",
        "--hours", "1,300", "--kwh", "370,000", "--attach", str(tmp_path / "报告.txt"), "--steps", "1",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert [line.partition(": ")[2] for line in out.splitlines()] == [
        "concluded", "new -> notified", "assigned to li", "due as was said", "attached as number 1",
    ]  # fmt: skip
    _, text, _ = said(capsys, url, "show", "1")
    shown = "machines held or confiscated, sealed and power cut; found: 540 ASICs (Antminer S19), 1,300 h, 370,000 kWh"
    assert shown in text
    assert "(284.6 kW)" in text
    assert "attachment 1: 报告.txt, text, 18 bytes" in text
    answer = json.loads(said(capsys, url, "show", "1", "--json")[1])
    check("ledger show case", answer)
    assert [step["kind"] for step in answer["history"]] == ["move", "conclude", "move", "assign", "due", "attach"]
    assert answer["field_result"]["machines"] == [{"kind": "asic", "count": 540, "model": "Antminer S19"}]
    assert (answer["due_is_own"], answer["assignee"]) == (True, "li")
    done = [row for row in records(url) if row["objects"] == ["case:1"]][-1]
    assert (done["action"], done["phase"], done["actor"]["system_user"]) == (  # type: ignore[index]
        "case.set", "done", system_actor().system_user,
    )  # fmt: skip
    assert done["query"]["machines"] == "asic=540:Antminer S19"  # type: ignore[index]
    assert "报告" not in json.dumps(done, ensure_ascii=False)
    code, out, err = said(capsys, url, "set", "1", "--assign", "nobody", "--steps", "1")
    assert (code, err) == (
        2,
        "minewatch: ledger set: the case was changed since this page was read: look at it, and try again\n",
    )


def test_a_file_comes_back_as_it_was_and_not_after_it_was_removed(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n")
    assert said(capsys, url, "set", "2", "--attach", str(tmp_path / "a.pdf"))[0] == 0
    assert said(capsys, url, "attachment", "2", "1", "--to", str(tmp_path / "b.pdf"))[0] == 0
    assert (tmp_path / "b.pdf").read_bytes() == b"%PDF-1.7\n"
    assert [row["action"] for row in records(url)][-2:] == ["case.attachment"] * 2
    code, _, err = said(capsys, url, "set", "2", "--remove", "1")
    assert (code, err) == (2, "minewatch: ledger set: say what was found or done\n")
    assert said(capsys, url, "set", "2", "--remove", "1", "--why", "the wrong one")[0] == 0
    code, _, err = said(capsys, url, "attachment", "2", "1", "--to", str(tmp_path / "c.pdf"))
    assert (code, err) == (1, "minewatch: case 2 has no attachment 1\n")
    assert not (tmp_path / "c.pdf").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--assign", "wang"), "there is no account wang that could take this case"),  # of another city
        (("--assign", "sun"), "there is no account sun that could take this case"),  # a reader
        (("--assign", "nobody"), "the case is assigned to nobody"),
        (("--due", "2020-01-01"), "a due date lies ahead, and this one has passed"),
        (("--due", "2999-01-01"), "'2999-01-01' is no date: write it as 2026-03-31"),
        (("--due", "none"), "the case has no due date of its own"),
        (("--conclusion", "guilty"), "'guilty' is no conclusion; there are"),
        (("--measure", "none", "--measure", "warning"), "no measure was taken, or there was one: both cannot be"),
        (("--machines", "fpga=3"), "'fpga' is no kind of machine; there are asic, gpu, cpu, other"),
        (("--machines", "asic=1", "--machines", "asic=2"), "each kind of machine is counted once"),
        (("--machines", "asic=-1"), "'-1' is no number of machines: write digits, as 540"),
        (("--hours", "many"), "'many' is no number: write digits, as 1300 or 1,300.5"),
        (("--kwh", "999999999999"), "kilowatt-hours lie between 0 and 10,000,000,000"),
        (("--why", "a\x07b"), "the text has characters that do not print"),
        ((), "say what was found or done"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    url: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    before = said(capsys, url, "show", "3", "--json")[1]
    code, out, err = said(capsys, url, "set", "3", *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert said(capsys, url, "show", "3", "--json")[1] == before


def test_lists_and_exports_have_it_and_unknown_is_empty(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(
        capsys,
        url,
        "set",
        "4",
        "--assign",
        "li",
        "--conclusion",
        "mine",
        "--machines",
        "asic=0",
        "--machines",
        "gpu=:3090",
    )
    assert "1 case" in (listed := said(capsys, url, "list", "--assigned", "LI", "--text", "企业4")[1])
    assert " li " in listed
    assert "0 cases" in said(capsys, url, "list", "--assigned", "nobody", "--text", "企业4")[1]
    table = said(capsys, url, "export", "--until", "2023-11-21")[1].lstrip("\ufeff")
    rows = {row["case"]: row for row in csv.DictReader(io.StringIO(table))}
    found = ("case_assignee", "case_conclusion", "found_asics", "found_gpus", "found_hours", "found_kwh")
    assert [rows["4"][name] for name in found] == ["li", "mine", "0", "", "", ""]
    assert [rows["5"][name] for name in found] == [""] * 6


def test_what_was_done_is_answered_in_the_desks_language(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, url, "set", "1", "--why", "他们来电", "--language", "zh")
    assert (code, err) == (0, "")
    assert out.startswith("案件 1：已备注；状态仍为")
    assert not re.search("[a-z]", out)
