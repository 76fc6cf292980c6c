"""A small province for tests of the console: three divisions, an abolished one, persons, an address of nobody; and
visitors of every role."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi.testclient import TestClient

from sensor.attribution.books.divisions import Divisions
from sensor.console.desk import Desk
from sensor.console.web.app import make_app
from sensor.console.web.signin import EverybodyAs
from sensor.ledger import Ledger
from sensor.model.attribution import Attribution
from sensor.model.figures import Rates
from sensor.model.finding import Finding
from sensor.model.scope import ROLES, Role, Viewer
from sensor.signatures.loader import shipped_sites
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned

ROLE_NAMES: tuple[Role, ...] = ROLES
LANGUAGES = ("zh", "en")
END = MONDAY + 6 * DAY
SUZHOU, XUZHOU, HANGZHOU, OLD = "320505", "320311", "330106", "110228"
#: Divisions of the miners, by their number. 0 and 1 are a viewer's, the others are foreign to him.
PLACES = {0: SUZHOU, 1: SUZHOU, 2: XUZHOU, 3: HANGZHOU, 4: OLD, 5: XUZHOU}
PERSON, PERSONS_NAME, PERSONS_STREET = 5, "欧阳某某", "Person's Lane 5"
#: Everything that only foreign records have.
FOREIGN = (
    *(f"企业{number}号" for number in (2, 3, 4)),
    *(f"Street-{number}-" for number in (2, 3, 4, 5)),
    *(f"10.0.{number}.1" for number in (2, 3, 4, 5)),
    *(f"wallet{number}" for number in (2, 3, 4, 5)),
    *(f"pool{number}.example" for number in (2, 3, 4, 5)),
    *(XUZHOU, HANGZHOU, OLD, "192.0.2.200", PERSONS_NAME),
)


def holder(number: int) -> Attribution:
    """Whose an address is: an organisation, and of one number a person."""
    person = number == PERSON
    answer = owned(number, "individual" if person else "enterprise", PLACES[number], f"Street-{number}- 1")
    assert answer.enterprise is not None
    whose = dataclasses.replace(answer.enterprise, name=PERSONS_NAME if person else f"企业{number}号")
    site = dataclasses.replace(answer.site, division_name=None)  # type: ignore[type-var]
    claims = tuple(dataclasses.replace(claim, enterprise=whose, site=site) for claim in answer.claims)
    return dataclasses.replace(answer, enterprise=whose, site=site, claims=claims)


def miner(number: int, **changes: Any) -> Finding:
    """A miner of a division."""
    answer = holder(number) if number in PLACES else None
    from_ns = MONDAY + number % 24 * HOUR
    pool = {"pool_ip": f"203.0.113.{number + 1}", "pool_host": f"pool{number}.example:3333"}
    names = {"login": f"wallet{number}.rig", "worker": f"rig{number}", "workers": (f"rig{number}",)}
    address = {} if answer else {"miner": "192.0.2.200"}
    given = {"attribution": answer, "activity": "mining", **pool, **names, **address, **changes}
    return mined(number, from_ns, from_ns + 2 * DAY, 960, **given)


def fill(ledger: Ledger, numbers: tuple[int, ...]) -> None:
    """Record the miners of these numbers, with a week that was watched."""
    for number in numbers:
        ledger.record([miner(number)], MONDAY)
    ledger.add_coverage(MONDAY, END)


def desk_of(ledger: Ledger, now_ns: int = END, **changes: Any) -> Desk:
    """A desk over a ledger at a fixed time."""
    desk = Desk(
        ledger.engine,
        Divisions(),
        ZoneInfo("Asia/Shanghai"),
        shipped_sites(),
        Rates(0.5, 0.3),
        clock=lambda: now_ns,
    )
    return dataclasses.replace(desk, **changes)


def viewer(role: Role = "officer", *codes: str, language: Any = "zh") -> Viewer:
    """A viewer of these divisions; of none named of all."""
    return Viewer(f"{role}-1", role, frozenset(codes) if codes else "all", language)


def client(desk: Desk, who: Viewer, **more: Any) -> TestClient:
    """A browser of this viewer."""
    app = make_app(desk, EverybodyAs(who), hosts=("testserver",), **more)
    return TestClient(app, follow_redirects=False)


@contextmanager
def made_ledger(folder: Path, *numbers: int) -> Iterator[Ledger]:
    """A ledger of these miners, closed at the end."""
    writer = Ledger.open(f"sqlite:///{folder}/ledger.db")
    fill(writer, numbers)
    writer.close()
    reader = Ledger.open_to_read(f"sqlite:///{folder}/ledger.db")
    try:
        yield reader
    finally:
        reader.close()


def paths(ledger: Ledger) -> list[str]:
    """A path of every kind of page that this ledger has something for."""
    finding = ledger.reader.findings()[-1].finding
    case = ledger.reader.cases()[0]
    assert case.enterprise is not None
    lists = [
        f"/{name}" for name in ("enterprises", "sites", "addresses", "findings", "cases", "pools", "shared", "nodes")
    ]
    single = (
        f"/enterprises/{case.enterprise.enterprise_id}",
        f"/sites/{case.site_id}",
        f"/addresses/{finding.miner_ip}",
        f"/findings/{finding.finding_id}",
        f"/cases/{case.case_id}",
    )
    return ["/overview", "/search", "/search?text=10.0", *lists, *single, "/sensors"]
