"""Captures through both cores, which must tell the same story, and what they tell through the line."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import struct
from collections.abc import Iterator
from functools import cache

from sensor.intake import engine
from sensor.line.pipeline import Pipeline
from tests.core.captures import (
    CLIENT,
    SERVER,
    T0,
    Talk,
    enhanced,
    interface,
    obsolete,
    pcap,
    section,
    simple,
    udp,
)
from tests.core.test_dns import AAAA, ANY, CNAME, answer, name, response
from tests.core.test_quic import HELLO, crypto, initial
from tests.core.tls_bytes import OPENING_1_2, OPENING_1_3, packets, sealed
from tests.fuzz.damaged import compare, engines, events_of
from tests.fuzz.mutation import mutated
from tests.fuzz.targets.conversations import signatures
from tests.fuzz.targets.files import as_file
from tests.fuzz.targets.target import Target
from tests.reliability.evasion.case import Case
from tests.reliability.evasion.matrix import all_cases

FILE_HEADER, RECORD_HEADER = 24, 16


def classic(case: Case) -> bytes:
    """The capture of a case of the evasion matrix, its first 200 packets."""
    records = [
        struct.pack("<IIII", at // 1_000_000, at % 1_000_000, len(frame), len(frame)) + frame
        for at, frame in case.frames[:200]
    ]
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, case.link) + b"".join(records)


def blocks(case: Case) -> bytes:
    """The same in blocks of every kind."""
    blocks = [section(), interface(case.link, options=struct.pack("<HHB3x", 9, 1, 9))]
    for number, (at, frame) in enumerate(case.frames[:60]):
        kind = number % 12
        if kind == 5:
            blocks.append(simple(frame))
        elif kind == 7:
            blocks.append(obsolete(at * 1_000, frame))
        else:
            blocks.append(enhanced(at * 1_000, frame))
    return b"".join(blocks)


@cache
def captures() -> tuple[bytes, ...]:
    """Every case of the evasion matrix, some in blocks, some compressed."""
    cases = list(all_cases())
    packed = [pack(classic(cases[0])) for pack in (gzip.compress, bz2.compress, lzma.compress)]
    return (*(classic(case) for case in cases), *(blocks(case) for case in cases[::12]), *packed)


def cores() -> list[engine.Engine]:
    """Those that are here; said once if the compiled one is not."""
    return _cores()


_cores = cache(engines)


def _feed_capture(data: bytes) -> None:
    path = as_file("capture", data)
    heard = [events_of(core, signatures(), path) for core in cores()]
    for other in heard[1:]:
        compare(heard[0], other)
    pipeline = Pipeline(signatures())
    pipeline.step(heard[0][0])
    for record in pipeline.finish():
        repr(record)


def _feed_encrypted(data: bytes) -> None:
    """Two streams of a connection: the first byte says how they are cut, a length where the second begins."""
    size, border = 1 + data[0] * 8 if data else 1, int.from_bytes(data[1:3], "big")
    streams = data[3 : 3 + border], data[3 + border :]
    said = [(turn * 70.0, turn % 2, streams[turn % 2][turn // 2 * 4_000 :][:4_000]) for turn in range(6)]
    _feed_capture(pcap(packets(said, size=size)))


def _feed_dns(data: bytes) -> None:
    """A message, over UDP and over TCP."""
    over_tcp = packets([(0.0, 1, len(data).to_bytes(2, "big") + data)], talk=Talk(ports=(40_000, 53)), size=1 << 15)
    _feed_capture(pcap([*over_tcp, (T0, udp(SERVER, CLIENT, (53, 40_000), data[:60_000]))]))


def _feed_quic(data: bytes) -> None:
    """Frames of up to four packets of a client, each of up to 300 bytes, sealed as they should be."""
    pieces = [data[at : at + 300] for at in range(0, min(len(data), 1_200), 300)]
    frames = [udp(CLIENT, SERVER, (40_000, 443), initial(piece)) for piece in pieces]
    _feed_capture(pcap([(T0 + at, frame) for at, frame in enumerate(frames)]))


def quic_frames() -> list[bytes]:
    """A hello in frames, whole, in order and not."""
    pieces = [crypto(at, HELLO[at : at + 90]) for at in range(0, len(HELLO), 90)]
    return [crypto(0, HELLO), b"".join(pieces), b"\1\2\x09\0\1\0\1\1" + b"\0".join(pieces[::-1])]


def dns_messages() -> list[bytes]:
    """Answers with addresses, aliases and pointers."""
    four, six = answer(bytes(4)), answer(bytes(16), kind=AAAA)
    alias = answer(name("edge.example"), kind=CNAME)
    return [response(four), response(alias, six, four, kind=ANY), response(*[four] * 30), response(flags=0x8183)]


def encrypted_sessions() -> list[bytes]:
    """Hellos, certificates and records of both sides."""
    found = []
    for flights in (OPENING_1_2, OPENING_1_3):
        streams = [b"".join(part for at, part in flights if at == side) + sealed(90) * 20 for side in (0, 1)]
        found += [bytes([size]) + len(streams[0]).to_bytes(2, "big") + b"".join(streams) for size in (4, 30, 200)]
    return found


def _alter_frames(rng: random.Random, seeds: list[bytes]) -> bytes:
    """Damage to frames, with records that stay whole; sometimes damage anywhere."""
    seed = rng.choice(seeds)
    if rng.random() < 0.3 or seed[:4] != b"\xd4\xc3\xb2\xa1":
        return mutated(rng, [seed])
    records = []
    at = FILE_HEADER
    while at + RECORD_HEADER <= len(seed):
        captured = int.from_bytes(seed[at + 8 : at + 12], "little")
        records.append((seed[at : at + 8], seed[at + RECORD_HEADER : at + RECORD_HEADER + captured]))
        at += RECORD_HEADER + captured
    for _ in range(rng.randrange(1, 12)):
        if not records:
            break
        place, how = rng.randrange(len(records)), rng.randrange(6)
        when, frame = records[place]
        if how == 0:
            del records[place]
        elif how == 1:
            records.insert(rng.randrange(len(records)), records[place])
        elif how == 2:
            records[place] = (rng.randbytes(8), frame)
        else:
            records[place] = (when, mutated(rng, [frame])[:4_000])
    return seed[:FILE_HEADER] + b"".join(
        when + struct.pack("<II", len(frame), len(frame)) + frame for when, frame in records
    )


def targets() -> Iterator[Target]:
    yield Target("captures", _feed_capture, lambda: list(captures()), 60, _alter_frames)
    yield Target("encrypted", _feed_encrypted, encrypted_sessions, 100)
    yield Target("dns", _feed_dns, dns_messages, 100)
    yield Target("quic", _feed_quic, quic_frames, 20)
