"""Whose a ledger's file is: where root makes it in a service's folder, the service's, for else it could not open it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from sensor.ledger.store.opening import parsed_url


def belong_to_folder(path: Path) -> None:
    """Give a file that root has just made to the owner and the group of its folder. Of anybody else it stays."""
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        folder = path.absolute().parent.stat()
        if folder.st_uid != 0:
            os.chown(path, folder.st_uid, folder.st_gid)


def wrong_owner(url: str) -> str | None:
    """A sentence where a ledger, or a file of its log, belongs to somebody else than its folder: the service, whose the
    folder is, may not be able to open it. None where all is well, or nothing of the kind can be seen."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    path = Path(parsed.database).absolute()
    try:
        folder = path.parent.stat()
        if folder.st_uid == 0:
            return None
        files = [file for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")) if file.exists()]
        foreign = [file for file in files if file.stat().st_uid != folder.st_uid]
    except OSError:
        return None
    if not foreign:
        return None
    names = " ".join(map(str, foreign))
    return (
        f"ledger {path}: {', '.join(file.name for file in foreign)} belongs to another user than the folder, whose "
        f"service may not be able to open it: chown {folder.st_uid}:{folder.st_gid} {names}"
    )


def can_write(path: Path) -> bool:
    """Whether this user is whose the file is, and may change it."""
    try:
        return path.stat().st_uid == os.geteuid() and os.access(path, os.R_OK | os.W_OK)
    except OSError:
        return False
