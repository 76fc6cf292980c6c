"""What the prefilter looks for, left in a file by one run for the next: reading all signatures takes ten times as long
as reading an empty capture.

The file is numbers and hexadecimal text in JSON: nothing in it is ever run. It is of one set of signatures and of the
code that reads them, by a hash of both. It is believed only if it and its folder are this user's own and nobody else
can write there: whoever could change it could blind the sensor. Knows nothing of signatures but these tables.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from sensor.model.gate_opening import BytePattern, GateOpening
from sensor.model.version import VERSION

#: Names another folder for the file; empty: there is none.
VARIABLE = "MINEWATCH_CACHE"
#: Folders of one user: as the base directory specification has it, and below the home.
USER_VARIABLE, BELOW_HOME, FOLDER = "XDG_CACHE_HOME", ".cache", "minewatch"
NAME = "gates.json"
#: Far above any: the tables of the shipped signatures take 20 KB.
MAX_BYTES = 1 << 20
#: Whoever else may write.
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Gates(NamedTuple):
    """The tables, as a core takes them."""

    literals: list[bytes]
    openings: list[GateOpening]
    flights: list[tuple[int, int]]
    names: list[bytes]


class Stored(NamedTuple):
    """What was found: the tables; or none, and why, if a file is there that is not believed."""

    gates: Gates | None = None
    trouble: str | None = None
    may_replace: bool = True


class _DistrustError(Exception):
    """The file or its folder is not this user's alone; the text is a phrase."""


def key_of(texts: Iterable[tuple[str, str]]) -> str:
    """A hash of signature files and of the code that reads them."""
    state = hashlib.sha256(VERSION.encode())
    code = sorted(Path(__file__).parent.glob("*.py"))
    parts = ((name, text.encode("utf-8", "surrogatepass")) for name, text in texts)
    for name, data in (*((path.name, path.read_bytes()) for path in code), *parts):
        state.update(f"{len(name)} {len(data)} {name}\n".encode("utf-8", "surrogateescape"))
        state.update(data)
    return state.hexdigest()


def folder() -> Path | None:
    """Where the file is; None where there is no such place."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return Path(chosen) if chosen else None
    user = os.environ.get(USER_VARIABLE, "")
    if user.startswith("/"):
        return Path(user) / FOLDER
    home = os.environ.get("HOME", "")
    return Path(home) / BELOW_HOME / FOLDER if home.startswith("/") else None


def read(key: str) -> Stored:
    """The tables of the signatures with this key, if a file holds them that can be believed."""
    place = folder()
    if place is None:
        return Stored()
    try:
        with _opened(place) as held:
            file = os.open(NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=held)
            try:
                _check(os.fstat(file), "it", alone=True)
                data = os.read(file, MAX_BYTES)
            finally:
                os.close(file)
    except _DistrustError as error:
        return Stored(None, f"{place / NAME}: not used: {error}", may_replace=False)
    except OSError as error:  # there is none, or none for this user
        if error.errno == errno.ELOOP:
            return Stored(None, f"{place / NAME}: not used: it is a link", may_replace=False)
        return Stored()
    try:
        return Stored(_gates(data, key))
    except (ValueError, TypeError, LookupError, RecursionError):
        return Stored(None, f"{place / NAME}: damaged: it is made anew")


def write(key: str, gates: Gates) -> None:
    """Leave the tables for the next run; where that cannot be, it is as if there were none."""
    place = folder()
    if place is None:
        return
    with suppress(OSError, _DistrustError):
        for path in (place.parent, place):
            if not path.exists():
                with _opened(path.parent, alone=False):
                    path.mkdir(mode=0o700)
        with _opened(place) as held:
            name = f"{NAME}.{os.getpid()}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(name, flags, 0o600, dir_fd=held)
            try:
                with os.fdopen(file, "wb") as stream:
                    stream.write(_data(key, gates))
                os.replace(name, NAME, src_dir_fd=held, dst_dir_fd=held)
            except OSError:
                with suppress(OSError):
                    os.unlink(name, dir_fd=held)


@contextmanager
def _opened(place: Path, *, alone: bool = True) -> Iterator[int]:
    """A folder of this user, in which nobody else can write if it is to be theirs alone. Raises OSError, and
    _DistrustError."""
    held = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _check(os.fstat(held), "its folder", alone=alone)
        yield held
    finally:
        os.close(held)


def _check(status: os.stat_result, what: str, *, alone: bool) -> None:
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise _DistrustError(f"{what} is no file")
    if status.st_uid not in (0, os.geteuid()):
        raise _DistrustError(f"{what} is another user's")
    if alone and status.st_mode & OTHERS_WRITE:
        raise _DistrustError(f"others can write {'it' if what == 'it' else 'its folder'}")


def _data(key: str, gates: Gates) -> bytes:
    literals = [literal.hex() for literal in gates.literals]
    openings = [(*opening[:-1], opening.unless.hex()) for opening in gates.openings]
    names = [name.hex() for name in gates.names]
    held = {"key": key, "literals": literals, "openings": openings, "flights": gates.flights, "names": names}
    body = json.dumps(held).encode()
    return hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _gates(data: bytes, key: str) -> Gates | None:
    """The tables; None if they are those of other signatures. Raises ValueError, TypeError or LookupError for what no
    run has written."""
    digest, _, body = data.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("another digest")
    held = json.loads(body)
    if held["key"] != key:
        return None
    return Gates(
        [bytes.fromhex(literal) for literal in held["literals"]],
        [_opening(*values) for values in held["openings"]],
        [_pair(pair) for pair in held["flights"]],
        [bytes.fromhex(name) for name in held["names"]],
    )


def _opening(proto: Any, at: Any, pattern: Any, budget: Any, most: Any, answers: Any, unless: Any) -> GateOpening:
    numbers = (int(proto), int(at)), (int(budget), int(most))
    found = tuple(_pattern(answer) for answer in answers)
    return GateOpening(*numbers[0], _pattern(pattern), *numbers[1], found, bytes.fromhex(unless))


def _pattern(pairs: Any) -> BytePattern:
    return tuple(_pair(pair) for pair in pairs)


def _pair(values: Any) -> tuple[int, int]:
    low, high = values
    return int(low), int(high)
