"""A core that listens.

What comes off the wire is what was put on it, every packet is accounted for, and interfaces may come and go.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from sensor.intake.interfaces import list_interfaces
from sensor.intake.packet_filter import FilterError, read_filter
from sensor.model.events import Chunk, Close, End, Hit, Open
from tests.core.captures import CLIENT, ETHERNET, SERVER, T0, Talk, pcap, udp
from tests.live.conftest import Listener, ip

HEAD = bytes.fromhex("020000000002 020000000001")
JSON = b'{"id":1,"method":"mining.subscribe"}\n'


def frame(packet: bytes, *tags: tuple[int, int]) -> bytes:
    """Ethernet around IPv4, with VLAN tags (type, id)."""
    return HEAD + b"".join(struct.pack(">HH", *tag) for tag in tags) + b"\x08\x00" + packet


def line(number: int, port: int = 40_000) -> bytes:
    return frame(Talk(ports=(port, 3_333)).data(0, number * len(JSON), JSON))


def test_what_is_sent_is_heard_and_accounted_for(net, listen):
    heard = listen().attach("b0")
    net.send([line(number) for number in range(20)])
    stats = heard.until(lambda: heard.stats["packets"] >= 20).end()
    assert stats["kernel_received"] == net.sent == stats["segments"]
    assert b"".join(chunk.data for chunk in heard.of(Chunk)) == JSON * 20
    (opened,), (closed,), (ended,) = heard.of(Open), heard.of(Close), heard.of(End)
    assert (opened.source, opened.vlans, closed.reason) == ("iface:b0", (), "end")
    assert (ended.source, ended.packets, ended.error, ended.offset) == ("iface:b0", 20, None, 0)
    assert abs(opened.ts_ns - time.time_ns()) < 60e9


def test_figures_of_the_interface(net, listen):
    heard = listen().attach("b0")
    net.send([line(0)])
    heard.until(lambda: heard.of(Chunk) != [])
    heard.until(lambda: heard.core.interfaces()["b0"]["received"] == 1)
    figures = heard.core.interfaces()["b0"]
    assert (figures["packets"], figures["bytes"], figures["up"], figures["downs"], figures["dropped"]) == (
        1,
        len(line(0)),
        1,
        0,
        0,
    )
    assert 0 <= figures["last_handled_ns"] - figures["last_packet_ns"] < 2e9
    heard.end()
    assert heard.core.interfaces()["b0"]["up"] == 0


def test_what_comes_while_the_reader_is_busy_waits(net, listen):
    heard = listen().attach("b0", ring_bytes=16 << 20)
    net.send([line(number) for number in range(3_000)])  # a kernel holds some 250 of them by itself
    stats = heard.until(lambda: heard.stats["packets"] >= 3_000).end()
    assert (stats["kernel_received"], stats["kernel_dropped"], stats["segments"]) == (3_000, 0, 3_000)


@pytest.mark.parametrize("tags", [[(0x8100, 5)], [(0x88A8, 100), (0x8100, 7)], [(0x8100, 0x6005)]])
def test_vlan_tags_that_the_kernel_takes_off_are_put_back(net, listen, tags):
    heard = listen().attach("b0")
    net.send([frame(Talk().data(0, 0, JSON), *tags)])
    heard.until(lambda: heard.of(Open) != []).end()
    assert heard.of(Open)[0].vlans == tuple(number & 0xFFF for _, number in tags)


def test_a_quiet_link_reports_within_a_second(net, listen):
    heard = listen().attach("b0")
    heard.events += heard.core.poll(16, 300)
    net.send([line(0)])
    heard.until(lambda: heard.of(Chunk) != [], seconds=1.0).end()


def test_flows_end_on_a_link_that_has_fallen_silent(net, listen_compiled):
    limits = {"candidate_timeout_s": 1, "tcp_timeout_s": 1, "tcp_new_timeout_s": 1}
    heard = [
        listen_compiled(**limits),
        listen_compiled(workers=2, **limits),
        type(listen_compiled())("reference", **limits),
    ]
    for one in heard:
        one.attach("b0")
    net.send([line(0)])
    for one in heard:  # the sweep comes every 10 s
        one.until(lambda one=one: one.of(Close) != [], seconds=15)
        assert one.of(Close)[0].reason == "idle"
        one.end()


@pytest.mark.usefixtures("net")
def test_threads_show_that_they_live_while_nothing_comes(listen_compiled):
    for workers in (1, 3):
        heard = listen_compiled(workers=workers).attach("b0")
        heard.until(lambda heard=heard: heard.stats["ticks"] >= 5)
        heard.end()


@pytest.mark.usefixtures("net")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_thread_that_hangs_shows(listen_compiled, monkeypatch, workers):
    monkeypatch.setenv("MINEWATCH_FAULT", "worker-hangs")
    heard = listen_compiled(workers=workers).attach("b0")
    heard.until(lambda: heard.stats["ticks"] > 20)
    before = heard.stats["ticks"]
    heard.events += heard.core.poll(16, 400)
    assert heard.stats["ticks"] <= before + 1
    began = time.monotonic()
    heard.core.close()
    assert time.monotonic() - began < 2


def test_an_interface_that_goes_down_is_heard_again_when_it_is_up(net, listen):
    heard = listen().attach("b0")
    net.send([line(0)])
    heard.until(lambda: heard.stats["packets"] == 1)
    ip("link", "set", "b0", "down")
    heard.until(lambda: heard.core.interfaces()["b0"]["downs"] == 1)
    assert heard.core.interfaces()["b0"]["up"] == 0
    ip("link", "set", "b0", "up")
    heard.until(lambda: heard.core.interfaces()["b0"]["up"] == 1)
    net.settle()
    net.send([line(1)])
    heard.until(lambda: heard.stats["packets"] == 2).end()
    assert [end.error for end in heard.of(End)] == [None]


def test_an_interface_that_is_down_may_be_attached(net, listen):
    ip("link", "set", "b0", "down")
    heard = listen().attach("b0")
    heard.events += heard.core.poll(16, 100)
    ip("link", "set", "b0", "up")
    net.settle()
    net.send([line(0)])
    heard.until(lambda: heard.stats["packets"] == 1).end()


def test_a_deleted_interface_is_told_and_a_new_one_can_be_attached(net, listen):
    heard = listen().attach("b0")
    net.send([line(0)])
    heard.until(lambda: heard.stats["packets"] == 1)
    ip("link", "del", "b0")
    heard.until(lambda: heard.of(End) != [])
    (ended,) = heard.of(End)
    assert (ended.source, ended.packets, ended.error) == ("iface:b0", 1, "interface deleted")
    with pytest.raises(heard.error, match="no such interface"):
        heard.attach("b0")
    net.cable(0)
    heard.attach("b0")
    net.send([line(1)])
    heard.until(lambda: heard.stats["packets"] == 2)
    assert heard.core.interfaces()["b0"]["packets"] == 2
    heard.end()
    assert len(heard.of(Open)) == 1  # the flow went on


def test_what_came_before_an_interface_was_deleted_is_heard(net, listen):
    for number in range(5):
        heard = listen().attach("b0")
        before = net.sent
        net.send([line(n) for n in range(50 + number)])
        ip("link", "del", "b0")
        heard.until(lambda heard=heard: heard.of(End) != [])
        assert heard.end()["packets"] == net.sent - before
        net.cable(0)


@pytest.mark.usefixtures("net")
def test_what_cannot_be_listened_to_is_said(listen, tmp_path):
    heard = listen()
    for name in ("nowhere", "", "a-name-that-is-too-long-for-linux", "b0\0"):
        with pytest.raises(heard.error) as caught:
            heard.attach(name)
        assert (caught.value.reason, caught.value.source) == ("no such interface", f"iface:{name}")
    os.seteuid(65_534)
    try:
        with pytest.raises(heard.error) as caught:
            heard.attach("b0")
    finally:
        os.seteuid(0)
    assert caught.value.reason == "permission denied"
    heard.attach("b0")
    with pytest.raises(heard.error, match="do not share a core"):
        heard.core.attach(str(tmp_path / "some.pcap"))
    heard.end()


@pytest.mark.usefixtures("net")
def test_the_interface_listens_for_others(listen):
    def promiscuity() -> int:
        told = subprocess.run(["ip", "-d", "-j", "link", "show", "b0"], capture_output=True, check=True).stdout
        return json.loads(told)[0]["promiscuity"]

    heard = listen().attach("b0")
    assert promiscuity() == 1
    heard.end()
    assert promiscuity() == 0
    heard = listen().attach("b0", promiscuous=False)
    assert promiscuity() == 0
    heard.end()


@pytest.mark.usefixtures("net")
def test_loopback_is_heard_once(listen):
    ip("link", "set", "lo", "up")
    heard = listen().attach("lo")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(7):
            sender.sendto(b"x", ("127.0.0.1", 9_999))
    heard.until(lambda: heard.stats["packets"] >= 14)  # with the ICMP that answers each
    stats = heard.end()
    assert (stats["segments"], stats["ignored_ip_protocol"]) == (7, 7)


@pytest.mark.parametrize("text", ["udp port 6000", "4\n48 0 0 23\n21 0 1 17\n6 0 0 65535\n6 0 0 0\n"])
def test_a_filter_lets_only_its_own_in(net, listen, text):
    try:
        instructions = read_filter(text)
    except FilterError as error:
        pytest.skip(str(error))
    heard = listen().attach("b0", filter=list(instructions))
    net.send(
        [
            line(0),
            frame(udp(CLIENT, SERVER, (5_000, 6_000), b"x")),
            line(1),
            frame(udp(CLIENT, SERVER, (5_000, 6_000), b"y")),
        ]
    )
    stats = heard.until(lambda: heard.stats["packets"] >= 2).end()
    assert (stats["packets"], stats["kernel_received"], stats["flows_opened"]) == (2, 2, 1)


@pytest.mark.usefixtures("net")
def test_a_filter_that_is_none_is_refused_by_the_kernel(listen):
    heard = listen()
    with pytest.raises(heard.error):
        heard.attach("b0", filter=[(0xFFFF, 0, 0, 0)])
    heard.attach("b0").end()


@pytest.mark.parametrize("options", [{}, {"filter": [(6, 0, 0, 0xFFFFFFFF)]}])
def test_no_more_than_the_snaplen_is_taken(net, listen, options):
    heard = listen().attach("b0", snaplen=60, **options)
    net.send([line(0)])
    heard.until(lambda: heard.of(Chunk) != [])
    assert heard.stats["bytes"] == 60
    assert heard.of(Chunk)[0].data == JSON[: 60 - len(HEAD) - 2 - 40]
    heard.end()


def test_two_ports_of_a_tap_are_one_link(net, listen):
    net.cable(1)
    heard = listen().attach("b0", "b1")
    heard.events += heard.core.poll(16, 200)  # by then both are read
    talk = Talk()
    for number in range(40):
        question, answer = b'{"id":%d}\n' % number, b'{"result":%d}\n' % number
        net.send([frame(talk.data(0, number * 20, question.ljust(20, b" ")))], "a0")
        net.send([frame(talk.data(1, number * 20, answer.ljust(20, b" ")))], "a1")
    stats = heard.until(lambda: heard.stats["packets"] >= 80).end()
    assert stats["flows_opened"] == 1
    directions = [chunk.direction for chunk in heard.of(Chunk)]
    assert len(directions) == 80
    if heard.core.__class__.__module__ == "sensor._core":
        assert directions == [0, 1] * 40  # in the order of time
    assert {end.source: end.packets for end in heard.of(End)} == {"iface:b0": 40, "iface:b1": 40}


def test_nothing_is_left_behind_by_cores_that_were_closed(net, listen):
    listen().attach("b0").core.close()
    net.send([line(0)])
    before = len(list(Path("/proc/self/fd").iterdir()))
    mapped = Path("/proc/self/maps").read_text().count("socket:")
    for number in range(20):
        heard = listen().attach("b0", ring_bytes=4 << 20)
        net.send([line(number)])
        heard.core.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert Path("/proc/self/maps").read_text().count("socket:") == mapped


def test_a_jumbo_frame_is_whole(net, listen):
    for end in ("a0", "b0"):
        ip("link", "set", end, "mtu", "9000")
    heard = listen(session_bytes=1 << 20).attach("b0")
    data = JSON.ljust(8_900, b"x")
    net.send([frame(Talk().data(0, 0, data))])
    heard.until(lambda: heard.of(Chunk) != []).end()
    assert [chunk.data for chunk in heard.of(Chunk)] == [data]


def test_what_is_excluded_goes_no_further_also_while_listening(net, listen):
    heard = listen().attach("b0")
    heard.core.exclude([], [3_333])
    net.send([line(0)])
    heard.until(lambda: heard.stats["excluded"] == 1)
    heard.core.exclude([], [])
    net.send([line(1)])
    stats = heard.until(lambda: heard.of(Chunk) != []).end()
    assert (stats["packets"], stats["segments"], stats["excluded"]) == (2, 1, 1)


def unread(heard: Listener, packets: int) -> None:
    """Wait for packets without polling."""
    last = time.monotonic() + 10
    while heard.stats["packets"] < packets:
        assert time.monotonic() < last
        time.sleep(0.02)


def test_a_queue_that_nobody_reads_drops_chunks_and_keeps_the_frame_of_each_flow(net, listen_compiled):
    for workers in (1, 2):
        heard = listen_compiled(workers=workers, queue_events=16, session_bytes=1 << 20).attach("b0")
        before = net.sent
        net.send([line(0), line(0, 40_001)])
        heard.until(lambda heard=heard: len(heard.of(Open)) == 2)
        for number in range(1, 60):
            net.send([line(number), line(number, 40_001)])
        unread(heard, net.sent - before)
        net.send([line(0, 50_000 + number) for number in range(50)])  # new flows, when it is full already
        unread(heard, net.sent - before)
        heard.until(lambda heard=heard: len(heard.events) >= 16)
        net.send([line(60), line(60, 40_001)])
        stats = heard.until(lambda heard=heard, before=before: heard.stats["packets"] == net.sent - before).end()
        opened, closed = heard.of(Open), heard.of(Close)
        assert sorted(event.flow for event in opened) == sorted(event.flow for event in closed)
        assert stats["candidates_refused"] > 0
        assert stats["chunks_dropped"] > 50
        assert stats["events_dropped"] == sum(
            stats[f"{kind}_dropped"] for kind in ("chunks", "hits", "shapes", "sessions")
        )
        assert stats["chunks"] == stats["chunks_dropped"] + len(heard.of(Chunk))
        assert stats["hits"] == stats["hits_dropped"] + len(heard.of(Hit))
        for flow in [event.flow for event in opened if event.orig_port in (40_000, 40_001)]:
            seen = [chunk for chunk in heard.of(Chunk) if chunk.flow == flow]
            for earlier, later in pairwise(seen):
                assert later.offset - later.gap == earlier.offset + len(earlier.data)
            (close,) = [event for event in closed if event.flow == flow]
            assert close.gap_bytes + sum(len(chunk.data) for chunk in seen) == 61 * len(JSON)


@pytest.mark.usefixtures("net")
def test_every_packet_is_accounted_for_at_full_speed(listen_compiled, tmp_path):
    if not shutil.which("tcpreplay"):
        pytest.skip("full speed needs tcpreplay (Debian: tcpreplay)")
    path = tmp_path / "fast.pcap"
    path.write_bytes(pcap([(T0 + n * 1_000, line(n % 200, 10_000 + n // 200)) for n in range(20_000)], ETHERNET))
    heard = listen_compiled(queue_events=64).attach("b0", full="wait", ring_bytes=4 << 20)
    told = subprocess.run(
        ["tcpreplay", "-q", "-t", "-K", "--loop=5", "-i", "a0", str(path)], capture_output=True, text=True, check=True
    ).stdout
    sent = next(int(row.split(":")[1]) for row in told.splitlines() if "Successful packets" in row)
    stats = heard.end()
    assert stats["kernel_received"] == sent == 100_000
    assert stats["kernel_dropped"] > 0  # nobody polled
    assert stats["kernel_freezes"] > 0


def test_the_interfaces_there_are(net):
    ip("link", "set", "b0", "mtu", "1400")
    ip("link", "set", "a0", "down")
    told = {one.name: one for one in list_interfaces()}
    assert set(told) >= {"a0", "b0", "lo"}
    assert (told["a0"].state, told["a0"].usable) == ("down", True)
    assert (told["b0"].state, told["b0"].mtu) == ("no carrier", 1400)
    ip("link", "set", "a0", "up")
    net.settle()
    assert [(one.state, one.why) for one in list_interfaces() if one.name == "b0"] == [("up", None)]
    os.seteuid(65_534)
    try:
        assert [one.usable for one in list_interfaces() if one.name == "b0"] == [False]
    finally:
        os.seteuid(0)
