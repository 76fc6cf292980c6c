"""Several workers that listen: the kernel gives each a queue, and what belongs together comes to one of them."""

from __future__ import annotations

import itertools
import os
import shutil
import struct
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from sensor.model.events import Chunk, Close, End
from tests.core.captures import Talk, ipv4
from tests.core.captures import udp as datagram
from tests.live.conftest import Listener, ip
from tests.live.test_listening import HEAD, JSON

QUEUES = 4
#: The two ends of every tunnel here.
OUTER = bytes([172, 16, 0, 1]), bytes([172, 16, 0, 2])


def ethernet(packet: bytes, kind: int = 0x0800) -> bytes:
    return HEAD + struct.pack(">H", kind) + packet


def in_tag(packet: bytes) -> bytes:
    return HEAD + struct.pack(">HHH", 0x8100, 5, 0x0800) + packet


def in_two_tags(packet: bytes) -> bytes:
    return HEAD + struct.pack(">HHHHH", 0x88A8, 5, 0x8100, 9, 0x0800) + packet


def in_gre(packet: bytes) -> bytes:
    return ethernet(ipv4(*OUTER, 47, b"\x00\x00\x08\x00" + packet))


def in_vxlan(packet: bytes) -> bytes:
    return ethernet(datagram(*OUTER, (40_000, 4_789), b"\x08\0\0\0\0\0\x07\0" + ethernet(packet)))


def in_gtp(packet: bytes) -> bytes:
    return ethernet(datagram(*OUTER, (2_152, 2_152), struct.pack(">BBHI", 0x30, 255, len(packet), 9) + packet))


def in_fragments(packet: bytes) -> list[bytes]:
    """The packet in pieces of 24 bytes."""
    source, destination, payload = packet[12:16], packet[16:20], packet[20:]
    pieces = [payload[at : at + 24] for at in range(0, len(payload), 24)]
    places = [at * 3 | (0x2000 if at + 1 < len(pieces) else 0) for at in range(len(pieces))]
    number = sum(packet[4:40]) & 0xFFFF
    return [
        ethernet(ipv4(source, destination, packet[9], piece, identification=number, place=place))
        for piece, place in zip(pieces, places, strict=True)
    ]


WAYS = [ethernet, in_tag, in_two_tags, in_gre, in_vxlan, in_gtp]


def conversations(count: int) -> list[list[bytes]]:
    """Of each so many lines in both directions, every packet wrapped in another way than the one before."""
    found = []
    for number in range(count):
        talk = Talk(ports=(40_000 + number, 3_333), addresses=(bytes([10, 1, number, 7]), bytes([192, 0, 2, number])))
        packets = [talk.data(side, line * len(JSON), JSON) for line in range(len(WAYS)) for side in (0, 1)]
        ways = itertools.cycle(WAYS[number % len(WAYS) :] + WAYS[: number % len(WAYS)])
        frames = [way(packet) for way, packet in zip(ways, packets, strict=False)]
        last = [talk.data(side, len(WAYS) * len(JSON), JSON) for side in (0, 1)]
        found.append(frames + [piece for packet in last for piece in in_fragments(packet)])
    return found


def twenty() -> list[Talk]:
    """Conversations between as many pairs of addresses."""
    ends = [(bytes([10, 1, one, 7]), bytes([10, 2, one, 8])) for one in range(20)]
    return [Talk(ports=(40_000 + one, 3_333), addresses=pair) for one, pair in enumerate(ends)]


def streams(heard: Listener) -> dict[int, bytes]:
    """What each flow said, both directions one behind the other, by the flow's client port."""
    said: dict[tuple[int, int], bytes] = defaultdict(bytes)
    for chunk in heard.of(Chunk):
        assert chunk.gap == 0
        said[chunk.flow, chunk.direction] += chunk.data
    flows: dict[int, bytes] = defaultdict(bytes)
    for (flow, _), data in sorted(said.items()):
        flows[flow] += data
    return flows


def talk_to(net, heard: Listener, count: int = 24, into: str = "a0") -> None:
    talks = conversations(count)
    for row in itertools.zip_longest(*talks):
        net.send([frame for frame in row if frame is not None], into)
    heard.until(lambda: heard.stats["packets"] >= sum(map(len, talks)))


@pytest.mark.parametrize("workers", [2, 3, QUEUES])
def test_directions_fragments_and_tunnels_of_a_flow_come_to_one_worker(net, listen_compiled, workers):
    heard = listen_compiled(workers=workers).attach("b0")
    talk_to(net, heard)
    assert heard.core.interfaces()["b0"]["queues"] == workers
    stats = heard.end()
    flows = streams(heard)
    assert len(flows) == stats["flows_opened"] == 24
    assert set(flows.values()) == {JSON * 2 * (len(WAYS) + 1)}
    used = {(flow - 1) % workers for flow in flows}
    assert len(used) == workers  # every queue has some of them
    (end,) = heard.of(End)
    assert (end.packets, end.error) == (stats["packets"], None)


