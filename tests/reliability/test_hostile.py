"""What a flow holds of hostile payloads, and what costs nothing however often it comes."""

from __future__ import annotations

import random

import pytest

from sensor.dialects.readers.json_lines import JsonLines
from sensor.session.distinct import MAX_MARKS, Distinct
from sensor.signatures import load
from tests.reliability.hostile import MAX_HELD_BYTES, held, judged, rate, sides_of
from tests.reliability.hostile_streams import ANSWER, SUBSCRIBE, hostile

SIGNATURES = load()
PAYLOADS = hostile()


@pytest.mark.parametrize(
    "name",
    [
        "a line without an end",
        "a line of brackets without an end",
        "maps 10,000 deep",
        "an HTTP body of 2^63",
        "gzip of 64 MiB, again and again",
        "headers of Stratum V2",
    ],
)
@pytest.mark.parametrize("side", ["miner", "pool"])
def test_a_direction_holds_at_most_64_kib(name: str, side: str) -> None:
    payload = PAYLOADS[name][:200_000]
    assert 0 < held(SIGNATURES, sides_of(payload, side)) <= MAX_HELD_BYTES


def test_empty_lines_are_passed_over_at_once_and_what_follows_stands_where_it_is() -> None:
    reader, empty = JsonLines(0), b"\n" * 5_000
    reads = [*reader.feed(1, 0, 0, empty + SUBSCRIBE + b"\n\n\n" + ANSWER[:7])]
    reads += reader.feed(2, 5_000 + len(SUBSCRIBE) + 10, 0, ANSWER[7:])
    assert [(read.offset, read.value["id"]) for read in reads] == [(5_000, 1), (5_000 + len(SUBSCRIBE) + 3, 1)]


def test_an_empty_line_ends_a_long_line() -> None:
    reader = JsonLines(0)
    long = b'{"id":7,"method":"mining.submit","params":["' + b"a" * 100_000 + b'"]}'
    reads = [*reader.feed(1, 0, 0, long)]
    reads += reader.feed(2, len(long), 0, b"\n\n" + SUBSCRIBE)
    assert [read.value["id"] for read in reads] == [7, 1]


def test_marks_that_are_put_in_one_by_one_are_those_of_all_together() -> None:
    names = [f"rig{number}" for number in range(3 * MAX_MARKS)] * 2
    random.Random(3).shuffle(names)
    each, halves = Distinct(), (Distinct(), Distinct())
    for place, name in enumerate(names):
        each.add(name)
        halves[place % 2].add(name)
    halves[0].merge(halves[1])
    assert each._marks == halves[0]._marks
    assert sorted(set(each._marks)) == list(each._marks)
    assert len(each._marks) == MAX_MARKS


def test_a_payload_out_of_bounds_fails_the_test_of_all() -> None:
    usual = rate(SIGNATURES, sides_of(SUBSCRIBE * 200, "miner"))
    fine = {"fine (miner)": usual}
    assert judged(fine, usual).passed
    large = {**fine, "large (pool)": type(usual)(1, 1, 1e-6, MAX_HELD_BYTES + 1)}
    slow = {**fine, "slow (pool)": type(usual)(1, 1, 1e6)}
    assert not judged(large, usual).passed
    assert "1 out of bounds" in judged(slow, usual).figure
