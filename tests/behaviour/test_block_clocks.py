"""Blocks are known once, in order, and in bounded number."""

from __future__ import annotations

from sensor.behaviour.block_beat import MAX_COINS
from sensor.behaviour.block_clocks import MAX_BLOCKS, BlockClocks


def test_a_block_counts_when_it_was_first_told_of() -> None:
    clocks = BlockClocks()
    for name, at in (("b", 20), ("a", 10), ("a", 15), ("b", 30)):
        clocks.note("XMR", name, at)
    assert {coin: list(times) for coin, times in clocks.between(0, 100).items()} == {"XMR": [10, 20]}


def test_a_file_that_is_read_again_adds_nothing() -> None:
    clocks = BlockClocks()
    for _ in range(2):
        clocks.load("BTC", [30, 10, 20])
    assert list(clocks.between(10, 20)["BTC"]) == [10, 20]
    assert clocks.between(40, 50) == {}


def test_room_is_bounded() -> None:
    clocks = BlockClocks()
    for number in range(2 * MAX_BLOCKS):
        clocks.note("XMR", str(number), number)
    assert list(clocks.between(0, 1 << 62)["XMR"]) == list(range(MAX_BLOCKS, 2 * MAX_BLOCKS))
    for number in range(MAX_COINS + 5):
        clocks.note(f"C{number}", "block", 1)
    assert clocks.refused == 6


def test_old_blocks_of_a_file_are_there_for_old_captures() -> None:
    clocks = BlockClocks()
    clocks.load("XMR", range(100 * MAX_BLOCKS))
    assert list(clocks.between(5, 8)["XMR"]) == [5, 6, 7, 8]
