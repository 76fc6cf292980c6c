"""What was forgotten since a copy was made is forgotten in the copy too, before the copy takes its place.

The audit names it: each `ledger.forget` has a row. What grew too old needs no row, for the ledger's upkeep finds it
again by its age.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sensor.audit.chain import StoredRow
from sensor.audit.store import ROWS, AuditReader
from sensor.ledger.care import schema_of
from sensor.ledger.store import database
from sensor.ledger.store.beside import StorePlace
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.store.read_only import open_file
from sensor.ledger.write.forget import ForgetError, ForgetSubject

ACTION, PAGE = "ledger.forget", 500


def forget_again(copy: Path, audit: StorePlace, now_ns: int) -> tuple[str, ...]:
    """Forget in a copied ledger, a file that nobody uses, what the present audit says was forgotten after the copy's
    last report. What an operator has to hear of it, one sentence each. Raises LedgerError."""
    try:
        named = sorted(set(_forgotten_since(audit, _last_report_ns(copy))))
    except LedgerError as error:
        return (f"it is not known what was forgotten since the copy was made: {error}",)
    if not named:
        return ()
    if schema_of(copy) != database.newest_schema():
        return tuple(
            "the copy is of an older release, and has again what was forgotten since: when the service has brought it "
            f"up to date, use minewatch ledger forget {each.partition(':')[2]}"
            for each in named
        )
    count = _forget(copy, named, now_ns)
    return (f"{count} that were forgotten since the copy was made are forgotten in it, too",) if count else ()


def removed_in(copy: Path) -> set[str]:
    """The hashes of files that no case of a copied ledger has any more; none where it has no table of them."""
    gone = "SELECT sha256 FROM attachments WHERE removed_ns IS NOT NULL"
    there = "SELECT sha256 FROM attachments WHERE removed_ns IS NULL"
    with contextlib.suppress(sqlite3.Error), contextlib.closing(open_file(copy)) as connection:
        return {digest for (digest,) in connection.execute(f"{gone} EXCEPT {there}")}
    return set()


def _last_report_ns(copy: Path) -> int:
    """When a sensor last reported to a copied ledger; 0 where that does not stand in it."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(open_file(copy)) as connection:
        return int(connection.execute("SELECT max(last_ns) FROM sensors").fetchone()[0] or 0)
    return 0


def _forgotten_since(audit: StorePlace, since_ns: int) -> Iterator[str]:
    """The names of what was forgotten. A forgetting of which it is not known whether it happened was wanted all the
    same. Raises AuditError."""
    if not audit.exists:
        return
    reader = AuditReader(audit)
    try:
        failed, before = set[object](), None
        while page := reader.newest(PAGE, before, (ROWS.c.action == ACTION, ROWS.c.at_ns >= since_ns)):
            for row in page:
                fields = _fields(row)
                if fields.get("phase") == "failed":
                    failed.add(fields.get("of"))
                elif fields.get("phase") == "asked" and row.sequence not in failed:
                    yield from (each for each in fields.get("objects", ()) if isinstance(each, str) and ":" in each)
            before = int(str(page[-1].sequence))
    except (ValueError, TypeError):
        raise LedgerError(f"audit {audit.shown}: a row of it is damaged (minewatch audit verify)") from None
    finally:
        reader.close()


def _fields(row: StoredRow) -> dict[str, Any]:
    """What a row's bytes say. Raises ValueError."""
    fields = json.loads(row.record) if isinstance(row.record, bytes) else None
    if not isinstance(fields, dict):
        raise ValueError("no record")
    return fields


def _forget(copy: Path, named: list[str], now_ns: int) -> int:
    """Forget in a file; how many of them it had anything of. Raises LedgerError."""
    engine, count = database.connect(f"sqlite:///{copy.absolute()}"), 0
    try:
        for name in named:
            kind, _, identity = name.partition(":")
            subject = ForgetSubject(address=identity) if kind == "address" else ForgetSubject(enterprise_id=identity)
            with contextlib.suppress(ForgetError), database.writing(engine) as connection:
                connection.exec_driver_sql("PRAGMA secure_delete=ON")  # zeros where the rows were
                count += subject.forget(connection, now_ns).anything
        if count:
            database.rewrite_file(engine)
    finally:
        engine.dispose()
    return count
