"""Who was forgotten does not come back with an old copy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.copies.forgotten import forget_again, removed_in
from sensor.ledger import ledger
from sensor.ledger.store.beside import StorePlace
from sensor.ledger.store.errors import LedgerError
from tests.copies.desks import MadeDesk
from tests.people.desk import audited


def miners(desk: MadeDesk) -> list[str]:
    with closing(sqlite3.connect(desk.folder / "ledger.db")) as connection:
        return [row[0] for row in connection.execute("SELECT DISTINCT miner_ip FROM findings ORDER BY miner_ip")]


def bytes_of(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in (path, Path(f"{path}-wal")) if each.exists())


@pytest.fixture
def forgotten(desk: MadeDesk, tmp_path: Path) -> str:
    """An address that is forgotten after copies of both kinds were made."""
    address = miners(desk)[-1]
    on = ("--ledger", desk.url)
    assert main(["ledger", "backup", str(tmp_path / "file.db"), *on]) == 0
    assert main(["ledger", "backup", "--all", str(tmp_path / "folder"), *on]) == 0
    assert main(["ledger", "forget", address, "--yes", *on]) == 0
    assert address not in miners(desk)
    return address


@pytest.mark.parametrize("copy_name", ["file.db", "folder"])
def test_whoever_was_forgotten_is_forgotten_in_what_is_restored(
    desk: MadeDesk, tmp_path: Path, forgotten: str, copy_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    others = miners(desk)
    capsys.readouterr()
    assert main(["ledger", "restore", str(tmp_path / copy_name), "--ledger", desk.url]) == 0
    assert "1 that were forgotten since the copy was made are forgotten in it, too" in capsys.readouterr().err
    assert miners(desk) == others
    assert forgotten.encode() not in bytes_of(desk.folder / "ledger.db")
    last = audited(desk.url)[-1]
    assert "forgotten" in str(last["after"])
    assert not list(desk.folder.glob("*.restored*"))


def test_who_is_in_a_copy_that_was_made_later_stays(
    desk: MadeDesk, tmp_path: Path, forgotten: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """He may have been seen anew."""
    other = miners(desk)[0]
    with closing(sqlite3.connect(desk.folder / "ledger.db")) as connection, connection:
        connection.execute("UPDATE sensors SET last_ns = ?", (2**62,))  # a report of after the forgetting
        connection.execute("UPDATE findings SET miner_ip = ? WHERE miner_ip = ?", (forgotten, other))
    on = ("--ledger", desk.url)
    assert main(["ledger", "backup", str(tmp_path / "later.db"), *on]) == 0
    capsys.readouterr()
    assert main(["ledger", "restore", str(tmp_path / "later.db"), *on]) == 0
    assert "forgotten" not in capsys.readouterr().err
    assert forgotten in miners(desk)


def test_a_copy_of_an_older_release_is_restored_and_says_who_is_in_it_again(
    desk: MadeDesk, tmp_path: Path, forgotten: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(tmp_path / "file.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
    capsys.readouterr()
    assert main(["ledger", "restore", str(tmp_path / "file.db"), "--ledger", desk.url]) == 0
    assert f"minewatch ledger forget {forgotten}" in capsys.readouterr().err


def test_a_forgetting_that_failed_forgets_nothing(
    desk: MadeDesk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on = ("--ledger", desk.url)
    assert main(["ledger", "backup", str(tmp_path / "file.db"), *on]) == 0
    assert main(["ledger", "forget", "203.0.113.254", "--yes", *on]) == 1  # the ledger has nothing of it
    before = miners(desk)
    capsys.readouterr()
    assert main(["ledger", "restore", str(tmp_path / "file.db"), *on]) == 0
    assert capsys.readouterr().err == ""
    assert miners(desk) == before


def test_an_audit_that_cannot_be_read_is_no_audit_of_nothing(desk: MadeDesk, tmp_path: Path) -> None:
    (tmp_path / "audit.db").write_bytes(b"this was an audit once\n" * 500)
    broken = StorePlace("audit", f"sqlite:///{tmp_path}/audit.db")
    (remark,) = forget_again(desk.folder / "ledger.db", broken, 1)
    assert remark.startswith("it is not known what was forgotten since the copy was made")


def test_files_of_who_was_forgotten_are_not_brought_back(desk: MadeDesk) -> None:
    with closing(sqlite3.connect(desk.folder / "ledger.db")) as connection, connection:
        row = "INSERT INTO attachments VALUES (1, ?, ?, 1, 'text', 'a.txt', 1, 'li', ?, NULL, NULL)"
        connection.execute(row, (1, "a" * 64, 1))
        connection.execute(row, (2, "b" * 64, None))
        connection.execute(row, (3, "b" * 64, 1))
    assert removed_in(desk.folder / "ledger.db") == {"a" * 64}


def test_no_byte_of_the_forgotten_stands_in_the_file_of_a_ledger_that_no_sensor_writes(
    desk: MadeDesk, capsys: pytest.CaptureFixture[str]
) -> None:
    address = miners(desk)[-1]
    pattern = address.encode()
    assert pattern in bytes_of(desk.folder / "ledger.db")
    lease = "INSERT INTO leases VALUES ('other', 'run', 'host', 'boot', 'x', 1, 1, 1)"
    with closing(sqlite3.connect(desk.folder / "ledger.db")) as connection, connection:
        connection.execute("PRAGMA secure_delete=OFF")  # some builds have it on by themselves
        connection.execute(lease)
        connection.execute("CREATE TABLE former AS SELECT * FROM findings")
        connection.execute("DROP TABLE former")
    on = ("--ledger", desk.url)
    assert main(["ledger", "forget", address, "--yes", *on]) == 0
    assert "Free pages of the ledger's file" in capsys.readouterr().out
    assert pattern in bytes_of(desk.folder / "ledger.db")
    with closing(sqlite3.connect(desk.folder / "ledger.db")) as connection, connection:
        connection.execute("DELETE FROM leases")
    assert main(["ledger", "forget", miners(desk)[0], "--yes", *on]) == 0
    assert "Free pages" not in capsys.readouterr().out
    assert pattern not in bytes_of(desk.folder / "ledger.db")


def test_where_the_file_cannot_be_written_anew_it_is_forgotten_all_the_same(
    desk: MadeDesk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_engine: object) -> None:
        raise LedgerError("the disk is full", "full")

    monkeypatch.setattr(ledger, "rewrite_file", full)
    address = miners(desk)[0]
    assert main(["ledger", "forget", address, "--yes", "--ledger", desk.url]) == 0
    assert "with room for a second file" in capsys.readouterr().out
    assert address not in miners(desk)
    assert audited(desk.url)[-1]["phase"] == "done"
