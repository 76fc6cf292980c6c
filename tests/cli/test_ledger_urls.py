"""What is typed where a ledger's URL is wanted: one sentence with what to write instead, and never a password."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.ledger import Ledger, LedgerError
from sensor.model.ledger_url import ledger_url_mistake
from tests.cli.conftest import ROOT

COMMANDS = (
    ("ledger", "list"),
    ("ledger", "check"),
    ("ledger", "backup"),
    ("ledger", "restore", "copy.db"),
    ("explain", "192.0.2.1"),
    ("bulletin", "-w", "2026-W10"),
    ("replay", "none.pcap"),
)


def sentence(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> str:
    assert main(list(words)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("minewatch: ")
    assert err.count("\n") == 1
    return err.removeprefix("minewatch: ").strip()


@pytest.mark.parametrize("words", COMMANDS)
def test_a_path_is_answered_with_its_url_by_every_command(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = sentence(capsys, 2, *words, "--ledger", "/tmp/x.db")
    assert answer == "--ledger /tmp/x.db: not a database URL: write sqlite:////tmp/x.db"


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("x.db", "sqlite:///x.db"),
        ("./x.db", "sqlite:///./x.db"),
        ("sqlite:/srv/x.db", "sqlite:////srv/x.db"),
        ("sqlite:x.db", "sqlite:///x.db"),
        ("sqlite://srv/x.db", "sqlite:////srv/x.db"),
        ("file:///srv/x.db", "sqlite:////srv/x.db"),
        ("//srv/x.db", "sqlite:////srv/x.db"),
        ("", "sqlite:////var/lib"),
        (" ", "sqlite:////var/lib"),
        ("mysql://host/x", "postgresql+psycopg://"),
        ("postgres://host/x", "postgresql+psycopg://"),
        ("user:hunter2@host/x", "postgresql+psycopg://"),
        ("postgresql+psycopg://user:hunter2@host:port/x", "a number from 1 to 65535"),
        ("postgresql+psycopg://user:hunter2@host:70000/x", "a number from 1 to 65535"),
        ("postgresql+psycopg://user:hunter2@host:/x", "a number from 1 to 65535"),
        ("nosuchbase://user:hunter2@host/x", "sqlite:////"),
        ("sqlite://user:hunter2@srv/x.db", "sqlite:////srv/x.db"),
    ],
)
def test_what_is_no_url_gets_a_hint_and_its_password_is_not_repeated(
    url: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = sentence(capsys, 2, "ledger", "list", "--ledger", url)
    assert hint in answer
    assert "hunter2" not in answer
    (tmp_path / "c.yaml").write_text(f"workers: 1\nledger:\n  url: {url!r}\n")
    for command in ("check", "run"):
        answer = sentence(capsys, 78, command, "-c", str(tmp_path / "c.yaml"))
        assert answer.startswith(f"{tmp_path}/c.yaml:3: ledger.url: ")
        assert "hunter2" not in answer
    with pytest.raises(LedgerError, match="not a database URL") as raised:
        Ledger.open(url)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///x.db",
        "sqlite:////srv/x y.db?timeout=3",
        "sqlite+pysqlite:///x.db",
        "postgresql://host/x",
        "postgresql+psycopg:///x",
        "postgresql+psycopg://user:a:b@[::1]:5432/x",
        "postgresql+psycopg://user@[2001:db8::1]/x",
        "postgresql+psycopg://u@/x?host=/run/postgresql",
    ],
)
def test_what_is_one_passes(url: str) -> None:
    assert ledger_url_mistake(url) is None


def test_no_folder_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    for url, reason in (
        (f"sqlite:///{tmp_path}/none/x.db", f"no such folder: {tmp_path}/none"),
        (f"sqlite:///{tmp_path}", "is a folder: name a file in it"),
        (f"sqlite:///{str(tmp_path)[1:]}/x.db", f"write sqlite:///{tmp_path}/x.db"),
    ):
        with pytest.raises(LedgerError) as raised:
            Ledger.open(url)
        assert reason in str(raised.value)
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="file is no folder"):
        Ledger.open(f"sqlite:///{tmp_path}/file/x.db")


def test_a_path_from_the_root_with_three_slashes_is_guessed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{str(tmp_path)[1:]}/x.db"
    for words in (("ledger", "list"), ("ledger", "check"), ("ledger", "backup")):
        assert f"write sqlite:///{tmp_path}/x.db" in sentence(capsys, 1, *words, "--ledger", url)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_what_may_not_be_opened_says_which_right_is_missing(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    shut, unwritable = tmp_path / "shut", tmp_path / "unwritable"
    for folder in (shut, unwritable):
        folder.mkdir()
        Ledger.open(f"sqlite:///{folder}/x.db").close()
    unwritable.chmod(0o755)
    (unwritable / "x.db").chmod(0o644)
    shut.chmod(0o700)
    program = (
        "import os, sys\nfrom sensor.ledger import Ledger, LedgerError, care\n"
        "Ledger.open('sqlite://').close()\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "for act in (Ledger.open, care.check):\n"
        "    for name in sys.argv[1:]:\n"
        "        try:\n"
        "            print(act('sqlite:///' + name))\n"
        "        except LedgerError as error:\n"
        "            print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, f"{shut}/x.db", f"{unwritable}/x.db", f"{unwritable}/new.db"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "no permission to look into the folder" in lines[0]
    assert "no permission to read and write it" in lines[1]
    assert f"no permission to write into the folder {unwritable}" in lines[2]
    assert "permission denied" in lines[3]
    assert lines[4].startswith("LedgerCheck(")  # reading is allowed
    assert "there is no ledger at" in lines[5]
