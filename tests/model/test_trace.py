"""A trace's shares in columns are the same shares as in rows."""

from __future__ import annotations

import sys
import tracemalloc
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from sensor.model.trace import Outcome, ShareMark, ShareMarks

POSITIONS = st.integers(-(1 << 70), 1 << 70)
MARKS = st.lists(st.builds(ShareMark, POSITIONS, st.sampled_from(get_args(Outcome)), st.none() | st.integers()))


@given(MARKS, st.slices(8))
def test_columns_hold_what_rows_hold(rows: list[ShareMark], part: slice) -> None:
    marks = ShareMarks(rows)
    assert list(marks) == rows
    assert marks == tuple(rows)
    assert hash(marks) == hash(tuple(rows))
    assert marks[part] == tuple(rows)[part]
    assert marks != (*rows, ShareMark(0, "a", None))


def test_a_share_takes_eighteen_bytes() -> None:
    tracemalloc.start()
    marks = ShareMarks(ShareMark((1 << 33) + 200 * number, "a", 1 << 50 << number % 2) for number in range(10_000))
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(marks) == 10_000
    assert held_bytes + sys.getsizeof(marks) < 20 * 10_000
