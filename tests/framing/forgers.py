"""The forgers by name: each writes its frames on a wire. Expected of every one of FORGERS: at most an attempt, nothing
that is reported, no case.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from tests.demo.wire import Host, Tcp, Wire, host, network
from tests.framing.forge import (
    COLLECTOR,
    FORGER,
    MINER_SIDE,
    POOL,
    POOL_SIDE,
    PORTS,
    SECOND,
    VICTIM,
    Blind,
    Line,
    line,
    session,
    side,
)

Forger = Callable[[Wire], None]


def three_packets(wire: Wire) -> None:
    """Subscription, login and a share as if from the victim, never answered."""
    _one_side(Blind(wire), MINER_SIDE, 1, 1_000)


def three_packets_after_a_syn(wire: Wire) -> None:
    """The same behind a SYN that nobody answers."""
    blind = Blind(wire)
    blind.send(0, 0, flags="S")
    _one_side(blind, MINER_SIDE, 1, 1_000)


def three_packets_in_an_hour(wire: Wire) -> None:
    """Time alone proves nothing."""
    _one_side(Blind(wire), MINER_SIDE, 1, 1_200 * SECOND)


def three_packets_that_are_reset(wire: Wire) -> None:
    """The pool knows no such connection, and says so."""
    blind = Blind(wire)
    _one_side(blind, MINER_SIDE, 1, 1_000)
    blind.send(20_000, 1, flags="R")


def three_packets_without_acknowledgement(wire: Wire) -> None:
    """No ACK bit at all."""
    blind = Blind(wire)
    for number, data in enumerate(side(session(1), MINER_SIDE)):
        blind.send(number * 1_000, 0, data, flags="P")


def three_packets_in_ipv6(wire: Wire) -> None:
    """The same with other addresses."""
    ends = host("2001:db8::66"), host("2001:db8:1::9")
    _one_side(Blind(wire, ends), MINER_SIDE, 1, 1_000)


def pool_answers_alone(wire: Wire) -> None:
    """Answers and jobs as if a pool sent them to the victim, which has asked for nothing."""
    _one_side(Blind(wire), POOL_SIDE, 3, 20_000)


def pool_answers_for_an_hour(wire: Wire) -> None:
    """The same over a long time."""
    _one_side(Blind(wire), POOL_SIDE, 100, 30 * SECOND)


def pool_answers_that_are_reset(wire: Wire) -> None:
    """The victim's kernel refuses what it never asked for."""
    blind = Blind(wire)
    for number, data in enumerate(side(session(3), POOL_SIDE)):
        blind.send(number * 50_000, 1, data)
        blind.send(number * 50_000 + 200, 0, flags="R")


def forty_packets_without_movement(wire: Wire) -> None:
    """Forty packets of a miner in forty minutes, whose acknowledgement number never moves."""
    blind = Blind(wire)
    for number, data in enumerate(side(session(38), MINER_SIDE)):
        blind.send(number * 60 * SECOND, 0, data, ack=7_000_000)


def both_directions_blind(wire: Wire) -> None:
    """Both sides of a session with a share, with numbers that fit, by one who is neither: a moment long."""
    _both_sides(Blind(wire), 1, 10_000)


def datagrams(wire: Wire) -> None:
    """The words of a session in UDP, which needs no handshake."""
    for number, said in enumerate(session(3)):
        ends, ports = (VICTIM, POOL), PORTS
        packet = network(ends[said.side], ends[1 - said.side], number)
        wire.add(number * 20_000, packet / UDP(sport=ports[said.side], dport=ports[1 - said.side]) / Raw(said.data))


def one_packet_of_a_node(wire: Wire) -> None:
    """A greeting of Bitcoin's nodes, never answered."""
    version = bytes.fromhex("f9beb4d9") + b"version".ljust(12, b"\0") + (100).to_bytes(4, "little") + bytes(104)
    Blind(wire, ports=(40_500, 8333)).send(SECOND, 0, version, ack=7_000_000)


