"""The store of accounts: both databases, its schema, whose its file is, and that it is none of the ledger's."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from sensor.ledger import Ledger
from sensor.ledger.store.database import writing
from sensor.people.accounts import AccountPatch
from sensor.people.schema import METADATA, VERSION_TABLE
from sensor.people.store import PeopleError, PeopleStore, people_place
from tests.ledger.servers import differences, postgresql
from tests.people.desk import HERE, MACHINE, NOW, WUXI, add, cookie_of, opened


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/ledger.db"
        return
    with postgresql() as server:
        yield server


def test_both_databases_do_the_same_while_a_sensor_writes(either: str) -> None:
    ledger = Ledger.open(either)
    with writing(ledger.engine), opened(either) as door:  # the ledger's lock is held all the time
        add(door, "li")
        add(door, "root", "admin")
        cookie = cookie_of(door, "li")
        viewer = door.viewer_of(cookie, NOW)
        assert viewer is not None
        door.accounts.change(MACHINE, "li", AccountPatch(divisions=frozenset({WUXI})), NOW)
        _, secret = door.tokens.add(MACHINE, "li", "office", ["read:cases"], None, 1, NOW)
        assert door.tokens.bearer(secret, NOW) is not None
        assert [account.login for account in door.accounts.all()] == ["li", "root"]
        assert door.sign_out(cookie, HERE, NOW)
    ledger.close()


def test_the_schema_is_what_the_migrations_make(either: str) -> None:
    store = PeopleStore(people_place(either))
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
    store.close()
    again = PeopleStore(people_place(either))  # and a second time nothing is to be done
    with again.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = 'p9999'"))
    again.close()
    with pytest.raises(PeopleError, match="newer minewatch"):
        PeopleStore(people_place(either))


def test_the_ledgers_tables_stay_as_they_were(either: str) -> None:
    with opened(either) as door:
        add(door, "li")
    ledger = Ledger.open(either)
    with ledger.engine.connect() as connection:
        assert differences(connection) == []
        connection.rollback()
        names = connection.execute(
            text("SELECT name FROM sqlite_master")
            if either.startswith("sqlite")
            else text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        assert "accounts" not in set(names)
    ledger.close()


def test_nobody_but_its_owner_reads_the_file(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/ledger.db") as door:
        add(door, "li")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert {mode for name, mode in modes.items() if ".people" in name} == {0o600}


def test_a_store_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.db.people").mkdir()
    with pytest.raises(PeopleError, match="is a folder"):
        PeopleStore(people_place(f"sqlite:///{tmp_path}/ledger.db"))
    with pytest.raises(PeopleError, match="no such folder"):
        PeopleStore(people_place(f"sqlite:///{tmp_path}/none/ledger.db"))
    with pytest.raises(PeopleError, match="in memory"):
        people_place("sqlite://")
    (tmp_path / "text.people").write_text("no database" * 1_000)
    with pytest.raises(PeopleError):
        PeopleStore(people_place(f"sqlite:///{tmp_path}/text"))


def test_an_account_of_a_role_that_nobody_knows_may_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with opened(url) as door:
        add(door, "li")
        cookie = cookie_of(door, "li")
        store = PeopleStore(people_place(url))
        with store.writing() as connection:
            connection.execute(text("UPDATE accounts SET role = 'emperor', divisions = '\"all\"'"))
        store.close()
        assert door.viewer_of(cookie, NOW) is None
        assert door.accounts.get("li").divisions == frozenset()
