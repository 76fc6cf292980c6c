"""Whether a text can be the URL of a ledger, and what to write instead of one that cannot. Looks at the text alone.

Forms: `sqlite:///relative`, `sqlite:////absolute`, and `postgresql+psycopg://USER@HOST/DATABASE`
(docs.sqlalchemy.org, "Database URLs").
"""

from __future__ import annotations

import re

SQLITE_FORM = "sqlite:////var/lib/minewatch/ledger.db"
POSTGRESQL_FORM = "postgresql+psycopg://USER@HOST/DATABASE"
NO_URL = "not a database URL"
#: Written by hand before a path, and meant as SQLite's.
FILE_SCHEMES = ("sqlite", "file")
SQLITE_SCHEMES = ("sqlite", "sqlite+pysqlite")
HIGHEST_PORT = 65_535
LONGEST_SHOWN = 80


def ledger_url_mistake(url: str) -> str | None:
    """What is wrong with a URL, as the end of a sentence that begins with it; None for one that can be tried.

    Nothing before an @ is repeated: a password may stand there.
    """
    if "\x00" in url:
        return f"{NO_URL}: a NUL character is in it"
    scheme, separator, rest = url.partition("://")
    if not separator:
        return f"{NO_URL}: {_instead_of_a_path(url)}"
    if scheme in SQLITE_SCHEMES:
        if rest and not rest.startswith("/"):
            path = rest.rpartition("@")[2]
            return f"{NO_URL}: SQLite has no host: write sqlite:////{path}, or sqlite:///{path} for a path from here"
        return None
    if scheme == "file":
        return f"{NO_URL} of a ledger: {_instead_of_a_path(url)}"
    if scheme == "postgres" or scheme.partition("+")[0] != "postgresql":
        return f"{NO_URL} of a ledger: write {SQLITE_FORM} or {POSTGRESQL_FORM}"
    return _port_mistake(rest)


def shown_ledger_url(url: str) -> str:
    """A URL that cannot be read, as it may be shown: what could be a password is left out, and so is what is long."""
    scheme, separator, rest = url.partition("://")
    head, at, end = (rest if separator else url).rpartition("@")
    text = f"{scheme}{separator}***@{end}" if separator and head and at else (end if at else url)
    return (text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...") or "(nothing)"


def _instead_of_a_path(text: str) -> str:
    scheme, colon, rest = text.partition(":")
    path = rest if colon and scheme in FILE_SCHEMES else text
    if not path.strip() or "@" in path:
        return f"write {SQLITE_FORM} or {POSTGRESQL_FORM}"
    if path.startswith("//"):
        path = f"/{path.lstrip('/')}"
    if path.startswith("~"):
        path = f"/home/USER/{path.partition('/')[2]}"
    return f"write sqlite:///{path}" if len(path) <= LONGEST_SHOWN else f"write {SQLITE_FORM}"


def _port_mistake(rest: str) -> str | None:
    found = re.search(r":([^:\]]*)$", rest.partition("/")[0].rpartition("@")[2])
    if found is None:
        return None
    port = found[1]
    if port.isascii() and port.isdigit() and 0 < int(port[:9]) <= HIGHEST_PORT:
        return None
    return f"{NO_URL}: the port must be a number from 1 to {HIGHEST_PORT}"
