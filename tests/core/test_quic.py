"""QUIC: hellos in the first packets of a client, whole or in pieces, as the appendices of RFC 9001 and RFC 9369 have
them; and both cores see the same in whatever comes.
"""

from __future__ import annotations

import random

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from sensor.model.encrypted import ClientHello, EncryptedClose, EncryptedOpen
from sensor.reference.aes_gcm import Aes128, seal
from sensor.reference.quic_initial import derive_keys
from tests.core.captures import CLIENT, RAW_IPV4, SERVER, T0, udp
from tests.core.conftest import Result, needs_compiled
from tests.core.test_equal import difference
from tests.core.tls_bytes import client_hello, extension, message, vector

ONE, TWO = 1, 0x6B3343CF
NAME = bytes.fromhex("8394c8f03e515708")
#: The frames of RFC 9001 appendix A.2 and RFC 9369 appendix A.2.
PUBLISHED = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010"
    "000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024"
    "001d00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203"
    "080408050806002d00020101001c00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f"
    "088394c8f03e51570806048000ffff"
).ljust(1_162, b"\0")
HELLO = client_hello(alpn=[b"h3"], more=[extension(57, b"\4\4\0\0\1\0")])


def number(value: int) -> bytes:
    return (value | 0x4000).to_bytes(2, "big")


def crypto(offset: int, data: bytes) -> bytes:
    return b"\6" + number(offset) + number(len(data)) + data


def initial(
    frames: bytes,
    *,
    version: int = ONE,
    name: bytes = NAME,
    made_up: bytes = NAME,
    at: int = 2,
    size: int = 1_162,
    token: bytes = b"",
) -> bytes:
    """A protected packet; `made_up` is the name that its keys derive from."""
    keys = derive_keys(version, made_up)
    body = frames.ljust(size, b"\0")
    before = bytes([0xC3 if version == ONE else 0xD3]) + version.to_bytes(4, "big") + vector(1, name) + vector(1, b"")
    before += number(len(token))[1:] if len(token) < 64 else number(len(token))
    before += token + number(4 + len(body) + 16)
    header = before + at.to_bytes(4, "big")
    nonce = (int.from_bytes(keys.iv, "big") ^ at).to_bytes(12, "big")
    sealed = seal(keys.key, nonce, header, body)
    mask = Aes128(keys.header).encrypt(sealed[:16])
    hidden = bytes(a ^ b for a, b in zip(header[-4:], mask[1:], strict=False))
    return bytes([before[0] ^ mask[0] & 0x0F]) + before[1:] + hidden + sealed


def over(engine, *datagrams: bytes | tuple[int, bytes], **limits: int) -> Result:
    """Datagrams of one flow; of the client, or of the side that is said."""
    frames = []
    for at, given_ in enumerate(datagrams):
        side, data = given_ if isinstance(given_, tuple) else (0, given_)
        ends = [(CLIENT, SERVER, (40_000, 443)), (SERVER, CLIENT, (443, 40_000))][side]
        frames.append((T0 + at, udp(*ends, data)))
    return engine.packets(frames, RAW_IPV4, **limits)


def counts(result: Result) -> tuple[int, int]:
    return result.stats["quic_flows"], result.stats["quic_unreadable"]


@pytest.mark.parametrize(
    ("version", "first", "tag"),
    [
        (ONE, "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11", "e221af44860018ab0856972e194cd934"),
        (TWO, "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485", "a18b2faa745b6fe189cf772a9f84cbfc"),
    ],
)
def test_the_packets_of_the_appendices_are_read(engine, version, first, tag):
    packet = initial(PUBLISHED, version=version)
    assert (len(packet), packet[:32].hex(), packet[-16:].hex()) == (1_200, first, tag)
    result = over(engine, packet)
    (opened,), (hello,), (closed,) = result.of(EncryptedOpen), result.of(ClientHello), result.of(EncryptedClose)
    assert opened == EncryptedOpen(1, T0, "quic", CLIENT, 40_000, SERVER, 443, "port", False, T0, (), opened.source)
    assert (hello.direction, hello.sni, hello.alpn, hello.length) == (0, b"example.com", (b"alpn",), 241)
    assert hello.ja4.startswith("q13d0211an_")
    assert closed == EncryptedClose(1, T0, "read", (0, 0), 0)
    assert counts(result) == (1, 0)
    assert result.stats["hellos"] == 1


