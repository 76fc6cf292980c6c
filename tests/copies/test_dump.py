"""A desk in PostgreSQL is saved by PostgreSQL's own tools: what a dump puts back is the same desk, and goes on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from sensor.copies.move import move_desk
from tests.copies.desks import ACTOR, MadeDesk, restorer, verdict_of
from tests.copies.test_move import numbers_of, shown
from tests.ledger.servers import postgresql
from tests.people.desk import NOW, PASSWORD, opened


@pytest.fixture
def urls() -> Iterator[tuple[str, str]]:
    """Two empty databases of one server."""
    with postgresql() as server:
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for name in ("desk", "again"):
                connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        yield server.replace("/postgres?", "/desk?"), server.replace("/postgres?", "/again?")


def arguments(url: str, name: str) -> list[str]:
    """How PostgreSQL's tools are told of a database."""
    user = url.partition("//")[2].partition("@")[0]
    return ["-h", url.partition("host=")[2], "-U", user, "-d", name]


def test_one_dump_has_ledger_accounts_and_audit_together(desk: MadeDesk, urls: tuple[str, str], tmp_path: Path) -> None:
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed (make debian-packages)")
    there, again = urls
    move_desk(desk.places, there, restorer(), ACTOR)
    anchored, pages = desk.head(), shown(there)
    dump = tmp_path / "desk.dump"
    subprocess.run(["pg_dump", "-Fc", "-f", dump, *arguments(there, "desk")], check=True)
    subprocess.run(["pg_restore", "--exit-on-error", *arguments(again, "again"), dump], check=True)
    assert shown(again) == pages
    assert verdict_of(again, anchored).sound
    with opened(again) as door:
        assert {account.login for account in door.accounts.all()} == {"root", "li", "wang"}
        assert door.sign_in("li", PASSWORD, "192.0.2.7", NOW, None)
        assert door.tokens.bearer(desk.secret, NOW) is not None
    assert numbers_of(again) == numbers_of(there)
    assert verdict_of(again, anchored).sound  # and the chain went on from there
