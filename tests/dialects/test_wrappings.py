"""The same session plain and through every proxy: the same finding, but for how it was carried. Passwords for
proxies leave no trace.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from exporters.forms.event import dumps, encode
from sensor.dialects.wrappings import WRAPPINGS as KINDS
from sensor.dialects.wrappings import Tunnel
from sensor.intake import engine
from sensor.line.examples import dialogue_events
from sensor.line.replay import replay
from sensor.model.finding import Finding, Pool
from sensor.signatures.model import DialogueLine
from tests.demo import miners
from tests.demo.wire import Tcp, Wire, host
from tests.dialects.frames import Way, write
from tests.session.dialogue import lines, only, run, shipped

SESSION = """
C {"id":1,"method":"mining.subscribe","params":["cgminer/4.12.1"]}
S {"id":1,"result":[[["mining.set_difficulty","1"],["mining.notify","2"]],"f1b0dee5",4],"error":null}
C {"id":2,"method":"mining.authorize","params":["acct.rig1","x"]}
S {"id":2,"result":true,"error":null}
S {"id":null,"method":"mining.set_difficulty","params":[1024]}
S {"id":null,"method":"mining.notify","params":["a","PREV","01","02",[],"20000000","1a0ffff0","689c3000",true]}
C {"id":4,"method":"mining.submit","params":["acct.rig1","a","00000001","689c3007","0a1b2c3d"]}
S {"id":4,"result":true,"error":null}
""".replace("PREV", "ab" * 32)
PORT = (3333).to_bytes(2, "big")
NAME = b"pool.example.test"
GRANTED = b"\x05\x00\x00\x01" + bytes(6)
V2 = b"\r\n\r\n\0\r\nQUIT\n"
Exchange = list[tuple[int, bytes]]

WRAPPINGS: dict[str, tuple[Exchange, str, str]] = {
    "socks5": (
        [(0, b"\x05\x01\x00"), (1, b"\x05\x00"), (0, b"\x05\x01\x00\x03\x11" + NAME + PORT), (1, GRANTED)],
        "socks5",
        "pool.example.test:3333",
    ),
    "socks5 with a password": (
        [
            (0, b"\x05\x02\x00\x02"),
            (1, b"\x05\x02"),
            (0, b"\x01\x04anna\x0bSECRETWORDS"),
            (1, b"\x01\x00"),
            (0, b"\x05\x01\x00\x01\xcb\x00\x71\x4d" + PORT),
            (1, b"\x05\x00\x00\x03\x04host" + PORT),
        ],
        "socks5",
        "203.0.113.77:3333",
    ),
    "socks5 in one go": (
        [(0, b"\x05\x01\x00\x05\x01\x00\x04" + bytes(15) + b"\x01" + PORT), (1, b"\x05\x00" + GRANTED)],
        "socks5",
        "[::1]:3333",
    ),
    "socks4": (
        [(0, b"\x04\x01" + PORT + b"\xcb\x00\x71\x4danna\x00"), (1, b"\x00\x5a" + bytes(6))],
        "socks4",
        "203.0.113.77:3333",
    ),
    "socks4a": (
        [(0, b"\x04\x01" + PORT + b"\x00\x00\x00\x01\x00" + NAME + b"\x00"), (1, b"\x00\x5a" + bytes(6))],
        "socks4",
        "pool.example.test:3333",
    ),
    "connect": (
        [
            (
                0,
                b"CONNECT pool.example.test:443 HTTP/1.1\r\nProxy-Authorization: Basic U0VDUkVUV09SRFM=\r\n"
                b"Cookie: SECRETWORDS\r\n\r\n",
            ),
            (1, b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n"),
        ],
        "http-connect",
        "pool.example.test:443",
    ),
    "proxy v1": ([(0, b"PROXY TCP6 2001:db8::1 2001:db8::2 40123 3333\r\n")], "proxy-v1", "[2001:db8::2]:3333"),
    "proxy v2": (
        [(0, V2 + b"\x21\x11\x00\x0f" + bytes([10, 1, 2, 3, 203, 0, 113, 7]) + b"\x9c\xbb" + PORT + b"\x04\x00\x00")],
        "proxy-v2",
        "203.0.113.7:3333",
    ),
    "proxy v2, local": ([(0, V2 + b"\x20\x00\x00\x00")], "proxy-v2", ""),
    "proxy v1, connect, socks5": (
        [
            (0, b"PROXY UNKNOWN\r\n"),
            (0, b"CONNECT proxy.example.test:1080 HTTP/1.1\r\n\r\n"),
            (1, b"HTTP/1.1 200 OK\r\n\r\n"),
            (0, b"\x05\x01\x00"),
            (1, b"\x05\x00"),
            (0, b"\x05\x01\x00\x03\x11" + NAME + PORT),
            (1, GRANTED),
        ],
        "proxy-v1+http-connect+socks5",
        "pool.example.test:3333",
    ),
}


def bare(finding: Finding) -> Finding:
    """What must not depend on how a session was carried."""
    flows = [
        dataclasses.replace(
            flow,
            transport="",
            pool_host=None,
            proxy=None,
            client=None,
            last_ns=0,
            key=dataclasses.replace(flow.key, flow_id=0),
        )
        for flow in finding.flows
    ]
    evidence = [dataclasses.replace(one, offset=0, time_ns=0) for one in finding.evidence]
    observations = tuple(dataclasses.replace(part, time_ns=0) for part in finding.observations)
    return dataclasses.replace(
        finding,
        observations=observations,
        transport="",
        pool_host=None,
        pool=Pool(),
        proxy=None,
        finding_id="",
        flows=flows,
        evidence=evidence,
        first_ns=0,
        last_ns=0,
        active_seconds=0.0,
        hashrate_hps=None,
        spent_hashrate_hps=None,
        power_watts=None,
        energy_kwh=None,
        estimate_notes=(),
        timeline=None,
        stream_bytes=0,
        active=(),
        exposures=(),
    )


def wrapped(exchange: Exchange) -> Finding:
    records, _ = run(dialogue_events([*(DialogueLine(side, data) for side, data in exchange), *lines(SESSION)]))
    assert len(records) == 1
    assert isinstance(records[0], Finding)
    return records[0]


@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_wrapping_changes_only_how_it_was_carried(name: str) -> None:
    exchange, transport, pool = WRAPPINGS[name]
    finding = wrapped(exchange)
    assert (finding.transport, finding.pool_host or "") == (transport, pool)
    carrier = "198.51.100.10:40001" if transport.startswith("proxy-") else "203.0.113.5:3333"
    assert finding.proxy == carrier
    assert bare(finding) == bare(only(SESSION))
    assert "SECRETWORDS" not in dumps(encode(finding))
    assert "U0VDUkVU" not in dumps(encode(finding))


def test_a_proxy_header_tells_the_miner_behind_it() -> None:
    flow = wrapped(WRAPPINGS["proxy v2"][0]).flows[0]
    assert flow.client == "10.1.2.3:40123"


def test_two_pools_behind_one_proxy_are_two_findings() -> None:
    one, other = wrapped(WRAPPINGS["socks5"][0]), wrapped(WRAPPINGS["socks4"][0])
    assert one.finding_id != other.finding_id
    assert (one.pool_ip, one.pool_port) == (other.pool_ip, other.pool_port)


@pytest.mark.parametrize("name", WRAPPINGS)
def test_only_the_miner_was_captured(name: str) -> None:
    exchange, transport, pool = WRAPPINGS[name]
    talk = [DialogueLine(side, data) for side, data in exchange if side == 0] + [
        line for line in lines(SESSION) if line.direction == 0
    ]
    events = list(dialogue_events(talk))
    events[-1] = events[-1]._replace(packets=(5, 0))  # type: ignore[union-attr,call-arg]
    records, _ = run(events)
    assert [
        (one.transport, one.pool_host or "", one.shares.submitted) for one in records if isinstance(one, Finding)
    ] == [(transport, pool, 1)]


@pytest.mark.parametrize(
    "peel", [peel for kind in KINDS.values() for peel in (kind.asks, kind.answers) if peel is not None]
)
def test_a_wrapping_of_nothing_but_one_byte_is_never_finished(peel: object) -> None:
    for byte in range(256):
        tunnel = Tunnel("socks5", 0)
        assert callable(peel)
        assert peel(bytes([byte]) * 3, tunnel) <= 0 or byte in (0, 5)


class Proxied(Tcp):
    """A connection that speaks with a proxy before it speaks with the pool."""

    exchange: Exchange = []  # noqa: RUF012 (set by the test)

    def open(self) -> Tcp:
        """Handshake, then the proxy's."""
        super().open()
        for side, data in self.exchange:
            self.client(data) if side == 0 else self.server(data)
        return self


