"""`minewatch people`: accounts by the command line; no password stands in an argument, an answer or the audit."""

from __future__ import annotations

import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.audit.system_user import user_name
from sensor.cli.main import main
from tests.cli.conftest import ROOT, Run
from tests.cli.test_json import check
from tests.people.desk import PASSWORD, audited

ADD = ("add", "li", "--role", "officer", "--division", "苏州市")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


def called(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str, *words: str, line: str = PASSWORD
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{line}\n"))
    code = main(["people", *words, "--ledger", url])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_an_account_from_its_making_to_its_end(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def do(*words: str) -> tuple[int, str, str]:
        return called(capsys, monkeypatch, url, *words)

    assert do(*ADD) == (0, "li: officer, 320500\n", "")
    assert do("add", "root", "--role", "admin")[:2] == (0, "root: admin\n")
    assert do("add", "li", "--role", "reader", "--division", "32")[0] == 2
    code, out, _ = do("list")
    assert code == 0
    assert "must change its password" in out
    assert "2 accounts" in out
    assert do("set", "li", "--role", "lead", "--division", "320500", "--division", "无锡市")[1].startswith(
        "li: lead, 320200 320500"
    )
    assert do("set", "li", "--role", "auditor")[1].startswith("li: auditor, ")
    assert do("set", "li", "--role", "officer", "--division", "all", "--name", "李四", "--language", "en")[0] == 0
    assert do("password", "li")[0] == 0
    assert do("disable", "LI ")[1] == "li: officer, all, disabled\nits sessions ended\n"
    assert do("enable", "li")[0] == 0
    assert do("revoke", "li", "--tokens")[1] == "li: 0 ended\n"
    code, _, err = do("disable", "root")
    assert code == 2
    assert "root is the last admin" in err
    rows = [(row["action"], row["phase"]) for row in audited(url) if row["phase"] != "asked"]
    assert rows[-1] == ("account.change", "failed")
    assert rows.count(("account.change", "done")) == 5
    assert {row["who"] for row in audited(url)} == {f"system:{user_name(os.getuid())}"}
    assert PASSWORD not in repr(audited(url))
    with sqlite3.connect(tmp_path / "ledger.db.people") as connection:
        assert PASSWORD not in "\n".join(connection.iterdump())


def test_mistakes_are_said_before_a_password_is_asked_for(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, why in (
        (("add", "L I", "--role", "reader", "--division", "32"), "is no login"),
        (("add", "li", "--role", "reader"), "needs a division"),
        (("add", "li", "--role", "admin", "--division", "32"), "has no divisions"),
        (("add", "li", "--role", "reader", "--division", "999999"), "999999"),
        (("add", "li", "--role", "reader", "--division", "Atlantis"), "Atlantis"),
        (("password", "nobody"), "there is no account"),
        (("set", "li"), "nothing to be changed"),
    ):
        stdin = io.StringIO(f"{PASSWORD}\n")
        monkeypatch.setattr(sys, "stdin", stdin)
        assert main(["people", *words, "--ledger", url]) == 2
        captured = capsys.readouterr()
        assert why in captured.err
        assert captured.err.count("\n") == 1
        assert stdin.tell() == 0  # nothing was read


def test_a_password_that_will_not_do_makes_no_account(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in ("", "short", "a" * 30, "x" * 5_000):
        code, _, err = called(capsys, monkeypatch, url, *ADD, line=line)
        assert code == 2
        assert "the password" in err
        assert not line or line not in err
    assert "0 accounts" in called(capsys, monkeypatch, url, "list")[1]


def test_a_password_is_no_argument(url: str, run: Run) -> None:
    done = run("people", *ADD, "--password", PASSWORD, "--ledger", url)
    assert done.returncode == 2
    assert b"unrecognized arguments" in done.stderr


def test_a_terminal_is_asked_twice_and_shows_nothing(url: str) -> None:
    master, slave = pty.openpty()
    line = [sys.executable, "-m", "sensor.cli", "people", *ADD, "--ledger", url]
    asked = subprocess.Popen(
        line,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )
    os.close(slave)
    seen = b""
    try:
        for mark in (b"Password of li: ", b"Once more: "):
            while mark not in seen:
                seen += os.read(master, 4_096)
            os.write(master, f"{PASSWORD}\n".encode())
        while b"li: officer" not in seen:
            seen += os.read(master, 4_096)
    finally:
        asked.wait(30)
        os.close(master)
    assert asked.returncode == 0
    assert PASSWORD.encode() not in seen


def test_tokens_by_the_command_line(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def do(*words: str) -> tuple[int, str, str]:
        return called(capsys, monkeypatch, url, *words)

    do(*ADD)
    code, secret, err = do("tokens", "add", "li", "--label", "office", "--scope", "read:cases", "--days", "7")
    assert code == 0
    assert secret.startswith("mwt_")
    number = err.split()[2]
    assert number in do("tokens")[1]
    assert "live" in do("tokens", "list", "li")[1]
    assert secret.strip() not in do("tokens", "list")[1]
    assert do("tokens", "add", "li", "--label", "x", "--scope", "read:cases", "--division", "北京市")[0] == 2
    assert do("tokens", "revoke", number)[0] == 0
    assert "revoked" in do("tokens")[1]
    assert do("tokens", "revoke", number)[0] == 2


def test_answers_are_as_their_schema_says(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called(capsys, monkeypatch, url, *ADD)
    called(capsys, monkeypatch, url, "add", "root", "--role", "admin")
    called(capsys, monkeypatch, url, "tokens", "add", "li", "--label", "x", "--scope", "read:cases")
    check("people list", json.loads(called(capsys, monkeypatch, url, "list", "--json")[1]))
    check("people tokens", json.loads(called(capsys, monkeypatch, url, "tokens", "--json")[1]))


def test_a_list_of_accounts_that_are_not_there_makes_no_file(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in (("list",), ("tokens",), ("tokens", "list", "--json")):
        code, out, err = called(capsys, monkeypatch, url, *words)
        assert (code, out) == (1, "")
        assert "there are no accounts yet" in err
    assert not list(tmp_path.iterdir())


def test_without_argon2_the_command_says_what_to_install(url: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "argon2.py").write_text("raise ImportError('argon2')")
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    done = run("people", "list", "--ledger", url, **environment)
    assert done.returncode == 1
    assert b"pip install 'minewatch[console]'" in done.stderr


def test_what_is_kept_no_longer_goes_and_is_counted(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("add", "li", "--role", "reader", "--division", "3205", "--no-password")
    assert called(capsys, monkeypatch, url, *words)[0] == 0
    code, out, _ = called(capsys, monkeypatch, url, "tidy", "--json")
    answer = json.loads(out)
    assert (code, set(answer.values())) == (0, {0})
    assert set(answer) == {"accounts", "tokens", "sessions", "places", "failures", "audit_rows"}
    assert "accounts: 0 went" in called(capsys, monkeypatch, url, "tidy")[1]