def test_where_the_kernel_spreads_nothing_one_thread_does_it(net, listen_compiled, monkeypatch):
    monkeypatch.setenv("MINEWATCH_FAULT", "no-fanout")
    heard = listen_compiled(workers=QUEUES).attach("b0")
    talk_to(net, heard)
    assert heard.core.interfaces()["b0"]["queues"] == 1
    heard.end()
    assert set(streams(heard).values()) == {JSON * 2 * (len(WAYS) + 1)}


def test_two_ports_of_a_tap_are_one_link_for_every_queue(net, listen_compiled):
    net.cable(1)
    heard = listen_compiled(workers=QUEUES).attach("b0", "b1")
    talk = twenty()
    for line in range(4):
        for one in talk:
            net.send([ethernet(one.data(0, line * len(JSON), JSON))], "a0")
            net.send([ethernet(one.data(1, line * len(JSON), JSON))], "a1")
    heard.until(lambda: heard.stats["packets"] >= 160)
    stats = heard.end()
    assert stats["flows_opened"] == 20
    assert set(streams(heard).values()) == {JSON * 8}
    assert {end.source: end.packets for end in heard.of(End)} == {"iface:b0": 80, "iface:b1": 80}


def test_flows_go_on_in_their_queues_when_the_interface_was_down(net, listen_compiled):
    heard = listen_compiled(workers=QUEUES).attach("b0")
    talk = twenty()
    net.send([ethernet(one.data(0, 0, JSON)) for one in talk])
    heard.until(lambda: heard.stats["packets"] == 20)
    ip("link", "set", "b0", "down")
    heard.until(lambda: heard.core.interfaces()["b0"]["up"] == 0)
    ip("link", "set", "b0", "up")
    heard.until(lambda: heard.core.interfaces()["b0"]["up"] == 1)
    net.settle()
    net.send([ethernet(one.data(1, 0, JSON)) for one in talk])
    heard.until(lambda: heard.stats["packets"] == 40)
    assert heard.end()["flows_opened"] == 20
    assert len(heard.of(Close)) == 20


def test_an_interface_that_is_made_anew_is_heard_by_every_queue(net, listen_compiled):
    heard = listen_compiled(workers=QUEUES).attach("b0")
    talk_to(net, heard, 8)
    before = heard.stats["packets"]
    ip("link", "del", "a0")
    heard.until(lambda: heard.of(End) != [])
    assert [(end.error, end.packets) for end in heard.of(End)] == [("interface deleted", before)]
    net.cable(0)
    heard.attach("b0")
    net.send([ethernet(Talk(ports=(50_000 + one, 1)).data(0, 0, JSON)) for one in range(9)])
    heard.until(lambda: heard.stats["packets"] == before + 9).end()
    assert heard.of(End)[1].packets == before + 9


@pytest.mark.usefixtures("net")
def test_the_memory_of_the_rings_is_for_all_queues_together(listen_compiled):
    heard = listen_compiled(workers=2).attach("b0", ring_bytes=32 << 20)
    assert heard.core.interfaces()["b0"]["ring_bytes"] == 32 << 20
    heard.end()


def test_threads_are_bound_to_the_processors_that_are_named(net, listen_compiled):
    allowed = sorted(os.sched_getaffinity(0))
    heard = listen_compiled(workers=QUEUES).attach("b0", cpus=allowed[-1:])
    net.send([ethernet(Talk().data(0, 0, JSON))])
    heard.until(lambda: heard.core.interfaces()["b0"]["pinned"] == QUEUES)
    bound = [
        os.sched_getaffinity(int(task.name))
        for task in Path("/proc/self/task").iterdir()
        if (task / "comm").read_text().startswith("queue-")
    ]
    assert bound == [{allowed[-1]}] * QUEUES
    heard.end()
    heard = listen_compiled(workers=2).attach("b0", cpus=[1_000])  # there is none of this number
    net.send([ethernet(Talk().data(0, 0, JSON))])
    heard.until(lambda: heard.stats["packets"] == 1)
    assert heard.core.interfaces()["b0"]["pinned"] == 0
    heard.end()


CONFINED = """
import sys, time
from sensor import _core
from tests.core.conftest import LITERALS, OPENINGS
held = _core.confine(["/proc", "/sys"], [], [], True, ["CAP_NET_RAW"])
assert held[3] and held[4], held
core = _core.Core(_core.Tables(LITERALS, OPENINGS, []), _core.Limits(workers=3))
core.attach("iface:b0", full="drop")
print("listening", core.interfaces()["b0"]["queues"], flush=True)
while core.stats()["packets"] < 30:
    core.poll(64, 20)
core.attach("iface:b1", full="drop")
print("heard", core.interfaces()["b1"]["queues"], flush=True)
"""


def test_the_sandbox_lets_the_kernel_spread(net):
    if not shutil.which("ip"):
        pytest.skip("namespaces need ip")
    net.cable(1)
    with subprocess.Popen(
        [sys.executable, "-c", CONFINED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as confined:
        assert confined.stdout is not None
        assert confined.stderr is not None
        first = confined.stdout.readline()
        assert first == "listening 3\n", confined.stderr.read()
        time.sleep(0.1)
        net.send([ethernet(Talk(ports=(40_000 + one, 1)).data(0, 0, JSON)) for one in range(30)])
        assert confined.stdout.readline() == "heard 3\n"
