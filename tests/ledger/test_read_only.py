"""Who may only read a ledger reads it with the service up, stopped and killed, and leaves no file that the service
cannot use.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sensor.ledger import Ledger, LedgerError
from sensor.ledger.store.database import reading
from sensor.ledger.store.ownership import wrong_owner
from sensor.ledger.store.read_only import TICK_S, open_file
from tests.ledger.made import finding
from tests.ledger.test_release_0_1 import kept

ROOT = Path(__file__).parents[2]
SERVICE, GROUP, READER = 61_001, 61_002, 61_003
#: Becomes another user when all that it needs is imported: an interpreter may lie where only root may look. `groups`
#: are further ones.
BECOME = """
import contextlib, io, os, sys
from sensor.cli.main import main
from sensor.ledger import Ledger
from tests.ledger.made import finding
from tests.ledger.test_release_0_1 import kept

def become(user, group, *groups):
    os.setgroups(groups); os.setgid(group); os.setuid(user); os.umask(0o027)
"""
#: Holds a ledger open as the service does: it writes a finding, says so, and waits.
SERVICE_PROGRAM = f"""{BECOME}
url, number, warm = sys.argv[1], int(sys.argv[2]), Ledger.open("sqlite:///:memory:")
warm.record([finding(number)], 1)
become({SERVICE}, {GROUP})
ledger = Ledger.open(url)
ledger.record([finding(number)], 1)
print("open", flush=True)
sys.stdin.readline()
ledger.close()
"""
#: Runs commands on a ledger of its own first, and then as a reader. Says of each how it ended, what it said, and which
#: files lie beside the ledger then, as far as it may see them.
READER_PROGRAM = f"""{BECOME}
import json, pathlib
warm, url, commands = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])

def run(words, where):
    outputs = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    with contextlib.redirect_stdout(outputs[0]), contextlib.redirect_stderr(outputs[1]):
        try:
            code = main([*words, "--ledger", where])
        except SystemExit as stop:
            code = stop.code
    texts = []
    for output in outputs:
        output.flush()
        texts.append(output.buffer.getvalue().decode())
    return code, *texts

def left():
    try:
        return {{path.name: (path.stat().st_uid, path.stat().st_mode & 0o777) for path in folder.iterdir()}}
    except PermissionError:
        return None

Ledger.open(warm).close()
for words in commands:
    run(words, warm)
