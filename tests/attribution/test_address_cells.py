"""What a cell of addresses means, as people write it; an address that is not certainly the row's is never its."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.attribution.formats.address_cell import read_addresses
from sensor.attribution.formats.counts import expect_count
from sensor.attribution.index.ranges import range_text

DASHES = ("-", "~", "～", "至", "到", "—", "－", " to ", "——", "–", " - ", "→", "..")
SEPARATORS = (",", ";", "，", "；", "、", " ", "\n", "|", "/", "和", "及", " + ", "\r\n")
MEANT = {
    "198.51.100.16/28": ["198.51.100.16/28"],
    "１９８．５１．１００．１６／２８": ["198.51.100.16/28"],
    "198.51.100.16 / 28": ["198.51.100.16/28"],
    "198.51.100.16/28位": ["198.51.100.16/28"],
    "198.51.100.16 255.255.255.240": ["198.51.100.16/28"],
    "198.51.100.16,255.255.255.240": ["198.51.100.16/28"],
    "198.51.100.16/255.255.255.240": ["198.51.100.16/28"],
    "198.51.100.16（255.255.255.240）": ["198.51.100.16/28"],
    "198.51.100.16 掩码：255.255.255.240": ["198.51.100.16/28"],
    "198.51.100.16 0.0.0.15": ["198.51.100.16/28"],
    "198.51.100.16/0.0.0.15": ["198.51.100.16/28"],
    "198.51.100.210 255.255.255.252": ["198.51.100.210/32"],
    "198.51.100.208 255.255.255.252;198.51.100.212 255.255.255.252": ["198.51.100.208/30", "198.51.100.212/30"],
    "IP：198.51.100.208 掩码：255.255.255.252 网关：198.51.100.209": ["198.51.100.208/30"],
    "198.51.100.16/28（网关198.51.100.17）": ["198.51.100.16/28"],
    **{f"198.51.100.1{sign}198.51.100.14": ["198.51.100.1-198.51.100.14"] for sign in DASHES},
    **{f"198.51.100.1{sign}14": ["198.51.100.1-198.51.100.14"] for sign in DASHES},
    "198.51.100.1-101.14": ["198.51.100.1-198.51.101.14"],
    "198.51.100.17-198.51.100.30/28": ["198.51.100.17-198.51.100.30"],
    "198.51.100.16-198.51.100.31共16个": ["198.51.100.16/28"],
    **{f"198.51.100.1{sign}198.51.100.3": ["198.51.100.1/32", "198.51.100.3/32"] for sign in SEPARATORS},
    "198.51.100.1（主）、198.51.100.3（备）": ["198.51.100.1/32", "198.51.100.3/32"],
    "2001:db8:1::/48": ["2001:db8:1::/48"],
    "2001:db8::1～2001:db8::ff": ["2001:db8::1-2001:db8::ff"],
    "[2001:db8::1]": ["2001:db8::1/128"],
    "2001:db8::1、198.51.100.9": ["2001:db8::1/128", "198.51.100.9/32"],
    "'198.51.100.9": ["198.51.100.9/32"],
    "198.51.100.9\u200b": ["198.51.100.9/32"],
}  # fmt: skip

REFUSED = (
    "198.51.100.33/28", "198.51.1OO.5", "255.255.255.252", "0.0.0.3", "0.0.0.0/0", "128.0.0.0/1", "198.51.100",
    "198.51.100.*", "198.51.100.x", "198.51.100.1.2", "198.51.100.300", "198.051.100.1", "198.51.100.9-1",
    "198.51.100.16/28(198.51.100.17)", "198.51.100.1:80", "198.51.100.1,2,3", "10.0.0.1 255.0.255.0", "224.0.0.1",
    "127.0.0.1", "::1", "ff02::1", "2001:db8::1/64", "192.0.2.1-", "192.0.2.1-192.0.2.3-192.0.2.9", "待分配", "x",
    "198.51.100.210 255.255.255.252 198.51.100.209", "198.51.100.16/28 255.255.255.0", "00:11:22:33:44:55",
    "198.51.100.64-198.51.100.130/27", "192.0.2.1-2001:db8::1", "198.51.100.1 甲公司 198.51.100.2 乙公司",
)  # fmt: skip


@pytest.mark.parametrize("text", MEANT)
def test_a_cell_means_what_its_reader_sees(text: str) -> None:
    assert [range_text(*span) for span in read_addresses(text).ranges] == MEANT[text]


@pytest.mark.parametrize("text", REFUSED)
def test_a_doubtful_cell_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_addresses(text)


@pytest.mark.parametrize("mask", ["255.255.255.240", "28", "/28", "28.0", "28位", "0.0.0.15", "２８"])
def test_a_mask_in_its_own_column_makes_the_network(mask: str) -> None:
    assert [range_text(*span) for span in read_addresses("198.51.100.16", "", mask).ranges] == ["198.51.100.16/28"]
    host = read_addresses("198.51.100.18", "", mask)
    assert [range_text(*span) for span in host.ranges] == ["198.51.100.18/32"]
    assert "this address alone is taken" in host.notes[0]
    several = read_addresses("198.51.100.16,198.51.100.17", "", mask)
    assert [range_text(*span) for span in several.ranges] == ["198.51.100.16/32", "198.51.100.17/32"]


@pytest.mark.parametrize(
    "cells",
    [
        ("198.51.100.16/28", "", "255.255.255.0"),
        ("198.51.100.64~130", "", "27"),
        ("198.51.100.16", "", "255.255.0.255"),
        ("198.51.100.16", "", "33"),
        ("198.51.100.1,198.51.100.9", "198.51.100.3", ""),
        ("198.51.100.16/28", "198.51.100.40", ""),
        ("198.51.100.9", "198.51.100.1", ""),
    ],
)
def test_cells_that_contradict_each_other_are_refused(cells: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_addresses(*cells)


def test_an_end_may_be_short_and_lists_of_ends_are_paired() -> None:
    assert [range_text(*span) for span in read_addresses("198.51.100.1", "14").ranges] == ["198.51.100.1-198.51.100.14"]
    pairs = read_addresses("198.51.100.1\n198.51.100.9", "198.51.100.3\n198.51.100.12").ranges
    assert [range_text(*span) for span in pairs] == ["198.51.100.1-198.51.100.3", "198.51.100.9-198.51.100.12"]


def test_a_count_makes_a_range_only_behind_a_first_address() -> None:
    single = read_addresses("198.51.100.16").ranges
    assert [range_text(*span) for span in expect_count(single, "16个", True)[0]] == ["198.51.100.16/28"]
    with pytest.raises(ValueError, match="not stated"):
        expect_count(single, "16", False)
    network = read_addresses("198.51.100.16/28").ranges
    for count in ("16", "14", "13"):
        assert expect_count(network, count, False) == (network, "")
    assert "are counted" in expect_count(network, "4", False)[1]


@given(st.text(alphabet="0123456789./-~,; 至（）abx:掩码网关", max_size=60))
def test_any_text_is_ranges_of_hosts_or_a_reason(text: str) -> None:
    try:
        ranges = read_addresses(text).ranges
    except ValueError:
        return
    assert ranges
    for version, first, last in ranges:
        assert first <= last < 1 << (32 if version == 4 else 128)
        assert version == 6 or 1 << 24 <= first <= last < 224 << 24
