"""Why a ledger cannot be opened, where the driver says only that it cannot: folder, owner, mode, driver."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from sensor.ledger.store.errors import LedgerError
from sensor.model.ledger_url import NO_URL, POSTGRESQL_FORM, ledger_url_mistake, shown_ledger_url


def parsed_url(url: str) -> URL:
    """A URL's parts. Raises LedgerError for what is none; nothing is opened."""
    mistake = ledger_url_mistake(url)
    try:
        if mistake is None:
            return make_url(url)
    except (ArgumentError, ValueError):
        mistake = f"{NO_URL}: write {POSTGRESQL_FORM}"
    raise LedgerError(f"ledger {shown_ledger_url(url)}: {mistake}")


def engine_for(url: str, arguments: dict[str, object]) -> Engine:
    """An engine; nothing is opened yet. `arguments` are the driver's. Raises LedgerError for a URL that is none, and
    where its driver is not installed."""
    parsed = parsed_url(url)
    try:
        return create_engine(parsed, connect_args=arguments)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        raise LedgerError(f"ledger {parsed.render_as_string(hide_password=True)}: {_driver(parsed, error)}") from None


def is_there(path: Path) -> bool:
    """Whether there is a file, or anything that keeps this process from looking: opening it says which."""
    try:
        return path.exists()
    except OSError:
        return True


def rooted_hint(url: str) -> str:
    """What to write for a path from the root that was written with three slashes, as the end of a sentence; empty where
    it does not look like one."""
    name = url.removeprefix("sqlite:///")
    if name == url or not name or name.startswith("/") or Path(name).parent.is_dir():
        return ""
    return f": write sqlite:////{name}" if Path(f"/{name}").parent.is_dir() else ""


def reading_refusal(path: Path) -> str | None:
    """Why a ledger's file cannot be read, as the end of a sentence; None where nothing of the kind is seen."""
    try:
        if path.is_dir():
            return "is a folder: name a file in it"
        if not path.is_file():
            return "is no file"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None if os.access(path, os.R_OK) else "no permission to read it"


def refusal(path: Path) -> str | None:
    """Why SQLite cannot open or make a file, as the end of a sentence; None where nothing of the kind is seen."""
    folder = path.parent
    try:
        if path.is_dir():
            return "is a folder: name a file in it"
        if not folder.exists():
            return f"no such folder: {folder}{rooted_hint(f'sqlite:///{path}')}"
        if not folder.is_dir():
            return f"{folder} is no folder"
        if path.exists() and not os.access(path, os.R_OK | os.W_OK):
            return "no permission to read and write it"
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"no permission to write into the folder {folder}, where SQLite keeps its log"
    except PermissionError:
        return f"no permission to look into the folder {folder}"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return None


def _driver(url: URL, error: Exception) -> str:
    """What is missing."""
    name = url.drivername.partition("+")[2] or getattr(error, "name", None) or "psycopg"
    if url.get_backend_name() != "postgresql" or name == "psycopg":
        return f"its driver is not installed ({error}): pip install 'minewatch[postgresql]'; the Debian package has it"
    return f"its driver {name} is not installed: write postgresql+psycopg://"
