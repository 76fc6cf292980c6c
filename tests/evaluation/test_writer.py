"""Captures of the writer, read by two programs that know nothing of it."""

from __future__ import annotations

import random
from pathlib import Path

import dpkt
import numpy as np
import pytest
from scapy.layers.inet import IP, TCP
from scapy.utils import rdpcap

from tests.evaluation import reader
from tests.evaluation.bursts import Profile, Session, lay_out
from tests.evaluation.sealing import APPLICATION, SUITES
from tests.evaluation.talk import DOWN, UP, Talk, World
from tests.evaluation.wire import Capture

EPOCH_S = 1_600_000_000.0
HELLO = bytes((22, 3, 1, 0, 60, 1)) + bytes(range(59))
ANSWER = bytes((22, 3, 3, 0, 90, 2)) + bytes(89)
FINISHED = bytes((20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 69)) + bytes(69)


def _profile(suite: str = "tls13", client: str = "openssl") -> Profile:
    return Profile(client, "openssl", suite, False, ((UP, HELLO), (DOWN, ANSWER), (UP, FINISHED)))


def _sessions(style: str, profile: Profile | None, many: int = 3) -> list[Session]:
    rng = random.Random(f"{style} {profile}")
    world = World(rng, 900)
    found = []
    for number in range(many):
        talk = Talk(rng, world.server("any", 0), rng.uniform(0, 10), 600)
        talk.ask(0.0, 400, 500, 60)
        for at in talk.poisson(20):
            talk.ask(at, rng.randrange(1, 5000), rng.randrange(1, 4000), 70)
        talk.say(300.0, DOWN, 40_000)
        ends = (0x0A000100 + number, 40_000), (0xC6120001, 443)
        found.append(Session(talk, "any", profile, style, 1448, *ends, isn=(2**32 - 1000, 7)))
    return found


@pytest.fixture(params=["one", "packed", "own"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[list[Session], Path]:
    """Three sessions in each style."""
    sessions = _sessions(request.param, _profile())
    path = tmp_path / "written.pcap"
    Capture(sessions, lay_out(sessions, random.Random(1)), EPOCH_S, 1).write(path)
    return sessions, path


def test_every_record_has_the_length_that_its_line_and_its_suite_make(written: tuple[list[Session], Path]) -> None:
    sessions, path = written
    found = reader.records(path)
    for session in sessions:
        client = (f"10.0.1.{session.client[0] & 255}", 40_000)
        words = [r.length for r in found if r.source == client and r.kind == APPLICATION][1:-1]
        lines = [length for row in sorted(session.talk.rows) if row.side == UP for length in row.lengths]
        own = [r.length for r in found if r.source == client and r.kind == APPLICATION][1:]
        assert lines
        assert [length + 17 for length in lines] in (words, own)


def test_sums_numbers_and_times_are_those_of_tcp(written: tuple[list[Session], Path]) -> None:
    _, path = written
    before_s = 0.0
    for at_s, frame in dpkt.pcap.Reader(path.open("rb")):
        assert at_s >= before_s
        before_s = at_s
        ip = dpkt.ethernet.Ethernet(frame).data
        sums = ip.sum, ip.data.sum
        ip.sum = ip.data.sum = 0
        again = dpkt.ip.IP(bytes(ip))
        assert sums == (again.sum, again.data.sum)
    for stream in reader.streams(path).values():
        assert not stream._waiting


def test_connections_open_and_close_and_acknowledge_what_came(written: tuple[list[Session], Path]) -> None:
    _, path = written
    packets = [packet for packet in rdpcap(str(path)) if packet[IP].src == "10.0.1.0" or packet[IP].dst == "10.0.1.0"]
    flags = [str(packet[TCP].flags) for packet in packets]
    assert flags[:3] == ["S", "SA", "A"]
    assert [f for f in flags if "F" in f] == ["FA", "FA"]
    assert dict(packets[0][TCP].options)["MSS"] == 1460
    ends: dict[str, int] = {}
    for packet in packets:
        tcp, other = packet[TCP], packet[IP].dst
        if "A" in str(tcp.flags) and other in ends:
            assert (ends[other] - tcp.ack) % 2**32 < 2**31, "acknowledges what was not sent"
        length = len(tcp.payload) + ("S" in str(tcp.flags)) + ("F" in str(tcp.flags))
        end = (tcp.seq + length) % 2**32
        if (end - ends.get(packet[IP].src, end)) % 2**32 < 2**31:
            ends[packet[IP].src] = end


def test_several_records_share_a_segment_only_where_they_are_packed(tmp_path: Path) -> None:
    shared = {}
    for style in ("one", "packed", "own"):
        sessions = _sessions(style, _profile())
        path = tmp_path / f"{style}.pcap"
        Capture(sessions, lay_out(sessions, random.Random(1)), EPOCH_S, 1).write(path)
        counts = [
            len(reader.split(bytes(tcp.data)))
            for _, source, _, tcp in reader.segments(path)
            if tcp.data and source[1] == 443 and tcp.data[0] == APPLICATION and len(tcp.data) < 1448
        ]
        shared[style] = max(counts)
    assert (shared["one"], shared["own"]) == (1, 1)
    assert shared["packed"] == 2


def test_raw_frames_have_no_headers(tmp_path: Path) -> None:
    sessions = _sessions("own", None, 1)
    path = tmp_path / "raw.pcap"
    Capture(sessions, lay_out(sessions, random.Random(1)), EPOCH_S, 1).write(path)
    octets = {side: sum(sum(row.lengths) for row in sessions[0].talk.rows if row.side == side) for side in (UP, DOWN)}
    sizes = {source[1] == 443: len(stream.content) for (source, _), stream in reader.streams(path).items()}
    assert sizes == {False: octets[UP], True: octets[DOWN]}


def test_a_joined_session_begins_later_and_a_lossy_one_loses_its_part(tmp_path: Path) -> None:
    sessions = _sessions("own", _profile(), 40)
    capture = Capture(sessions, lay_out(sessions, random.Random(1)), EPOCH_S, 1)
    start, end = np.full(40, 200.0), np.full(40, 400.0)
    whole = capture.write(tmp_path / "all.pcap", capture.keep(start, end, 0.0))
    lossy = capture.write(tmp_path / "lossy.pcap", capture.keep(start, end, 0.05))
    assert 0.03 < 1 - lossy / whole < 0.07
    times = [float(at_s) - EPOCH_S for at_s, _ in dpkt.pcap.Reader((tmp_path / "all.pcap").open("rb"))]
    assert 200 <= times[0] <= times[-1] <= 400


def test_a_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sessions = _sessions("packed", _profile())
        Capture(sessions, lay_out(sessions, random.Random(1)), EPOCH_S, 1).write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("suite", "plain", "body"),
    [
        ("tls13", 384, 401),
        ("tls12-gcm", 100, 124),
        ("tls12-chacha", 100, 116),
        ("tls12-cbc", 11, 48),  # 16 of IV, 11 + 20 of MAC + 1 of padding
        ("tls12-cbc", 12, 64),
        ("tls12-cbc-etm", 15, 52),
        ("tls12-cbc-etm", 16, 68),
    ],
)
def test_what_a_suite_adds(suite: str, plain: int, body: int) -> None:
    assert SUITES[suite].sealed(plain) == body
