"""A desk at which people work: a ledger that is written, accounts of every role, and a browser for each."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Engine

from sensor.console.desk import Desk
from sensor.console.office import CaseOffice
from sensor.console.people.casework import casework_router
from sensor.console.people.entrance import entrance_router
from sensor.console.people.gate import COOKIE, DoorSignIn
from sensor.console.people.view_rows import ViewRows
from sensor.console.web.app import make_app
from sensor.ledger import Ledger
from sensor.ledger.casework import CaseClerk
from sensor.ledger.store.attachments import AttachmentFolder
from sensor.ledger.store.short_write import engine_of_short_writes
from sensor.model.summary import Case
from sensor.people.accounts import AccountPatch
from sensor.people.door import PeopleDoor
from tests.console.province import END, desk_of, fill
from tests.people.desk import MACHINE, NOW, add, cookie_of, opened

OWN = {"sec-fetch-site": "same-origin", "origin": "http://testserver"}
#: Everybody at the desk, his role and divisions; the miners 0 and 1 are of Suzhou, 2 of Xuzhou, 3 of Hangzhou.
PEOPLE = (
    ("root", "admin", ""),
    ("zhao", "auditor", ""),
    ("sun", "reader", "320500"),
    ("li", "officer", "320500"),
    ("qian", "officer", "320500"),
    ("xu", "officer", "320300"),
    ("chen", "lead", "320500"),
    ("hu", "lead", "330000"),
)


class Worker(TestClient):
    """A browser of somebody who is signed in; it follows nothing."""

    def fill_in(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> Any:
        """A form as browsers send it, with the token of its session."""
        return self.post(path, data={"token": self.token, **fields}, headers=OWN if headers is None else headers)

    def upload(self, path: str, content: bytes, name: str = "a.txt", **fields: str) -> Any:
        """A form with a file."""
        data = {"token": self.token, **fields}
        return self.post(path, data=data, files={"file": (name, content)}, headers=OWN)

    @cached_property
    def token(self) -> str:
        """That of its forms: the same as long as the session is."""
        found = re.search(r'name="token" value="([0-9a-f]{64})"', self.get("/account").text)
        return found[1] if found else ""


@dataclasses.dataclass
class CaseRoom:
    """The desk, and who works there."""

    ledger: Ledger
    desk: Desk
    door: PeopleDoor
    clerk: CaseClerk
    app: Any
    engine: Engine  # of short writes by hand
    now_ns: int = END

    def case(self, number: int) -> Case:
        """A case as it is now."""
        found = self.ledger.reader.case(number)
        assert found is not None
        return found

    def steps(self, number: int) -> str:
        """How long its history is."""
        return str(len(self.case(number).changes))

    def worker(self, login: str) -> Worker:
        """A browser of an account."""
        browser = Worker(self.app, follow_redirects=False)
        browser.cookies.set(COOKIE, cookie_of(self.door, login))
        return browser


@contextmanager
def case_room(
    url: str, folder: Path, numbers: tuple[int, ...] = (0, 1, 2, 3, 5), language: Any = "en"
) -> Iterator[CaseRoom]:
    """A ledger of these miners, accounts beside it, and the application."""
    writer = Ledger.open(url)
    fill(writer, numbers)
    writer.close()
    ledger = Ledger.open_to_read(url)
    people = f"sqlite:///{folder}/beside.db"
    with opened(people) as door:
        for login, role, divisions in PEOPLE:
            add(door, login, role, divisions or "320500")
            door.accounts.change(MACHINE, login, AccountPatch(language=language), NOW)
        clerk = CaseClerk.beside_readers(url, AttachmentFolder(folder / "files"))
        office = CaseOffice(clerk, door.accounts.all)
        desk = desk_of(ledger, office=office)
        sign_in = DoorSignIn(door, secure=False, clock=lambda: NOW)
        witness = ViewRows(door.trail, sign_in.clock)
        routers = (entrance_router(desk, sign_in), casework_router(desk, sign_in, office, witness))
        app = make_app(desk, sign_in, hosts=("testserver", "127.0.0.1"), routers=routers, witness=witness)
        engine = engine_of_short_writes(url)
        yield CaseRoom(ledger, desk, door, clerk, app, engine)
        engine.dispose()
        clerk.close()
    ledger.close()
