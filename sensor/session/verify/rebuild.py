"""Stratum's pieces put together to the 80 bytes that were hashed. Total: a part that is missing or malformed gives
None.

coinbase = coinb1 + extranonce1 + extranonce2 + coinb2; merkle root = its double SHA-256 folded with each branch;
header = version, previous hash, merkle root, time, bits and nonce, little-endian
(https://en.bitcoin.it/wiki/Stratum_mining_protocol, https://en.bitcoin.it/wiki/Block_hashing_algorithm). Knows no
jobs and no difficulty.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

#: The bits miners may roll unless the pool says otherwise (BIP 320).
MASK_BIP320 = 0x1FFFE000

#: A coinbase with more is not mined; pools that pay many people in it stay under 16 kB.
MAX_COINBASE_BYTES = 24_576
#: A block of 2^24 transactions has as many.
MAX_BRANCHES = 24
MAX_EXTRANONCE_BYTES = 32

_NUMBER = re.compile(r"[0-9a-fA-F]{1,8}")


@dataclass(frozen=True, slots=True)
class HeaderJob:
    """What a job fixes of its shares' headers, as bytes in the order they are hashed."""

    version: int
    prevhash: bytes
    head: bytes  # coinb1 and extranonce1
    tail: bytes  # coinb2
    branches: bytes
    nbits: bytes

    @property
    def size(self) -> int:
        """Bytes kept."""
        return len(self.head) + len(self.tail) + len(self.branches) + 36


def sha256d(data: bytes) -> bytes:
    """SHA-256 of SHA-256."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def header_job(parts: Mapping[str, object], extranonce1: object) -> HeaderJob | None:
    """The job in bytes; None if a part is missing or not what it should be."""
    own = _bytes(extranonce1, 0, MAX_EXTRANONCE_BYTES)
    before, after = (_bytes(parts.get(name), 1, MAX_COINBASE_BYTES) for name in ("coinb1", "coinb2"))
    prevhash, nbits = _bytes(parts.get("prevhash"), 32, 32), _bytes(parts.get("nbits"), 4, 4)
    version, branches = _bytes(parts.get("version"), 4, 4), _branches(parts.get("branches"))
    if (
        own is None
        or before is None
        or after is None
        or prevhash is None
        or nbits is None
        or version is None
        or branches is None
    ):
        return None
    swapped = b"".join(prevhash[at : at + 4][::-1] for at in range(0, 32, 4))
    return HeaderJob(int.from_bytes(version, "big"), swapped, before + own, after, branches, nbits[::-1])


def share_header(job: HeaderJob, parts: Mapping[str, object], mask: int) -> bytes | None:
    """The header of a share; None if a part is malformed, or bits outside the mask were rolled (BIP 310)."""
    extranonce2 = _bytes(parts.get("extranonce2"), 0, MAX_EXTRANONCE_BYTES)
    ntime, nonce = _bytes(parts.get("ntime"), 4, 4), _bytes(parts.get("nonce"), 4, 4)
    version = job.version
    rolled = parts.get("version_bits")
    if isinstance(rolled, str):
        bits = version_mask(rolled)
        if bits is None or bits & ~mask:
            return None
        version = (version & ~mask) | bits
    if extranonce2 is None or ntime is None or nonce is None:
        return None
    root = sha256d(job.head + extranonce2 + job.tail)
    for at in range(0, len(job.branches), 32):
        root = sha256d(root + job.branches[at : at + 32])
    return version.to_bytes(4, "little") + job.prevhash + root + ntime[::-1] + job.nbits + nonce[::-1]


def version_mask(value: object) -> int | None:
    """A 32-bit number in hex, or None."""
    return int(value, 16) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _branches(value: object) -> bytes | None:
    if not isinstance(value, list) or len(value) > MAX_BRANCHES:
        return None
    read = [_bytes(item, 32, 32) for item in value]
    return None if None in read else b"".join(filter(None, read))


def _bytes(value: object, least: int, most: int) -> bytes | None:
    if not isinstance(value, str) or not 2 * least <= len(value) <= 2 * most:
        return None
    try:
        data = bytes.fromhex(value)
    except ValueError:
        return None
    return data if 2 * len(data) == len(value) else None  # fromhex passes over white space
