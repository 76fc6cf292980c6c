"""A folder that a rotating capture fills: which files are finished and not read yet. What was read is remembered across restarts.

It has no clock (the time is handed in) and reads no capture; whoever reads a file to its end says so with `done`.
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

from sensor.sources import ENDINGS

#: By these first bytes a capture is known again, under another name too. In a pcapng file the first packet stands behind 200 or so.
HEAD_BYTES = 4_096
#: A file that nobody is known to have closed is finished when it has not changed for so long.
SETTLE_NS = 60_000_000_000
#: Files remembered; those that are no longer there are forgotten anyway.
MAX_FILES = 1_000_000
VERSION = 1


class WatchError(Exception):
    """A folder or its memory cannot be used; the text is one sentence."""


@dataclass(frozen=True)
class Head:
    """The beginning of a capture."""

    length: int
    digest: str


class Watch:
    """One folder, and the file in which what was read of it is kept."""

    def __init__(self, folder: Path, memory: Path, *, settle_ns: int = SETTLE_NS) -> None:
        self._folder, self._memory, self._settle_ns = folder, memory, settle_ns
        self._done = _recall(memory)
        self._sizes: dict[str, int] = {}  # at the last look
        self.grown = 0  # files that went on growing after they were read; the rest of them is not read

    def finished(self, now_ns: int) -> list[Path]:
        """Captures to be read, oldest first. `now_ns` is compared with the files' times of change."""
        found: list[tuple[int, str, Path]] = []
        sizes: dict[str, int] = {}
        for path in self._captures():
            with contextlib.suppress(OSError):  # it has just gone
                status, name = path.stat(), self._name(path)
                sizes[name] = status.st_size
                if self._is_new(path, name, status.st_size) and self._is_finished(path, name, status, now_ns):
                    found.append((status.st_mtime_ns, name, path))
        self._sizes = sizes
        return [path for _, _, path in sorted(found)]

    def done(self, path: Path) -> None:
        """The file was read to its end: it is not given again. Written to disk before this returns."""
        with contextlib.suppress(OSError):
            self._done[self._name(path)] = _head(path, HEAD_BYTES)
        there = {self._name(one) for one in self._captures()}
        self._done = {name: head for name, head in self._done.items() if name in there}
        while len(self._done) > MAX_FILES:
            del self._done[next(iter(self._done))]
        _remember(self._memory, self._done)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._folder))

    def _captures(self) -> list[Path]:
        """Hidden files and other endings (`.part`, `.tmp`) are somebody's work in progress."""
        try:
            paths = list(self._folder.rglob("*"))
        except OSError as error:
            raise WatchError(f"{self._folder}: {(error.strerror or str(error)).lower()}") from None
        return [one for one in paths if one.name.lower().endswith(ENDINGS) and not one.name.startswith(".") and one.is_file()]

    def _is_new(self, path: Path, name: str, size: int) -> bool:
        known = self._done.get(name)
        if known is not None:
            if size >= known.length and _head(path, known.length) == known:
                self.grown += size > self._sizes.get(name, size)
                return False
            return True  # the name was used again, as a ring of files does
        head = _head(path, HEAD_BYTES)
        moved = next((old for old, other in self._done.items() if other == head and not (self._folder / old).exists()), None)
        if moved is not None:
            self._done[name] = self._done.pop(moved)
        return moved is None

    def _is_finished(self, path: Path, name: str, status: os.stat_result, now_ns: int) -> bool:
        if status.st_size == 0 or self._sizes.get(name, status.st_size) != status.st_size:
            return False
        written = _is_being_written(path)
        return not written if written is not None else now_ns - status.st_mtime_ns >= self._settle_ns


def _head(path: Path, length: int) -> Head:
    with path.open("rb") as file:
        data = file.read(length)
    return Head(len(data), hashlib.sha256(data).hexdigest())


def _is_being_written(path: Path) -> bool | None:
    """Whether somebody on this host has the file open for writing, or None if that cannot be told.

    fcntl(2), F_SETLEASE: a read lease is refused for a file that is open for writing. It is given back at once.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)  # what a broken lease sends; this one is ignored, SIGIO would end us
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except (OSError, AttributeError):
        return None  # not our file, or a file system without leases
    finally:
        os.close(descriptor)
    return False


def _recall(memory: Path) -> dict[str, Head]:
    try:
        kept = json.loads(memory.read_text())
        if kept["version"] != VERSION:
            raise WatchError(f"{memory}: written by another version ({kept['version']})")
        return {str(name): Head(int(head["length"]), str(head["digest"])) for name, head in kept["done"].items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise WatchError(f"{memory}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WatchError(f"{memory}: does not hold what was read; delete it to read the whole folder again") from None


def _remember(memory: Path, done: dict[str, Head]) -> None:
    """Whole or not at all: written beside, then moved over."""
    memory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=memory.parent, prefix=f".{memory.name}.", delete=False) as file:
        json.dump({"version": VERSION, "done": {name: asdict(head) for name, head in done.items()}}, file)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(memory)
