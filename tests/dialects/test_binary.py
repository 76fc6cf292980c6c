"""The binary framings: Stratum V2 in clear, what is told of it by sizes, BTCAgent's frames, and everything that only
resembles them.
"""

from __future__ import annotations

import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.dialects.conversation import Conversation
from sensor.dialects.readers.btcagent import BtcAgent, Uplink
from sensor.dialects.readers.stratum_v2 import Channels, StratumV2
from sensor.dialects.stream.message import Malformed, Message
from sensor.line.examples import dialogue_events
from sensor.model.evidence import Grade
from sensor.model.finding import Finding
from sensor.model.node import Node
from sensor.signatures.model import DialogueLine
from tests.session.dialogue import run

Pieces = list[tuple[int, bytes]]


def v2(kind: int, payload: bytes, channel: bool = False) -> bytes:
    return struct.pack("<HB", 0x8000 if channel else 0, kind) + len(payload).to_bytes(3, "little") + payload


def text(value: bytes) -> bytes:
    return bytes([len(value)]) + value


def setup(protocol: int = 0) -> bytes:
    names = text(b"bitaxe") + text(b"BM1370") + text(b"2.4") + text(b"")
    return v2(0, struct.pack("<BHHI", protocol, 2, 2, 0) + text(b"pool") + struct.pack("<H", 34254) + names)


def opened(request: int, user: bytes, rate: float) -> bytes:
    return v2(
        0x13, struct.pack("<I", request) + text(user) + struct.pack("<f", rate) + b"\xff" * 32 + struct.pack("<H", 8)
    )


def granted(request: int, channel: int, hashes: int) -> bytes:
    target = ((1 << 256) // hashes - 1).to_bytes(32, "little")
    return v2(0x14, struct.pack("<II", request, channel) + target + struct.pack("<H", 8) + text(b"\xde\xad"))


def share(channel: int, sequence: int, job: int) -> bytes:
    return v2(0x1B, struct.pack("<IIIIII", channel, sequence, job, 7, 8, 9) + text(b"\0" * 8), channel=True)


def told(channel: int, last: int, count: int) -> bytes:
    return v2(0x1C, struct.pack("<IIIQ", channel, last, count, count * 1000), channel=True)


def judged(pieces: Pieces) -> list[Finding | Node]:
    records, _ = run(dialogue_events([DialogueLine(side, data) for side, data in pieces]))
    return records


def noise(sizes: list[int], seed: int = 1) -> Pieces:
    rng = random.Random(seed)
    return [(number % 2, rng.randbytes(size)) for number, size in enumerate(sizes)]


def test_two_channels_of_a_proxy_are_two_logins_with_their_own_targets() -> None:
    found = judged(
        [
            (0, setup() + opened(1, b"acct.a", 1e12) + opened(2, b"acct.b", 2e12)),
            (1, v2(1, struct.pack("<HI", 2, 0)) + granted(2, 9, 1 << 42) + granted(1, 8, 1 << 40)),
            (0, share(9, 1, 1) + share(8, 1, 1) + share(9, 2, 1) + share(9, 3, 1)),
            (1, told(9, 3, 3) + v2(0x1D, struct.pack("<II", 8, 1) + text(b"stale-share"), channel=True)),
        ]
    )
    seen = {one.login: one for one in found if isinstance(one, Finding)}
    assert sorted(str(login) for login in seen) == ["acct.a", "acct.b"]
    assert (seen["acct.b"].shares.accepted, seen["acct.b"].work_hashes) == (3, pytest.approx(3 * 2**42))
    assert (seen["acct.a"].shares.rejected, seen["acct.a"].hashes_per_share) == (1, pytest.approx(2**40))
    assert seen["acct.b"].claimed_hashrate_hps == pytest.approx(2e12)
    assert seen["acct.a"].agent == "bitaxe/BM1370/2.4"


def test_a_template_provider_is_no_miner() -> None:
    template = v2(0x71, b"\0" * 60)
    assert [
        one
        for one in judged([(0, setup(2)), (1, v2(1, struct.pack("<HI", 2, 0)) + template)])
        if isinstance(one, Finding)
    ] == []


def test_a_hole_is_passed_by_the_next_message_of_known_length() -> None:
    reader = StratumV2(0, Channels())
    found = list(reader.feed(7, 0, 0, setup()[:20]))
    found += reader.feed(7, 520, 500, b"\x01\x02\x03" + v2(0x1A, bytes(24), channel=True) + share(1, 2, 3))
    assert [one.value["method"] for one in found if isinstance(one, Message)] == [
        "SubmitSharesStandard",
        "SubmitSharesExtended",
    ]
    assert [one.reason for one in found if isinstance(one, Malformed)] == ["gap"]


def test_large_and_unknown_frames_are_read_past() -> None:
    reader = StratumV2(0, Channels())
    found = list(
        reader.feed(7, 0, 0, v2(0x71, bytes(100_000)) + v2(0xC0, b"abc") + v2(0x1F, b"\0" * 4) + share(1, 2, 3))
    )
    assert [one.value["method"] for one in found if isinstance(one, Message)] == ["SubmitSharesExtended"]
    assert [one.reason for one in found if isinstance(one, Malformed)] == ["unknown_frame", "cut_frame"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 255))
