"""The reference's streams of xz and bzip2: however they are cut, and wherever they are damaged, the same bytes; and a
whole stream is not given to the library byte by byte."""

from __future__ import annotations

import bz2
import itertools
import lzma
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.reference.capture import streams

#: A decoder, and what compresses for it.
FORMATS: dict[str, tuple[Callable[[], streams.Streams], Callable[[bytes], bytes]]] = {
    "xz": (streams.xz, lzma.compress),
    "bzip2": (streams.bzip2, bz2.compress),
}
CONTENTS = st.lists(
    st.sampled_from([b"a" * 40_000, bytes(range(256)) * 3, b"\0" * 9_000, b'{"id":1}\n', b"xyz" * 11_000]), max_size=5
)


def decoded(decoder: streams.Streams, pieces: list[bytes]) -> tuple[bytes, bool]:
    """What comes out, and whether it is damaged; nothing is given behind damage."""
    out = b""
    for piece in pieces:
        if not decoder.damaged:
            out += decoder.feed(piece)
    if not decoder.damaged:
        decoder.finish()
    return out, decoder.damaged


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=60, deadline=None)
@given(contents=CONTENTS, data=st.data())
def test_pieces_equal_the_whole_damaged_or_not(kind: str, contents: list[bytes], data: st.DataObject) -> None:
    new, compress = FORMATS[kind]
    stream = bytearray(compress(b"".join(contents)) + b"\0" * 4 + compress(b"the next one"))
    for at in data.draw(st.lists(st.integers(0, len(stream) - 1), max_size=2)):
        stream[at] ^= 1 << data.draw(st.integers(0, 7))
    stream = stream[: data.draw(st.one_of(st.just(len(stream)), st.integers(0, len(stream))))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    pieces = [bytes(stream[first:last]) for first, last in itertools.pairwise([0, *cuts, len(stream)])]
    one_by_one = decoded(new(), [bytes(stream[at : at + 1]) for at in range(len(stream))])
    assert decoded(new(), pieces) == one_by_one


class Counted:
    """A decompressor whose calls are counted."""

    calls = 0

    def __init__(self) -> None:
        self._inner = lzma.LZMADecompressor()

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        Counted.calls += 1
        return self._inner.decompress(data, max_length)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


def test_a_whole_stream_takes_some_calls_a_piece() -> None:
    content = b"".join(number.to_bytes(4, "big") for number in range(50_000))
    packed = lzma.compress(content)
    assert len(packed) > 20_000
    decoder = streams.Streams(Counted, 1 << 10)  # type: ignore[arg-type]
    pieces = [packed[at : at + 1_024] for at in range(0, len(packed), 1_024)]
    assert decoded(decoder, pieces) == (content, False)
    assert Counted.calls <= 6 * len(pieces)
