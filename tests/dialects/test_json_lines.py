"""The JSON-lines reader: however bytes are cut, the same messages; whatever bytes come, no exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.dialects.readers.json_lines import MAX_LINE_BYTES, JsonLines
from sensor.dialects.stream.message import Malformed, Message, Read


def read(pieces: list[bytes], *, start: int = 0, midstream: bool = False) -> list[Read]:
    reader = JsonLines(0, midstream)
    found: list[Read] = []
    offset = start
    for piece in pieces:
        found.extend(reader.feed(7, offset, 0, piece))
        offset += len(piece)
    return [*found, *reader.finish()]


def values(found: list[Read]) -> list[object]:
    return [one.value for one in found if isinstance(one, Message)]


def reasons(found: list[Read]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Malformed)]


LINES = st.lists(
    st.sampled_from(
        [
            b'{"id":1,"method":"mining.submit","params":["a","b"]}\n',
            b'{"id": 2, "result": true}\r\n',
            b"\n",
            b"\n\n",
            b'{"a":1}{"b":2}\n',
            b"GET / HTTP/1.1\r\n",
            b'{"a":\n',
            b"[1,2]\n",
            b'\xef\xbb\xbf{"bom":1}\n',
            b'{"text":"\xff\xfe"}\n',
            b"\x00\x00{}\n",
            b'{"x":1} tail\n',
            b'{"x":1} 6\n',
            b'{"x":1}["y"]{"z":2}\n',
            b'{"n":123456789012345678901234567890}\n',
            b"x" * 70_000 + b"\n",
            b'{"last":1}',
            b'{"nul":1}\x00{"nul":2}\x00',
            b'{"cr":1}\r{"cr":2}\r',
            b'{"crlf":1}\r\n\r\n',
            b'{"x":"' + b"y" * (MAX_LINE_BYTES - 8) + b'"}\r',
            b'{"x":"' + b"y" * (MAX_LINE_BYTES - 7) + b'"}\x00',
            b"\x00\r}\r\r}\x00\n",
        ]
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(LINES, st.data())
def test_whole_split_at_random_and_byte_by_byte_give_the_same(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(lines)
    whole = read([stream])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert read(pieces) == whole
    if len(stream) < 2_000:
        assert read([stream[i : i + 1] for i in range(len(stream))]) == whole


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_survived(pieces: list[bytes]) -> None:
    assert read([b"".join(pieces)]) == read(pieces)


def test_offsets_are_those_of_the_message_in_the_stream() -> None:
    stream = b'{"a":1}\n\r\n  {"b":2}{"c":3}\n'
    offsets = [one.offset for one in read([stream], start=100) if isinstance(one, Message)]
    assert [stream[o - 100 : o - 100 + 2] for o in offsets] == [b'{"'] * 3
    assert offsets == [100, 112, 119]


def test_big_integers_stay_exact() -> None:
    assert values(read([b'{"n":[14711223344556677889,' + str(10**60).encode() + b"]}\n"])) == [
        {"n": [14711223344556677889, 10**60]}
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"hello", "not_json"),
        (b"[1]", "not_object"),
        (b'{"a":1} x', "trailing"),
        *((b'{"a":1}' + behind, "trailing") for behind in (b"6", b' "x"', b"[1]", b"null", b"true", b"-0.5")),
        (b'{"a":NaN}', "constant"),
        (b'{"a":-Infinity}', "constant"),
        (b'{"a":' + b"9" * 5_000 + b"}", "number"),
        (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nesting"),
        (b'{"a":' * 9_000 + b"1" + b"}" * 9_000, "nesting"),
        (b"y" * (MAX_LINE_BYTES + 1), "oversize"),
        (b"{}" * 65, "trailing"),
    ],
)
def test_each_kind_of_malformed_line_has_its_reason(line: bytes, reason: str) -> None:
    assert reasons(read([line + b'\n{"ok":1}\n'])) == [reason]
    assert values(read([line + b'\n{"ok":1}\n']))[-1] == {"ok": 1}


def test_numbers_of_four_hundred_digits_are_read_or_refused_but_never_raise() -> None:
    assert len(read([b'{"a":1' + b"0" * 400 + b"}\n"])) == 1
    assert len(read([b'{"a":1e999,"b":-1e-999}\n'])) == 1


def test_a_megabyte_without_a_line_feed_is_one_refusal_and_no_memory() -> None:
    reader = JsonLines(0)
    found = [one for n in range(1024) for one in reader.feed(1, n * 1024, 0, b"a" * 1024)]
    assert [one.reason for one in found if isinstance(one, Malformed)] == ["oversize"]
    assert len(reader._buffer) <= MAX_LINE_BYTES
    assert values(list(reader.feed(1, 1 << 20, 0, b'\n{"a":1}\n'))) == [{"a": 1}]


def test_after_a_gap_reading_goes_on_at_the_next_line() -> None:
    reader = JsonLines(0)
    list(reader.feed(1, 0, 0, b'{"a":1}\n{"b"'))
    found = list(reader.feed(2, 50, 38, b'e":1}\n{"c":3}\n'))
    assert reasons(found) == ["gap", "resync"]
    assert values(found) == [{"c": 3}]


def test_a_gap_that_ends_at_a_line_is_counted_and_costs_no_message() -> None:
    reader = JsonLines(0)
    list(reader.feed(1, 0, 0, b'{"a":1}\n'))
    found = list(reader.feed(2, 50, 42, b'{"b":2}\n'))
    assert values(found) == [{"b": 2}]
    assert reasons(found) == ["gap"]


def test_a_half_line_at_a_mid_stream_start_is_no_foreign_line() -> None:
    assert reasons(read([b'thod":"x"}\n{"a":1}\n'], midstream=True)) == ["resync"]
    assert reasons(read([b'thod":"x"}\n{"a":1}\n'])) == ["not_json"]


def test_an_unfinished_last_line_is_counted_and_a_whole_one_is_read() -> None:
    assert values(read([b'{"a":1}'])) == [{"a": 1}]
    assert reasons(read([b'{"a":'])) == ["unfinished"]


def test_a_document_over_several_lines_is_no_message() -> None:
    text = json.dumps({"id": 1, "method": "mining.subscribe", "params": ["cgminer/4"]}, indent=2)
    assert values(read([text.encode() + b"\n"])) == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\x00", b"\r", b"\n\r", b"\x00\n"])
def test_lines_may_end_in_nul_or_cr_as_well(end: bytes) -> None:
    sent = [{"id": number, "method": "mining.submit", "params": ["w", "}"]} for number in range(5)]
    stream = b"".join(json.dumps(one).encode() + end for one in sent)
    found = read([stream])
    assert values(found) == sent
    assert [one for one in found if isinstance(one, Malformed) and one.reason != "not_json"] == []
    assert read([stream[at : at + 1] for at in range(len(stream))]) == found


def test_bytes_that_are_no_lines_are_not_cut_at_every_nul() -> None:
    assert len(read([b"\x00\x01}x\x00\r" * 1_000 + b"\n"])) == 1
