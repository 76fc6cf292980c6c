"""`--json`: one object that its schema describes, whole; persons and what is unknown stay out of it."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sensor.cli.json_text import print_json
from sensor.cli.main import main
from sensor.ledger import Ledger
from tests.cli.conftest import Run
from tests.ledger.mining import HOUR, MONDAY, mined, owned, told

SCHEMA = json.loads(resources.files("sensor.answers").joinpath("answers.schema.json").read_text(encoding="utf-8"))
PERSON = "张三丰"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Three enterprises, a person, and an address of nobody, each with a case."""
    place = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(place)
    for number in range(1, 6):
        owner = None if number == 5 else owned(number, "individual" if number == 3 else "enterprise")
        ledger.record(list(told(number, MONDAY, MONDAY + 5 * HOUR, HOUR, 20, attribution=owner)), MONDAY)
    ledger.close()
    return place


def answer(capsys: pytest.CaptureFixture[str], definition: str, *words: str) -> dict[str, Any]:
    """What a command prints, valid against a definition."""
    assert main([*words, "--json"]) == 0, capsys.readouterr().err
    parsed = json.loads(capsys.readouterr().out)
    check(definition, parsed)
    assert isinstance(parsed, dict)
    return parsed


def check(definition: str, parsed: object) -> None:
    jsonschema.Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{definition}"}).validate(parsed)


