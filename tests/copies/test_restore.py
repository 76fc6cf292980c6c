"""A copy of a desk is put back whole or not at all; the audit only grows, sessions end, and what was ended stays so."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sensor.copies import restore
from sensor.copies.back_up import back_up_desk
from sensor.copies.manifest import NAME, read_manifest
from sensor.ledger import Ledger
from sensor.ledger.care import LedgerUsedError
from sensor.ledger.casework import CaseClerk
from sensor.ledger.store.attachments import AttachmentFolder
from sensor.ledger.store.errors import LedgerError
from sensor.people.accounts import AccountPatch
from sensor.people.door import SignInRefused
from tests.copies.desks import ACTOR, FILES, MadeDesk, make_desk, restorer
from tests.people.desk import MACHINE, NOW, PASSWORD, audited

LATER = NOW + 1_000_000_000


def cases_of(url: str) -> list[int]:
    ledger = Ledger.open_to_read(url)
    try:
        return [case.case_id for case in ledger.reader.cases()]
    finally:
        ledger.close()


def restored(desk: MadeDesk, copy: Path, **more: Any) -> restore.RestoredDesk:
    return restore.restore_desk(desk.places, copy, restorer(LATER), ACTOR, **more)


def test_a_lost_disk_comes_back_with_ledger_accounts_audit_and_attachments(
    model: MadeDesk, copy: Path, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    desk = MadeDesk(tmp_path / "new")
    before = model.head()
    done = restored(desk, copy)
    assert (done.former, done.remarks, done.sessions_ended) == ((), (restore.NOT_REMEMBERED,), 1)
    assert cases_of(desk.url) == cases_of(model.url)
    with desk.door() as door:
        assert {account.login for account in door.accounts.all()} == {"root", "li", "wang"}
        assert door.session_of(model.cookie, NOW) is None  # sessions end
        assert door.tokens.bearer(model.secret, NOW) is not None
        assert door.sign_in("li", PASSWORD, "192.0.2.7", NOW, None)
    attachments = desk.folder / "ledger.db.attachments"
    assert sorted(path.read_bytes() for path in attachments.iterdir()) == sorted(FILES)
    verdict = desk.verified(before)
    assert (verdict.sound, verdict.anchored) == (True, before.rows)
    rows = [row for row in audited(desk.url) if row["action"] == "desk.restore"]
    assert [row["phase"] for row in rows] == ["asked", "done"]
    for path in desk.folder.glob("ledger.db*"):
        assert path.is_dir() or path.stat().st_mode & 0o007 == 0


def test_an_audit_that_goes_on_from_the_copy_is_not_cut_back_to_it(desk: MadeDesk, copy: Path) -> None:
    with desk.door() as door:
        door.accounts.change(MACHINE, "wang", AccountPatch(name="Wang Wu"), NOW)
    anchored = desk.head()
    assert anchored.rows > read_manifest(copy).audit_head.rows  # type: ignore[union-attr]
    done = restored(desk, copy)
    assert done.remarks == ()
    verdict = desk.verified(anchored)
    assert (verdict.sound, verdict.anchored) == (True, anchored.rows)
    assert audited(desk.url)[-1]["after"]["ended"] == 1
    assert {path.name.partition(".before")[0] for path in done.former} == {"ledger.db", "ledger.db.people"}


def test_an_older_copy_is_seen_in_the_audit_where_the_newer_one_is_lost(
    desk: MadeDesk, copy: Path
) -> None:  # fmt: skip
    with desk.door() as door:
        for number in range(3):
            door.accounts.change(MACHINE, "wang", AccountPatch(name=f"Wang {number}"), NOW)
    lost = desk.head()
    for path in desk.folder.glob("ledger.db.audit*"):
        path.unlink()
    from sensor.model.audit_head import AuditAnchor

    done = restored(desk, copy, anchors=[AuditAnchor(lost)])
    ends = read_manifest(copy).audit_head
    assert ends is not None
    assert done.remarks == (
        restore.NOT_REMEMBERED,
        f"the audit ends at row {ends.rows}, and an anchor has {lost.rows} rows: rows {ends.rows + 1} to {lost.rows} "
        "are lost, and audit verify says so from now on",
    )
    assert "are lost" in audited(desk.url)[-1]["after"]["remarks"]
    assert desk.verified(ends).sound
    assert [fault.kind for fault in desk.verified(ends, lost).faults] == ["cut-off"]


def test_another_chain_is_set_aside_and_said(copy: Path, tmp_path: Path) -> None:
    other = make_desk(tmp_path / "other")
    done = restored(other, copy)
    assert len(done.remarks) == 1
    assert "set aside" in done.remarks[0]
    assert [path for path in done.former if ".audit.before-restore" in path.name]
    head = read_manifest(copy).audit_head
    assert head is not None
    assert other.verified(head).sound


def test_what_was_ended_since_the_copy_stays_ended(desk: MadeDesk, copy: Path) -> None:
    with desk.door() as door:
        door.accounts.change(MACHINE, "wang", AccountPatch(disabled=True), NOW)
        door.tokens.revoke(MACHINE, desk.token_id, NOW)
    restored(desk, copy)
    with desk.door() as door:
        assert door.accounts.get("wang").disabled
        assert not door.accounts.get("li").disabled
        assert door.tokens.bearer(desk.secret, NOW) is None


def test_a_right_or_a_password_that_was_taken_away_since_the_copy_does_not_come_back(
    desk: MadeDesk, copy: Path
) -> None:
    with desk.door() as door:
        before = door.accounts.get("li").divisions
        door.accounts.change(MACHINE, "li", AccountPatch(divisions=frozenset({"320505"})), NOW)
        door.accounts.change(MACHINE, "wang", AccountPatch(role="reader", divisions=frozenset({"330000"})), NOW)
        door.accounts.set_password(MACHINE, "wang", "quite another sentence 7", LATER)
    assert before != frozenset({"320505"})
    restored(desk, copy)
    with desk.door() as door:
        assert door.accounts.get("li").divisions == frozenset({"320505"})
        wang = door.accounts.get("wang")
        assert (wang.role, wang.divisions) == ("reader", frozenset({"330000"}))
        assert isinstance(door.sign_in("wang", PASSWORD, "192.0.2.7", LATER, None), SignInRefused)
        assert not isinstance(door.sign_in("li", PASSWORD, "192.0.2.7", LATER, None), SignInRefused)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x20
    path.write_bytes(bytes(data))


def one_attachment(copy: Path) -> Path:
    return next((copy / "attachments").iterdir())


def changed_list(copy: Path, change: Callable[[dict[str, Any]], None]) -> None:
    whole = json.loads((copy / NAME).read_text())
    change(whole)
    (copy / NAME).write_text(json.dumps(whole))


def named_outside(whole: dict[str, Any]) -> None:
    from sensor.copies.manifest import _digest

    whole["files"][1]["name"] = "../people.db"
    del whole["sha256"]
    whole["sha256"] = _digest(whole)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a letter of the ledger": lambda copy: flip(copy / "ledger.db", 5_000),
    "a letter of the accounts": lambda copy: flip(copy / "people.db", 4_100),
    "a letter of the audit": lambda copy: flip(copy / "audit.db", 8_200),
    "a letter of an attachment": lambda copy: flip(one_attachment(copy), 0),
    "the ledger is cut": lambda copy: (copy / "ledger.db").write_bytes((copy / "ledger.db").read_bytes()[:-4_096]),
    "the audit is empty": lambda copy: (copy / "audit.db").write_bytes(b""),
    "the audit is gone": lambda copy: (copy / "audit.db").unlink(),
    "an attachment is gone": lambda copy: one_attachment(copy).unlink(),
    "a file too many": lambda copy: (copy / "attachments" / ("0" * 64)).write_bytes(b"x"),
    "a log beside": lambda copy: (copy / "people.db-wal").write_bytes(b"x"),
    "the list is gone": lambda copy: (copy / NAME).unlink(),
    "the list is cut": lambda copy: (copy / NAME).write_bytes((copy / NAME).read_bytes()[:-40]),
    "the list is another": lambda copy: changed_list(copy, lambda whole: whole.update(made_ns=1)),
    "the list is none": lambda copy: (copy / NAME).write_text("[]"),
    "the list leads outside": lambda copy: changed_list(copy, named_outside),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_copy_that_is_not_whole_is_refused_before_anything_is_touched(
    desk: MadeDesk, copy: Path, name: str
) -> None:  # fmt: skip
    DAMAGES[name](copy)
    before = desk.state()
    with pytest.raises(LedgerError, match="nothing was changed"):
        restored(desk, copy)
    assert desk.state() == before


def test_a_copy_of_two_is_refused(desk: MadeDesk, copy: Path, tmp_path: Path) -> None:
    with desk.door() as door:
        door.accounts.change(MACHINE, "wang", AccountPatch(name="Wang Wu"), NOW)
    back_up_desk(desk.places, tmp_path / "newer", NOW)
    before = desk.state()
    for name in ("people.db", "audit.db"):
        mixed = tmp_path / f"mixed-{name}"
        shutil.copytree(copy, mixed)
        shutil.copyfile(tmp_path / "newer" / name, mixed / name)
        with pytest.raises(LedgerError, match="nothing was changed"):
            restored(desk, mixed)
    assert desk.state() == before


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failure_half_way_leaves_what_was_there(
    desk: MadeDesk, copy: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    before, calls = desk.state(), [0]
    real = restore.sync_folder

    def fails(folder: Path) -> None:
        calls[0] += 1
        if calls[0] == failing + 1:  # the first is of the attachments
            raise OSError(28, "No space left on device")
        real(folder)

    monkeypatch.setattr(restore, "sync_folder", fails)
    with pytest.raises(LedgerError, match="disk is full"):
        restored(desk, copy)
    after = desk.state()
    del before["ledger.db.audit"], after["ledger.db.audit"]
    assert after == before
    assert [row["phase"] for row in audited(desk.url)[-2:]] == ["asked", "failed"]


def test_nothing_is_restored_while_somebody_uses_it(desk: MadeDesk, copy: Path) -> None:
    before = desk.state()
    hold = "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM sqlite_master')"
    for name in ("ledger.db", "ledger.db.people", "ledger.db.audit"):
        command = [sys.executable, "-c", f"{hold}.fetchone(); print(1, flush=True); time.sleep(60)"]
        user = subprocess.Popen([*command, desk.folder / name], stdout=subprocess.PIPE)
        try:
            assert user.stdout is not None
            user.stdout.readline()
            with pytest.raises(LedgerUsedError, match=f"process {user.pid} has it open"):
                restored(desk, copy)
        finally:
            user.kill()
            user.wait()
    assert desk.state() == before


def test_a_copy_is_there_whole_or_not_at_all_and_its_owners_alone(desk: MadeDesk, tmp_path: Path) -> None:
    target = tmp_path / "copies"
    manifest, faults = back_up_desk(desk.places, target, NOW)
    assert faults == ()
    assert (manifest.stores, len(manifest.attachments)) == (("ledger", "people", "audit"), len(FILES))
    assert manifest == read_manifest(target)
    assert target.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in target.rglob("*"))
    with pytest.raises(LedgerError, match="is there already"):
        back_up_desk(desk.places, target, NOW)
    with sqlite3.connect(desk.folder / "ledger.db.people") as connection:
        connection.execute("PRAGMA writable_schema=ON")
    (desk.folder / "ledger.db.audit").write_bytes(b"no database at all" * 100)
    with pytest.raises(LedgerError):
        back_up_desk(desk.places, tmp_path / "second", NOW)
    assert not list(tmp_path.glob("second*"))


def attached(desk: MadeDesk, content: bytes) -> Path:
    """Attach a file to the first case as the command line does; where its file is."""
    url, folder = desk.url, desk.folder / "ledger.db.attachments"
    clerk = CaseClerk.beside_readers(url, AttachmentFolder(folder))
    try:
        clerk.attach(cases_of(url)[0], content, "letter.txt", "li", NOW)
    finally:
        clerk.close()
    return folder / hashlib.sha256(content).hexdigest()


def test_a_damaged_attachment_is_named_and_hinders_no_copy(desk: MadeDesk, tmp_path: Path) -> None:
    good, damaged, lost = (attached(desk, content) for content in (b"one letter", b"another", b"a third"))
    damaged.write_bytes(b"of a failing disk")
    lost.rename(tmp_path / "elsewhere")
    lost.symlink_to(tmp_path / "elsewhere")
    copy = tmp_path / "copies"
    manifest, faults = back_up_desk(desk.places, copy, NOW)
    assert [digest in fault for digest, fault in zip((damaged.name, lost.name), faults, strict=True)] == [True, True]
    names = {Path(file.name).name for file in manifest.attachments}
    assert good.name in names
    assert not {damaged.name, lost.name} & names
    restored(desk, copy)
    assert good.read_bytes() == b"one letter"


def test_a_copy_puts_right_an_attachment_that_was_damaged_since(desk: MadeDesk, tmp_path: Path) -> None:
    file = attached(desk, b"one letter")
    back_up_desk(desk.places, tmp_path / "copies", NOW)
    file.write_bytes(b"of a failing disk")
    restored(desk, tmp_path / "copies")
    assert file.read_bytes() == b"one letter"


def test_a_copy_that_is_made_while_accounts_change_has_a_row_of_every_change_in_it(
    desk: MadeDesk, tmp_path: Path
) -> None:
    enough = threading.Event()
    with desk.door() as door:

        def change() -> None:
            number = 0
            while not enough.is_set():
                number += 1
                door.accounts.change(MACHINE, "wang", AccountPatch(name=f"Wang {number}"), NOW)

        writer = threading.Thread(target=change)
        writer.start()
        try:
            for number in range(4):
                back_up_desk(desk.places, tmp_path / f"copy-{number}", NOW)
        finally:
            enough.set()
            writer.join()
    for number in range(4):
        (tmp_path / f"new-{number}").mkdir()
        new = MadeDesk(tmp_path / f"new-{number}")
        restored(new, tmp_path / f"copy-{number}")
        assert new.verified().sound
        with new.door() as door:
            name = door.accounts.get("wang").name
        asked = [row["query"].get("name") for row in audited(new.url) if row["action"] == "account.change"]
        assert name == "Wang" or name in asked