def a_source_that_cannot_be(wire: Wire) -> None:
    """Sources that no host has: of this network, of a group, of broadcast."""
    for number, address in enumerate(("0.0.0.7", "239.1.2.3", "255.255.255.255", "ff02::1", "::")):
        ends = host(address), host("2001:db8::9") if ":" in address else POOL
        blind = Blind(wire, ends, (41_000 + number, 3333))
        _both_sides(blind, 12, 5 * SECOND)


def within_gre(wire: Wire) -> None:
    """The three packets within a tunnel that anybody may send."""
    blind = Blind(wire)
    blind.wrap = _gre
    _one_side(blind, MINER_SIDE, 1, 1_000)


def pool_answers_within_gre(wire: Wire) -> None:
    """The pool's answers within a tunnel."""
    blind = Blind(wire)
    blind.wrap = _gre
    _one_side(blind, POOL_SIDE, 30, 10 * SECOND)


def within_vxlan(wire: Wire) -> None:
    """The three packets within another tunnel."""
    blind = Blind(wire)
    blind.wrap = _vxlan
    _one_side(blind, MINER_SIDE, 1, 1_000)


def latency_checks(wire: Wire) -> None:
    """A pool's latency is measured every minute for an hour: sign in, wait for the first job, leave."""
    for number in range(60):
        tcp = Tcp(wire, VICTIM, POOL, (42_000 + number, 3333), number * 60 * SECOND).open()
        _talk(tcp, [*session(0), *session(1)[5:6]])
        tcp.close()


def latency_checks_without_a_goodbye(wire: Wire) -> None:
    """The same, and the connections are left to rot."""
    for number in range(10):
        tcp = Tcp(wire, VICTIM, POOL, (43_000 + number, 3333), number * 400 * SECOND).open()
        _talk(tcp, [*session(0), *session(1)[5:6]])
    later = Tcp(wire, VICTIM, COLLECTOR, (45_000, 80), 20_000 * SECOND).open()
    later.client(b"GET / HTTP/1.1\r\nHost: www.example.net\r\n\r\n")


def log_shipper(wire: Wire) -> None:
    """A miner's log of both sides, shipped line by line as it is written, over one connection."""
    _shipped(wire, session(60), 3 * SECOND)


def log_shipper_in_bulk(wire: Wire) -> None:
    """The same log, shipped at once."""
    tcp = Tcp(wire, VICTIM, COLLECTOR, (44_000, 5170), 0).open()
    tcp.client(b"".join(said.data for said in session(200)))


def log_puller(wire: Wire) -> None:
    """The same log, asked for: the server sends it."""
    tcp = Tcp(wire, VICTIM, COLLECTOR, (44_001, 5170), 0).open()
    tcp.client(b"GET miner.log\n")
    for said in session(60):
        tcp.server(said.data).wait(3 * SECOND)


def log_shipper_that_is_answered(wire: Wire) -> None:
    """The collector answers each line by its id."""
    tcp = Tcp(wire, VICTIM, COLLECTOR, (44_002, 5170), 0).open()
    for said in session(60):
        tcp.client(said.data)
        number = json_id(said.data)
        tcp.server(line({"id": number, "result": True, "error": None})).wait(3 * SECOND)


def log_puller_that_answers(wire: Wire) -> None:
    """The same, asked for by the collector, which opened the connection."""
    tcp = Tcp(wire, COLLECTOR, VICTIM, (44_003, 5170), 0).open()
    for said in session(60):
        tcp.server(said.data)
        tcp.client(line({"id": json_id(said.data), "result": True, "error": None})).wait(3 * SECOND)


def logs_of_both_sides_in_bulk(wire: Wire) -> None:
    """Two ends compare their logs: each sends its own side's, as fast as the line takes it."""
    tcp = Tcp(wire, VICTIM, COLLECTOR, (44_004, 5170), 0).open()
    words = session(300)
    tcp.client(b"".join(side(words, MINER_SIDE)))
    tcp.server(b"".join(side(words, POOL_SIDE)))


