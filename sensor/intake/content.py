"""What a replay read, as a name: the same for the same captures, whatever they are called and wherever they lie."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

#: Of each capture its length and so many bytes of its beginning, middle and end are looked at: no two have packets with
#: the same times there.
SAMPLE_BYTES = 65_536


def content_id(paths: Iterable[str]) -> str | None:
    """The name of these captures together, in any order; None if one of them cannot be read twice."""
    digests = []
    for path in paths:
        try:
            digests.append(_digest(Path(path)))
        except OSError:
            return None
        if not digests[-1]:
            return None
    whole = hashlib.blake2b(digest_size=10)
    for digest in sorted(digests):
        whole.update(digest)
    return whole.hexdigest() if digests else None


def _digest(path: Path) -> bytes:
    """Of one capture; empty for what is no file."""
    if not path.is_file():
        return b""
    size = path.stat().st_size
    digest = hashlib.blake2b(size.to_bytes(8, "big"), digest_size=20)
    with path.open("rb") as file:
        for at in sorted({0, max(0, size // 2 - SAMPLE_BYTES), max(0, size - SAMPLE_BYTES)}):
            file.seek(at)
            digest.update(file.read(SAMPLE_BYTES))
    return digest.digest()
