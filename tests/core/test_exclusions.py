"""What the operator excludes is decoded, counted, and goes no further."""

from __future__ import annotations

import pytest

from tests.core.captures import CLIENT, SERVER, Talk, pcap, timed, udp

JSON = b'{"id":1}\n'
OTHER = bytes([192, 0, 2, 77])


def capture():
    return timed(
        [
            Talk().data(0, 0, JSON),
            Talk().data(1, 0, JSON),
            Talk(ports=(40_001, 8_080)).data(0, 0, JSON),
            Talk(addresses=(CLIENT, OTHER)).data(0, 0, JSON),
            udp(OTHER, SERVER, (53, 5_353), b"x"),
        ]
    )


@pytest.mark.parametrize(
    ("networks", "ports", "excluded", "flows"),
    [
        ([], [], 0, 4),
        ([], [3_333], 3, 2),
        ([], [53], 1, 3),
        ([], [40_001, 5_353], 2, 2),
        ([(OTHER, 32)], [], 2, 2),
        ([(OTHER, 24)], [8_080], 3, 1),
        ([(CLIENT, 8)], [], 5, 0),
        ([(bytes(4), 0)], [], 5, 0),
        ([(bytes(16), 0)], [], 0, 4),
    ],
)
def test_either_end_excludes(engine, networks, ports, excluded, flows):
    stats = engine.packets(capture(), exclude=(networks, ports)).stats
    assert (stats["excluded"], stats["flows_opened"], stats["segments"]) == (excluded, flows, 5 - excluded)


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_exclude_alike(engine, workers):
    ethernet = [(ts, bytes(12) + b"\x08\x00" + data) for ts, data in capture()]
    stats = engine.packets(ethernet, 1, exclude=([(OTHER, 32)], []), workers=workers).stats
    assert (stats["excluded"], stats["flows_opened"]) == (2, 2)


@pytest.mark.parametrize("network", [(b"", 0), (bytes(3), 0), (bytes(4), 33), (bytes(16), 129)])
def test_what_is_no_network_is_refused(engine, network):
    core = engine.core()
    with pytest.raises(ValueError, match="a network of"):
        core.exclude([network], [])
    core.close()


def test_exclusions_can_be_replaced_between_sources(engine):
    core = engine.core()
    core.exclude([], [3_333])
    core.attach(engine.file(pcap(capture())))
    while core.stats()["packets"] < 5:
        core.poll(16, 20)
    core.exclude([], [])
    core.attach(engine.file(pcap(capture())))
    core.finish()
    while not core.finished:
        core.poll(16, 20)
    assert core.stats()["excluded"] == 3
    core.close()
