"""The ledger: one transaction a step, states that follow from what is known, bounds that hold, mistakes in one
sentence."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

import pytest

from sensor.ledger import Ledger, LedgerBounds, LedgerError
from sensor.ledger.store.database import connect, reading
from sensor.ledger.store.records import dumps
from sensor.model.finding import Finding
from tests.exporters.test_eve import NODE
from tests.ledger.made import BEGAN, SECOND, as_seen_by, finding, flow
from tests.ledger.servers import differences

NOW = BEGAN + 1_000 * SECOND
DAY = 86_400 * SECOND


def opened(folder: Path, *, bounds: LedgerBounds | None = None, served: tuple[str, ...] = ("eve",)) -> Ledger:
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.db", bounds=bounds or LedgerBounds())
    ledger.outbox.subscribe(served)
    return ledger


def told(ledger: Ledger) -> list[tuple[str, int]]:
    """State and shares of every event, in their order."""
    records = [event.record for event in ledger.outbox.read(0, 10_000)]
    return [(one.state, one.shares.submitted) for one in records if isinstance(one, Finding)]


def test_within_one_run_a_record_replaces_the_one_before_it(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    for count in (1, 2, 3):
        (recorded,) = ledger.record([finding(flows=tuple(map(flow, range(count))))], NOW)
    assert recorded == as_seen_by(finding(flows=tuple(map(flow, range(3)))), "local")
    assert told(ledger) == [("opened", 3), ("updated", 6), ("updated", 9)]
    assert [entry.finding for entry in ledger.reader.findings()] == [recorded]


def test_a_step_that_is_tried_again_is_no_second_event(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    for state in ("opened", "updated", "updated", "closed", "closed"):
        ledger.record([finding(state=state), NODE], NOW)
    assert told(ledger) == [("opened", 3), ("closed", 3)]
    assert len(ledger.reader.nodes(NODE.key.src_ip)) == 1


def test_a_finding_goes_on_after_a_restart(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([finding(flows=(flow(1),))], NOW)
    ledger.close()
    ledger = opened(tmp_path)
    ledger.record([finding(flows=(flow(2, 100),), state="opened")], NOW)
    ledger.record([finding(flows=(flow(2, 100), flow(3, 200)))], NOW)
    ledger.record([finding(flows=(flow(2, 100), flow(3, 200)), state="closed")], NOW)
    assert told(ledger) == [("opened", 3), ("updated", 6), ("updated", 9), ("closed", 9)]


def test_a_finding_that_was_closed_and_comes_back_is_opened_with_its_history(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([finding(flows=(flow(1),), state="closed")], NOW)
    ledger.record([finding(flows=(flow(2, 5_000),), state="updated")], NOW)
    ledger.record([finding(flows=(flow(2, 5_000), flow(3, 6_000)))], NOW)
    assert told(ledger) == [("closed", 3), ("opened", 6), ("updated", 9)]


def test_several_records_of_one_finding_in_one_step_follow_each_other(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([finding(), finding(state="closed"), finding(flows=(flow(9, 9_000),))], NOW)
    assert told(ledger) == [("opened", 3), ("closed", 3), ("opened", 6)]


def test_replaying_the_same_capture_twice_doubles_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        ledger = opened(tmp_path)
        ledger.record([finding(state="closed", flows=(flow(1), flow(2, 100)))], NOW)
        ledger.close()
    ledger = opened(tmp_path)
    assert [entry.finding.shares.submitted for entry in ledger.reader.findings()] == [6]


def test_a_muted_finding_is_kept_and_not_told_and_is_opened_when_it_is_heard_again(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    one = finding()
    ledger.record([one], NOW, {one.finding_id: "research project, until 2027"})
    assert told(ledger) == []
    assert [entry.suppressed for entry in ledger.reader.findings(one.miner_ip)] == ["research project, until 2027"]
    assert ledger.reader.open_findings() == []
    ledger.record([one], NOW)
    assert told(ledger) == [("opened", 3)]
    assert [entry.suppressed for entry in ledger.reader.findings(one.miner_ip)] == [None]


def test_findings_of_earlier_runs_that_never_come_back_are_closed(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([finding(1), finding(2), finding(3)], NOW, {"finding-3": "known"})
    ledger.close()
    ledger = opened(tmp_path)
    ledger.record([finding(2, (flow(2, 100),))], NOW)
    assert ledger.close_stale(NOW, 10 * DAY) == []
    assert [one.finding_id for one in ledger.close_stale(NOW + DAY, SECOND)] == ["finding-1", "finding-3"]
    assert told(ledger)[-1] == ("closed", 3)
    assert len(told(ledger)) == 4
    assert [entry.finding.finding_id for entry in ledger.reader.findings(state="open")] == ["finding-2"]


def test_findings_are_found_by_miner_by_pool_by_state_and_by_name(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([finding(1), finding(2, state="closed")], NOW)
    assert {entry.finding.finding_id for entry in ledger.reader.findings("198.51.100.9")} == {"finding-1", "finding-2"}
    assert [entry.finding.finding_id for entry in ledger.reader.findings("10.0.0.2")] == ["finding-2"]
    assert [entry.finding.finding_id for entry in ledger.reader.findings(state="closed")] == ["finding-2"]
    assert [entry.finding.finding_id for entry in ledger.reader.findings(finding_id="finding-1")] == ["finding-1"]
    assert ledger.reader.findings("203.0.113.1") == []


def test_open_findings_come_in_pages_that_hold_all(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([finding(number) for number in range(25)], NOW)
    seen, after = [], ""
    while page := ledger.reader.open_findings(after, 10):
        seen += page
        after = page[-1].finding_id
    assert len(seen) == len({one.finding_id for one in seen}) == 25


def test_what_is_old_goes_and_what_is_open_stays(tmp_path: Path) -> None:
    ledger = opened(tmp_path, bounds=LedgerBounds(closed_ns=DAY, findings=2))
    ledger.record([finding(1, state="closed"), finding(2)], NOW)
    assert ledger.prune(NOW + 2 * DAY) == 1
    ledger.record([finding(3, state="closed"), finding(4, state="closed")], NOW)
    assert ledger.prune(NOW) == 1
    assert "finding-2" in {entry.finding.finding_id for entry in ledger.reader.findings()}


def test_over_its_bound_the_outbox_drops_the_oldest_and_counts_them_for_who_missed_them(tmp_path: Path) -> None:
    ledger = opened(tmp_path, bounds=LedgerBounds(outbox_rows=10), served=("slow", "quick"))
    for number in range(25):
        ledger.record([finding(number)], NOW + number)
        ledger.outbox.commit("quick", number + 1)
    slow, quick = ledger.outbox.backlog("slow"), ledger.outbox.backlog("quick")
    assert (slow.depth, slow.dropped, slow.oldest_ns) == (10, 15, NOW + 15)
    assert (quick.depth, quick.dropped, quick.oldest_ns) == (0, 0, None)
    assert len(ledger.outbox.read(0, 100)) == 10


def test_the_outbox_is_bounded_by_its_bytes_too(tmp_path: Path) -> None:
    ledger = opened(tmp_path, bounds=LedgerBounds(outbox_bytes=21_000))
    one = len(dumps(finding(10, state="opened")))
    for number in range(10, 60):
        ledger.record([finding(number)], NOW)
    kept = ledger.outbox.backlog("eve")
    assert kept.depth == 21_000 // one
    assert kept.depth + kept.dropped == 50
    ledger.outbox.commit("eve", 50)
    ledger.record([finding(60)], NOW)
    assert ledger.outbox.backlog("eve").depth == 1


def test_a_page_of_the_outbox_ends_after_so_many_bytes_and_has_one_event_at_least(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([finding(number, flows=tuple(map(flow, range(20)))) for number in range(5)], NOW)
    size = len(dumps(ledger.outbox.read(0, 1)[0].record))
    read, position = [], 0
    while page := ledger.outbox.read(position, 100, size + 1):
        read.append([event.sequence for event in page])
        position = page[-1].sequence
    assert read == [[1, 2], [3, 4], [5]]
    assert [event.sequence for event in ledger.outbox.read(3, 100, 1)] == [4]


def test_what_everybody_has_is_deleted_and_numbers_are_never_used_twice(tmp_path: Path) -> None:
    ledger = opened(tmp_path, served=("one", "two"))
    ledger.record([finding(1), finding(2)], NOW)
    ledger.outbox.commit("one", 2)
    assert len(ledger.outbox.read(0, 10)) == 2
    ledger.outbox.commit("two", 2, refused=1)
    assert ledger.outbox.read(0, 10) == []
    assert ledger.outbox.backlog("two").refused == 1
    ledger.close()
    ledger = opened(tmp_path, served=("one", "two"))
    ledger.record([finding(3)], NOW)
    assert [event.sequence for event in ledger.outbox.read(0, 10)] == [3]


def test_a_new_exporter_gets_what_is_recorded_from_now_on_and_one_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    ledger = opened(tmp_path, served=("old",))
    ledger.record([finding(1)], NOW)
    ledger.outbox.subscribe(["old", "new"])
    ledger.record([finding(2)], NOW)
    assert (ledger.outbox.backlog("old").depth, ledger.outbox.backlog("new").depth) == (2, 1)
    ledger.outbox.subscribe(["new"])
    assert [event.sequence for event in ledger.outbox.read(0, 10)] == [2]
    ledger.outbox.subscribe([])
    ledger.record([finding(3)], NOW)
    assert ledger.outbox.read(0, 10) == []


def test_the_migrations_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/ledger.db")
    with reading(engine) as connection:
        assert differences(connection) == []


def test_a_ledger_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerError, match="made by a newer minewatch \\(schema 9999\\)"):
        opened(tmp_path)


def test_a_mistake_is_told_in_one_sentence_without_the_password(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, however long it may be" * 50)
    for url, word in (
        (f"sqlite:///{tmp_path}/text", "this is not a database"),
        (f"sqlite:///{tmp_path}/none/ledger.db", "no such folder"),
        ("nonsense", "not a database URL"),
        ("nosuchbase://user:hunter2@host/x", "not a database URL"),
    ):
        with pytest.raises(LedgerError, match=word) as caught:
            Ledger.open(url)
        assert "\n" not in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_a_full_disk_undoes_the_whole_step_and_is_over_when_there_is_room(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([finding(0)], NOW)
    with reading(ledger.engine) as connection:  # the pool hands the same connection to the next writer
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(LedgerError, match="the disk is full"):
        ledger.record([finding(number) for number in range(200)], NOW)
    assert len(ledger.reader.findings()) == len(told(ledger)) == 1
    with reading(ledger.engine) as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    ledger.record([finding(number) for number in range(200)], NOW)
    assert len(ledger.reader.findings()) == len(told(ledger)) == 200


def test_the_database_is_not_for_everybody(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    ledger.record([finding()], NOW)
    assert not any(path.stat().st_mode & 0o007 for path in tmp_path.iterdir())


def test_hostile_text_is_kept_as_it_is(tmp_path: Path) -> None:
    ledger = opened(tmp_path)
    strange = dataclasses.replace(
        finding(state="opened"), login="\ud800\x00'; DROP TABLE findings; --", agent="\x1b[31m"
    )
    ledger.record([strange], NOW)
    assert [entry.finding for entry in ledger.reader.findings()] == [as_seen_by(strange, "local")]
