"""Reads when the blocks of a coin were found: a file with the seconds since 1970 of one block in the first column of
each line.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from sensor.model.time import LAST_SECOND, SECOND_NS

#: Bytes read of a file at most: a hundred years of a coin with a block a minute are 0.7 GB, and nobody needs them.
MAX_BYTES = 64 << 20


class BlockFileError(Exception):
    """A file of block times cannot be used; one sentence with file and line."""


def read_block_times(path: str) -> list[int]:
    """The times in the file in nanoseconds, in order. Lines that begin with # and empty ones are left out. The file may
    be compressed by gzip. Raises BlockFileError."""
    try:
        raw = Path(path).read_bytes() if Path(path).stat().st_size <= MAX_BYTES else None
        if raw is not None and raw[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                raw = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise BlockFileError(f"{path}: {reason.lower()}") from None
    if raw is None or len(raw) > MAX_BYTES:
        raise BlockFileError(f"{path}: more than {MAX_BYTES} bytes; cut it to the time of the captures")
    times = []
    for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1):
        text = line.partition(",")[0].strip()
        if text and not text.startswith("#"):
            times.append(_instant_ns(text, f"{path}:{number}"))
    if not times:
        raise BlockFileError(f"{path}: no block in it")
    return sorted(times)


def _instant_ns(text: str, place: str) -> int:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LAST_SECOND:
        raise BlockFileError(f"{place}: not a time in seconds since 1970: {text[:40]!r}")
    return round(seconds * SECOND_NS)
