"""Backup, restoring and checking a ledger while it is used; damage, a full disk and a lock are told apart."""

from __future__ import annotations

import dataclasses
import random
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from sensor.ledger import Ledger, LedgerError, care
from sensor.ledger.store.errors import DamagedRecordError, fault_of
from sensor.ledger.store.integrity import check_file
from sensor.ledger.store.records import load_finding, loads
from sensor.model.sensor import ProcessIdentity
from sensor.model.time import SECOND_NS
from tests.exporters.test_lines import small_disk
from tests.ledger.made import finding

HERE = ProcessIdentity("edge", "boot", "1", 4_711, 17)
PAGE = 4_096
NOW = 1_900_000_000 * SECOND_NS


def by(running: bool = False, now_ns: int = NOW, process: ProcessIdentity = HERE) -> care.Restorer:
    return care.Restorer(process, lambda _: running, now_ns)


def filled(folder: Path, count: int = 1_200) -> str:
    """A ledger with some findings, all of it in its file."""
    url = f"sqlite:///{folder}/ledger.db"
    ledger = Ledger.open(url)
    ledger.record([finding(number) for number in range(count)], NOW)
    ledger.close()
    with sqlite3.connect(folder / "ledger.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return url


def count(url: str) -> int:
    ledger = Ledger.open(url)
    number = len(ledger.reader.findings())
    ledger.close()
    return number


def test_a_backup_while_findings_are_recorded_is_the_state_of_one_moment(tmp_path: Path) -> None:
    url = filled(tmp_path, 50)
    ledger, stop = Ledger.open(url, sensor_id="edge"), threading.Event()

    def write() -> None:
        number = 100
        while not stop.is_set():
            ledger.record([finding(number), finding(number + 1)], NOW)
            number += 2

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            target = tmp_path / f"copy{number}.db"
            assert care.back_up_to(url, target).is_sound
            assert target.stat().st_mode & 0o077 == 0
            found = sqlite3.connect(target).execute("SELECT count(*) FROM findings").fetchone()[0]
            assert found >= 50
            assert (found - 50) % 2 == 0  # a step is in it whole, or not at all
    finally:
        stop.set()
        writer.join()
        ledger.close()
    assert not list(tmp_path.glob("*.part"))


def test_a_backup_overwrites_nothing_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    url = filled(tmp_path, 5)
    there = tmp_path / "there"
    there.write_text("mine")
    with pytest.raises(LedgerError, match="is there already"):
        care.back_up_to(url, there)
    assert there.read_text() == "mine"
    with pytest.raises(LedgerError, match="no such file"):
        care.back_up_to(url, tmp_path / "no" / "folder")
    with pytest.raises(LedgerError, match="there is no ledger"):
        care.back_up_to(f"sqlite:///{tmp_path}/none.db", tmp_path / "x")
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(LedgerError, match="pg_dump"):
        care.back_up_to("postgresql+psycopg://host/ledger", tmp_path / "x")


def test_a_backup_on_a_full_disk_says_so(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    url = filled(tmp_path)
    with small_disk(small, 64) as folder:
        with pytest.raises(LedgerError, match="the disk is full") as caught:
            care.back_up_to(url, folder / "copy.db")
        assert caught.value.fault == "full"
        assert list(folder.iterdir()) == []


def test_a_restored_ledger_is_the_copy_and_the_former_file_is_kept(tmp_path: Path) -> None:
    url = filled(tmp_path, 10)
    care.back_up_to(url, tmp_path / "copy.db")
    ledger = Ledger.open(url)
    ledger.record([finding(number) for number in range(20, 25)], NOW)
    ledger.close()
    (tmp_path / "ledger.db").chmod(0o640)
    kept = care.restore_from(url, tmp_path / "copy.db", by())
    assert kept == tmp_path / "ledger.db.before-restore-20300317T174640Z"
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o640
    assert (count(url), count(f"sqlite:///{kept}")) == (10, 15)


def test_a_ledger_that_is_gone_or_damaged_is_restored(tmp_path: Path) -> None:
    url = filled(tmp_path, 10)
    care.back_up_to(url, tmp_path / "copy.db")
    (tmp_path / "ledger.db").write_bytes(b"\x00" * 10_000)
    assert care.restore_from(url, tmp_path / "copy.db", by()) is not None
    assert count(url) == 10
    for path in tmp_path.glob("ledger.db*"):
        path.unlink()
    assert care.restore_from(url, tmp_path / "copy.db", by()) is None
    assert count(url) == 10


def leased(url: str, holder: ProcessIdentity, wall_ns: int) -> None:
    ledger = Ledger.open(url, sensor_id="edge")
    ledger.lease(holder).acquire(time.monotonic_ns, lambda: wall_ns, lambda: False, lambda _: True)
    ledger.close()


@pytest.mark.parametrize(
    ("holder", "running", "age_s", "refused"),
    [
        (HERE, True, 9_999, True),
        (HERE, False, 0, False),
        (dataclasses.replace(HERE, host="other"), False, 3, True),
        (dataclasses.replace(HERE, host="other"), False, 600, False),
        (dataclasses.replace(HERE, pid_namespace="2"), False, 3, True),
    ],
)
def test_restoring_waits_for_no_daemon_and_takes_nothing_from_under_it(
    tmp_path: Path, holder: ProcessIdentity, running: bool, age_s: int, refused: bool
) -> None:
    url = filled(tmp_path, 3)
    care.back_up_to(url, tmp_path / "copy.db")
    leased(url, holder, NOW - age_s * SECOND_NS)
    before = (tmp_path / "ledger.db").read_bytes()
    if refused:
        with pytest.raises(care.LedgerUsedError, match=r"sensor edge .* uses it: stop it first; nothing was changed"):
            care.restore_from(url, tmp_path / "copy.db", by(running))
        assert (tmp_path / "ledger.db").read_bytes() == before
        assert not list(tmp_path.glob("*before-restore*"))
    else:
        care.restore_from(url, tmp_path / "copy.db", by(running))


def test_what_is_no_sound_ledger_is_not_restored(tmp_path: Path) -> None:
    url = filled(tmp_path, 400)
    copy = tmp_path / "copy.db"
    care.back_up_to(url, copy)
    other, text = tmp_path / "other.db", tmp_path / "text"
    sqlite3.connect(other).execute("CREATE TABLE people (name TEXT)").connection.close()
    text.write_text("no database\n" * 500)
    data = bytearray(copy.read_bytes())
    data[9 * PAGE : 10 * PAGE] = random.Random(1).randbytes(PAGE)
    copy.write_bytes(data)
    before = (tmp_path / "ledger.db").read_bytes()
    for wrong in (copy, other, text, tmp_path / "none", tmp_path / "ledger.db"):
        with pytest.raises(LedgerError):
            care.restore_from(url, wrong, by())
        assert (tmp_path / "ledger.db").read_bytes() == before


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("sound")
    filled(folder)
    return (folder / "ledger.db").read_bytes()


@pytest.mark.parametrize("place", range(20))
@pytest.mark.parametrize("how", ["noise", "zeros"])
def test_a_page_damaged_anywhere_is_found_before_the_start_and_named(
    tmp_path: Path, sound: bytes, place: int, how: str
) -> None:
    path = tmp_path / "ledger.db"
    pages = len(sound) // PAGE
    at = 1 + place * (pages - 2) // 19
    data = bytearray(sound)
    data[at * PAGE : (at + 1) * PAGE] = random.Random(place).randbytes(PAGE) if how == "noise" else bytes(PAGE)
    path.write_bytes(data)
    began = time.monotonic()
    assert check_file(path, 5.0).faults, f"page {at} of {pages}"
    assert time.monotonic() - began < 6.0
    assert care.check(f"sqlite:///{path}").faults
    assert path.read_bytes() == bytes(data)


def test_a_sound_ledger_has_no_faults(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(sound)
    assert check_file(path).is_sound
    found = care.check(f"sqlite:///{path}")
    assert (found.faults, found.schema) == ((), "0012")
    assert found.records >= 2_400


def test_a_check_ends_when_its_time_is_over_and_says_what_it_left(tmp_path: Path, sound: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(sound)
    found = check_file(path, 0.0)
    assert found.faults == ()
    assert "findings" in found.unchecked
    assert not found.is_sound


def test_a_record_that_is_none_any_more_is_damage_and_no_crash(tmp_path: Path) -> None:
    """Letters in the middle of a page are another: SQLite itself does not notice."""
    url = filled(tmp_path, 5)
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE findings SET record = replace(record, '{', '[') WHERE finding_id = 'finding-3'")
    connection.close()
    assert check_file(tmp_path / "ledger.db").is_sound
    (fault,) = care.check(url).faults
    assert fault.startswith("findings: row 4: ledger: the database is damaged: a record in it cannot be read")
    ledger = Ledger.open(url)
    with pytest.raises(LedgerError) as caught:
        ledger.record([finding(3, grade=finding(3).grade, state="closed")], NOW)
    assert caught.value.fault == "damaged"
    ledger.close()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "null",
        "17",
        "zlib64:x",
        "zlib64:0000",
        "zlib85:x",
        "zlib85:0000",
        '{"kind": "finding"}',
        "[" * 9_999,
    ],
)
def test_any_text_is_a_record_or_damage(text: str) -> None:
    for read in (loads, load_finding):
        with pytest.raises(DamagedRecordError):
            read(text)


def test_full_damaged_and_locked_are_told_apart(tmp_path: Path, sound: bytes) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(sound[: 3 * PAGE] + b"\xff" * (len(sound) - 3 * PAGE))
    with pytest.raises(LedgerError) as caught:
        count(f"sqlite:///{damaged}")
    assert caught.value.fault == "damaged"
    url = filled(tmp_path, 1)
    ledger = Ledger.open(url)
    with sqlite3.connect(tmp_path / "ledger.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="locked") as caught:
            ledger.record([finding(7)], NOW)
        assert caught.value.fault == "locked"
        other.execute("ROLLBACK")
    other.close()
    ledger.close()
    small = tmp_path / "small"
    small.mkdir()
    with small_disk(small, 2_048) as folder:
        ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
        with (folder / "ballast").open("wb", buffering=0) as file, pytest.raises(OSError) as full:  # noqa: PT011, PT012
            while True:
                file.write(b"x" * PAGE)
        assert fault_of(full.value) == ("full", "the disk is full")
        with pytest.raises(LedgerError) as caught:
            ledger.record([finding(number) for number in range(300)], NOW)
        assert caught.value.fault == "full"
        ledger.close()


def test_a_ledger_is_read_whatever_its_folder_is_called(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    folder = tmp_path / "a ?b%20c#d"
    folder.mkdir()
    (tmp_path / "ledger.db").rename(folder / "ledger.db")
    assert care.schema_of(folder / "ledger.db") is not None
    assert check_file(folder / "ledger.db").is_sound


def test_a_copy_that_is_read_has_no_files_beside_it(tmp_path: Path) -> None:
    url = filled(tmp_path)
    care.back_up_to(url, tmp_path / "copy")
    care.check(f"sqlite:///{tmp_path}/copy")
    assert sorted(found.name for found in tmp_path.glob("copy*")) == ["copy"]