folder = pathlib.Path(url.removeprefix("sqlite:///")).parent
become({READER}, {READER}, *GROUPS)
print(json.dumps([[*run(words, url), left()] for words in commands]))
"""
AS_ROOT = "import sys; from sensor.cli.main import main; sys.exit(main(sys.argv[1:]))"
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to act as three users")


@contextlib.contextmanager
def service(url: str, number: int = 1) -> Iterator[subprocess.Popen[str]]:
    words = [sys.executable, "-c", SERVICE_PROGRAM, url, str(number)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.wait(20)
        process.stdout.close()


class Answer(NamedTuple):
    """Of one command of a reader."""

    returncode: int
    stdout: str
    stderr: str
    left: dict[str, list[int]] | None  # files beside the ledger: owner and mode; None where he may not look


def by_reader(url: str, *commands: list[str], member: bool = True) -> list[Answer]:
    """Commands of somebody who is in the service's group, or in none of its."""
    program = READER_PROGRAM.replace("*GROUPS", str(GROUP) if member else "")
    with tempfile.TemporaryDirectory() as warm:
        words = [sys.executable, "-c", program, f"sqlite:///{warm}/ledger.db", url, json.dumps(commands)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return [Answer(*answer) for answer in json.loads(done.stdout)]


def by_root(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", AS_ROOT, *words, "--ledger", url]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def left(folder: Path) -> dict[str, tuple[int, int]]:
    """The files beside a ledger, and whose they are."""
    return {path.name: (path.stat().st_uid, path.stat().st_mode & 0o777) for path in folder.iterdir()}


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A service's folder, of the mode that is asked for, where everybody may pass."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        made = Path(name) / "state"
        made.mkdir()
        os.chown(made, SERVICE, GROUP)
        made.chmod(request.param)
        yield made


READING = (
    ["ledger", "list"],
    ["ledger", "export"],
    ["ledger", "sensors"],
    ["explain", "198.51.100.1"],
    ["bulletin", "--form", "json"],
)
WAYS = ("up", "stopped", "killed", "killed without its index")


@root
@pytest.mark.parametrize("folder", [0o750, 0o2770], indirect=True, ids=["closed", "writable"])
@pytest.mark.parametrize("way", WAYS)
def test_a_member_of_the_group_reads_and_the_service_goes_on(folder: Path, way: str) -> None:
    url = f"sqlite:///{folder}/ledger.db"
    with service(url) as process:
        if way != "up":
            end(process, way)
            if way == "killed without its index":
                (folder / "ledger.db-shm").unlink()
        before = left(folder)
        *answers, refused = by_reader(url, *READING, ["ledger", "sensors", "rename", "local", "other"])
        for words, done in zip(READING, answers, strict=True):
            assert done.returncode == 0, (words, done.stderr)
            assert done.left == {name: list(its) for name, its in before.items()}, words
            assert words[1] != "export" or "198.51.100." in done.stdout
        assert left(folder) == before
        assert refused.returncode == 1
        assert "no permission" in refused.stderr
        assert {name: its for name, its in left(folder).items() if its[0] not in (SERVICE,)} == {}
    with service(url, 2):  # the service opens it again, and writes
        assert by_reader(url, ["ledger", "list"])[0].returncode == 0


def end(process: subprocess.Popen[str], way: str) -> None:
    assert process.stdin is not None
    if way == "stopped":
        process.stdin.close()
    else:
        process.send_signal(signal.SIGKILL)
    process.wait(20)


@root
@pytest.mark.parametrize("folder", [0o750], indirect=True)
def test_who_is_not_in_the_group_is_told_that_he_may_not_read(folder: Path) -> None:
    url = f"sqlite:///{folder}/ledger.db"
    with service(url):
        done = by_reader(url, ["ledger", "list"], member=False)[0]
    assert done.returncode == 1
    assert "permission" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@root
@pytest.mark.parametrize("folder", [0o750], indirect=True)
@pytest.mark.parametrize("way", WAYS[:3])
def test_a_run_as_root_leaves_every_file_to_the_service(folder: Path, way: str) -> None:
    url = f"sqlite:///{folder}/ledger.db"
    with service(url) as process:
        if way != "up":
            end(process, way)
        for words in (["ledger", "list"], ["ledger", "sensors", "rename", "local", "other"]):
            done = by_root(url, *words)
            assert done.returncode == 0, done.stderr
            assert {owner for owner, _ in left(folder).values()} == {SERVICE}
    with service(url, 2):
        pass


@root
@pytest.mark.parametrize("folder", [0o750], indirect=True)
def test_a_ledger_that_the_service_cannot_open_is_told(folder: Path) -> None:
    url = f"sqlite:///{folder}/ledger.db"
    with service(url):
        pass
    assert wrong_owner(url) is None
    os.chown(folder / "ledger.db", 0, 0)
    sentence = wrong_owner(url)
    assert sentence is not None
    assert f"chown {SERVICE}:{GROUP} {folder}/ledger.db" in sentence
    done = by_root(url, "ledger", "list")
    assert (done.returncode, sentence in done.stderr) == (0, True)


def read_while_it_is_written(reader: Ledger, url: str) -> None:
    with reading(reader.engine):
        second = Ledger.open(url)
        second.record([finding(2)], 2)
        second.close()


def test_what_was_written_while_it_was_read_as_it_stood_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    first = Ledger.open(url)
    first.record([finding(1)], 1)
    first.close()
    reader = Ledger.open_to_read(url)
    assert len(reader.reader.findings()) == 1
    with pytest.raises(LedgerError, match="began to write") as raised:
        read_while_it_is_written(reader, url)
    assert raised.value.fault == "locked"
    assert len(reader.reader.findings()) == 2
    reader.close()


def test_a_reader_writes_nothing_and_says_so(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    Ledger.open(url).close()
    before = (tmp_path / "ledger.db").read_bytes()
    reader = Ledger.open_to_read(url)
    with pytest.raises(LedgerError, match="no permission to write"):
        reader.record([finding(1)], 1)
    reader.close()
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.db"]
    assert (tmp_path / "ledger.db").read_bytes() == before


def test_the_private_copy_of_a_log_without_its_index_is_taken_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(url)
    ledger.record([finding(1)], 1)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for end_of_name in ("", "-wal"):
        (crashed / f"ledger.db{end_of_name}").write_bytes((tmp_path / f"ledger.db{end_of_name}").read_bytes())
    ledger.close()
    with contextlib.closing(open_file(crashed / "ledger.db")) as connection:
        assert connection.execute("SELECT count(*) FROM findings").fetchone() == (1,)
        copied = Path(connection.copied.name)  # type: ignore[attr-defined]
        assert copied.is_dir()
    assert not copied.exists()
    assert sorted(path.name for path in crashed.iterdir()) == ["ledger.db", "ledger.db-wal"]


@pytest.mark.parametrize("text", ["", "no database at all", "x" * 5_000])
def test_what_is_no_ledger_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "ledger.db").write_text(text)
    with pytest.raises(LedgerError) as raised:
        Ledger.open_to_read(f"sqlite:///{tmp_path}/ledger.db")
    assert len(str(raised.value).splitlines()) == 1
    assert (tmp_path / "ledger.db").read_text() == text


def test_a_ledger_of_the_future_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    Ledger.open(url).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of the future'")
    with pytest.raises(LedgerError, match="made by a newer minewatch"):
        Ledger.open_to_read(url)


@pytest.mark.parametrize(("age_s", "waits"), [(0.0, [TICK_S]), (5.0, [])])
def test_a_file_written_a_moment_ago_is_read_when_its_clock_has_ticked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age_s: float, waits: list[float]
) -> None:
    path = tmp_path / "ledger.db"
    Ledger.open(f"sqlite:///{path}").close()
    slept: list[float] = []
    monkeypatch.setattr(time, "time", lambda: path.stat().st_mtime + age_s)
    monkeypatch.setattr(time, "sleep", slept.append)
    open_file(path).close()
    assert slept == waits


def test_sums_that_were_never_made_are_not_taken_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an older release leaves them, and a first start of this one that was killed half-way."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    ledger = Ledger.open(url)
    ledger.record([finding(1)], 1)
    ledger.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute("UPDATE findings SET rolled = NULL")
    with monkeypatch.context() as context:
        context.setattr("sensor.ledger.ledger.is_own", lambda _: False)
        with pytest.raises(LedgerError, match="its hourly sums are of an older minewatch"):
            Ledger.open_to_read(url)
    Ledger.open_to_read(url).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        assert connection.execute("SELECT count(*) FROM findings WHERE rolled IS NULL").fetchone() == (0,)


@root
@pytest.mark.parametrize("folder", [0o750], indirect=True)
def test_a_ledger_of_an_older_release_is_brought_up_to_date_only_by_whose_it_is(folder: Path) -> None:
    path = folder / "ledger.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(kept("ledger.sql.gz"))
    os.chown(path, SERVICE, GROUP)
    path.chmod(0o640)
    before = path.read_bytes()
    for done in (by_reader(f"sqlite:///{path}", ["ledger", "list"])[0], by_root(f"sqlite:///{path}", "ledger", "list")):
        assert done.returncode == 1
        assert "the service brings it up to date when it starts" in done.stderr
        assert (path.read_bytes(), [*left(folder)]) == (before, ["ledger.db"])
    os.chown(path, 0, 0)
    os.chown(folder, 0, 0)
    assert by_root(f"sqlite:///{path}", "ledger", "list").returncode == 0
