"""The chain: a row's canonical bytes, which have its place and the hash of the row before it in them, and their hash.

The bytes themselves are stored, so nothing is made anew to be hashed again: a time that a database rounds cannot make
an honest row look changed. Pure; knows no database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, get_args

Algorithm = Literal["sha256", "sm3"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
#: What the first row follows.
START = "0" * 64
#: Of a row's form.
FORM = 1
#: What begins a chain, and what says that its oldest rows were removed.
OPENED, SEALED = "audit.opened", "audit.sealed"


class StoredRow(NamedTuple):
    """A row as a database has it: its columns are for looking rows up, and repeat what its bytes say. Whatever stands
    in a database that somebody else could write: any value may be of any type."""

    sequence: object
    at_ns: object
    actor: object
    action: object
    previous: object
    digest: object
    record: object


class ChainedRow(NamedTuple):
    """A row that is to be stored."""

    sequence: int
    at_ns: int
    actor: str
    action: str
    previous: str
    digest: str
    record: bytes


def canonical(record: Mapping[str, object]) -> bytes:
    """A record as bytes, always the same: keys in order, no spaces, UTF-8, no fractions."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(record: bytes, algorithm: str) -> str:
    """The hash of a record's bytes. Raises ValueError for an algorithm that is none of ours."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"{algorithm!r} is no hash of this chain")
    return hashlib.new(algorithm, record, usedforsecurity=True).hexdigest()


def has_sm3() -> bool:
    """Whether this system's OpenSSL has SM3."""
    return "sm3" in hashlib.algorithms_available


def link(
    made_of: Iterable[tuple[str, Mapping[str, object]]], sequence: int, previous: str, chain: str, algorithm: Algorithm
) -> Iterator[ChainedRow]:
    """Rows that follow a row: of each the actor's name and its body. `sequence` and `previous` are of the row before
    them."""
    for actor, body in made_of:
        sequence += 1
        place = {"form": FORM, "chain": chain, "sequence": sequence, "previous": previous, "hash": algorithm}
        record = canonical({**body, **place, "who": actor})
        digest = digest_of(record, algorithm)
        yield ChainedRow(sequence, _whole(body["at_ns"]), actor, str(body["action"]), previous, digest, record)
        previous = digest


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value
