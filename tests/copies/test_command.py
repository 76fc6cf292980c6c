"""`ledger backup --all`, `restore FOLDER` and `move` on the command line: what they answer, and what they leave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from sensor.cli.main import main
from tests.cli.test_json import SCHEMA
from tests.copies.desks import MadeDesk
from tests.people.desk import audited


def answered(capsys: pytest.CaptureFixture[str], definition: str, *words: str) -> dict[str, object]:
    """The answer of a command, valid against its definition."""
    assert main(["ledger", *words, "--json"]) == 0
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{definition}"}).validate(answer)
    return answer


def test_a_desk_is_copied_lost_restored_and_moved(
    desk: MadeDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = ("--ledger", desk.url)
    copy = answered(capsys, "ledger backup --all", "backup", "--all", str(tmp_path), *on)
    folder = Path(str(copy["copy"]))
    assert folder.parent == tmp_path
    assert (copy["stores"], copy["attachments"]) == (["ledger", "people", "audit"], 2)
    done = answered(capsys, "ledger restore folder", "restore", str(folder), *on)
    assert str(done["former"]).startswith(f"{desk.folder}/ledger.db.before-restore-")
    assert done["remarks"] == []
    to = f"sqlite:///{tmp_path}/moved.db"
    moved = answered(capsys, "ledger move", "move", to, *on)
    assert moved["to"] == f"{tmp_path}/moved.db"
    assert str(moved["audit"]).startswith("minewatch-audit/1 ")
    for url in (desk.url, to):
        assert main(["audit", "verify", "--ledger", url]) == 0
    actions = [row["action"] for row in audited(to)]
    assert [actions.count(action) for action in ("desk.backup", "desk.restore", "desk.move")] == [1, 2, 2]


def test_mistakes_are_one_sentence(desk: MadeDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "nothing").mkdir()
    for words, code, sentence in (
        (("restore", str(tmp_path / "nothing")), 1, "this is no copy of a desk; nothing was changed"),
        (("backup", "--all", "--ledger", "postgresql+psycopg://x@/y"), 1, "pg_dump"),
        (("move", "no url"), 1, "not a database URL"),
        (("move", desk.url), 1, "is the ledger itself"),
    ):
        given = words if "--ledger" in words else (*words, "--ledger", desk.url)
        assert main(["ledger", *given]) == code
        error = capsys.readouterr().err
        assert sentence in error
        assert "Traceback" not in error


def test_whoever_moves_a_desk_hears_where_its_attachments_stay(
    desk: MadeDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ledger", "move", f"sqlite:///{tmp_path}/moved.db", "--ledger", desk.url]) == 0
    assert f"write {desk.folder}/ledger.db.attachments into ledger.attachments" in capsys.readouterr().err
