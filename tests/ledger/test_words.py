"""`minewatch ledger ...` and `replay --ledger` as a user meets them; the mining list in both forms."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
from pathlib import Path

import pytest
import yaml

from exporters.forms import mining_list
from sensor.audit.system_user import user_name
from sensor.cli.main import main
from sensor.ledger import Ledger
from sensor.settings.sections import FindingsSettings, LedgerSettings
from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned, told

WEEK = 7 * DAY


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(made)
    for number in range(1, 5):
        owner = owned(number, category="individual" if number == 3 else "enterprise") if number < 4 else None
        ledger.record(list(told(number, MONDAY, MONDAY + 5 * HOUR, HOUR, 20, attribution=owner)), MONDAY)
    ledger.close()
    return made


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One miner, for some minutes."""
    wire = Wire()
    miners.stratum(
        Tcp(wire, host("198.51.100.9"), host("203.0.113.9"), (40_000, 3333), 0),
        f"{miners.BTC}.rig",
        "cgminer/4.12.1",
        4,
        8.0,
    )
    path = tmp_path_factory.mktemp("mined") / "mined.pcap"
    wire.write(path)
    return path


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["ledger", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list_shows_open_cases_and_which_are_overdue(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "list", "--ledger", url)
    assert code == 0
    assert "企业1, Suzhou 1 Mine Street" in out
    assert out.count(" overdue\n") + out.count("overdue  ") >= 4
    assert "4 cases, 4 overdue" in out
    said(capsys, "set", "2", "closed", "--why", "gone", "--ledger", url)
    assert "3 cases" in said(capsys, "list", "--ledger", url)[1]
    assert "4 cases" in said(capsys, "list", "--all", "--ledger", url)[1]
    assert "1 case, 0 overdue" in said(capsys, "list", "--state", "办结", "--ledger", url)[1]
    assert said(capsys, "list", "--state", "solved", "--ledger", url)[0] == 2


def test_set_moves_a_case_and_refuses_with_a_sentence(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "set", "1", "notified", "--why", "letter 12", "--who", "Li", "--ledger", url)[:2] == (
        0,
        "case 1: new -> notified\n",
    )
    code, _, err = said(capsys, "set", "1", "relapsed", "--why", "x", "--ledger", url)
    assert code == 2
    assert "a case that is notified cannot go to relapsed; it can go to under-check" in err
    assert (
        said(capsys, "set", "99", "notified", "--why", "x", "--ledger", url)[2]
        == "minewatch: ledger set: there is no case 99\n"
    )
    assert said(capsys, "set", "1", "under-check", "--why", "  ", "--ledger", url)[0] == 2
    _, out, _ = said(capsys, "show", "1", "--ledger", url)
    assert f"notified, {user_name(os.getuid())} (Li): letter 12" in out
    assert "it can go to under-check" in out


def test_a_false_alarm_prints_an_entry_that_the_configuration_takes(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in ("1", "4"):
        code, out, _ = said(
            capsys, "set", case, "false-alarm", "--why", "a school's: exhibit", "--who", "Li", "--ledger", url
        )
        assert code == 0
        entry = yaml.safe_load(out.partition("\n\n")[2])
        (allowed,) = FindingsSettings.model_validate(entry["findings"]).allow
        assert allowed.reason == f"a school's: exhibit (case {case})"
    assert allowed.network == "10.0.4.1/32"


def test_show_tells_a_case_with_its_site_and_an_address_with_its_findings(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = said(capsys, "show", "1", "--ledger", url)
    assert "Case 1: new" in out
    assert "sha256d: at least 1 machine, hashrate " in out
    assert "% sure:" in out
    _, out, _ = said(capsys, "show", "10.0.2.1", "--ledger", url)
    assert "企业2" in out
    assert "100 shares" in out
    assert said(capsys, "show", "203.0.113.99", "--ledger", url)[0] == 1
    assert said(capsys, "show", "99", "--ledger", url)[0] == 1


def test_a_ledger_that_is_not_there_is_told_and_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(capsys, "list", "--ledger", f"sqlite:///{tmp_path}/none.db")
    assert code == 1
    assert "there is no ledger at" in err
    assert not (tmp_path / "none.db").exists()
    assert said(capsys, "list", "--set", "ledger.timezone=Mars/Olympus")[0] == 78


def test_the_list_has_a_row_for_each_address_and_names_no_person_unless_asked(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = said(
        capsys,
        "export",
        "--to",
        str(tmp_path / "list.csv"),
        "--from",
        "2023-11-20",
        "--until",
        "2023-11-27",
        "--ledger",
        url,
    )
    assert (code, "4 rows" in out) == (0, True)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "list.csv").read_text("utf-8-sig"), newline="")))
    assert tuple(rows[0]) == mining_list.COLUMNS
    by_ip = {row["ip"]: row for row in rows}
    assert (by_ip["10.0.3.1"]["enterprise"], by_ip["10.0.3.1"]["site_address"]) == ("(a person)", "")
    assert (by_ip["10.0.1.1"]["enterprise"], by_ip["10.0.4.1"]["enterprise"]) == ("企业1", "")
    assert by_ip["10.0.1.1"]["first_seen"] == "2023-11-20T00:00:00+08:00"
    _, out, _ = said(capsys, "export", "--format", "json", "--persons", "--ledger", url)
    loaded = {row["ip"]: row for row in json.loads(out)["rows"]}
    assert loaded["10.0.3.1"]["enterprise"] == "企业3"
    assert float(by_ip["10.0.1.1"]["energy_kwh_best"]) == loaded["10.0.1.1"]["energy_kwh_best"]
    assert said(capsys, "export", "--from", "2024-01-01", "--until", "2023-01-01", "--ledger", url)[0] == 2
    assert said(capsys, "export", "--from", "yesterday", "--ledger", url)[0] == 2
    assert said(capsys, "export", "--to", str(tmp_path / "none" / "x.csv"), "--ledger", url)[0] == 1


