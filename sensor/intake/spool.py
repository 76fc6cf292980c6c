"""A folder that a rotating capture fills: which files are finished and not read yet, across restarts.

It has no clock (the time is handed in) and reads no capture; whoever reads a file to its end calls `mark_read`.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from sensor.intake.sources import ENDINGS
from sensor.model.time import MINUTE_NS

#: By these first bytes a capture is known again, under another name too. In a pcapng file the first packet stands
#: behind 200 or so.
HEAD_BYTES = 4_096
#: A file that nobody is known to have closed is finished when it has not changed for so long.
SETTLE_NS = MINUTE_NS
#: Captures remembered that are no longer there under their name: they may come back under another.
MAX_GONE = 1_000
VERSION = 1


class SpoolError(Exception):
    """A folder or its memory cannot be used; the text is one sentence."""


@dataclass
class ReadCapture:
    """A capture that was read: how many bytes of it its digest covers, and what it was last called."""

    length: int
    name: str


class Spool:
    """One folder, and the file in which what was read of it is kept."""

    def __init__(self, folder: Path, memory: Path, *, settle_ns: int = SETTLE_NS) -> None:
        self._folder, self._memory, self._settle_ns = folder, memory, settle_ns
        self._done = _load_memory(memory)  # by digest of their beginning
        self._sizes: dict[str, int] = {}  # at the last look
        self._unchanged: dict[str, tuple[int, int, int]] = {}  # files known to be read, by what changes when they do
        self.grown = 0  # files that went on growing after they were read; the rest of them is not read

    def finished(self, now_ns: int) -> list[Path]:
        """Captures to be read, oldest first. `now_ns` is compared with the files' times of change."""
        found: list[tuple[int, str, Path]] = []
        sizes: dict[str, int] = {}
        read_before = {read.name: (read.length, digest) for digest, read in self._done.items()}
        for path in self._captures():
            with contextlib.suppress(OSError):  # it has just gone
                status, name = path.stat(), self._name(path)
                sizes[name] = status.st_size
                stamp = (status.st_size, status.st_mtime_ns, status.st_ino)
                if self._unchanged.get(name) == stamp:
                    continue
                if not self._is_new(path, name, status.st_size, read_before.get(name)):
                    self._unchanged[name] = stamp
                elif self._is_finished(path, name, status, now_ns):
                    found.append((status.st_mtime_ns, name, path))
        self._sizes = sizes
        self._unchanged = {name: stamp for name, stamp in self._unchanged.items() if name in sizes}
        return [path for _, _, path in sorted(found)]

    def mark_read(self, path: Path) -> None:
        """The file was read to its end: it is not given again. Written to disk before this returns."""
        with contextlib.suppress(OSError):
            length, digest = _head(path, HEAD_BYTES)
            self._done.pop(digest, None)
            self._done[digest] = ReadCapture(length, self._name(path))  # the newest is last
        there = {self._name(capture) for capture in self._captures()}
        latest = {read.name: digest for digest, read in self._done.items()}
        gone = [digest for digest, read in self._done.items() if read.name not in there or latest[read.name] != digest]
        for digest in gone[: max(0, len(gone) - MAX_GONE)]:
            del self._done[digest]
        _save_memory(self._memory, self._done)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._folder))

    def _captures(self) -> list[Path]:
        """Hidden files and other endings (`.part`, `.tmp`) are somebody's work in progress."""
        try:
            paths = list(self._folder.rglob("*"))
        except OSError as error:
            raise SpoolError(f"{self._folder}: {(error.strerror or str(error)).lower()}") from None
        return [
            path
            for path in paths
            if path.name.lower().endswith(ENDINGS) and not path.name.startswith(".") and path.is_file()
        ]

    def _is_new(self, path: Path, name: str, size: int, before: tuple[int, str] | None) -> bool:
        if before is not None and _head(path, before[0]) == before:
            self.grown += size > self._sizes.get(name, size)
            return False
        _, digest = _head(path, HEAD_BYTES)
        read = self._done.get(digest)
        if read is not None:
            read.name = name  # it was renamed
        return read is None

    def _is_finished(self, path: Path, name: str, status: os.stat_result, now_ns: int) -> bool:
        if status.st_size == 0 or self._sizes.get(name, status.st_size) != status.st_size:
            return False
        written = _is_being_written(path)
        return not written if written is not None else now_ns - status.st_mtime_ns >= self._settle_ns


def _head(path: Path, length: int) -> tuple[int, str]:
    with path.open("rb") as file:
        data = file.read(length)
    return len(data), hashlib.sha256(data).hexdigest()


def _is_being_written(path: Path) -> bool | None:
    """Whether somebody on this host has the file open for writing, or None if that cannot be found out.

    fcntl(2), F_SETLEASE: a read lease is refused for a file that is open for writing. It is given back at once.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.fcntl(
            descriptor, fcntl.F_SETSIG, signal.SIGURG
        )  # what a broken lease sends; this one is ignored, SIGIO would end us
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):
        return None  # not our file, or a file system without leases
    finally:
        os.close(descriptor)
    return False


def _load_memory(memory: Path) -> dict[str, ReadCapture]:
    try:
        remembered = json.loads(memory.read_text())
        if remembered["version"] != VERSION:
            raise SpoolError(f"{memory}: written by another version ({remembered['version']})")
        return {
            str(digest): ReadCapture(int(read["length"]), str(read["name"]))
            for digest, read in remembered["done"].items()
        }
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SpoolError(f"{memory}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SpoolError(f"{memory}: does not hold what was read; delete it to read the whole folder again") from None


def _save_memory(memory: Path, done: dict[str, ReadCapture]) -> None:
    """Whole or not at all: written beside, then moved over."""
    memory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=memory.parent, prefix=f".{memory.name}.", delete=False) as file:
        json.dump({"version": VERSION, "done": {digest: asdict(read) for digest, read in done.items()}}, file)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(memory)
