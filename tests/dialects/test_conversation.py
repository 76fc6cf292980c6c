"""From bytes to messages, whatever the framing: however the bytes are cut, the same comes out; whatever bytes come,
nothing raises.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.dialects.conversation import Carriage, Conversation
from sensor.dialects.stream.message import Malformed, Message, Read
from sensor.signatures import load
from sensor.signatures.model import DialogueLine, Example

SIGNATURES = load()
EXAMPLES = [
    example
    for group in (SIGNATURES.framings, SIGNATURES.dialects)
    for one in group
    for example in one.header.examples
    if one.header.name in {dialect.name for dialect in SIGNATURES.dialects if dialect.framings != ("json-lines",)}
    or group is SIGNATURES.framings
]
Said = tuple[list[Read], Carriage]


def read(lines: list[DialogueLine], midstream: bool = False) -> Said:
    """What a conversation gives for these pieces, each at an instant of its own."""
    talk = Conversation(midstream)
    found: list[Read] = []
    offsets = [0, 0]
    for line in lines:
        found.extend(talk.feed(line.direction, 7, offsets[line.direction], 0, line.data))
        offsets[line.direction] += len(line.data)
    return [*found, *talk.finish()], talk.carriage


def cut(lines: tuple[DialogueLine, ...], borders: list[int]) -> list[DialogueLine]:
    """The same bytes in other pieces."""
    pieces = []
    sizes = itertools.cycle(borders)
    for line in lines:
        at = 0
        while at < len(line.data):
            size = next(sizes)
            pieces.append(DialogueLine(line.direction, line.data[at : at + size]))
            at += size
    return pieces


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.file.rpartition('/')[2]}-{one.name}")
def test_a_byte_at_a_time_says_the_same(example: Example) -> None:
    assert read(cut(example.dialogue, [1])) == read(list(example.dialogue))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EXAMPLES), st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_pieces_of_any_size_say_the_same(example: Example, borders: list[int]) -> None:
    assert read(cut(example.dialogue, borders)) == read(list(example.dialogue))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(EXAMPLES), st.data())
def test_damaged_conversations_never_raise(example: Example, data: st.DataObject) -> None:
    lines = [DialogueLine(line.direction, line.data) for line in example.dialogue]
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        raw = bytearray(lines[index].data)
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=6))
        lines[index] = DialogueLine(lines[index].direction, bytes(raw))
    found, _ = read(lines, midstream=data.draw(st.booleans()))
    assert all(isinstance(one, Message | Malformed) for one in found)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.integers(0, 40).filter(lambda n: n > 35 or n == 0),
            st.one_of(
                st.binary(max_size=60),
                st.sampled_from(
                    [
                        b"\x05\x01\x00",
                        b"\x04\x01",
                        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
                        b"PROXY TCP4 ",
                        b"\r\n\r\n\0\r\nQUIT\n",
                        b"POST / HTTP/1.1\r\n",
                    ]
                ),
                st.sampled_from(
                    [
                        b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n",
                        b"\xc1\x85",
                        b"\x81\x7f",
                        b"\x7f\x05\x07\0",
                        b"\x1f\x8b\x08",
                        b"{}\n",
                    ]
                ),
                st.sampled_from(
                    [
                        b"Transfer-Encoding: chunked\r\n\r\n",
                        b"ffffffffffff\r\n",
                        b"Content-Length: 99999999999\r\n\r\n",
                        b"\0\0\0\x3a\0\0\0\x02\0\x02\0",
                    ]
                ),
            ),
        ),
        max_size=14,
    ),
    st.booleans(),
)
def test_hostile_bytes_and_holes_never_raise(pieces: list[tuple[int, int, bytes]], midstream: bool) -> None:
    talk = Conversation(midstream)
    offsets = [0, 0]
    found: list[Read] = []
    for direction, gap, data in pieces:
        offsets[direction] += gap
        found.extend(talk.feed(direction, 7, offsets[direction], gap, data))
        offsets[direction] += len(data)
    found.extend(talk.finish())
    assert all(isinstance(one, Message | Malformed) for one in found)
    assert talk.carriage.transport


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=400), st.binary(max_size=400))
def test_random_bytes_are_no_message(up: bytes, down: bytes) -> None:
    found, carriage = read([DialogueLine(0, up), DialogueLine(1, down)])
    assert [one for one in found if isinstance(one, Message) and one.framing not in ("json-lines", "websocket")] == []
    assert carriage.pool_host is None or up[:1] in b"\x04\x05CP\r" or down[:1] in b"\x04\x05CP\r"


def test_no_reader_holds_more_than_its_bound() -> None:
    for head in (
        b"",
        b"{",
        b"POST / HTTP/1.1\r\nContent-Length: 900000000\r\n\r\n{",
        b"GET / HTTP/1.1\r\nX: ",
        b"\x05\x01\x00\x01",
        b"CONNECT ",
        b"\0" * 3,
    ):
        talk = Conversation()
        offset = 0
        for piece in [head, *[b"\xc3\xa9" * 16_384] * 40]:
            list(talk.feed(0, 7, offset, 0, piece))
            offset += len(piece)
        held = sum(len(piece.data) for _, piece in talk._held)
        assert held <= 40_000
        for reader in talk._readers:
            body = getattr(reader, "_body", None)
            kept = [
                getattr(reader, "_buffer", b""),
                getattr(reader, "_message", None) or b"",
                b"" if body is None else body.data,
            ]
            assert all(len(data) <= 131_072 for data in kept if isinstance(data, bytes | bytearray)), head
