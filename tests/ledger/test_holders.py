"""Whose an hour is in the roll-ups, and whose it is by the books, are the same: however the miner was told of."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from sensor.attribution import Attributor, load_books
from sensor.daemon.configuration import load
from sensor.ledger import Ledger
from sensor.ledger.store.database import reading
from sensor.ledger.store.schema import ENTERPRISES, METADATA, ROLLUPS, SERIES, SITES
from sensor.model.finding import Finding
from sensor.sheets.dates import instant_text
from tests.ledger.mining import DAY, HOUR, MONDAY, mined
from tests.ledger.servers import postgresql

MINER = "192.0.2.7"
#: The mining of all tests: three days, ten shares an hour, from an hour on that is a full one in UTC+8 too.
START, HOURS, RATE = MONDAY, 72, 10
Rows = Sequence[tuple[str, int, int | None]]  # organisation, from hour, until hour
Told = Callable[[Ledger, "BookShelf", Rows], None]


class BookShelf:
    """Books that are written and loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, rows: Rows) -> Attributor:
        lines = ["first,last,organisation,valid_from,valid_until", "192.0.2.200,,Other,,"]
        for name, begin, end in rows:
            until = "" if end is None else clock(START + end * HOUR, less_one=True)
            lines.append(f"{MINER},,{name},{clock(START + begin * HOUR)},{until}")
        (self.folder / "book.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        path = self.folder / "minewatch.yaml"
        path.write_text("attribution:\n  sources:\n    - {kind: inventory, path: book.csv}\n", encoding="utf-8")
        return load_books(load(path).attribution)


def clock(at_ns: int, *, less_one: bool = False) -> str:
    """A moment as a book writes it, in UTC+8; `less_one`: its last second before."""
    return instant_text(at_ns + 8 * HOUR - (1_000_000_000 if less_one else 0)).replace("T", " ").removesuffix("Z")[:19]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path}/ledger.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("server")
        empty = Ledger.open(url)
        with empty.engine.begin() as connection:
            for table in METADATA.tables.values():
                connection.execute(table.delete())
        empty.close()
    opened = Ledger.open(url, run_id="first")
    yield opened
    opened.close()


def mining(until: int, begin: int = 0) -> Finding:
    """What the line says of the hours from one until another: a connection, and its totals."""
    made = mined(1, START + begin * HOUR, START + until * HOUR, (until - begin) * RATE, miner=MINER)
    return dataclasses.replace(made, finding_id="finding")


def in_one_replay(ledger: Ledger, books: BookShelf, rows: Rows) -> None:
    ledger.record([books.load(rows).attribute(mining(HOURS))], START)


