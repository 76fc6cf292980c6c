"""Whether a ledger's file hangs together: SQLite's own check, table by table, for as long as is allowed. Reads only.

SQLite keeps no checksums: a page that is wrong in its structure is found, a letter that is another one is not. What
records say is looked at by whoever reads them.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from sensor.ledger.store.errors import fault_of
from sensor.ledger.store.read_only import open_file
from sensor.ledger.store.schema import METADATA

#: Faults that are listed of one table.
MAX_FAULTS = 5
#: Instructions of SQLite's machine between two looks at the clock: some milliseconds.
LOOK_EVERY = 100_000


@dataclass(frozen=True, slots=True)
class Integrity:
    """What a check found."""

    faults: tuple[str, ...] = ()  # a sentence each
    unchecked: tuple[str, ...] = ()  # tables that the time did not suffice for

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found, and everything was looked at."""
        return not self.faults and not self.unchecked


def check_file(path: str | Path, seconds: float | None = None) -> Integrity:
    """Check a file of SQLite, its log included; small tables first, so that a short time covers most of them. None: as
    long as it takes. Never raises: what cannot be read is a fault."""
    until = None if seconds is None else time.monotonic() + seconds
    try:
        with contextlib.closing(open_file(Path(path))) as connection:
            if until is not None:
                connection.set_progress_handler(lambda: time.monotonic() >= until, LOOK_EVERY)
            return _check(connection, until)
    except sqlite3.Error as error:
        return Integrity((fault_of(error)[1],))


def _check(connection: sqlite3.Connection, until: float | None) -> Integrity:
    faults: list[str] = []
    waiting = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    order = {table.name: at for at, table in enumerate(METADATA.sorted_tables)}
    waiting.sort(key=lambda name: (name in ("connections", "rollups", "parts", "findings"), order.get(name, -1)))
    while waiting:
        if until is not None and time.monotonic() >= until:
            break
        quoted = '"' + waiting[0].replace('"', '""') + '"'
        try:
            rows = connection.execute(f"PRAGMA quick_check({quoted})").fetchmany(MAX_FAULTS)
            faults += [f"{waiting[0]}: {text}" for (text,) in rows if text != "ok"]
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
                break
            faults.append(f"{waiting[0]}: {fault_of(error)[1]}")
        except sqlite3.Error as error:
            faults.append(f"{waiting[0]}: {fault_of(error)[1]}")
        waiting.pop(0)
    return Integrity(tuple(" ".join(fault.split()) for fault in faults), tuple(waiting))