def test_no_bytes_make_a_frame_reader_raise(data: bytes, kind: int) -> None:
    for body in (data, v2(kind, data), v2(kind, data, channel=True)):
        assert list(StratumV2(0, Channels()).feed(7, 0, 0, body)) is not None
    for body in (data, bytes([0x7F, kind]) + (len(data) + 4).to_bytes(2, "little") + data):
        assert list(BtcAgent(0, Uplink()).feed(7, 0, 0, body)) is not None


def test_noise_is_told_by_its_four_sizes_and_never_speaks() -> None:
    found = judged(noise([64, 234, 96, 44, 91, 87]))
    assert [(one.dialect, one.grade) for one in found if isinstance(one, Finding)] == [
        ("stratum-v2-noise", Grade.BEHAVES)
    ]


def test_a_noise_handshake_that_stops_after_its_opening_is_a_weak_likeness() -> None:
    found = [one for one in judged(noise([64, 234])) if isinstance(one, Finding)]
    assert [(one.dialect, one.grade, one.confidence) for one in found] == [("stratum-v2-noise", Grade.BEHAVES, 0.3)]


@pytest.mark.parametrize(
    "sizes",
    [
        [64, 64, 36, 36],
        [64, 234, 96],
        [64, 234, 53, 44],
        [64, 234, 96, 45, 9],
        [63, 234, 96, 44],
        [64, 300, 96, 44],
        [64, 170, 96, 44],
    ],
)
def test_other_sizes_are_not_noise(sizes: list[int]) -> None:
    assert judged(noise(sizes)) == []


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=6))
def test_random_flights_are_nothing(flights: list[bytes]) -> None:
    assert [
        one for one in judged([(number % 2, data) for number, data in enumerate(flights)]) if isinstance(one, Finding)
    ] == []


@pytest.mark.parametrize(
    "pieces",
    [
        [(0, bytes.fromhex("00112233445566778899aabbccddeeff0a")), (1, b"\x01" + bytes(39))],
        [(0, bytes.fromhex("00112233445566778899aabbccddeeff0a")), (1, b"\x02" + bytes(40))],
        [(0, bytes.fromhex("01112233445566778899aabbccddeeff0a")), (1, b"\x01" + bytes(40))],
        [(0, bytes(16)), (1, b"\x01" + bytes(40))],
    ],
)
def test_what_only_resembles_a_peer_of_p2pool_is_none(pieces: Pieces) -> None:
    assert judged(pieces) == []


def test_an_agents_uplink_counts_the_shares_of_all_its_machines() -> None:
    def frame(kind: int, body: bytes) -> bytes:
        return bytes([0x7F, kind]) + (len(body) + 4).to_bytes(2, "little") + body

    hello = b'{"id":"caps","method":"agent.get_capabilities","params":[["verrol"]]}\n'
    hello += b'{"id":"auth","method":"mining.authorize","params":["farm","x"]}\n'
    answer = b'{"id":"caps","result":{"capabilities":["verrol"]},"error":null}\n{"id":"auth","result":true}\n'
    register = b"".join(frame(1, struct.pack("<H", n) + b"bmminer\0rig%d\0" % n) for n in range(30))
    level = frame(5, bytes([14]) + struct.pack("<H", 30) + b"".join(struct.pack("<H", n) for n in range(30)))
    shares = b"".join(
        frame(kind, struct.pack("<BHII", 9, n, 1, 10) + extra)
        for n in range(30)
        for kind, extra in ((2, b""), (0x13, b"\n" * 8))
    )
    found = judged([(0, hello), (1, answer), (0, register), (1, level), (0, shares)])
    assert [
        (one.dialect, one.login, one.shares.submitted, len(one.workers)) for one in found if isinstance(one, Finding)
    ] == [("btcagent", "farm", 60, 30)]
    assert isinstance(found[0], Finding)
    assert found[0].hashes_per_share == pytest.approx(2**14 * 2**48 / 65535)


def test_a_stream_that_turns_to_gzip_is_inflated_within_a_bound() -> None:
    packer = zlib.compressobj(wbits=31)
    first = packer.compress(b'{"id":2,"method":"mining.subscribe"}\n') + packer.flush(zlib.Z_SYNC_FLUSH)
    bomb = packer.compress(b" " * 30_000_000) + packer.flush()
    talk = Conversation()
    found = [*talk.feed(0, 7, 0, 0, b'{"id":0,"method":"mining.hello"}\n'), *talk.feed(0, 7, 33, 0, first)]
    found += [*talk.feed(0, 7, 33 + len(first), 0, bomb), *talk.finish()]
    assert [one.value["id"] for one in found if isinstance(one, Message)] == [0, 2]
    assert [one.reason for one in found if isinstance(one, Malformed)][-1] in ("inflated", "oversize")