def in_daily_replays(ledger: Ledger, books: BookShelf, rows: Rows) -> None:
    attributor = books.load(rows)
    for day in range(HOURS // 24):
        run = Ledger.open(ledger.engine.url.render_as_string(hide_password=False), run_id=f"day-{day}")
        run.record([attributor.attribute(mining(24 * day + 24, 24 * day))], START)
        run.close()


def hour_by_hour(ledger: Ledger, books: BookShelf, rows: Rows) -> None:
    attributor = books.load(rows)
    for hour in range(1, HOURS + 1):
        ledger.record([attributor.attribute(mining(hour))], START + hour * HOUR)


def with_books_that_come_late(ledger: Ledger, books: BookShelf, rows: Rows) -> None:
    """A running sensor gets each row five hours after it begins, and its end five hours after that."""
    for hour in range(1, HOURS + 1):
        there = [
            (name, begin, end if end is None or end + 5 <= hour else None)
            for name, begin, end in rows
            if begin + 5 <= hour
        ]
        ledger.record([books.load(there).attribute(mining(hour))], START + hour * HOUR)


def after_a_restart_with_books(ledger: Ledger, books: BookShelf, rows: Rows) -> None:
    """A sensor without books, and from the second day on one with them: the connection is begun anew."""
    for hour in range(1, 25):
        ledger.record([mining(hour)], START + hour * HOUR)
    run = Ledger.open(ledger.engine.url.render_as_string(hide_password=False), run_id="second")
    attributor = books.load(rows)
    for hour in range(25, HOURS + 1):
        run.record([attributor.attribute(mining(hour, 24))], START + hour * HOUR)
    run.close()


def by_holder(ledger: Ledger) -> dict[int, Counter[str | None]]:
    """By hour since the start, the shares of each holder."""
    query = select(ROLLUPS.c.hour, ROLLUPS.c.shares, ENTERPRISES.c.name)
    query = query.join(SERIES, SERIES.c.series_id == ROLLUPS.c.series_id)
    query = query.outerjoin(SITES, SITES.c.site_id == SERIES.c.site_id)
    query = query.outerjoin(ENTERPRISES, ENTERPRISES.c.enterprise_id == SITES.c.enterprise_id)
    found: dict[int, Counter[str | None]] = {}
    with reading(ledger.engine) as connection:
        for hour, shares, name in connection.execute(query):
            assert shares >= 0
            if shares:
                found.setdefault(hour - START // HOUR, Counter())[name] += shares
    return found


def named(attributor: Attributor, hour: int) -> str | None:
    """Whom `explain --at` names at the middle of an hour."""
    answer = attributor.answer(MINER, None, START + hour * HOUR + HOUR // 2)
    return answer.enterprise.name if answer.enterprise else None


BEGINS = [("Copper", 30, None)]
CHANGES = [("Copper", -100, 30), ("Tin", 30, None)]
ENDS = [("Copper", -100, 30)]
GAP = [("Copper", -100, 20), ("Tin", 40, None)]
MANNERS = (in_one_replay, in_daily_replays, hour_by_hour, with_books_that_come_late)


@pytest.mark.parametrize("rows", [BEGINS, CHANGES, ENDS, GAP], ids=["begins", "changes", "ends", "gap"])
@pytest.mark.parametrize("tell", MANNERS)
def test_each_hour_belongs_to_the_holder_that_the_books_name(
    ledger: Ledger, tmp_path: Path, tell: Told, rows: Rows
) -> None:
    books = BookShelf(tmp_path)
    tell(ledger, books, rows)
    attributor, found = books.load(rows), by_holder(ledger)
    assert {hour: set(names) for hour, names in found.items()} == {
        hour: {named(attributor, hour)} for hour in range(HOURS)
    }
    assert sum(sum(names.values()) for names in found.values()) == HOURS * RATE


def test_hours_of_before_a_restart_become_their_holders_when_books_come(ledger: Ledger, tmp_path: Path) -> None:
    books = BookShelf(tmp_path)
    after_a_restart_with_books(ledger, books, [("Copper", 10, None)])
    found = by_holder(ledger)
    assert [set(found[hour]) for hour in (0, 9, 10, 23, 24, 71)] == [{None}, {None}, *[{"Copper"}] * 4]


def test_one_hour_of_captures_dated_1970_is_nobodys_and_changes_nothing_else(ledger: Ledger, tmp_path: Path) -> None:
    books = BookShelf(tmp_path)
    attributor = books.load([("Copper", -100, None)])
    for hour in range(1, 25):
        ledger.record([attributor.attribute(mining(hour))], START + hour * HOUR)
    before = by_holder(ledger)
    wrong = dataclasses.replace(mined(1, HOUR, 2 * HOUR, RATE, miner=MINER), finding_id="finding")
    run = Ledger.open(ledger.engine.url.render_as_string(hide_password=False), sensor_id="captures", run_id="wrong")
    run.record([attributor.attribute(wrong)], START)
    run.close()
    for hour in range(25, 31):
        ledger.record([attributor.attribute(mining(hour))], START + hour * HOUR)
    found = by_holder(ledger)
    assert found.pop(1 - START // HOUR) == {None: RATE}
    assert {hour: found[hour] for hour in before} == before
    assert {tuple(names) for names in found.values()} == {("Copper",)}
    assert {case.enterprise and case.enterprise.name for case in ledger.reader.cases()} == {"Copper", None}


def test_each_holder_has_a_case_of_its_own_time(ledger: Ledger, tmp_path: Path) -> None:
    in_one_replay(ledger, BookShelf(tmp_path), CHANGES)
    cases = {case.enterprise.name: case for case in ledger.reader.cases() if case.enterprise}
    border = START + 30 * HOUR
    assert (cases["Copper"].first_ns, cases["Copper"].last_ns) == (START, border)
    assert (cases["Tin"].first_ns, cases["Tin"].last_ns) == (border, START + HOURS * HOUR)
    assert len(ledger.reader.cases()) == 2


def test_a_book_that_forgets_the_past_takes_no_hours_away(ledger: Ledger, tmp_path: Path) -> None:
    """Logs of leases are rotated: what they said of yesterday was true, and they no longer say it."""
    books = BookShelf(tmp_path)
    for hour in range(1, 49):
        rows: Rows = [("Copper", -100, None)] if hour <= 24 else [("Copper", 24, None)]
        ledger.record([books.load(rows).attribute(mining(hour))], START + hour * HOUR)
    assert {tuple(names) for names in by_holder(ledger).values()} == {("Copper",)}


def test_an_hour_in_which_a_row_begins_is_dealt_by_time(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    books = BookShelf(tmp_path)
    found = mined(1, START, START + 4 * HOUR, 40, miner=MINER)
    attributor = books.load([("Copper", 0, None)])
    text = (tmp_path / "book.csv").read_text().replace(clock(START), clock(START + HOUR + HOUR // 2))
    (tmp_path / "book.csv").write_text(text)
    attributor = load_books(load(tmp_path / "minewatch.yaml").attribution)
    for _ in range(3):  # told again nothing moves
        ledger.record([attributor.attribute(found)], START)
    assert by_holder(ledger) == {
        0: {None: 10}, 1: {None: 5, "Copper": 5}, 2: {"Copper": 10}, 3: {"Copper": 10}
    }  # fmt: skip
    ledger.close()


SPANS = st.tuples(st.integers(-10, 80), st.integers(1, 60), st.sampled_from(("Copper", "Tin", "Zinc")))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spans=st.lists(SPANS, max_size=5), tell=st.sampled_from((in_one_replay, in_daily_replays, hour_by_hour)))
def test_random_books_give_each_hour_to_whom_they_name(
    tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int, str]], tell: Told
) -> None:
    folder = tmp_path_factory.mktemp("random")
    ledger, books = Ledger.open(f"sqlite:///{folder}/ledger.db", run_id="first"), BookShelf(folder)
    rows = [(name, begin, begin + long) for begin, long, name in spans]
    tell(ledger, books, rows)
    attributor, found = books.load(rows), by_holder(ledger)
    assert {hour: set(names) for hour, names in found.items()} == {
        hour: {named(attributor, hour)} for hour in range(HOURS)
    }
    assert sum(sum(names.values()) for names in found.values()) == HOURS * RATE
    ledger.close()


def test_days_of_the_period_are_those_of_the_holders(ledger: Ledger, tmp_path: Path) -> None:
    in_one_replay(ledger, BookShelf(tmp_path), CHANGES)
    for day, names in enumerate((["Copper"], ["Copper", "Tin"], ["Tin"])):
        period = ledger.reader.summary(START + day * DAY, START + day * DAY + DAY)
        owners = [period.sites[line.site_id].enterprise for line in period.lines if line.site_id]
        assert sorted(owner.name for owner in owners if owner is not None) == names
