"""The quick decoder gives what the standard library's does, or nothing at all."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sensor.dialects.conversation import Conversation
from sensor.dialects.readers import json_document
from sensor.dialects.readers.json_document import MAX_BRACKETS, decode, parsed, quick
from sensor.dialects.readers.json_lines import MAX_LINE_BYTES, JsonLines
from sensor.dialects.stream.message import Read

needs_msgspec = pytest.mark.skipif(json_document.msgspec is None, reason="msgspec is not installed")


def same(first: object, other: object) -> bool:
    """Equal in value, in type at every depth, in sign of zero, and in the order of members."""
    if type(first) is not type(other):
        return False
    if isinstance(first, dict) and isinstance(other, dict):
        return list(first) == list(other) and all(same(first[name], other[name]) for name in first)
    if isinstance(first, list) and isinstance(other, list):
        return len(first) == len(other) and all(same(*pair) for pair in zip(first, other, strict=True))
    if isinstance(first, float) and isinstance(other, float):
        return first == other and math.copysign(1, first) == math.copysign(1, other)
    return first == other


def by_rule(data: bytes) -> object:
    """What the standard library makes of it; the reason as text where it is no object or list alone."""
    found = parsed(data.decode("utf-8", "replace").lstrip("\ufeff \t\r\n"), 0)
    return found if isinstance(found, str) else found[0]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
#: Parts of which numbers, texts and documents are put together that nobody sends on purpose.
PARTS = st.sampled_from(
    [
        *(b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b" ", b"\t", b"\r", b"\n", b"\0", b"\x0b", b"\xa0"),
        *(b"-", b"+", b".", b"e", b"E", b"0", b"1", b"9", b"00", b"-0", b"1e400", b"1e-400", b"4.9e-324", b"1.", b".5"),
        *(b"18446744073709551615", b"18446744073709551616", b"-9223372036854775809", b"19933688932870350000"),
        *(b"9" * 400, b"null", b"true", b"false", b"NaN", b"Infinity", b"-Infinity", b"nul", b'"a":', b'"a":1,"a":2'),
        *(
            b"\\u0000",
            b"\\ud800",
            b"\\udc00",
            b"\\ud83d\\ude00",
            b"\\u12",
            b"\\x",
            b"\xff",
            b"\xc3\xa9",
            b"\xed\xa0\x80",
        ),
        *(b"\xef\xbb\xbf", b"\xf0\x9f\x98\x80", b"\xc0\x80", b'""', b"/", b"//", b"'"),
    ]
)
BYTES = st.lists(PARTS, max_size=24).map(b"".join)
DAMAGED = st.builds(
    lambda value, at, piece: (text := json.dumps(value).encode())[: at % (len(text) + 1)] + piece + text[at % 7 :],
    VALUES,
    st.integers(0, 400),
    BYTES,
)


@settings(max_examples=1_500, deadline=None)
@given(
    VALUES.map(lambda value: json.dumps(value).encode())
    | VALUES.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    | BYTES
    | DAMAGED
    | st.binary(max_size=64)
)
@example(b'{"a":1,"b":2,"a":3}')
@example(b"[-0,-0.0,0e1,1E2,1e5,123456789012345678]")
@example(b'{"a":"\\ud800"}')
@example(b'["\xff"]')
@example(b"[19933688932870350000,18446744073709551616,-9223372036854775809]")
def test_what_is_decoded_quickly_is_what_the_rule_gives(data: bytes) -> None:
    value = quick(data)
    if value is None:
        return
    text = data.decode()
    expected, end = json.JSONDecoder(strict=False).raw_decode(text.lstrip(" \t\r\n"))
    assert not text.lstrip(" \t\r\n")[end:].strip(" \t\r\n")
    assert same(value, expected)
    assert same(value, by_rule(data))


def floats() -> Iterator[str]:
    """Numbers where rounding is hardest: halfway cases, the least and the most, many digits."""
    draw = random.Random(7)
    for _ in range(20_000):
        yield repr(math.ldexp(draw.random(), draw.randint(-1_074, 1_023)))
        yield f"{draw.randint(0, 10**20)}e{draw.randint(-330, 300)}"
        yield f"0.{draw.randint(0, 10**30)}"
    for exponent in range(-1_074, 1_023, 7):
        yield f"{math.ldexp(1.0, exponent) + math.ldexp(0.5, exponent - 53):.40e}"
    yield from ("2.2250738585072011e-308", "2.2250738585072014e-308", "1.7976931348623157e308", "9007199254740993.0")


@needs_msgspec
def test_floats_are_rounded_as_python_rounds_them() -> None:
    for text in floats():
        value = quick(f"[{text}]".encode())
        assert value is None or same(value, [float(text)]), text


@needs_msgspec
@pytest.mark.parametrize("digits", [17, 18, 19, 20, 21, 40, 400])
def test_integers_are_exact(digits: int) -> None:
    draw = random.Random(digits)
    for _ in range(500):
        number = draw.randint(-(10**digits), 10**digits)
        assert same(quick(b"[%d]" % number), [number])


@needs_msgspec
@pytest.mark.parametrize(
    "data",
    [
        *(b"NaN", b"[NaN]", b"[Infinity]", b"[-Infinity]", b'["\\ud800"]', b'["\xff"]', b'["\xed\xa0\x80"]'),
        *(b'["\x01"]', b"[1e400]", b"[01]", b"[1.]", b"5", b'"a"', b"null", b"{} {}", b"[" + b"9" * 5_000 + b"]"),
        *(b"[" * (MAX_BRACKETS + 1) + b"]" * (MAX_BRACKETS + 1), b"[" * 100_000, b"[1,]", b"{'a':1}", b"[]\xa0"),
    ],
)
def test_what_the_rule_reads_in_its_own_way_is_left_to_it(data: bytes) -> None:
    assert quick(data) is None


@needs_msgspec
def test_a_decoder_that_changes_something_is_not_used() -> None:
    def careless(data: bytes) -> object:
        return json.loads(data, parse_int=float)

    assert json_document._checked(careless) is None
    assert json_document._checked(json.loads) is json.loads


LINES = st.lists(
    st.builds(lambda line, end: line + end, VALUES.map(lambda v: json.dumps(v).encode()) | BYTES, BYTES)
    | st.sampled_from([b'{"id":1}\n', b'{"id":2}\r\n', b'{"a":{}\r}\n', b'{"a":\n1}\n', b"\n", b'{"b":1}\0{"c":2}\n']),
    max_size=6,
)


def reads(pieces: list[bytes], *, midstream: bool) -> list[Read]:
    """What a conversation makes of pieces of one direction, once it has spoken."""
    talk = Conversation(midstream)
    first = b'{"id":0,"method":"mining.subscribe","params":[]}\n'
    found, offset = list(talk.feed(0, 1, 0, 0, first)), len(first)
    talk.heads = None
    for number, piece in enumerate(pieces):
        found += talk.feed(0, number, offset, 0, piece)
        offset += len(piece)
    return [*found, *talk.finish()]


@settings(max_examples=600, deadline=None)
@given(LINES, st.booleans())
@example([b'{"a":{}\r}\n'], False)
@example([b'{"x":"' + b"y" * (MAX_LINE_BYTES - 9) + b'"}\n', b'{"x":"' + b"y" * MAX_LINE_BYTES + b'"}\n'], False)
def test_a_conversation_reads_the_same_without_the_quick_decoder(pieces: list[bytes], midstream: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        quickly = reads(pieces, midstream=midstream)
        patch.setattr(json_document, "_quick", None)
        slowly = reads(pieces, midstream=midstream)
    assert quickly == slowly
    assert all(same(*(getattr(read, "value", None) for read in pair)) for pair in zip(quickly, slowly, strict=True))


def test_a_line_that_waits_is_gone_on_with() -> None:
    reader = JsonLines(0)
    assert list(reader.feed(1, 0, 0, b'{"a":')) == []
    assert reader.whole(2, 5, 0, b'{"b":2}\n') is None
    assert [read.value for read in reader.feed(2, 5, 0, b"1}\n") if hasattr(read, "value")] == [{"a": 1}]


@pytest.mark.parametrize(
    ("offset", "gap", "data"),
    [
        *((0, 5, b'{"a":1}\n'), (7, 0, b'{"a":1}\n'), (0, 0, b'{"a":1}'), (0, 0, b'{"a":1}\n{"b":2}\n')),
        *((0, 0, b'{"a":\n1}\n'), (0, 0, b'{"a":{}\r}\n'), (0, 0, b"[1]\n"), (0, 0, b""), (0, 0, b"\n")),
    ],
)
def test_only_one_whole_line_in_its_place_is_read_at_once(offset: int, gap: int, data: bytes) -> None:
    assert JsonLines(0).whole(1, offset, gap, data) is None


def test_documents_are_the_same_without_the_quick_decoder() -> None:
    documents = [
        b"",
        b"5",
        b"[]",
        b'{"a":1} x',
        b'\xef\xbb\xbf{"a":1}',
        b"NaN",
        b"[" * 2_000,
        b"[1" + b"0" * 5_000 + b"]",
    ]
    quickly = [decode(document) for document in documents]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_document, "_quick", None)
        assert [decode(document) for document in documents] == quickly
