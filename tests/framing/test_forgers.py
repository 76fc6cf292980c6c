"""Nobody can accuse an innocent address with packets that nobody answers; and real sessions that look like it are
found.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from sensor.intake import engine
from sensor.intake.engine import EngineError
from sensor.model.evidence import Grade
from tests.demo.wire import Tcp, Wire
from tests.framing.forge import POOL, SECOND, VICTIM, session
from tests.framing.forgers import FORGERS, PLAYED
from tests.framing.honest import HONEST
from tests.framing.verdicts import Outcome, outcome_of
from tests.session.dialogue import shipped
from tests.verify.blocks import BITCOIN_0, BITCOIN_1, BITCOIN_170, told

ENGINES: tuple[engine.Name, ...] = ("reference", "compiled")


def seen(maker: object, name: engine.Name, folder: Path) -> Outcome:
    try:
        return outcome_of(maker, name, folder, shipped())  # type: ignore[arg-type]
    except EngineError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("forger", FORGERS)
def test_a_forger_accuses_nobody(forger: str, name: engine.Name, tmp_path: Path) -> None:
    outcome = seen(FORGERS[forger], name, tmp_path)
    assert outcome.accused == []
    assert [node.protocol for node in outcome.nodes] == []


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("forger", PLAYED)
def test_a_moment_that_is_played_by_one_opens_no_case(forger: str, name: engine.Name, tmp_path: Path) -> None:
    outcome = seen(PLAYED[forger], name, tmp_path)
    assert outcome.cases == []
    assert all(not finding.shares.verified for finding in outcome.findings)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("session", HONEST)
def test_a_real_session_is_found(session: str, name: engine.Name, tmp_path: Path) -> None:
    maker, grade, shares = HONEST[session]
    outcome = seen(maker, name, tmp_path)
    (finding,) = outcome.reported
    assert (finding.grade.label, finding.activity, finding.shares.submitted) == (grade, "mining", shares)


def old_blocks(wire: Wire) -> None:
    """Bitcoin's blocks 0, 1 and 170, told as shares in 2026."""
    tcp = Tcp(wire, VICTIM, POOL, (47_000, 3333), 0).open()
    for number, block in enumerate((BITCOIN_0, BITCOIN_1, BITCOIN_170)):
        for said in told(block).dialogue(job=f"block{number}", first=number == 0).splitlines():
            side, _, text = said.partition(" ")
            (tcp.client if side == "C" else tcp.server)(text.encode() + b"\n").wait(4 * SECOND)


@pytest.mark.parametrize("name", ENGINES)
def test_work_of_another_year_verifies_nothing(name: engine.Name, tmp_path: Path) -> None:
    outcome = seen(old_blocks, name, tmp_path)
    (finding,) = outcome.findings
    assert (finding.grade, finding.shares.accepted, finding.shares.verified) == (Grade.ACCEPTED, 3, 0)
    assert finding.confidence < 0.999
    assert finding.algorithm_basis != "proven"
    assert outcome.counters["shares_outdated"] == 3


def another_way(wire: Wire) -> None:
    """A session whose last packets of the miner come with another time to live, from another place."""
    tcp = Tcp(wire, VICTIM, POOL, (47_001, 3333), 0).open()
    for said in session(6):
        (tcp.server if said.side else tcp.client)(said.data)
    at_us, number, frame = wire.frames[-1]
    moved = Ether(frame)
    moved.src, moved[IP].ttl = "02:fe:ed:fe:ed:01", moved[IP].ttl - 3
    del moved[IP].chksum
    wire.frames[-1] = (at_us, number, bytes(moved))


@pytest.mark.parametrize("name", ENGINES)
def test_what_is_left_out_or_looks_odd_is_counted(name: engine.Name, tmp_path: Path) -> None:
    assert seen(FORGERS["log-shipper-that-is-answered"], name, tmp_path).counters["sessions_quoted"] == 1
    assert seen(FORGERS["one-packet-of-a-node"], name, tmp_path).counters["nodes_refused"] == 1
    assert seen(another_way, name, tmp_path).counters["path_changes"] == 2


STATED = "192.0.2.200"
POST = (
    "POST / HTTP/1.1\r\nHost: pool.example\r\nX-Forwarded-For: {0}\r\nForwarded: for={0}\r\nX-Real-IP: {0}\r\n"
    "CF-Connecting-IP: {0}\r\nTrue-Client-IP: {0}\r\nAuthorization: Basic dTpw\r\nX-Mining-Extensions: longpoll\r\n"
    "Content-Type: application/json\r\nContent-Length: {1}\r\n\r\n{2}"
)


def stated_addresses(wire: Wire) -> None:
    """An address in the headers of proxies, of the web, in a login and in the agent: of somebody who is not there."""
    binary = bytes.fromhex("0d0a0d0a000d0a515549540a2111000cc00002c8cb0071099c400d05")
    for number, header in enumerate((f"PROXY TCP4 {STATED} 203.0.113.9 40000 3333\r\n".encode(), binary)):
        tcp = Tcp(wire, VICTIM, POOL, (48_000 + number, 3333), number * SECOND).open()
        tcp.client(header)
        for said in session(3, agent=f"cgminer/4.12.1 ({STATED})"):
            (tcp.server if said.side else tcp.client)(said.data.replace(b".rig1", f".{STATED}".encode()))
    for number, body in enumerate(
        ('{"method":"getwork","params":[],"id":1}', '{"method":"getwork","params":["ab"],"id":2}')
    ):
        tcp = Tcp(wire, VICTIM, POOL, (48_010 + number, 8332), number * SECOND).open()
        tcp.client(POST.format(STATED, len(body), body).encode())
        tcp.server(b"HTTP/1.1 200 OK\r\nContent-Length: 38\r\n\r\n" + b'{"result": true, "error": null, "id":2}')


@pytest.mark.parametrize("name", ENGINES)
def test_an_address_that_a_sender_states_is_nobodys(name: engine.Name, tmp_path: Path) -> None:
    outcome = seen(stated_addresses, name, tmp_path)
    assert outcome.findings
    assert {finding.miner_ip for finding in outcome.findings} == {VICTIM.ip}
    assert all(case.address != STATED for case in outcome.cases)
