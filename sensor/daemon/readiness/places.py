"""Folders and files that a sensor writes or reads: there, its user's, and with room."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from exporters.forms.amounts import size
from sensor.daemon.readiness.result import CheckResult
from sensor.daemon.readiness.user import SensorUser, may, owner_text

#: Less room than this and nothing can be written; less than this, and not for long.
LEAST_BYTES, LOW_BYTES = 16_000_000, 1_000_000_000


def check_written_file(part: str, path: Path, user: SensorUser) -> Iterator[CheckResult]:
    """A file that the sensor writes, or makes in its folder."""
    folder = path.parent
    if not folder.is_dir():
        yield CheckResult(part, "failure", f"{folder}: no such folder", made_mend(folder, user))
        return
    if path.is_dir():
        yield CheckResult(part, "failure", f"{path}: is a folder, where a file is wanted")
        return
    if not may(user, folder, os.W_OK | os.X_OK):
        yield _denied(part, folder, user, "cannot be written")
    elif path.exists() and not may(user, path, os.R_OK | os.W_OK):
        yield _denied(part, path, user, "cannot be written")
    else:
        yield from check_room(part, folder)


def check_written_folder(part: str, folder: Path, user: SensorUser) -> Iterator[CheckResult]:
    """A folder that the sensor writes into, and makes if its parent is there."""
    present = folder if folder.is_dir() else folder.parent
    if not present.is_dir() or folder.is_file():
        yield CheckResult(part, "failure", f"{folder}: no such folder", made_mend(folder, user))
    elif not may(user, present, os.W_OK | os.X_OK):
        yield _denied(part, present, user, "cannot be written")
    else:
        yield from check_room(part, present)


def check_read_folder(part: str, folder: Path, user: SensorUser) -> Iterator[CheckResult]:
    """A folder that the sensor reads."""
    if not folder.is_dir():
        yield CheckResult(part, "failure", f"{folder}: no such folder", made_mend(folder, user))
    elif not may(user, folder, os.R_OK | os.X_OK):
        yield _denied(part, folder, user, "cannot be read")
    else:
        yield CheckResult(part, "ok", str(folder))


def check_room(part: str, folder: Path) -> Iterator[CheckResult]:
    """Whether the disk of a folder has room."""
    usage = shutil.disk_usage(folder)
    room = f"{folder}: {size(usage.free)} free of {size(usage.total)}"
    if usage.free < LEAST_BYTES:
        yield CheckResult(part, "failure", f"{room}: the disk is full", "make room")
    elif usage.free < LOW_BYTES:
        yield CheckResult(part, "warning", f"{room}: that is not for long", "make room, or keep less")
    else:
        yield CheckResult(part, "ok", room)


def made_mend(folder: Path, user: SensorUser) -> str:
    """How a missing folder is made."""
    return f"install -d -o {user.name} -m 0750 {shlex.quote(str(folder))}"


def owner_mend(path: Path, user: SensorUser) -> str:
    """How something becomes the sensor's."""
    return f"chown {user.name}: {shlex.quote(str(path))}"


def _denied(part: str, path: Path, user: SensorUser, what: str) -> CheckResult:
    sentence = f"{path}: {what} by {user.name} ({owner_text(path)})"
    return CheckResult(part, "failure", sentence, owner_mend(path, user))
