"""The ledger of a start: driver, file, owner, schema, soundness, and who holds it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, create_engine
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from sensor.daemon.readiness.places import check_written_file, owner_mend
from sensor.daemon.readiness.result import CheckResult
from sensor.daemon.readiness.user import SensorUser, acting_as, may, owner_text
from sensor.ledger.care import schema_of
from sensor.ledger.store.database import newest_schema
from sensor.ledger.store.errors import LedgerError, fault_of
from sensor.ledger.store.integrity import check_file
from sensor.ledger.store.opening import parsed_url
from sensor.model.ledger_url import POSTGRESQL_FORM, SQLITE_FORM

PART = "ledger"
#: Seconds for a database that is elsewhere, and for the check of a file.
CONNECT_S, CHECK_S = 3, 5.0
DRIVER_MEND = (
    "install minewatch with its extra postgresql (pip install 'minewatch[postgresql]'); the Debian package has it"
)
#: What SQLite keeps beside a database.
SUFFIXES = ("", "-wal", "-shm")


def check_ledger(url: str, user: SensorUser) -> list[CheckResult]:
    """Everything that opening it at a start needs."""
    try:
        parsed = parsed_url(url)
    except LedgerError as error:
        mend = f"ledger.url: {SQLITE_FORM}, or {POSTGRESQL_FORM}"
        return [CheckResult(PART, "failure", str(error).removeprefix("ledger "), mend)]
    if parsed.get_backend_name() != "sqlite":
        return list(_elsewhere(parsed, user))
    if not parsed.database or parsed.database == ":memory:":
        return [CheckResult(PART, "warning", "in memory: what is found is gone with the process")]
    return list(_file(Path(parsed.database), user))


def _file(path: Path, user: SensorUser) -> Iterator[CheckResult]:
    results = list(check_written_file(PART, path, user))
    yield from results
    for present in (Path(f"{path}{suffix}") for suffix in SUFFIXES):
        if present.exists() and present != path and not may(user, present, os.R_OK | os.W_OK):
            sentence = f"{present}: cannot be written by {user.name} ({owner_text(present)})"
            yield CheckResult(PART, "failure", sentence, owner_mend(present, user))
    if any(result.state == "failure" for result in results):
        return
    if not path.exists() or not path.stat().st_size:
        yield CheckResult(PART, "ok", f"{path}: not there yet; a start makes it")
        return
    if path.stat().st_uid != user.uid:
        sentence = f"{path}: belongs to {owner_text(path)}, and the sensor is {user.name}"
        yield CheckResult(PART, "warning", sentence, owner_mend(path, user))
    yield from _content(path)


def _content(path: Path) -> Iterator[CheckResult]:
    integrity = check_file(path, CHECK_S)
    if integrity.faults:
        sentence = f"{path}: the database is damaged: {integrity.faults[0]}"
        yield CheckResult(PART, "failure", sentence, "minewatch ledger restore COPY, or move the file away")
        return
    schema, newest = schema_of(path), newest_schema()
    if schema is None:
        mend = "name another file in ledger.url"
        yield CheckResult(PART, "failure", f"{path}: is a database of something else", mend)
    elif schema > newest:
        sentence = f"{path}: made by a newer minewatch (schema {schema}; this one has {newest})"
        yield CheckResult(PART, "failure", sentence, "install the newer release, or restore the copy made before it")
    elif schema < newest:
        yield CheckResult(PART, "note", f"{path}: schema {schema} becomes {newest} at the start, after a copy is made")
    else:
        yield CheckResult(PART, "ok", f"{path}: schema {schema}, {owner_text(path)}")


def _elsewhere(url: URL, user: SensorUser) -> Iterator[CheckResult]:
    shown = url.render_as_string(hide_password=True)
    arguments = {"connect_timeout": CONNECT_S} if url.get_backend_name() == "postgresql" else {}
    try:
        engine = create_engine(url, connect_args=arguments)
    except (ImportError, NoSuchModuleError) as error:
        yield CheckResult(PART, "failure", f"{shown}: its driver is not installed: {error}", DRIVER_MEND)
        return
    try:
        with acting_as(user), engine.connect():
            yield CheckResult(PART, "ok", f"{shown}: answers")
    except (SQLAlchemyError, OSError) as error:
        reason = fault_of(getattr(error, "orig", None) or error)[1]
        yield CheckResult(PART, "failure", f"{shown}: {reason}", "start the database, or mend ledger.url")
    finally:
        engine.dispose()
