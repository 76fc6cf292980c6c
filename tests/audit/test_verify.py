"""What was done to a chain is found, and said of the row that it was done to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sensor.audit.chain import START, StoredRow, canonical, digest_of, link
from sensor.audit.entry import bodies
from sensor.audit.verify import verify
from sensor.model.audit_head import AuditAnchor, anchors_in
from tests.audit.rows import CHAIN, LI, anchor_at, chain_of, entry, found, stored

COUNT = 12
ROWS = chain_of(COUNT)
COLUMNS = StoredRow._fields
ANYTHING = st.one_of(
    st.none(), st.integers(), st.text(max_size=80), st.binary(max_size=80), st.floats(allow_nan=False), st.booleans()
)


def test_an_honest_chain_is_sound_up_to_its_last_row() -> None:
    verdict = verify(stored(ROWS), [anchor_at(ROWS, 5), anchor_at(ROWS, COUNT)])
    assert verdict.sound
    assert (verdict.count, verdict.anchored, verdict.digest) == (COUNT, COUNT, ROWS[-1].digest)


@given(st.integers(0, COUNT - 1), st.sampled_from(COLUMNS), ANYTHING)
def test_any_cell_that_is_another_is_found(at: int, column: str, value: object) -> None:
    rows = stored(ROWS)
    was = getattr(rows[at], column)
    if type(was) is type(value) and was == value:
        return
    rows[at] = rows[at]._replace(**{column: value})
    verdict = verify(rows)
    assert not verdict.sound
    assert any(fault.sequence in (at, at + 1, at + 2, None, value) for fault in verdict.faults)


@given(st.integers(0, COUNT - 1), st.data())
def test_any_byte_that_is_another_is_found_in_its_row(at: int, data: st.DataObject) -> None:
    rows = stored(ROWS)
    record = bytearray(ROWS[at].record)
    place = data.draw(st.integers(0, len(record) - 1))
    record[place] ^= data.draw(st.integers(1, 255))
    rows[at] = rows[at]._replace(record=bytes(record))
    verdict = verify(rows)
    assert ("changed", at + 1) in found(verdict) or ("moved", at + 1) in found(verdict)
    assert "row " + str(at + 1) in verdict.faults[0].sentence


@given(st.integers(1, COUNT - 1), st.integers(1, 4))
def test_rows_that_were_removed_are_named(first: int, count: int) -> None:
    kept_rows = [row for row in stored(ROWS) if not first <= int(str(row.sequence)) < first + count]
    last = min(first + count - 1, COUNT)
    if last == COUNT:  # a tail: without an anchor nothing shows it
        assert verify(kept_rows).sound
        return
    assert found(verify(kept_rows)) == {("missing", first)}


@given(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1))
def test_rows_that_changed_places_are_found(first: int, second: int) -> None:
    if first == second:
        return
    rows = stored(ROWS)
    rows[first], rows[second] = (
        rows[second]._replace(sequence=rows[first].sequence),
        rows[first]._replace(sequence=rows[second].sequence),
    )
    assert {("moved", first + 1), ("moved", second + 1)} <= found(verify(rows))


@given(st.integers(1, COUNT - 1))
def test_a_row_that_was_put_in_between_is_found(after: int) -> None:
    (body,) = bodies(entry(99))
    (strange,) = link([(LI.name, body)], after, ROWS[after - 1].digest, CHAIN, "sha256")
    shifted = [row._replace(sequence=row.sequence + 1) for row in ROWS[after:]]
    faults = found(verify(stored([*ROWS[:after], strange, *shifted])))
    assert ("moved", after + 2) in faults  # the row after it: its bytes have its old number
    assert ("forked", after + 2) in faults


@given(st.integers(1, COUNT - 1))
def test_a_fork_is_found_whichever_branch_goes_on(after: int) -> None:
    (body,) = bodies(entry(99))
    (rival,) = link([(LI.name, body)], after, ROWS[after - 1].digest, CHAIN, "sha256")
    rows = sorted([*ROWS, rival], key=lambda row: (row.sequence, row.previous, row.digest))
    faults = found(verify(stored(rows)))
    assert ("forked", after + 1) in faults
    assert ("inserted", after + 1) in faults


@given(st.integers(0, COUNT - 2), st.integers(1, COUNT))
def test_a_tail_that_was_cut_off_is_found_up_to_the_last_anchor(left: int, anchored: int) -> None:
    faults = found(verify(stored(ROWS[:left]), [anchor_at(ROWS, anchored)]))
    assert (("cut-off", left + 1) in faults) == (left < anchored)


@given(st.integers(1, COUNT))
def test_a_chain_that_was_written_anew_is_found_by_its_anchor(anchored: int) -> None:
    again = list(link([(LI.name, {**json.loads(row.record), "why": "x"}) for row in ROWS], 0, START, CHAIN, "sha256"))
    assert verify(stored(again)).sound  # by itself it is as good as any
    assert ("rewritten", anchored) in found(verify(stored(again), [anchor_at(ROWS, anchored)]))


def test_the_last_row_changed_with_its_hash_is_found_by_an_anchor_alone() -> None:
    record = canonical({**json.loads(ROWS[-1].record), "why": "something else"})
    last = ROWS[-1]._replace(record=record, digest=digest_of(record, "sha256"))
    rows = stored([*ROWS[:-1], last])
    assert verify(rows, [anchor_at(ROWS, COUNT - 1)]).sound
    assert found(verify(rows, [anchor_at(ROWS, COUNT)])) == {("rewritten", COUNT)}


def test_another_chain_in_its_place_is_called_so() -> None:
    other = chain_of(COUNT, "f" * 16, 50)
    assert found(verify(stored(other), [anchor_at(ROWS, 3)])) == {("foreign", 3)}


def test_a_store_that_was_emptied_is_found_by_an_anchor() -> None:
    assert found(verify([], [anchor_at(ROWS, COUNT)])) == {("cut-off", 1)}


def test_bytes_that_mean_the_same_are_not_the_same() -> None:
    spaced = json.dumps(json.loads(ROWS[3].record)).encode()
    rows = stored(ROWS)
    rows[3] = rows[3]._replace(record=spaced, digest=digest_of(spaced, "sha256"))
    assert ("changed", 4) in found(verify(rows))


@given(st.lists(st.tuples(*[ANYTHING] * len(COLUMNS)), min_size=1, max_size=5))
def test_whatever_stands_in_a_store_is_looked_at_without_an_error(rows: list[tuple[Any, ...]]) -> None:
    assert not verify([StoredRow(*row) for row in rows]).sound


def test_more_faults_than_are_listed_are_counted() -> None:
    verdict = verify([StoredRow(number, 0, "", "", "", "", b"") for number in range(1, 301)])
    assert len(verdict.faults) == 100
    assert verdict.further_faults >= 200


@given(st.text(max_size=50), st.text(max_size=50))
def test_an_anchor_is_found_in_any_line(before: str, after: str) -> None:
    anchor = anchor_at(ROWS, 7)
    line = f"{before} {anchor.text} {after}"
    assert list(anchors_in(line)) == [anchor]
    signed = AuditAnchor(anchor.head, "0" * 16, "a" * 128)
    assert list(anchors_in(f"{before} {signed.text} {after}")) == [signed]


def test_a_moment_that_never_was_is_no_anchor() -> None:
    text = anchor_at(ROWS, 7).text
    assert list(anchors_in(text.replace("at=2026-09", "at=2026-13"))) == []
    assert list(anchors_in("minewatch-audit/1 chain= rows= sha256= at=")) == []
    assert list(anchors_in(text.replace("rows=7", "rows=0"))) == []


def test_a_chain_may_change_its_hash_on_the_way() -> None:
    (body,) = bodies(replace(entry(99)))
    more = list(link([(LI.name, body)], COUNT, ROWS[-1].digest, CHAIN, "sm3"))
    verdict = verify(stored([*ROWS, *more]))
    assert verdict.sound
    assert verdict.algorithm == "sm3"
    changed = stored([*ROWS, *more])
    changed[-1] = changed[-1]._replace(record=more[0].record.replace(b"sm3", b"md5"))
    assert not verify(changed).sound
