"""Turns arguments (files, folders, patterns, `-`) into the list of captures to read, and the rest into problems.

It looks at names only; whether a file is a capture, the core finds out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Endings of what is compressed, behind that of the capture.
PACKED = (".gz", ".zst", ".xz", ".bz2", ".lz4")
CAPTURES = (".pcap", ".pcapng", ".cap")
ENDINGS = tuple(kind + packed for kind in CAPTURES for packed in ("", *PACKED))
STDIN = "-"
#: What makes a pattern of a path (glob.has_magic).
MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Problem:
    """One input that could not be read, or not to its end."""

    source: str
    reason: str
    offset: int | None = None  # where reading stopped, in bytes of the (decompressed) capture
    packets: int = 0  # how many were read and used before that

    def __str__(self) -> str:
        if self.offset is None or (self.offset == 0 and self.packets == 0):
            return f"{self.source}: {self.reason}"
        return f"{self.source}: {self.reason} at byte {self.offset} ({self.packets} packets before it were used)"


def expand(paths: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """The captures meant by the arguments, in their order, each once; and the arguments that mean none."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for path in paths:
        for item in _captures_of(path):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                found.setdefault(STDIN if item == STDIN else str(Path(item).resolve()), item)
    return list(found.values()), problems


def size(source: str) -> int | None:
    """Bytes of a source as stored, or None where nobody can know before reading."""
    try:
        status = Path(source).stat()
    except OSError:
        return None
    return status.st_size if source != STDIN and Path(source).is_file() else None


def _captures_of(path: str) -> Iterator[str | Problem]:
    if path == STDIN:
        yield path
    elif _is_directory(path):
        yield from _directory(path)
    elif not _exists(path) and MAGIC.search(path):
        import glob

        matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (Path.glob refuses absolute patterns)
        if not matches:
            yield Problem(path, "no file matches this pattern")
        for match in matches:
            if _is_directory(match):
                yield from _directory(match)
            else:
                yield match
    else:
        yield path


def _directory(path: str) -> Iterator[str | Problem]:
    """All captures below a folder, by ending, in the order of their paths."""
    try:
        next(Path(path).iterdir(), None)
    except OSError as error:
        yield Problem(path, (error.strerror or str(error)).lower())
        return
    captures = sorted(
        str(item)
        for item in Path(path).rglob("*")
        if item.name.lower().endswith(ENDINGS) and not _is_directory(str(item))
    )
    if not captures:
        packed = f"{', '.join(PACKED[:-1])} and {PACKED[-1]}"
        yield Problem(path, f"the directory holds no capture ({', '.join(CAPTURES)}, also {packed})")
    yield from captures


def _is_directory(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
