"""Filters in numbers and in words become the kernel's instructions, or are refused in one sentence."""

from __future__ import annotations

import pytest

from sensor.intake.packet_filter import FilterError, read_filter


def words(text: str) -> tuple[tuple[int, int, int, int], ...]:
    try:
        return read_filter(text)
    except FilterError as error:
        if "libpcap" in str(error):
            pytest.skip(str(error))
        raise


def test_numbers_are_taken_as_tcpdump_prints_them() -> None:
    assert read_filter("2\n40 0 0 12\n6 0 0 262144\n") == ((40, 0, 0, 12), (6, 0, 0, 262_144))


def test_no_text_is_no_filter() -> None:
    assert read_filter(" \n") == ()


@pytest.mark.parametrize(
    "text", ["2\n6 0 0 1", "0 0", "1\n6 0 0 4294967296", "1\n65536 0 0 0", "1\n6 256 0 0", "5000 " + "6 0 0 1 " * 5_000]
)
def test_numbers_that_are_no_filter_are_refused(text: str) -> None:
    with pytest.raises(FilterError, match="a filter in numbers"):
        read_filter(text)


def test_words_are_compiled() -> None:
    program = words("tcp port 3333 or net 192.0.2.0/24")
    assert program[0] == (40, 0, 0, 12)  # the EtherType first
    assert program[-1] == (6, 0, 0, 0)
    assert any(k == 3_333 for _, _, _, k in program)


@pytest.mark.parametrize("text", ["tcp prt 3333", "port", "host 1.2.3.4.5.6", "(", "\0"])
def test_words_that_are_no_filter_are_refused_with_the_reason(text: str) -> None:
    with pytest.raises(FilterError, match="filter") as caught:
        words(text)
    assert "\n" not in str(caught.value)