@pytest.mark.parametrize("core", ["reference", "compiled"])
@pytest.mark.parametrize("name", WRAPPINGS)
def test_from_capture_to_finding(name: str, core: engine.Name, tmp_path: Path) -> None:
    exchange, transport, pool = WRAPPINGS[name]
    ends = host("198.51.100.9"), host("203.0.113.9")
    found = []
    for said in ([], exchange):
        wire = Wire()
        tcp = Proxied(wire, *ends, (40_000, 3333), 0)
        tcp.exchange = said
        miners.stratum(tcp, "acct.rig", "cgminer/4.12.1", 9, 8.0, frozenset({3}))
        wire.write(tmp_path / "talk.pcap")
        try:
            done = replay([str(tmp_path / "talk.pcap")], shipped(), engine.load(core), {"workers": 1, "flows": 256})
        except engine.EngineError as error:
            pytest.skip(str(error))
        found.append(done.findings)
    assert [[one.shares.submitted for one in findings] for findings in found] == [[9], [9]]
    plain, carried = found[0][0], found[1][0]
    assert (carried.transport, carried.pool_host or "") == (transport, pool)
    assert (carried.login, carried.agent, carried.shares, carried.work_hashes) == (
        plain.login,
        plain.agent,
        plain.shares,
        plain.work_hashes,
    )


