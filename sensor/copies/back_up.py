"""Copies a desk into a folder while it is used: each store as it is at one moment, the audit last."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from sensor.audit.store import AuditReader
from sensor.copies.manifest import ATTACHMENTS, HASH, CopiedFile, CopyManifest, listed_file
from sensor.copies.places import DeskPlaces, file_of_place, place_of_file
from sensor.ledger.care import sync_folder, translated
from sensor.ledger.store.backup import copy_file
from sensor.ledger.store.beside import StorePlace
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.store.integrity import check_file
from sensor.ledger.store.read_only import open_file
from sensor.model.version import VERSION

#: Of the folder and of each file: hashes of passwords are in it.
FOLDER_MODE, FILE_MODE = 0o700, 0o600


def back_up_desk(places: DeskPlaces, target: Path, now_ns: int) -> tuple[CopyManifest, tuple[str, ...]]:
    """Make a copy in a new folder, which is there whole or not at all: what is in it, and what is wrong with the copied
    ledger and the files that it names. Raises LedgerError, StoreError."""
    places.refuse_servers()
    if target.exists():
        raise LedgerError(f"{target}: is there already; nothing was written")
    unfinished = target.with_name(f"{target.name}.part")
    with translated(target):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(FOLDER_MODE)
        try:
            files = [_copied(place, unfinished) for place in places.every[:2] if place.exists]
            files += _copied_attachments(places.attachments, unfinished)
            head = None
            if places.audit.exists:
                files.append(_copied(places.audit, unfinished))
                head = _head(unfinished / "audit.db", now_ns)
            manifest = CopyManifest(now_ns, VERSION, head, tuple(files))
            manifest.write(unfinished)
            faults = (*check_file(unfinished / "ledger.db").faults, *_attachments_missed(unfinished, files))
            sync_folder(unfinished)
            unfinished.rename(target)
            sync_folder(target.parent)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return manifest, faults


def _copied(place: StorePlace, folder: Path) -> CopiedFile:
    name = f"{place.what}.db"
    copy_file(file_of_place(place), folder / name)
    return listed_file(folder, name)


def _copied_attachments(source: Path | None, folder: Path) -> list[CopiedFile]:
    """All files of cases; what is not named by its hash is none of them, or damaged: a copy with it would be refused.
    One that is removed meanwhile is left out."""
    if source is None or not source.is_dir():
        return []
    (folder / ATTACHMENTS).mkdir(FOLDER_MODE)
    found = []
    for path in sorted(source.iterdir()):
        if HASH.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            with contextlib.suppress(FileNotFoundError):
                target = folder / ATTACHMENTS / path.name
                copied(path, target)
                file = listed_file(folder, f"{ATTACHMENTS}/{path.name}")
                if file.sha256 == path.name:
                    found.append(file)
                else:
                    target.unlink()
    return found


def _attachments_missed(folder: Path, files: list[CopiedFile]) -> list[str]:
    """Files that cases of a copied ledger have and the copy has not, one sentence each."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(open_file(folder / "ledger.db")) as connection:
        # suppressed: a ledger that cannot be read, which was found already, and one of before there were attachments
        query = "SELECT case_id, number, sha256 FROM attachments WHERE removed_ns IS NULL ORDER BY case_id, number"
        names = {Path(file.name).name for file in files}
        return [
            f"case {case}: attachment {number} is gone or damaged, and is not copied (SHA-256 {digest})"
            for case, number, digest in connection.execute(query)
            if digest not in names
        ]
    return []


def copied(source: Path, target: Path) -> None:
    """A file copied, whole on the disk, for its owner alone. Raises OSError."""
    with (
        source.open("rb") as file,
        open(target, "xb", opener=lambda name, flags: os.open(name, flags, FILE_MODE)) as to,
    ):
        shutil.copyfileobj(file, to)
        to.flush()
        os.fsync(to.fileno())


def _head(path: Path, now_ns: int) -> str | None:
    """The head of a copied audit, as an anchor has it."""
    reader = AuditReader(place_of_file("audit", path))
    try:
        head = reader.head(now_ns)
        return None if head is None else head.text
    finally:
        reader.close()
