"""Passwords are in no output, wherever a session has them: of replay's events, page, evidence files and ledger."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.demo.wire import Tcp, Wire, host

SECRET = "hunter2XyZ"
BTC = "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr"
ETC = "0x0fccfff9e61a230ff380530c6827caf4759337c6"
JOB = ["1f", "ab" * 32, "01000000", "ffffffff", [], "20000000", "1d00ffff", "66000000", True]
BASIC = base64.b64encode(f"{BTC}:{SECRET}".encode()).decode()
WORK = json.dumps({"id": 1, "result": {"data": "ab" * 128, "target": "f" * 56 + "0" * 8}, "error": None})
Say = Callable[[Tcp], object]


def line(**message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def stratum(login: str = BTC, agent: str = "cgminer/4.10", error: object = None, password: str = "x") -> Say:
    """A session with one share, refused with `error` if there is one."""

    def say(tcp: Tcp) -> None:
        tcp.client(line(id=1, method="mining.subscribe", params=[agent]))
        tcp.server(line(id=1, result=[[["mining.notify", "ae"]], "08000002", 4], error=None))
        tcp.client(line(id=2, method="mining.authorize", params=[login, password]))
        tcp.server(line(id=2, result=True, error=None))
        tcp.server(line(id=None, method="mining.set_difficulty", params=[512]))
        tcp.server(line(id=None, method="mining.notify", params=JOB))
        tcp.client(line(id=3, method="mining.submit", params=[login, "1f", "00000001", "66000000", "0badcafe"]))
        tcp.server(line(id=3, result=None if error else True, error=error))

    return say


def refused(tcp: Tcp) -> None:
    tcp.client(line(id=1, method="mining.authorize", params=[BTC, SECRET]))
    tcp.server(line(id=1, result=False, error=[24, f"Unauthorized: password {SECRET} of {BTC} is wrong", None]))


def http(target: str = "/", *headers: str) -> Say:
    """Getwork with a query or headers."""

    def say(tcp: Tcp) -> None:
        body = json.dumps({"method": "getwork", "params": [], "id": 1})
        head = "\r\n".join(
            [f"POST {target} HTTP/1.1", "Host: pool", "User-Agent: cgminer 4.10", "X-Mining-Extensions: longpoll",
             *headers, f"Content-Length: {len(body)}"]
        )  # fmt: skip
        tcp.client(f"{head}\r\n\r\n{body}".encode())
        extra = f"X-Stratum: stratum+tcp://{BTC}:{SECRET}@pool.example:3333\r\n"
        tcp.server(f"HTTP/1.1 200 OK\r\n{extra}Content-Length: {len(WORK)}\r\n\r\n{WORK}".encode())

    return say


SESSIONS: dict[str, Say] = {
    "the password": stratum(password=SECRET),
    "a login user:PASS": stratum(login=f"{BTC}.rig:{SECRET}"),
    "a password with options": stratum(password=f"d=512,{SECRET},c=BTC"),
    "the URL of an agent": stratum(agent=f"cgminer/4.10 (stratum+tcp://user:{SECRET}@pool.example:3333)"),
    "a pool's error": stratum(error=[25, f"Invalid password {SECRET}", None]),
    "a refusal": refused,
    "a query": http(f"/?wallet={BTC}&password={SECRET}"),
    "a token of a query": http(f"/?miner={BTC}&token={SECRET}"),
    "an authorization": http("/", f"Authorization: Basic {BASIC}"),
    "a URL of a request": http(f"http://user:{SECRET}@pool.example/"),
}


@pytest.mark.parametrize("place", SESSIONS)
def test_a_password_is_in_no_output(run: Run, tmp_path: Path, place: str) -> None:
    wire = Wire()
    tcp = Tcp(wire, host("198.51.100.7"), host("203.0.113.7"), (40_001, 3333), 0).open()
    SESSIONS[place](tcp)
    tcp.close()
    wire.write(tmp_path / "in.pcap")
    everything = "findings.activities=[mining,observer,attempt,probe]"
    done = run(
        *("replay", "--eve", "eve.json", "--report", "page.html", "--ledger", "sqlite:///ledger.db"),
        *("--set", everything, "--set", "findings.least_grade=looked-up", "in.pcap"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b'"mining"' in (tmp_path / "eve.json").read_bytes()
    forms = [form.encode() for form in (SECRET, BASIC, SECRET[:-1])]
    outputs = {
        path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "in.pcap"
    }
    outputs |= {"stdout": done.stdout, "stderr": done.stderr}
    assert {name for name, content in outputs.items() if any(form in content for form in forms)} == set()


def test_what_a_command_writes_is_the_owner_s_and_the_group_s(run: Run, tmp_path: Path) -> None:
    wire = Wire()
    tcp = Tcp(wire, host("198.51.100.7"), host("203.0.113.7"), (40_001, 3333), 0).open()
    stratum()(tcp)
    wire.write(tmp_path / "in.pcap")
    files = ("--eve", "out/eve.json", "--report", "out/page.html", "--stix", "out/stix.json")
    (tmp_path / "out").mkdir()
    assert run("replay", "-q", *files, "--ledger", "sqlite:///out/ledger.db", "in.pcap").returncode == 0
    ledger = ("--ledger", "sqlite:///out/ledger.db")
    assert run("ledger", "export", *ledger, "--to", "out/list.csv").returncode == 0
    assert run("bulletin", *ledger, "--week", "2026-W10", "-o", "out").returncode == 0
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()}
    assert {name: mode for name, mode in found.items() if mode & 0o027} == {}
    assert len(found) >= 9