def test_every_answer_is_as_its_schema_says(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer(capsys, "version", "version")
    answer(capsys, "signatures list", "signatures", "list")
    assert len(answer(capsys, "signatures tables", "signatures", "tables")["tables"]) >= 12
    assert answer(capsys, "ledger list", "ledger", "list", "--ledger", url)["total"] == 5
    assert answer(capsys, "ledger show case", "ledger", "show", "1", "--ledger", url)["addresses"] == ["10.0.1.1"]
    whole = answer(capsys, "ledger show address", "ledger", "show", "10.0.1.1", "--ledger", url)
    assert [case["case"] for case in whole["cases"]] == [1]
    found = answer(capsys, "explain", "explain", "10.0.1.1", "--ledger", url, "-q")
    assert len(found["findings"]) == 1
    assert found["attribution"] is None
    assert "no books" in found["attribution_unknown"]


def test_the_sensors_of_a_ledger_are_an_answer_as_what_becomes_of_them_is(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(url, sensor_id="edge")
    ledger.record([mined(7, MONDAY, MONDAY + HOUR, 5)], MONDAY)
    ledger.close()
    listed = answer(capsys, "ledger sensors", "ledger", "sensors", "--ledger", url)
    assert answer(capsys, "ledger sensors", "ledger", "sensors", "list", "--ledger", url) == listed
    edge = next(sensor for sensor in listed["sensors"] if sensor["sensor_id"] == "edge")
    assert (edge["running"], edge["retired_at"], edge["findings"]) == (None, None, 1)
    renamed = answer(capsys, "ledger sensor", "ledger", "sensors", "rename", "edge", "north", "--ledger", url)["sensor"]
    assert renamed == {**edge, "sensor_id": "north"}
    retired = answer(capsys, "ledger sensor", "ledger", "sensors", "retire", "north", "--ledger", url)["sensor"]
    assert retired["state"] == "retired"
    assert retired["retired_at"] is not None


def test_options_before_the_second_word_hold_for_it(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", "sensors", "--json", "--ledger", url, "list"]) == 0
    assert json.loads(capsys.readouterr().out)["sensors"]


def test_care_of_a_ledger_answers_with_the_files(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place, copy = tmp_path / "ledger.db", tmp_path / "copy.db"
    backup = answer(capsys, "ledger backup", "ledger", "backup", str(copy), "--ledger", url)
    assert backup == {"ledger": str(place), "copy": str(copy), "size_bytes": copy.stat().st_size, "faults": []}
    sound = answer(capsys, "ledger check", "ledger", "check", "--ledger", url)
    assert (sound["ledger"], sound["sound"], sound["faults"]) == (str(place), True, [])
    restored = answer(capsys, "ledger restore", "ledger", "restore", str(copy), "--ledger", url)
    assert restored["restored_from"] == str(copy)
    assert Path(restored["former"]).is_file()


def test_damage_is_an_answer_and_an_exit_code(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ledger.db").write_bytes(b"this was a ledger once\n" * 500)
    assert main(["ledger", "check", "--json", "--ledger", url]) == 1
    out, err = capsys.readouterr()
    check("ledger check", json.loads(out))
    assert json.loads(out)["sound"] is False
    assert len(json.loads(out)["faults"]) == 1
    assert err.count("\n") == 1


def test_a_check_of_a_start_and_of_books_is_as_its_schema_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book, config = tmp_path / "book.csv", tmp_path / "minewatch.yaml"
    book.write_text("起始IP,终止IP,单位名称,备用\n198.51.100.0,198.51.100.255,一厂,x\n", encoding="utf-8")
    config.write_text(f"ledger: {{url: 'sqlite:///{tmp_path}/new.db'}}\nstatus: {{socket: null}}\n")
    found = answer(capsys, "check", "check", "-c", str(config))
    assert "ledger" in {part["part"] for part in found["checks"]}
    config.write_text("wrokers: 2\n")
    assert main(["check", "--json", "-c", str(config)]) == 78
    refused = json.loads(capsys.readouterr().out)
    check("check", refused)
    assert (refused["engine"], refused["state"]) == (None, "failure")
    assert answer(capsys, "books check", "books", "check", str(book))["books"][0]["rows"] == 1


def test_what_could_not_be_asked_is_null_and_not_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = f"sqlite:///{tmp_path}/none.db"
    found = answer(capsys, "explain", "explain", "192.0.2.1", "--ledger", missing, "-q")
    assert found["findings"] is None
    assert found["nodes"] is None
    assert "there is no ledger" in found["findings_unknown"]


def test_explain_with_books_has_the_claims(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book, config = tmp_path / "book.csv", tmp_path / "minewatch.yaml"
    rows = f"192.0.2.0,192.0.2.255,{PERSON},个人,320508,平江路七号\n198.51.100.0,198.51.100.255,一厂,企业,320505,x\n"
    book.write_text(f"起始IP,终止IP,单位名称,单位性质,行政区划,地址\n{rows}", encoding="utf-8")
    config.write_text(f"attribution:\n  sources:\n    - {{kind: inventory, path: {book}}}\n", encoding="utf-8")
    words = ("-c", str(config), "-q")
    named = answer(capsys, "explain", "explain", "198.51.100.7", *words)["attribution"]
    assert named["enterprise"]["name"] == "一厂"
    assert named["claims"][0]["enterprise"]["name"] == "一厂"
    hidden = answer(capsys, "explain", "explain", "192.0.2.7", *words)
    assert PERSON not in json.dumps(hidden, ensure_ascii=False)
    assert "平江路" not in json.dumps(hidden, ensure_ascii=False)
    assert hidden["attribution"]["enterprise"]["hidden"] is True
    assert hidden["attribution"]["enterprise"]["name"] is None
    shown = answer(capsys, "explain", "explain", "192.0.2.7", *words, "--persons")["attribution"]["enterprise"]
    assert (shown["name"], shown["hidden"]) == (PERSON, False)


def test_a_person_is_named_in_no_list_without_being_asked_for(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["list", "--all"], ["show", "3"], ["show", "10.0.3.1"]):
        assert main(["ledger", *words, "--json", "--ledger", url]) == 0
        out = capsys.readouterr().out
        assert "企业3" not in out
        assert "3 Mine Street" not in out
        assert main(["ledger", *words, "--json", "--persons", "--ledger", url]) == 0
        assert "企业3" in capsys.readouterr().out


def test_figures_that_are_not_known_are_null(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(place)
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 5, joules=0.0)], MONDAY)
    ledger.close()
    for definition, what in (("ledger show case", "1"), ("ledger show address", "10.0.1.1")):
        (row,) = answer(capsys, definition, "ledger", "show", what, "--ledger", place)["figures"]["algorithms"]
        assert row["hashrate_hps"]["best"] > 0
        assert row["power_watts"] is None
        assert row["energy_kwh"] is None


def test_a_mistake_is_a_sentence_and_nothing_is_on_standard_output(url: str, run: Run) -> None:
    for code, words in (
        (2, ["ledger", "list", "--state", "solved", "--ledger", url]),
        (1, ["ledger", "show", "99", "--ledger", url]),
        (1, ["ledger", "list", "--ledger", "sqlite:///none.db"]),
        (1, ["ledger", "check", "--ledger", "sqlite:///none.db"]),
        (1, ["ledger", "restore", "none.db", "--ledger", url]),
        (1, ["ledger", "sensors", "retire", "nobody", "--ledger", url]),
        (2, ["explain", "no-address"]),
        (2, ["signatures", "test"]),
    ):
        done = run(*words, "--json")
        assert (done.returncode, done.stdout) == (code, b"")
        assert re.fullmatch(rb"minewatch: [^\n]+\n", done.stderr), done.stderr


def test_text_is_utf_8_whatever_the_locale_and_steers_no_terminal(url: str, run: Run) -> None:
    done = run("ledger", "list", "--json", "--ledger", url, LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert "企业1" in done.stdout.decode()


def test_what_does_not_print_is_escaped_and_comes_back(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    strange = "a\x1b[2J\x9b1m\u202eb\ud800c\U0001f600\U000e0001\n企业"
    print_json({"name": strange})
    out = capsysbinary.readouterr().out.decode()
    assert out.replace("\n", "").isprintable()
    assert json.loads(out)["name"] == strange


def test_pages_make_up_the_whole_and_say_the_total(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    whole = answer(capsys, "ledger list", "ledger", "list", "--ledger", url)
    pages = [
        answer(capsys, "ledger list", "ledger", "list", "--ledger", url, "--limit", "2", "--offset", str(offset))
        for offset in (0, 2, 4, 6)
    ]
    assert [case for page in pages for case in page["cases"]] == whole["cases"]
    assert {page["total"] for page in pages} == {5}
    assert main(["ledger", "list", "--ledger", url, "--limit", "2", "--offset", "2"]) == 0
    assert "3 to 4 of 5 cases, 5 overdue" in capsys.readouterr().out


def test_every_definition_of_a_command_is_in_the_documents() -> None:
    page = (Path(__file__).parents[2] / "docs" / "answers.md").read_text(encoding="utf-8")
    for name, definition in SCHEMA["$defs"].items():
        if "properties" in definition:
            assert f"## {name}\n" in page
            assert all(f"- `{member}`:" in page for member in definition["properties"])
