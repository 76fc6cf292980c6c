"""Entries of tests, chains in memory, and what a hand can do to a stored row."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from sensor.audit.chain import START, ChainedRow, StoredRow, link
from sensor.audit.entry import AuditActor, AuditEntry, bodies
from sensor.audit.store import AuditReader, AuditStore
from sensor.audit.verify import AuditVerdict, verify
from sensor.ledger.store.beside import StorePlace
from sensor.model.audit_head import AuditAnchor, AuditHead

NOW = 1_790_000_000_000_000_000
LI = AuditActor(account="li", role="officer", address="192.0.2.7")
CHAIN = "0123456789abcdef"


def entry(number: int = 0, **more: object) -> AuditEntry:
    """An entry that differs from others by its number."""
    given = {"query": {"page": number}, "objects": (f"case:{number}",), **more}
    return AuditEntry(LI, "view", "case.show", NOW + number, **given)  # type: ignore[arg-type]


def chain_of(count: int, chain: str = CHAIN, first: int = 0) -> list[ChainedRow]:
    """A chain in memory."""
    flat = [(LI.name, body) for number in range(count) for body in bodies(entry(first + number))]
    return list(link(flat, 0, START, chain, "sha256"))


def stored(rows: Sequence[ChainedRow]) -> list[StoredRow]:
    return [StoredRow(*row) for row in rows]


def anchor_at(rows: Sequence[ChainedRow], count: int, chain: str = CHAIN) -> AuditAnchor:
    return AuditAnchor(AuditHead(chain, count, "sha256", rows[count - 1].digest, NOW))


def found(verdict: AuditVerdict) -> set[tuple[str, int | None]]:
    """Kinds and places of what was found."""
    return {(fault.kind, fault.sequence) for fault in verdict.faults}


def verified(place: StorePlace, anchors: Sequence[AuditAnchor] = ()) -> AuditVerdict:
    """What `verify` says of a store."""
    reader = AuditReader(place)
    try:
        return verify(reader.rows(), anchors)
    finally:
        reader.close()


def filled(place: StorePlace, count: int) -> None:
    """A store with its opening row and so many more."""
    store = AuditStore.open(place)
    store.append([entry(number) for number in range(count)])
    store.close()


@contextlib.contextmanager
def by_hand(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as somebody has it who may write it: its guards are taken away first."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER IF EXISTS audit_rows_no_update")
        connection.execute("DROP TRIGGER IF EXISTS audit_rows_no_delete")
        yield connection
        connection.commit()
