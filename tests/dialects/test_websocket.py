"""WebSocket frames: masks, fragments, control frames, compression with and without context, and what hostile peers
make of them.
"""

from __future__ import annotations

import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.dialects.readers.websocket import MAX_MESSAGE_BYTES, WebSocket, unmask
from sensor.dialects.stream.message import Malformed, Message, Read

KEY = b"\x37\xfa\x21\x3d"


def frame(
    payload: bytes, *, opcode: int = 1, final: bool = True, compressed: bool = False, masked: bool = True
) -> bytes:
    first = opcode | (0x80 if final else 0) | (0x40 if compressed else 0)
    size, bit = len(payload), 0x80 if masked else 0
    length = (
        bytes([bit | size]) if size < 126 else bytes([bit | 126]) + size.to_bytes(2, "big") if size < 1 << 16 else b""
    )
    length = length or bytes([bit | 127]) + size.to_bytes(8, "big")
    return bytes([first]) + length + (KEY + unmask(payload, KEY) if masked else payload)


def read(*pieces: bytes) -> list[Read]:
    reader = WebSocket(0)
    found: list[Read] = []
    offset = 0
    for piece in pieces:
        found.extend(reader.feed(7, offset, 0, piece))
        offset += len(piece)
    return [*found, *reader.finish()]


def values(found: list[Read]) -> list[dict[str, object]]:
    return [one.value for one in found if isinstance(one, Message)]


def reasons(found: list[Read]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Malformed)]


@given(st.binary(max_size=300))
def test_a_mask_twice_is_none(payload: bytes) -> None:
    assert unmask(unmask(payload, KEY), KEY) == payload
    assert unmask(payload, KEY) == bytes(byte ^ KEY[at % 4] for at, byte in enumerate(payload))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=5), st.booleans(), st.booleans())
def test_fragments_with_pings_between_are_one_message(cuts: list[int], compressed: bool, masked: bool) -> None:
    text = b'{"type":"job","params":{"blob":"' + b"ab" * 60 + b'"}}'
    if compressed:
        deflate = zlib.compressobj(wbits=-15)
        text = (deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    parts, at = [], 0
    for size in cuts:
        parts.append(text[at : at + size])
        at += size
    parts.append(text[at:])
    stream = b""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        stream += frame(
            part, opcode=0 if number else 1, final=last, compressed=compressed and not number, masked=masked
        )
        stream += frame(b"p" * number, opcode=9, masked=masked)
    assert [one["type"] for one in values(read(stream))] == ["job"]


def test_context_goes_on_from_message_to_message_or_begins_anew() -> None:
    shared = zlib.compressobj(9, wbits=-15)
    texts = [b'{"n":%d,"text":"%s"}' % (n, b"the same words again " * 5) for n in range(4)]
    kept = [(shared.compress(text) + shared.flush(zlib.Z_SYNC_FLUSH))[:-4] for text in texts]
    alone = []
    for text in texts:
        one = zlib.compressobj(9, wbits=-15)
        alone.append((one.compress(text) + one.flush(zlib.Z_SYNC_FLUSH))[:-4])
    for packed in (kept, alone):
        assert [one["n"] for one in values(read(b"".join(frame(part, compressed=True) for part in packed)))] == [
            0,
            1,
            2,
            3,
        ]


def test_a_bomb_is_cut_and_the_next_message_is_read() -> None:
    bomb = zlib.compressobj(9, wbits=-15)
    packed = (bomb.compress(b" " * 40_000_000) + bomb.flush(zlib.Z_SYNC_FLUSH))[:-4]
    assert len(packed) < MAX_MESSAGE_BYTES
    found = read(frame(packed, compressed=True) + frame(b'{"n":1}'))
    assert reasons(found) == ["inflated"]
    assert [one["n"] for one in values(found)] == [1]


def test_what_is_too_long_is_read_past() -> None:
    long = frame(b"x" * (MAX_MESSAGE_BYTES + 9))
    many = b"".join(frame(b"y" * 40_000, opcode=0 if n else 1, final=False) for n in range(3))
    found = read(long, many, frame(b'{"n":2}'))
    assert [one["n"] for one in values(found)] == [2]
    assert reasons(found)[:2] == ["oversize", "oversize"]
    assert reasons(read(b"\x81\xff" + b"\xff" * 8 + KEY)) == ["oversize"]


def test_damage_and_holes_are_said() -> None:
    assert reasons(read(frame(b"\xff\xff\xff", compressed=True)))[:1] == ["deflate"]
    assert reasons(read(b"\x83\x05hello")) == ["bad_frame"]
    assert reasons(read(frame(b"tail", opcode=0))) == ["bad_frame"]
    assert reasons(read(frame(b'{"n":1}')[:5])) == ["unfinished"]
    reader = WebSocket(0)
    found = list(reader.feed(7, 0, 0, frame(b'{"n":1}')[:6])) + list(reader.feed(7, 400, 394, frame(b'{"n":2}')))
    assert reasons(found) == ["gap"]
    assert [one["n"] for one in values(found)] == [2]


def test_an_upgrade_that_was_refused_goes_on_as_http() -> None:
    reader = WebSocket(0)
    assert list(reader.feed(7, 0, 0, b"GET / HTTP/1.1\r\n\r\n")) == []
    assert reader.left is not None
    assert reader.left.to == "http"
