"""Puts a copy of a desk in its place. Nothing is touched before all of the copy was checked and laid ready beside what
is there; what was there is set aside, not deleted.

The audit only ever grows: one that is there, is whole and has the copy's last row in it goes on. Sessions end, and what
was ended since the copy was made stays ended: an old copy must bring back no disabled account, no revoked token, no
right that was taken away, no password that was replaced and nobody who was forgotten.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select, update

from sensor.audit.entry import AuditActor, AuditEntry
from sensor.audit.store import AuditReader, AuditStore
from sensor.audit.verify import AuditVerdict, verify
from sensor.copies.back_up import copied
from sensor.copies.forgotten import forget_again, removed_in
from sensor.copies.manifest import ATTACHMENTS, NOTHING_DONE, CopyManifest, check_files, hash_of, read_manifest
from sensor.copies.places import DeskPlaces, file_of_place, place_of_file
from sensor.ledger.care import Restorer, give_like, refuse_used, schema_of, set_aside, stamp, sync_folder, translated
from sensor.ledger.store.backup import copy_file
from sensor.ledger.store.beside import StorePlace
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.store.integrity import check_file
from sensor.ledger.store.ownership import belong_to_folder
from sensor.ledger.store.read_only import open_file
from sensor.model.audit_head import AuditAnchor
from sensor.model.time import rfc3339_text
from sensor.people.account import common, read_divisions, stored_divisions
from sensor.people.schema import ACCOUNTS, ATTEMPTS, FLOWS, SESSIONS, TOKENS
from sensor.people.store import PeopleStore

#: Mode of a ledger's file where there was none: a group reads it. Of the others copies have their own.
LEDGER_MODE = 0o640
ACTION = "desk.restore"
#: The copied desk had an audit, and the present one is lost.
NOT_REMEMBERED = (
    "the audit of the time after the copy is not there: whoever was forgotten since then is in the ledger again, and "
    "who that is, is not known"
)


@dataclass(frozen=True, slots=True)
class RestoredDesk:
    """What was done."""

    manifest: CopyManifest
    former: tuple[Path, ...]  # what was there
    sessions_ended: int
    remarks: tuple[str, ...]  # what an operator has to hear


def restore_desk(
    places: DeskPlaces, folder: Path, by: Restorer, actor: AuditActor, anchors: Sequence[AuditAnchor] = ()
) -> RestoredDesk:
    """Restore a copy. `anchors` are heads of the audit that stand elsewhere. Raises LedgerError, and LedgerUsedError
    where a process uses any of it; then nothing was changed. Raises StoreError."""
    places.refuse_servers()
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    _check_stores(folder, manifest)
    for place in places.every:
        refuse_used(file_of_place(place), by)
    audit_stays, remarks = _audit_plan(places, manifest, anchors)
    wanted = [name for name in manifest.stores if name != "audit" or not audit_stays]
    begun: list[Path] = []
    entry = AuditEntry(
        actor, "change", ACTION, by.now_ns, {"made_at": rfc3339_text(manifest.made_ns), "stores": wanted}
    )
    asked: int | None = None
    try:
        with translated(file_of_place(places.ledger)):
            fresh = [(place, _laid_ready(place, folder, begun)) for place in places.every if place.what in wanted]
        ledger = next(path for place, path in fresh if place.what == "ledger")
        remarks = (*remarks, *forget_again(ledger, places.audit, by.now_ns))
        ended = _end_what_is_over(places, {place.what: path for place, path in fresh}, by.now_ns)
        chain = next((path for place, path in fresh if place.what == "audit"), file_of_place(places.audit))
        asked = _note(places, chain, replace(entry, phase="asked")) if chain.exists() else None
        for place in places.every:
            refuse_used(file_of_place(place), by)
        _bring_attachments(places, folder, manifest, removed_in(ledger))
        former = _swap(fresh, stamp(by.now_ns))
    except BaseException:
        for path in begun:
            for end in ("", "-wal", "-shm", "-journal"):
                path.with_name(path.name + end).unlink(missing_ok=True)
        if asked is not None and audit_stays:
            with contextlib.suppress(LedgerError):  # the first row says that it was asked for
                _note(places, file_of_place(places.audit), replace(entry, phase="failed", of=asked))
        raise
    done = replace(entry, phase="done", of=asked, after={"ended": ended, "remarks": list(remarks)})
    _note(places, file_of_place(places.audit), done)
    return RestoredDesk(manifest, former, ended, remarks)


def _check_stores(folder: Path, manifest: CopyManifest) -> None:
    """Whether each file is what it is called. Raises LedgerError."""
    for name in manifest.stores:
        path = folder / f"{name}.db"
        if (faults := check_file(path).faults) != ():
            raise LedgerError(f"{path}: the copy is damaged: {faults[0]}; {NOTHING_DONE}", "damaged")
    if schema_of(folder / "ledger.db") is None:
        raise LedgerError(f"{folder / 'ledger.db'}: is no ledger of minewatch; {NOTHING_DONE}")
    if "audit" in manifest.stores:
        verdict, head = _verdict(folder / "audit.db"), manifest.audit_head
        if not verdict.sound or (
            head is not None and (verdict.count + verdict.sealed, verdict.digest) != (head.rows, head.digest)
        ):
            reason = verdict.faults[0].sentence if verdict.faults else "its head is not that of the list"
            raise LedgerError(f"{folder / 'audit.db'}: the copied audit is not sound: {reason}; {NOTHING_DONE}")


def _verdict(path: Path, anchors: Sequence[AuditAnchor] = ()) -> AuditVerdict:
    reader = AuditReader(place_of_file("audit", path))
    try:
        return verify(reader.rows(), anchors)
    finally:
        reader.close()


def _audit_plan(
    places: DeskPlaces, manifest: CopyManifest, anchors: Sequence[AuditAnchor]
) -> tuple[bool, tuple[str, ...]]:
    """Whether the audit that is there goes on, and what is to be said of it."""
    head, remarks = manifest.audit_head, list[str]()
    if head is None:
        return True, ()
    place = file_of_place(places.audit)
    if not place.exists():
        remarks.append(NOT_REMEMBERED)
    else:
        try:
            there = _verdict(place, [AuditAnchor(head)])
        except LedgerError as error:
            remarks.append(f"the audit that was there cannot be read ({error}): that of the copy stands in its place")
        else:
            goes_on = there.anchored >= head.rows or there.sealed > head.rows
            if there.sound and there.chain == head.chain and goes_on:
                return True, ()
            sentence = there.faults[0].sentence if there.faults else "it does not have the copy's last row"
            remarks.append(f"the audit that was there does not go on from the copy's ({sentence}), and was set aside")
    beyond = max((its.head.rows for its in anchors if its.head.chain == head.chain), default=0)
    if beyond > head.rows:
        remarks.append(
            f"the audit ends at row {head.rows}, and an anchor has {beyond} rows: rows {head.rows + 1} to {beyond} are "
            "lost, and audit verify says so from now on"
        )
    return False, tuple(remarks)


def _laid_ready(place: StorePlace, folder: Path, begun: list[Path]) -> Path:
    """A store of the copy, beside the place where it is to be. Raises OSError, sqlite3.Error."""
    what, path = place.what, file_of_place(place)
    fresh = path.with_name(f"{path.name}.restored")
    begun.append(fresh)
    copy_file(folder / f"{what}.db", fresh)
    if what == "ledger":
        with contextlib.closing(sqlite3.connect(fresh)) as connection, connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'leases'").fetchone():
                connection.execute("DELETE FROM leases")  # of processes of then
    if path.exists():
        give_like(path, fresh)
    else:
        if what == "ledger":
            fresh.chmod(LEDGER_MODE)
        belong_to_folder(fresh)
    return fresh


def _end_what_is_over(places: DeskPlaces, fresh: dict[str, Path], now_ns: int) -> int:
    """Of the copied accounts: sessions end; accounts that are disabled or gone now are disabled, those that live have
    no more than they have now, and tokens that are revoked or gone now are revoked. How many sessions ended. Raises
    StoreError."""
    if "people" not in fresh:
        return 0
    accounts, tokens = _living(file_of_place(places.people))
    store = PeopleStore(place_of_file("people", fresh["people"]))
    try:
        with store.writing() as connection:
            live = select(func.count()).select_from(SESSIONS).where(SESSIONS.c.revoked_ns.is_(None))
            ended = connection.scalar(live) or 0
            for table in (SESSIONS, FLOWS, ATTEMPTS):
                connection.execute(delete(table))
            if accounts is not None:
                gone = ACCOUNTS.c.login.not_in(sorted(accounts))
                connection.execute(update(ACCOUNTS).where(gone).values(disabled=1))
                for row in connection.execute(select(ACCOUNTS)).all():
                    its = ACCOUNTS.c.login == row.login
                    if lost := _lost(row, accounts.get(row.login)):
                        connection.execute(update(ACCOUNTS).where(its).values(lost))
            if tokens is not None:
                over = (TOKENS.c.token_id.not_in(sorted(tokens)), TOKENS.c.revoked_ns.is_(None))
                connection.execute(update(TOKENS).where(*over).values(revoked_ns=now_ns))
    finally:
        store.close()
    return int(ended)


def _lost(copied_row: Any, present: sqlite3.Row | None) -> dict[str, object]:
    """What an account of a copy must not have again: a role that it has no more, divisions, a password that was
    replaced."""
    if present is None:
        return {}
    values: dict[str, object] = {}
    if copied_row.role != present["role"]:
        values = {"role": present["role"], "divisions": present["divisions"]}
    elif copied_row.divisions != present["divisions"]:
        both = common(read_divisions(copied_row.divisions), read_divisions(present["divisions"]))
        values = {"divisions": stored_divisions(both)}
    if (present["password_ns"] or 0) > (copied_row.password_ns or 0):
        values |= {name: present[name] for name in ("password", "password_ns", "must_change")}
    return values


def _living(path: Path) -> tuple[dict[str, sqlite3.Row] | None, set[str] | None]:
    """Accounts by login and tokens that are good now; None where that cannot be read any more."""
    if not path.exists():
        return None, None
    try:
        with contextlib.closing(open_file(path)) as connection:
            connection.row_factory = sqlite3.Row
            query = "SELECT login, role, divisions, password, password_ns, must_change FROM accounts WHERE disabled = 0"
            accounts = {row["login"]: row for row in connection.execute(query)}
            tokens = {row[0] for row in connection.execute("SELECT token_id FROM tokens WHERE revoked_ns IS NULL")}
    except sqlite3.Error:
        return None, None
    return accounts, tokens


def _note(places: DeskPlaces, chain: Path, entry: AuditEntry) -> int:
    """A row in an audit's file. Raises AuditError."""
    store = AuditStore.open(place_of_file("audit", chain), places.algorithm)
    try:
        return store.append([entry])[0]
    finally:
        store.close()


