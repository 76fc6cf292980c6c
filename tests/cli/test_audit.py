"""`minewatch audit`, and what commands that change something leave in it."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from sensor.audit.store import AuditReader, audit_place
from sensor.audit.system_user import user_name
from sensor.cli.main import main
from sensor.ledger import Ledger
from tests.audit.rows import by_hand
from tests.cli.conftest import Run
from tests.cli.test_json import check
from tests.ledger.mining import HOUR, MONDAY, mined, owned, told


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A ledger of three cases."""
    place = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(place)
    for number in range(1, 4):
        ledger.record(list(told(number, MONDAY, MONDAY + 5 * HOUR, HOUR, 20, attribution=owned(number))), MONDAY)
    ledger.close()
    return place


def called(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def records(url: str) -> list[dict[str, object]]:
    """What rows say, without the first."""
    reader = AuditReader(audit_place(url))
    try:
        return [json.loads(row.record) for row in reader.rows()][1:]  # type: ignore[arg-type]
    finally:
        reader.close()


def test_a_move_stands_there_before_it_is_tried_and_after_it(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("ledger", "set", "1", "notified", "--why", "letter 12", "--who", "Wang", "--ledger", url)
    assert called(capsys, *words)[0] == 0
    asked, done = records(url)
    user = user_name(os.getuid())
    assert (asked["phase"], done["phase"], done["of"]) == ("asked", "done", asked["sequence"])
    assert asked["who"] == done["who"] == f"system:{user}"
    assert done["actor"]["stated"] == "Wang"  # type: ignore[index]
    assert done["objects"] == ["case:1"]
    assert (done["before"], done["after"]) == ({"state": "new"}, {"state": "notified"})
    assert done["why"] == "letter 12"


def test_a_move_that_is_refused_stands_there_too(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(capsys, "ledger", "set", "1", "relapsed", "--why", "x", "--ledger", url)[0] == 2
    _, failed = records(url)
    assert failed["phase"] == "failed"
    assert "cannot go to relapsed" in failed["query"]["reason"]  # type: ignore[index]


def test_who_is_the_users_name_whatever_the_environment_says(url: str, run: Run) -> None:
    done = run("ledger", "set", "1", "--why", "x", "--ledger", url, LOGNAME="wang", USER="wang", SUDO_USER="zhao")
    assert done.returncode == 0, done.stderr
    for record in records(url):
        assert record["who"] == f"system:{user_name(os.getuid())}"
        assert record["actor"]["sudo_user"] == "zhao"  # type: ignore[index]
    ledger = Ledger.open_to_read(url)
    assert ledger.reader.case(1).changes[-1].who == user_name(os.getuid())  # type: ignore[union-attr]
    ledger.close()


def test_every_move_of_the_command_line_leaves_rows(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(url, sensor_id="edge-1")
    ledger.begin(MONDAY)
    ledger.record([mined(7, MONDAY, MONDAY + HOUR, 20)], MONDAY)
    ledger.close()
    copy = str(tmp_path / "copy.db")
    for words in (
        ("ledger", "set", "2", "--why", "a note"),
        ("ledger", "set", "2", "false-alarm", "--why", "a museum"),
        ("ledger", "sensors", "rename", "edge-1", "north"),
        ("ledger", "sensors", "retire", "north"),
        ("ledger", "forget", "10.0.3.1", "--yes"),
        ("ledger", "backup", copy),
        ("ledger", "restore", copy),
    ):
        code, _, err = called(capsys, *words, "--ledger", url)
        assert code == 0, (words, err)
    done = [(record["action"], record["objects"]) for record in records(url) if record["phase"] == "done"]
    assert done == [
        ("case.note", ["case:2"]),
        ("case.set", ["case:2"]),
        ("sensor.rename", ["sensor:edge-1"]),
        ("sensor.retire", ["sensor:north"]),
        ("ledger.forget", ["address:10.0.3.1"]),
        ("ledger.restore", []),
    ]
    assert called(capsys, "audit", "verify", "--ledger", url)[0] == 0  # the chain stayed when the ledger was restored


def test_what_cannot_be_audited_is_not_done(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ledger.db.audit").mkdir()
    for words in (("set", "1", "notified", "--why", "x"), ("forget", "10.0.3.1", "--yes")):
        code, out, err = called(capsys, "ledger", *words, "--ledger", url)
        assert (code, out) == (1, "")
        assert "is a folder" in err
        assert "nothing was changed" in err
    ledger = Ledger.open_to_read(url)
    assert {case.state for case in ledger.reader.cases()} == {"new"}
    ledger.close()


def test_reading_makes_no_audit_and_leaves_no_file(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (("list",), ("show", "1"), ("export",), ("sensors",)):
        assert called(capsys, "ledger", *words, "--ledger", url)[0] == 0
    assert called(capsys, "audit", "show", "--ledger", url)[0] == 1
    assert called(capsys, "audit", "anchor", "--ledger", url)[0] == 1
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]


def moved(capsys: pytest.CaptureFixture[str], url: str, count: int) -> None:
    for number in range(count):
        assert called(capsys, "ledger", "set", "1", "--why", f"note {number}", "--ledger", url)[0] == 0


def test_verify_says_which_row_and_what(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved(capsys, url, 3)
    code, out, _ = called(capsys, "audit", "verify", "--ledger", url)
    assert code == 0
    assert "sound: 7 rows" in out
    assert "no anchor was given" in out
    with by_hand(tmp_path / "ledger.db.audit") as connection:
        connection.execute("UPDATE audit_rows SET record = replace(record, 'note 1', 'note x') WHERE sequence = 4")
    code, out, err = called(capsys, "audit", "verify", "--ledger", url)
    assert code == 1
    assert out.splitlines()[0].startswith("row 4 was changed")
    assert "tampered with" in err


def test_a_tail_that_was_cut_off_is_found_by_an_anchor_in_syslog_or_in_a_file(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved(capsys, url, 2)
    anchors = tmp_path / "elsewhere"
    code, line, _ = called(capsys, "audit", "anchor", "--to", str(anchors), "--ledger", url)
    assert code == 0
    log = tmp_path / "syslog"
    log.write_text(f"Nov 30 12:00:00 edge minewatch[7]: strange\nNov 30 12:00:01 edge minewatch[7]: {line}")
    moved(capsys, url, 1)
    assert called(capsys, "audit", "verify", "--anchor", str(anchors), "--ledger", url)[0] == 0
    with by_hand(tmp_path / "ledger.db.audit") as connection:
        connection.execute("DELETE FROM audit_rows WHERE sequence > 3")
    for file in (anchors, log):
        assert called(capsys, "audit", "verify", "--ledger", url)[0] == 0  # by itself nothing shows it
        code, out, _ = called(capsys, "audit", "verify", "--anchor", str(file), "--ledger", url)
        assert code == 1
        assert "rows 4 to 5 are cut off" in out


def test_every_form_of_a_bulletin_is_an_anchor(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved(capsys, url, 2)
    folder = tmp_path / "bulletins"
    code, _, err = called(capsys, "bulletin", "-w", "2026-W10", "--lang", "both", "-o", str(folder), "--ledger", url)
    assert code == 0, err
    with by_hand(tmp_path / "ledger.db.audit") as connection:
        connection.execute("DELETE FROM audit_rows WHERE sequence > 3")
    files = [file for file in folder.iterdir() if file.suffix != ".xlsx"]  # packed: its text is to be copied out
    assert {file.suffix for file in files} >= {".html", ".md", ".json"}
    for file in files:
        if file.suffix != ".csv" or "minewatch-audit" in file.read_text():
            code, out, _ = called(capsys, "audit", "verify", "--anchor", str(file), "--ledger", url)
            assert (code, "rows 4 to 5 are cut off" in out) == (1, True), file


def test_a_bulletin_of_who_may_not_read_the_audit_says_so(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ledger.db.audit").mkdir()
    code, out, err = called(capsys, "bulletin", "-w", "2026-W10", "--ledger", url)
    assert code == 0
    assert "the head of the audit is not on it: " in err
    assert "minewatch-audit" not in out


def test_only_anchors_of_the_key_are_believed(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved(capsys, url, 1)
    key, other, anchors = (str(tmp_path / name) for name in ("key", "other", "anchors"))
    for name in (key, other):
        assert called(capsys, "audit", "key", name)[0] == 0
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert called(capsys, "audit", "key", key)[0] == 1  # never over a key
    words = ("--set", f"audit.key={key}", "--set", f"audit.anchors={anchors}", "--ledger", url)
    assert called(capsys, "audit", "anchor", *words)[0] == 0
    assert called(capsys, "audit", "verify", *words)[0] == 0
    public = ("audit", "verify", "--anchor", anchors, "--key", f"{key}.pub", "--ledger", url)
    assert called(capsys, *public)[0] == 0
    code, out, _ = called(capsys, "audit", "verify", "--anchor", anchors, "--key", f"{other}.pub", "--ledger", url)
    assert code == 1
    assert "anchors:1: the anchor is not believed: it is signed by key" in out
    text = (tmp_path / "anchors").read_text()
    (tmp_path / "anchors").write_text(text.replace("rows=3", "rows=2"))
    assert "its signature is not of these words" in called(capsys, *public)[1]
    (tmp_path / "anchors").write_text(text.partition(" key=")[0])
    assert "it is not signed" in called(capsys, *public)[1]
    (tmp_path / "key").chmod(0o644)
    code, _, err = called(capsys, "audit", "anchor", *words)
    assert code == 1
    assert "others may read this private key" in err


def test_answers_are_as_their_schema_says(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved(capsys, url, 2)
    for words in (("show", "--last", "2"), ("verify",), ("anchor",)):
        code, out, _ = called(capsys, "audit", *words, "--json", "--ledger", url)
        assert code == 0
        check(f"audit {words[0]}", json.loads(out))
    with by_hand(tmp_path / "ledger.db.audit") as connection:
        connection.execute("UPDATE audit_rows SET record = x'ff' WHERE sequence = 4")
    code, out, _ = called(capsys, "audit", "verify", "--json", "--ledger", url)
    check("audit verify", json.loads(out))
    assert (code, json.loads(out)["faults"][0]["row"]) == (1, 4)
    for record in ('{"at_ns":NaN}', '{"at_ns":1e999}', "[]", "{}", '"' * 9_000, "[" * 100_000):
        with by_hand(tmp_path / "ledger.db.audit") as connection:
            connection.execute("UPDATE audit_rows SET record = ?, actor = x'fe' WHERE sequence = 4", (record.encode(),))
        check("audit show", json.loads(called(capsys, "audit", "show", "--json", "--ledger", url)[1]))
        assert "DAMAGED" in called(capsys, "audit", "show", "--ledger", url)[1]


def test_show_is_of_what_was_asked_for(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    moved(capsys, url, 1)
    called(capsys, "ledger", "set", "2", "notified", "--why", "letter\x1b[2J", "--ledger", url)
    code, out, _ = called(capsys, "audit", "show", "--object", "case:2", "--ledger", url)
    assert code == 0
    assert "2 rows" in out
    assert "case:1" not in out
    assert "\x1b" not in out
    assert "1 row\n" in called(capsys, "audit", "show", "--what", "opened", "--ledger", url)[1]
    assert "0 rows" in called(capsys, "audit", "show", "--actor", "nobody-there", "--ledger", url)[1]
    assert "5 rows; the newest 1 are shown" in called(capsys, "audit", "show", "--last", "1", "--ledger", url)[1]
    assert called(capsys, "audit", "show", "--since", "yesterday", "--ledger", url)[0] == 2


def test_a_file_that_is_no_audit_is_a_sentence(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for data in (b"not a database" * 100, b""):
        (tmp_path / "ledger.db.audit").write_bytes(data)
        for action in ("show", "verify"):
            code, out, err = called(capsys, "audit", action, "--ledger", url)
            assert (code, out) == (1, "")
            assert err.count("\n") == 1
    with pytest.raises(sqlite3.DatabaseError), by_hand(tmp_path / "ledger.db.audit") as connection:
        connection.execute("SELECT * FROM audit_rows")