def logs_of_both_sides_in_blocks(wire: Wire) -> None:
    """The same in blocks of twenty lines, in turn."""
    tcp = Tcp(wire, VICTIM, COLLECTOR, (44_005, 5170), 0).open()
    words = session(300)
    for at in range(0, len(words), 40):
        tcp.client(b"".join(side(words[at : at + 40], MINER_SIDE)))
        tcp.server(b"".join(side(words[at : at + 40], POOL_SIDE))).wait(SECOND // 2)


def log_in_envelopes(wire: Wire) -> None:
    """Each line in the object of a log shipper."""
    words = [
        Line(
            0, line({"@timestamp": f"2026-03-02T08:{number % 60:02}:00Z", "host": "m1", "message": said.data.decode()})
        )
        for number, said in enumerate(session(60))
    ]
    _shipped(wire, words, SECOND)


def log_in_structured_envelopes(wire: Wire) -> None:
    """Each message as an object within that of a log shipper."""
    words = [
        Line(0, line({"ts": number, "dir": "out" if said.side else "in", **_object(said.data)}))
        for number, said in enumerate(session(60))
    ]
    _shipped(wire, words, SECOND)


def json_id(data: bytes) -> object:
    """The id of a message."""
    return _object(data).get("id")


def _object(data: bytes) -> dict[str, object]:
    value = json.loads(data)
    assert isinstance(value, dict)
    return value


def _one_side(blind: Blind, whose: int, shares: int, every_us: int) -> None:
    """One side's words; the acknowledgement number stands still, for nothing is heard."""
    for number, data in enumerate(side(session(shares), whose)):
        blind.send((number + 1) * every_us, whose, data, ack=7_000_000)


def _both_sides(blind: Blind, shares: int, every_us: int) -> None:
    at_us = blind.handshake(0)
    for said in session(shares):
        blind.send(at_us, said.side, said.data)
        at_us += every_us
    for end in (0, 1):
        blind.send(at_us + end, end, flags="FA")


def _talk(tcp: Tcp, words: list[Line]) -> None:
    for said in words:
        (tcp.server if said.side else tcp.client)(said.data)


def _shipped(wire: Wire, words: list[Line], every_us: int) -> None:
    tcp = Tcp(wire, VICTIM, COLLECTOR, (44_009, 5170), 0).open()
    for said in words:
        tcp.client(said.data).wait(every_us)


def _outer(protocol: Packet) -> Packet:
    gateway = Host("203.0.113.50", "02:00:00:00:00:50")
    return network(FORGER, gateway, 1) / protocol


def _gre(packet: Packet) -> Packet:
    return _outer(GRE(proto=0x0800)) / packet[IP]


def _vxlan(packet: Packet) -> Packet:
    return _outer(UDP(sport=50_000, dport=4789)) / VXLAN(vni=7, flags="Instance") / packet[Ether]


FORGERS: dict[str, Forger] = {
    maker.__name__.replace("_", "-"): maker
    for maker in (
        *(three_packets, three_packets_after_a_syn, three_packets_in_an_hour, three_packets_that_are_reset),
        *(three_packets_without_acknowledgement, three_packets_in_ipv6),
        *(pool_answers_alone, pool_answers_for_an_hour, pool_answers_that_are_reset, forty_packets_without_movement),
        *(datagrams, one_packet_of_a_node, a_source_that_cannot_be),
        *(within_gre, pool_answers_within_gre, within_vxlan),
        *(latency_checks, latency_checks_without_a_goodbye),
        *(log_shipper, log_shipper_in_bulk, log_puller, log_shipper_that_is_answered, log_puller_that_answers),
        *(logs_of_both_sides_in_bulk, logs_of_both_sides_in_blocks),
        *(log_in_envelopes, log_in_structured_envelopes),
    )
}

#: By one who plays both ends on the watched link, which no sensor can tell from a session of a moment: it may be found,
#: and opens no case.
PLAYED: dict[str, Forger] = {"both-directions-blind": both_directions_blind}