def test_a_hello_over_several_packets_is_put_together(engine):
    long = client_hello(more=[extension(51, bytes(1_700))])
    pieces = [initial(crypto(at, long[at : at + 700])) for at in range(0, len(long), 700)]
    for order in (pieces, pieces[::-1], [pieces[0], *pieces]):
        result = over(engine, *order)
        assert len(result.of(ClientHello)) == 1
        assert counts(result) == (1, 0)


def test_frames_may_come_in_any_order_with_others_among_them(engine):
    pieces = [crypto(at, HELLO[at : at + 20]) for at in range(0, len(HELLO), 20)]
    random.Random(3).shuffle(pieces)
    frames = b"\1\2\x09\0\1\0\1\1" + b"\0\0".join(pieces) + b"\3\x09\0\0\0\1\2\3"
    assert len(over(engine, initial(frames, size=1_162)).of(ClientHello)) == 1


def test_the_second_packet_may_have_the_servers_name_and_the_server_may_answer_between(engine):
    first, second = crypto(0, HELLO[:100]), crypto(100, HELLO[100:])
    result = over(engine, initial(first), (1, initial(first)), initial(second, name=b"serv"), initial(second))
    assert len(result.of(ClientHello)) == 1
    assert counts(result) == (1, 0)


@pytest.mark.parametrize(
    ("datagrams", "expected"),
    [
        ([initial(PUBLISHED, made_up=bytes(8))], (0, 1)),
        ([initial(PUBLISHED)[:-1] + b"\0"], (0, 1)),
        ([initial(b"\x1c")], (1, 1)),
        ([initial(crypto(4_000, bytes(200)))], (1, 1)),
        ([initial(crypto(0, b"\2\0\0\0"))], (1, 1)),
        ([initial(crypto(0, message(1, b"")))], (1, 1)),
        ([initial(crypto(0, HELLO[:9]))] * 5, (1, 1)),
        ([initial(crypto(0, HELLO[:9]))], (1, 1)),
        ([initial(crypto(0, HELLO[:9])), *[initial(crypto(0, HELLO), made_up=bytes(8))] * 4], (1, 1)),
        ([initial(PUBLISHED[:300], size=1_100)], (0, 0)),
        ([initial(PUBLISHED, name=bytes(7), made_up=bytes(7))], (0, 0)),
        ([initial(PUBLISHED, name=bytes(21), made_up=bytes(21))], (0, 0)),
        ([b"\x40" + initial(PUBLISHED)[1:]], (0, 0)),
        ([b"\xc0\0\0\0\2" + initial(PUBLISHED)[5:]], (0, 0)),
        ([b"x", initial(PUBLISHED)], (0, 0)),
    ],
)
def test_what_gives_no_hello_is_counted_once_or_is_none(engine, datagrams, expected):
    result = over(engine, *datagrams)
    assert not result.of(EncryptedOpen)
    assert counts(result) == expected


def test_a_token_and_what_comes_behind_the_packet_change_nothing(engine):
    packet = initial(PUBLISHED, token=bytes(80)) + b"\xd0\0\0\0\1 another packet"
    assert len(over(engine, packet).of(ClientHello)) == 1


def test_a_sensor_that_follows_no_sessions_reads_none(engine):
    result = over(engine, initial(PUBLISHED), thin_flows=0)
    assert not result.of(ClientHello)
    assert counts(result) == (0, 0)


@needs_compiled
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 1 << 32))
def test_both_cores_see_the_same_in_whatever_comes(engine_named, seed):
    rng = random.Random(seed)
    datagrams = []
    for _ in range(rng.randrange(1, 7)):
        start = rng.randrange(len(HELLO))
        frames = crypto(
            start if rng.random() < 0.3 else 0, HELLO[start if rng.random() < 0.2 else 0 :][: rng.choice([60, 600])]
        )
        if rng.random() < 0.3:
            frames += rng.randbytes(rng.randrange(9))
        datagram = bytearray(initial(frames, version=rng.choice([ONE, TWO]), name=rng.choice([NAME, NAME, b"serv"])))
        if rng.random() < 0.3:
            datagram[rng.randrange(len(datagram))] ^= 1 << rng.randrange(8)
        side = int(rng.random() < 0.2)
        datagrams.append((side, bytes(datagram[: rng.choice([len(datagram)] * 5 + [1_190])])))
    results = (over(engine_named(name), *datagrams) for name in ("reference", "compiled"))
    assert difference(*results) is None
