"""Lines of text to a file or a Unix socket: whole lines or none. Knows bytes and places, no records.

A file may be renamed at any time (logrotate, without copytruncate): the next lines go to a new file of the old name.
What a full disk left of a write is cut off before the error is raised, so that lines in the files and events stay
equal.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

from exporters.destination import Refused, Unreachable

#: Readable for the group that collects logs, not for others: findings name people's machines.
MODE = 0o640
#: How far back a line's end is looked for after a crash; no line is that long.
TAIL_BYTES = 4_194_304
STDOUT = "-"


class LineFile:
    """Appends to a file, or to standard output (`-`)."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd: int | None = None
        self._regular = False
        self._again = threading.Event()

    def write(self, lines: Sequence[bytes]) -> None:
        """Append whole lines, on the disk when this returns. Raises OSError, and then none of them is there."""
        fd = self._ready()
        data = memoryview(b"".join(line + b"\n" for line in lines))
        size = os.fstat(fd).st_size if self._regular else 0
        try:
            while data:
                data = data[os.write(fd, data) :]
            if self._regular:
                os.fdatasync(fd)
        except OSError:
            if self._regular:
                os.ftruncate(fd, size)
            self.close()
            raise

    def reopen(self) -> None:
        """Open the file again at the next write."""
        self._again.set()

    def close(self) -> None:
        """Close the file."""
        fd, self._fd = self._fd, None
        if fd is not None and self._path != STDOUT:
            os.close(fd)

    def _ready(self) -> int:
        if self._fd is not None and (self._again.is_set() or self._moved(self._fd)):
            self.close()
        self._again.clear()
        if self._fd is None:
            self._fd = 1 if self._path == STDOUT else self._open()
            self._regular = self._path != STDOUT and stat.S_ISREG(os.fstat(self._fd).st_mode)
            if self._regular:
                _cut_partial_line(self._fd)
        return self._fd

    def _open(self) -> int:
        flags = os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        if Path(self._path).is_fifo():
            return os.open(self._path, flags | os.O_WRONLY | os.O_NONBLOCK)
        return os.open(self._path, flags | os.O_RDWR, MODE)

    def _moved(self, fd: int) -> bool:
        """Whether the name leads elsewhere by now, or nowhere."""
        if not self._regular:
            return False
        here = os.fstat(fd)
        try:
            there = Path(self._path).stat()
        except FileNotFoundError:
            return True
        return (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino)


class LineSocket:
    """Sends to a Unix socket: a stream of lines, or a datagram for each."""

    def __init__(self, path: str, stream: bool, timeout_s: float) -> None:
        self._path, self._stream, self._timeout_s = path, stream, timeout_s
        self._socket: socket.socket | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        """Send whole lines. Raises OSError; Refused for a datagram that is too long."""
        try:
            if self._socket is None:
                self._socket = self._connect()
            if self._stream:
                self._socket.sendall(b"".join(line + b"\n" for line in lines))
            else:
                for line in lines:
                    self._socket.send(line)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                raise Refused("longer than a datagram of this socket") from None
            self.close()
            raise Unreachable(f"{self._path}: {error.strerror or error}") from error

    def reopen(self) -> None:
        """Nothing: a socket that is gone is noticed when it is written to."""

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if self._stream else socket.SOCK_DGRAM)
        connection.settimeout(self._timeout_s)
        try:
            connection.connect(self._path)
        except OSError:
            connection.close()
            raise
        return connection


def _cut_partial_line(fd: int) -> None:
    """Cut what a crash left after the last line's end: its event is sent again as a whole."""
    size = os.fstat(fd).st_size
    start = max(0, size - TAIL_BYTES)
    tail = os.pread(fd, size - start, start)
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(fd, start + tail.rfind(b"\n") + 1)
