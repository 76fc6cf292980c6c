"""Programs that ask: a desk over the province with accounts beside it, and a client for each token."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from sensor.console.desk import Desk
from sensor.console.interface.answers import ProgramAnswers
from sensor.console.interface.gate import TokenGate
from sensor.console.interface.rate import RequestRate
from sensor.console.interface.router import interface_router
from sensor.console.web.app import make_app
from sensor.console.web.signin import EverybodyAs
from sensor.people.account import Divisions
from sensor.people.door import PeopleDoor
from sensor.people.tokens import SCOPES
from tests.console.province import viewer
from tests.people.desk import HERE, MACHINE, NOW, add, opened


@dataclasses.dataclass
class Programs:
    """What a test of the interface has."""

    desk: Desk
    door: PeopleDoor
    url: str
    now_ns: int = NOW
    rate: RequestRate = dataclasses.field(default_factory=lambda: RequestRate(1e6, 1e6))
    clients: dict[str, TestClient] = dataclasses.field(default_factory=dict)

    def token(
        self, login: str, scopes: Collection[str] = SCOPES, divisions: Divisions | None = None, days: int = 30
    ) -> tuple[str, str]:
        """A new token of an account: its number and its secret."""
        its, secret = self.door.tokens.add(MACHINE, login, "a test", scopes, divisions, days, self.now_ns)
        return its.token_id, secret

    def client(self, secret: str | None, **headers: str) -> TestClient:
        """A program that has a secret."""
        gate = TokenGate(self.door.tokens, lambda: self.now_ns, lambda _: HERE, self.rate)
        routers = [interface_router(ProgramAnswers(self.desk, self.door.trail, lambda: self.now_ns))]
        # Whoever signs in by a cookie is a lead of everywhere: a program must not become him.
        app = make_app(
            self.desk, EverybodyAs(viewer("lead")), hosts=("testserver",), routers=routers, programs=gate
        )  # fmt: skip
        given = headers if secret is None else {"Authorization": f"Bearer {secret}", **headers}
        return TestClient(app, headers=given, follow_redirects=False, raise_server_exceptions=False)

    def of(self, login: str) -> TestClient:
        """The program of an account that has everything of it."""
        if login not in self.clients:
            self.clients[login] = self.client(self.token(login)[1])
        return self.clients[login]


@contextmanager
def programs_of(desk: Desk, folder: Path) -> Iterator[Programs]:
    """Accounts of every role: `lead` of everywhere, `officer` of Suzhou, `reader` of Xuzhou."""
    url = f"sqlite:///{folder}/ledger.db"
    with opened(url) as door:
        for login, role, divisions in (
            ("lead", "lead", "all"), ("officer", "officer", "320500"), ("reader", "reader", "320300"),
            ("root", "admin", ""), ("auditor", "auditor", ""),
        ):  # fmt: skip
            add(door, login, role, divisions)
        yield Programs(desk, door, url)


def walked(program: TestClient, path: str) -> list[dict[str, Any]]:
    """The records of all pages, by their links."""
    found: list[dict[str, Any]] = []
    while path:
        answer = program.get(path)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        link = answer.headers.get("Link")
        assert link == (None if page["next"] is None else f'<{page["next"]}>; rel="next"')
        found += page["records"]
        path = page["next"] or ""
    return found