def _bring_attachments(places: DeskPlaces, folder: Path, manifest: CopyManifest, removed: Collection[str]) -> None:
    """Files of cases that are not there, or damaged. None is taken away."""
    if places.attachments is None or not manifest.attachments:
        return
    with translated(places.attachments):
        if not places.attachments.exists():
            places.attachments.mkdir(0o700)
            belong_to_folder(places.attachments)
        for file in manifest.attachments:
            if file.sha256 in removed:
                continue
            target = places.attachments / file.sha256
            if not target.exists() or hash_of(target) != file.sha256:
                unfinished = target.with_name(f"{target.name}.part")
                unfinished.unlink(missing_ok=True)
                copied(folder / ATTACHMENTS / file.sha256, unfinished)
                belong_to_folder(unfinished)
                unfinished.rename(target)
        sync_folder(places.attachments)


def _swap(fresh: Sequence[tuple[StorePlace, Path]], when: str) -> tuple[Path, ...]:
    """Put all in their places, or (LedgerError) none; where what was there is now."""
    done: list[tuple[Path, Path | None]] = []
    try:
        for place, path in fresh:
            target = file_of_place(place)
            with translated(target):
                done.append((target, set_aside(target, f"{target.name}.before-restore-{when}")))
                path.replace(target)
                sync_folder(target.parent)
    except BaseException:
        for target, former in reversed(done):
            if former is not None:
                target.unlink(missing_ok=True)
                set_aside(former, target.name)
        raise
    return tuple(former for _, former in done if former is not None)