def test_a_bundle_has_the_findings_of_the_period_and_no_person(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    week = ("--from", "2023-11-20", "--until", "2023-11-27")
    _, out, _ = said(capsys, "export", "--format", "stix", *week, "--ledger", url)
    objects = json.loads(out)["objects"]
    assert sum(one["type"] == "sighting" for one in objects) == 4
    names = {str(one.get("name")) for one in objects}
    assert "企业1" in names
    assert "企业3" not in json.dumps(objects, ensure_ascii=False)
    _, later, _ = said(
        capsys, "export", "--format", "stix", "--from", "2023-11-27", "--until", "2023-12-04", "--ledger", url
    )
    assert [one["type"] for one in json.loads(later)["objects"] if one["type"] == "sighting"] == []


def test_no_cell_of_the_list_is_a_formula(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    for number, strange in enumerate(
        ("=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "a\nb", 'a"b,c', "\u202eabc", "<script>")
    ):
        one = mined(number, MONDAY, MONDAY + HOUR, 9, attribution=owned(number, address=strange), pool_host=strange)
        ledger.record([one], MONDAY)
    text = mining_list.as_csv(ledger.reader.summary(MONDAY, MONDAY + WEEK), LedgerSettings().zone)
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert len(rows) == 11
    assert {len(row) for row in rows} == {len(mining_list.COLUMNS)}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_capture_replayed_into_a_ledger_twice_adds_nothing(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = f"sqlite:///{tmp_path}/ledger.db"
    lists = []
    for _ in range(2):
        assert main(["replay", "-q", "--ledger", made, str(capture)]) == 0
        lists.append(said(capsys, "export", "--format", "json", "--ledger", made)[1])
    assert lists[0] == lists[1]
    assert json.loads(lists[0])["rows"]


def test_a_ledger_that_cannot_be_written_is_a_run_error(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "-q", "--ledger", f"sqlite:///{tmp_path}/none/ledger.db", str(capture)]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_sensors_are_listed_renamed_and_retired_and_what_cannot_be_is_said(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(url, sensor_id="edge-1")
    ledger.begin(MONDAY)
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 5)], MONDAY)
    ledger.close()
    code, out, _ = said(capsys, "sensors", "--ledger", url)
    assert code == 0
    assert "edge-1" in out
    assert said(capsys, "sensors", "rename", "edge-1", "north", "--ledger", url)[0] == 0
    code, _, err = said(capsys, "sensors", "rename", "edge-1", "south", "--ledger", url)
    assert (code, err.strip()) == (1, "minewatch: ledger sensors rename: there is no sensor edge-1")
    code, _, err = said(capsys, "sensors", "rename", "north", "no name", "--ledger", url)
    assert code == 2
    assert "names no sensor" in err
    assert said(capsys, "sensors", "retire", "north", "--ledger", url)[0] == 0
    code, _, err = said(capsys, "sensors", "retire", "north", "--ledger", url)
    assert (code, err.strip()) == (1, "minewatch: ledger sensors retire: sensor north is retired already")
    assert "retired" in said(capsys, "sensors", "list", "--ledger", url)[1]


def test_lists_are_of_what_is_asked_for(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    def count(*words: str) -> int:
        code, out, err = said(capsys, "list", "--ledger", url, *words, "--json")
        assert code == 0, err
        return int(json.loads(out)["total"])

    said(capsys, "set", "1", "notified", "--why", "Letter 12", "--ledger", url)
    assert count("--division", "320500") == count("--division", "32") == count("--division", "苏州市") == 3
    assert count("--division", "330000") == 0
    assert count("--enterprise", "企业1") == 1
    assert count("--enterprise", "NAME:2") == 1
    assert count("--grade", "accepted") == 4
    assert count("--grade", "verified") == 0
    assert count("--state", "notified") == count("--text", "letter 12") == count("--text", "10.0.1.1") == 1
    assert count("--since", "2023-11-20") == count("--until", "2023-11-20") == 4
    assert count("--since", "2023-11-21") == count("--until", "2023-11-19") == 0
    assert count("--address", "::ffff:10.0.1.1") == 1


def test_a_person_is_not_found_by_name_unless_persons_are_named(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--enterprise", "企业3"], ["--text", "企业3"], ["--text", "3 Mine"], ["--enterprise", "name:3"]):
        assert said(capsys, "list", "--ledger", url, *words)[1] == "0 cases, 0 overdue\n"
        assert "1 case," in said(capsys, "list", "--ledger", url, *words, "--persons")[1]


def test_the_mining_list_is_of_what_is_asked_for(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    def rows(*words: str) -> int:
        return len(json.loads(said(capsys, "export", "--format", "json", "--ledger", url, *words)[1])["rows"])

    said(capsys, "set", "1", "notified", "--why", "Letter 12", "--ledger", url)
    assert rows() == 4
    assert rows("--division", "3205") == 3
    assert rows("--division", "3301") == 0
    assert rows("--enterprise", "企业2") == rows("--state", "notified") == rows("--text", "10.0.4.1") == 1
    assert rows("--grade", "verified") == 0
    code, out, err = said(capsys, "export", "--format", "stix", "--state", "new", "--ledger", url)
    assert (code, out) == (2, "")
    assert "does not go with --format stix" in err
    _, bundle, _ = said(capsys, "export", "--format", "stix", "--enterprise", "企业2", "--ledger", url)
    assert sum(item["type"] == "sighting" for item in json.loads(bundle)["objects"]) == 1


@pytest.mark.parametrize("action", ["list", "export"])
@pytest.mark.parametrize("text", ["329900", "32050", "3205O0", "苏洲市", "鼓楼区", "", "3" * 40, "²"])
def test_a_division_that_is_none_or_several_is_refused(
    url: str, capsys: pytest.CaptureFixture[str], action: str, text: str
) -> None:
    code, out, err = said(capsys, action, "--division", text, "--ledger", url)
    assert (code, out) == (2, "")
    assert err.startswith(f"minewatch: ledger {action}: ")
    assert err.count("\n") == 1


def test_an_abolished_division_is_taken_with_what_has_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(place)
    for number, division in enumerate(("320121", "320115", "320105"), 1):
        answer = owned(number, division=division)
        ledger.record([mined(number, MONDAY, MONDAY + HOUR, 9, attribution=answer)], MONDAY)
    ledger.close()
    code, out, err = said(capsys, "list", "--division", "320121", "--ledger", place)
    assert (code, out.splitlines()[-1]) == (0, "2 cases, 2 overdue")
    assert "320121 江苏省南京市江宁县 was abolished in 2000; 320115 江苏省南京市江宁区 is taken with it" in err
    _, out, err = said(capsys, "list", "--division", "320103", "--ledger", place)
    assert out == "0 cases, 0 overdue\n"
    assert "was abolished in 2013; none followed it for certain" in err


def test_an_address_stands_for_its_one_open_case(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "set", "10.0.1.1", "notified", "--why", "a", "--ledger", url)[1] == "case 1: new -> notified\n"
    assert said(capsys, "set", "10.0.4.1", "notified", "--why", "a", "--ledger", url)[1] == "case 4: new -> notified\n"
    assert said(capsys, "set", "10.0.1.1", "closed", "--why", "b", "--ledger", url)[0] == 0
    code, out, err = said(capsys, "set", "10.0.1.1", "re-check", "--why", "c", "--ledger", url)
    assert (code, out) == (2, "")
    assert "has no open case, and nothing was done" in err
    assert "case 1: closed, 企业1" in err
    for strange in ("192.0.2.77", "nobody", "1.5", "-", "²", "9" * 30):
        code, out, err = said(capsys, "set", strange, "closed", "--why", "c", "--ledger", url)
        assert (code, out, err.count("\n")) == (2, "", 1), strange


def test_an_address_of_several_open_cases_lists_them_and_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(place)
    for number in (1, 2):
        one = mined(number, MONDAY + number * DAY, MONDAY + number * DAY + HOUR, 9, miner="10.9.9.9")
        ledger.record([dataclasses.replace(one, miner_ip="10.9.9.9", attribution=owned(number))], MONDAY)
    before = [case.state for case in ledger.reader.cases()]
    assert len(before) == 2
    code, out, err = said(capsys, "set", "10.9.9.9", "notified", "--why", "a", "--ledger", place)
    assert (code, out) == (2, "")
    assert "10.9.9.9 has 2 open cases, and nothing was done" in err
    assert "case 1: new, 企业1" in err
    assert "case 2: new, 企业2" in err
    assert [case.state for case in ledger.reader.cases()] == before
    ledger.close()


def test_a_note_stands_in_the_history_and_moves_nothing(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "set", "1", "notified", "--why", "letter", "--ledger", url)
    before = json.loads(said(capsys, "show", "1", "--json", "--ledger", url)[1])
    code, out, _ = said(capsys, "set", "1", "--why", "they called back", "--who", "Li", "--ledger", url)
    assert (code, out) == (0, "case 1: noted; it stays notified\n")
    after = json.loads(said(capsys, "show", "1", "--json", "--ledger", url)[1])
    assert [step["why"] for step in after["history"]][-2:] == ["letter", "they called back"]
    assert {**after, "history": 0} == {**before, "history": 0}
    assert f"notified, {user_name(os.getuid())} (Li): they called back" in said(capsys, "show", "1", "--ledger", url)[1]


def test_a_note_on_a_false_alarm_does_not_become_its_reason(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "set", "1", "false-alarm", "--why", "a museum", "--ledger", url)
    said(capsys, "set", "1", "--why", "photographs are in the file", "--ledger", url)
    ledger = Ledger.open(url)
    ledger.record([mined(1, MONDAY + DAY, MONDAY + DAY + HOUR, 9, attribution=owned(1))], MONDAY + DAY)
    reasons = {entry.suppressed for entry in ledger.reader.findings("10.0.1.1")}
    ledger.close()
    assert any("false alarm: a museum" in str(reason) for reason in reasons)
    assert not any("photographs" in str(reason) for reason in reasons)