P2POOL = [
    (0, bytes.fromhex("00112233445566778899aabbccddeeff0a")),
    (1, bytes.fromhex("01ecbb208b5aaa62ee06425753d28ddd814c02411017d4451fc6238e4552d806b91020304050607080")),
]


@pytest.mark.parametrize("piece", [1400, 1])
@pytest.mark.parametrize("core", ["reference", "compiled"])
@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_node_behind_a_proxy_is_a_node(name: str, core: engine.Name, piece: int, tmp_path: Path) -> None:
    exchange, transport, host_asked = WRAPPINGS[name]
    write(tmp_path / "talk.pcap", [*exchange, *P2POOL], Way(piece=piece))
    try:
        done = replay([str(tmp_path / "talk.pcap")], shipped(), engine.load(core), {"workers": 1, "flows": 256})
    except engine.EngineError as error:
        pytest.skip(str(error))
    assert [(one.protocol, one.transport, one.host or "") for one in done.nodes] == [
        ("p2pool-peer", transport, host_asked)
    ]
    assert done.findings == []
    evidence = done.nodes[0].evidence[0]
    assert evidence.offset == sum(
        len(data) for side, data in exchange if side == (0 if evidence.direction == "originator" else 1)
    )


def test_a_connect_to_a_name_that_is_no_text_is_none() -> None:
    head = b"CONNECT \xff\xfe.example:3333 HTTP/1.1\r\n\r\n"
    records, counters = run(dialogue_events([DialogueLine(0, head), *lines(SESSION)]))
    assert len(records) <= 1
    assert counters["messages"] > 0
