"""SQLite and PostgreSQL show the same pages."""

from __future__ import annotations

from pathlib import Path

from sensor.ledger import Ledger
from tests.console.province import client, desk_of, fill, paths, viewer
from tests.console.test_lists import walked
from tests.console.test_scope import everything
from tests.ledger.mining import DAY, MONDAY, mined, owned
from tests.ledger.servers import postgresql


def test_both_databases_show_the_same_to_the_same_viewer(tmp_path: Path) -> None:
    numbers = (0, 1, 2, 3, 4, 5, 200)
    with postgresql() as url:
        ledgers = []
        for its in (f"sqlite:///{tmp_path}/ledger.db", url):
            writer = Ledger.open(its)
            fill(writer, numbers)
            writer.close()
            ledgers.append(Ledger.open_to_read(its))
        small, large = ledgers
        for who in (viewer("lead", language="en"), viewer("officer", "320505")):
            first, second = (client(desk_of(ledger), who) for ledger in ledgers)
            for path in [*everything(small), "/findings?open=yes&grade=accepted&activity=mining", "/cases?overdue=yes"]:
                assert first.get(path).text == second.get(path).text, path
        assert len(paths(large)) == len(paths(small))
        for ledger in ledgers:
            ledger.close()


def test_paging_loses_and_repeats_nothing_in_postgresql(tmp_path: Path) -> None:
    with postgresql() as url:
        writer = Ledger.open(url)
        for number in range(70):
            finding = mined(number, MONDAY, MONDAY + DAY, 40, attribution=owned(number), activity="mining")
            writer.record([finding], MONDAY)
        browser = client(desk_of(writer), viewer("lead", language="en"))
        for name in ("enterprises", "sites", "addresses", "findings", "cases"):
            rows = walked(browser, f"/{name}")
            assert len(rows) == len({tuple(row) for row in rows}) == 70, name
        writer.close()
    assert tmp_path.is_dir()
