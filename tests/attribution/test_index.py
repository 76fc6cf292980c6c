"""The index gives what brute force gives.

Every row that holds, in order of rank, whatever the ranges, ports, times and points.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.attribution.index.index import Index
from sensor.attribution.index.rows import ANY_PORT_FIRST, Allocation, Columns, RowPoint
from sensor.attribution.index.tree import FEW_ROWS, TooManyCrossingsError, Tree

POINTS = (
    RowPoint(),
    RowPoint("red"),
    RowPoint("*"),
    RowPoint("", 7),
    RowPoint("", None, "eth1"),
)


def built(rows: list[Allocation]) -> Index:
    columns = Columns()
    for number, row in enumerate(rows):
        columns.add(row._replace(line=number), 0)
    return Index(columns, [0], [0.9], POINTS)


def brute(rows: list[Allocation], question: tuple[int, int, int, int], points: frozenset[int]) -> list[int]:
    """The lines of the rows that hold, narrow ranges and ports first."""
    version, value, port, at_ns = question
    found = [
        (row.last - row.first, row.port_last - row.port_first, -POINTS[row.point].exactness, -row.from_ns, number)
        for number, row in enumerate(rows)
        if row.version == version
        and row.first <= value <= row.last
        and row.port_first <= port <= row.port_last
        and row.from_ns <= at_ns < row.until_ns
        and row.point in points
    ]
    return [one[-1] for one in sorted(found)]


small_rows = st.builds(
    lambda version, first, size, begin, length, ports, point: Allocation(
        version, first, first + size, 0, 0, begin, begin + length, ports[0], ports[1], point
    ),
    st.sampled_from((4, 6)),
    st.integers(0, 40),
    st.integers(0, 30),
    st.integers(0, 20),
    st.integers(1, 20),
    st.sampled_from([(ANY_PORT_FIRST, 65_535), (0, 9), (5, 15), (10, 10), (8, 30)]),
    st.integers(0, len(POINTS) - 1),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(small_rows, max_size=60),
    st.lists(st.tuples(st.integers(0, 75), st.integers(-1, 32), st.integers(0, 42)), max_size=20),
)
def test_every_row_that_holds_is_found_in_order_however_ranges_cross(
    rows: list[Allocation], asked: list[tuple[int, int, int]]
) -> None:
    index = built(rows)
    for vrf, vlans, interface in (("", (), None), ("red", (7,), None), ("", (8,), "eth0")):
        points = index.at(vrf, vlans, interface)
        for value, port, at_ns in asked:
            for version in (4, 6):
                question = (version, value, port, at_ns)
                assert [index.line[row] for row in index.match(*question, points)] == brute(rows, question, points)


def test_one_address_with_thousands_of_port_blocks_over_time_is_still_right() -> None:
    rng = random.Random("blocks")
    rows = [
        Allocation(4, 5, 5, 0, 0, begin, begin + 50, 1024 + 64 * block, 1087 + 64 * block)
        for begin in range(0, 1_000, 50)
        for block in range(100)
    ]
    rows += [Allocation(4, 0, 9, 0), Allocation(4, 5, 5, 0, 0, 100, 300)]
    index = built(rows)
    points = index.at("", (), None)
    assert len(index.covering(4, 5)) == len(rows) > FEW_ROWS
    for _ in range(500):
        question = (4, 5, rng.choice((-1, rng.randrange(900, 8_000))), rng.randrange(-10, 1_100))
        assert [index.line[row] for row in index.match(*question, points)] == brute(rows, question, points)


def test_random_books_and_questions_agree_with_brute_force() -> None:
    rng = random.Random("books")
    rows = []
    for _ in range(3_000):
        version, bits = rng.choice(((4, 32), (6, 128)))
        base = 198 << 24 | 51 << 16 if version == 4 else 0x20010DB8 << 96
        size = 1 << rng.choice((0, 0, 1, 3, 4, 8, 12))
        first = base + rng.randrange(0, 1 << 13) // size * size
        begin = rng.randrange(1_000)
        ports = rng.choice(((ANY_PORT_FIRST, 65_535), (1024, 2047), (2048, 4095)))
        rows.append(
            Allocation(
                version,
                first,
                min(first + size - 1, (1 << bits) - 1),
                0,
                0,
                begin,
                begin + 300,
                *ports,
                rng.randrange(len(POINTS)),
            )
        )
    index = built(rows)
    for _ in range(1_500):
        version = rng.choice((4, 6))
        value = (198 << 24 | 51 << 16 if version == 4 else 0x20010DB8 << 96) + rng.randrange(1 << 13)
        question = (version, value, rng.choice((-1, 1500, 3000, 80)), rng.randrange(1_400))
        points = index.at(*rng.choice((("", (), None), ("red", (), None), ("", (7,), None))))
        expected = brute(rows, question, points)
        assert sorted(index.line[row] for row in index.match(*question, points)) == sorted(expected)


def test_the_ends_of_the_address_space_are_addresses_like_others() -> None:
    whole = [Allocation(4, 0, (1 << 32) - 1, 0), Allocation(6, 0, (1 << 128) - 1, 0)]
    index = built(whole)
    points = index.at("", (), None)
    for version, bits in ((4, 32), (6, 128)):
        for value in (0, (1 << bits) - 1):
            assert len(index.match(version, value, -1, 0, points)) == 1


def test_an_empty_index_answers_too() -> None:
    index = built([])
    assert index.match(4, 0, -1, 0, index.at("", (), None)) == []
    assert index.covering(6, 1 << 127) == []


def test_ranges_that_cross_without_end_are_refused_and_not_cut_for_ever() -> None:
    rng = random.Random("crossing")
    begins = [rng.randrange(1_000_000) for _ in range(4_000)]
    items = sorted(
        ((begin, begin + rng.randrange(1_000_000), row) for row, begin in enumerate(begins)),
        key=lambda one: (one[0], -one[1]),
    )
    with pytest.raises(TooManyCrossingsError):
        Tree(items, len(items))


def test_what_a_question_does_not_know_excludes_nothing_save_the_vrf() -> None:
    assert RowPoint("", 7).holds_for("", (), None)
    assert RowPoint("", 7).holds_for("", (5, 7), None)
    assert not RowPoint("", 7).holds_for("", (8,), None)
    assert not RowPoint("red").holds_for("", (), None)
    assert not RowPoint().holds_for("red", (), None)
    assert RowPoint("*").holds_for("red", (), None)
    assert not RowPoint("", None, "eth1").holds_for("", (), "eth0")
