"""Whatever a capture is cut into, and however many workers read it, the same comes out of each connection."""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sensor import signatures
from sensor.intake import engine
from sensor.model.domain import registrable
from sensor.model.encrypted import AddressNamed, DnsAnswer
from sensor.model.events import End, Event
from sensor.names.sharing import SHARED_BY
from tests.core.captures import ETHERNET, pcap
from tests.core.conftest import compiled_is_there
from tests.demo.make_demo import mining, surroundings
from tests.demo.wire import Wire

PACKINGS: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, bz2.compress, lzma.compress]
WORKERS = (1, 2, 3, 4, 7)
#: Counters that say how far threads had come, and not what was in the packets.
OF_THREADS = {"ticks", "source_bytes"}
Packets = list[tuple[int, bytes]]


@pytest.fixture(scope="module")
def packets() -> Packets:
    if not compiled_is_there():
        pytest.skip("the compiled core (sensor._core) is not built")
    wire = Wire()
    mining(wire)
    surroundings(wire)
    return [(ts_us * 1_000, frame) for ts_us, frame in wire.sorted()]


def read(paths: list[Path], workers: int) -> tuple[list[Event], dict[str, int]]:
    """All events of captures that follow one another, and the counters."""
    known, loaded = signatures.load(), engine.load("compiled")
    core = loaded.core_of(known, {"workers": workers})
    waiting, events = list(reversed(paths)), []
    while not core.finished:
        while waiting and len(waiting) + sum(isinstance(event, End) for event in events) > len(paths) - 4:
            loaded.attach(core, str(waiting.pop()))
            if not waiting:
                core.finish()
        events += core.poll(1_024, 50)
    stats = core.stats()
    core.close()
    return events, {name: count for name, count in stats.items() if name not in OF_THREADS}


def written(packets: Packets, cuts: list[int], folder: Path, dice: random.Random) -> list[Path]:
    """The packets in captures that are cut at these places, each packed in some way."""
    paths = []
    for number, (begin, end) in enumerate(itertools.pairwise([0, *cuts, len(packets)])):
        path = folder / f"{number:03}"
        path.write_bytes(dice.choice(PACKINGS)(pcap(packets[begin:end], ETHERNET)))
        paths.append(path)
    return paths


def by_connection(events: list[Event]) -> Counter[str]:
    """The events of each connection in their order, told by what they say; workers take turns as they like."""
    found: dict[int, list[Event]] = {}
    for event in events:
        if not isinstance(event, End | DnsAnswer | AddressNamed):
            named = event._replace(source="") if "source" in event._fields else event
            found.setdefault(event.flow, []).append(named._replace(flow=0))
    return Counter(map(repr, found.values()))


def answers(events: list[Event]) -> Counter[Any]:
    return Counter(event._replace(source="") for event in events if isinstance(event, DnsAnswer))


def domains(events: list[Event]) -> dict[bytes, set[str] | None]:
    """The domains of each address; None of one that is shared: each worker tells three of them, and not the same."""
    found: dict[bytes, set[str]] = {}
    for event in events:
        for address in event.addresses if isinstance(event, AddressNamed) else ():
            found.setdefault(address, set()).add(registrable(event.name.decode()))
    return {address: names if len(names) < SHARED_BY else None for address, names in found.items()}


@pytest.mark.parametrize("seed", range(4))
def test_a_capture_whole_is_the_same_in_pieces_and_with_any_number_of_workers(packets, tmp_path, seed):
    dice = random.Random(seed)
    whole, counts = read(written(packets, [], tmp_path, random.Random(0)), 1)
    expected = by_connection(whole)
    assert len(expected) > 10
    for workers in WORKERS:
        folder = tmp_path / str(workers)
        folder.mkdir()
        cuts = sorted(dice.sample(range(len(packets)), dice.randint(0, 9)))
        paths = written(packets, cuts, folder, dice)
        events, found = read(paths, workers)
        ends = [event for event in events if isinstance(event, End)]
        assert [end.source for end in ends] == list(map(str, paths))
        assert sum(end.packets for end in ends) == len(packets)
        assert by_connection(events) == expected, (seed, workers, cuts)
        assert answers(events) == answers(whole)
        assert domains(events) == domains(whole)
        assert found == counts


def test_captures_that_do_not_follow_one_another_end_their_flows_with_any_number_of_workers(packets, tmp_path):
    later = [(ts_ns + 10**15, frame) for ts_ns, frame in packets]
    paths = [tmp_path / name for name in ("later", "again", "earlier")]
    for path, content in zip(paths, (later, later, packets), strict=True):
        path.write_bytes(pcap(content, ETHERNET))
    expected = by_connection(read(paths, 1)[0])
    for workers in WORKERS[1:]:
        assert by_connection(read(paths, workers)[0]) == expected


def test_a_damaged_capture_among_others_ends_at_its_byte_with_any_number_of_workers(packets, tmp_path):
    paths = written(packets, [900, 1_800], tmp_path, random.Random(1))
    paths[1].write_bytes(pcap(packets[900:1_800], ETHERNET)[:-7])
    ends = [[event for event in read(paths, workers)[0] if isinstance(event, End)] for workers in (1, *WORKERS)]
    assert all(one == ends[0] for one in ends)
    assert [end.error for end in ends[0]] == [None, "truncated", None]
