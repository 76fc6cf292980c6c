"""Opens the ledger for single short writes beside the daemon, as `minewatch ledger set` does: no lease, no schema
changed, and nothing kept open between two of them, so that readers find the ledger as before.

Waiting is bounded on both databases; the daemon's line waits for such a write as little.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.pool import NullPool

from sensor.ledger.store.database import (
    begin_transaction,
    newest_schema,
    set_pragmas,
    take_writers_lock,
    translated_errors,
)
from sensor.ledger.store.errors import LedgerError
from sensor.ledger.store.opening import parsed_url

#: How long a command waits for other writers. A person waits here, and not the line: longer than the line does, for of
#: 2,000 rows that eight processes wrote at once the slowest waited 3.2 s.
WAIT_MS = 5_000
#: Tables that commands to cases write.
WRITTEN = ("cases", "changes", "attachments")
OTHER_SCHEMA = "the ledger is being brought up to date, or was made by another release"


def engine_of_short_writes(url: str) -> Engine:
    """An engine for a URL whose schema is this release's; nothing is opened yet. Raises LedgerError for no URL."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite":
        options = {"options": f"-c lock_timeout={WAIT_MS} -c statement_timeout={2 * WAIT_MS}"}
        pool = {"pool_size": 2, "pool_pre_ping": True, "pool_timeout": WAIT_MS / 1000}
        engine = create_engine(parsed, connect_args=options, **pool)
        event.listen(engine, "begin", take_writers_lock)
        return engine
    engine = create_engine(parsed, connect_args={"timeout": WAIT_MS / 1000}, poolclass=NullPool)
    event.listen(engine, "connect", set_pragmas)
    event.listen(engine, "connect", _wait_longer)
    event.listen(engine, "begin", begin_transaction)
    return engine


def _wait_longer(connection: Any, _: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")


def writing_refusal(engine: Engine) -> str | None:
    """Why this user cannot write; None where he can. Opens no file. Raises LedgerError where that cannot be asked."""
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        try:
            if not os.access(path, os.R_OK | os.W_OK):
                return f"no permission to write {path}"
            if not os.access(path.parent, os.W_OK | os.X_OK):
                return f"no permission to write into the folder {path.parent}, where SQLite keeps its log"
        except OSError as error:
            return (error.strerror or str(error)).lower()
        return None
    with translated_errors(engine), engine.connect() as connection:
        for table in WRITTEN:
            query = text("SELECT has_table_privilege(:name, 'INSERT') AND has_table_privilege(:name, 'UPDATE')")
            if not connection.scalar(query, {"name": table}):
                return f"no permission to write the table {table}"
    return None


def check_schema(engine: Engine) -> None:
    """Whether the schema is this release's, before anything is written. Raises LedgerError."""
    with translated_errors(engine), engine.connect() as connection:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if found != newest_schema():
        raise LedgerError(f"ledger {engine.url.render_as_string(hide_password=True)}: {OTHER_SCHEMA}", "locked")
