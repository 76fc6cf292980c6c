"""When miners were watched is remembered by the text of a record: figures with a memory are those without one, also
after records changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from sensor.ledger import Ledger
from sensor.ledger.read import finding_times
from sensor.ledger.read.finding_times import FINDING_ITSELF, TimesMemory, times_of
from sensor.ledger.read.lists.desk import DeskReader
from sensor.ledger.store.records import dumps
from sensor.model.coverage import DEFAULT_GROUNDS
from sensor.model.quantities import WatchedStretch
from sensor.model.scope import EVERYWHERE
from sensor.signatures.loader import shipped_sites
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned


def test_a_summary_with_a_memory_is_the_one_without_also_after_records_changed(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    memory = TimesMemory()

    def both() -> None:
        readers = (DeskReader(ledger.engine, EVERYWHERE, its) for its in (None, memory))
        week = (MONDAY, MONDAY + 7 * DAY, DEFAULT_GROUNDS, shipped_sites())
        found = [reader.summary(*week) for reader in readers]
        assert found[0] == found[1]
        assert found[0].lines

    ledger.add_coverage(MONDAY, MONDAY + 6 * DAY)
    for hours in (5, 40, 70):
        # The same wall clock each time: only the text tells one record from the next.
        until_ns = MONDAY + hours * HOUR
        ledger.record([mined(n, MONDAY, until_ns, 20 * hours, attribution=owned(n)) for n in range(4)], MONDAY)
        both()
    ledger.close()


def test_a_record_is_read_once_and_again_when_it_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    load = finding_times.load_finding
    monkeypatch.setattr(finding_times, "load_finding", lambda text: read.append(text) or load(text))
    memory = TimesMemory()
    first, second = (mined(1, MONDAY, MONDAY + hours * HOUR, 50) for hours in (1, 2))
    for finding in (first, first, second, second):
        assert memory.times("one", dumps(finding)) == times_of(finding)
    assert len(read) == 2


def test_a_memory_is_bounded_by_what_it_holds_and_not_by_its_findings() -> None:
    finding = mined(1, MONDAY, MONDAY + HOUR, 50)
    active = tuple(WatchedStretch(MONDAY + n * HOUR, MONDAY + n * HOUR + 1, 0) for n in range(100))
    longer = dataclasses.replace(finding, active=active)
    its = [times_of(each) for each in (finding, longer)]
    one_weight, long_weight = (FINDING_ITSELF + len(each.stretches) + len(each.spans) for each in its)
    memory = TimesMemory(most=2 * one_weight)
    for identity in "abcab":
        memory.times(identity, dumps(finding))
    assert list(memory._entries) == ["a", "b"]
    memory.times("long", dumps(longer))
    assert (list(memory._entries), memory._held) == (["long"], long_weight)
    memory.times("long", dumps(finding))
    assert memory._held == one_weight
