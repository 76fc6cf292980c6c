"""`minewatch console`: the ledger for whoever signs in; a demonstration for this host alone."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from sensor.cli.main import main
from sensor.console.demonstration.ledger import make_demo_ledger
from sensor.console.demonstration.roster import PLANS
from sensor.console.web.server import Listening
from sensor.ledger import Ledger
from sensor.model.time import DAY_NS
from tests.console.province import client, desk_of, viewer
from tests.people.desk import PASSWORD, add, opened

ROOT = Path(__file__).parents[2]
NOW = 1_790_000_123 * 1_000_000_000


def test_without_an_admin_and_over_an_open_network_it_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    make_ledger(url)
    console = ["console", "--ledger", url, "--listen", f"127.0.0.1:{free_port()}"]
    assert main(console) == 1
    assert "there are no accounts yet" in capsys.readouterr().err
    with opened(url) as door:
        add(door, "li", "officer")
    assert main(console) == 78
    assert "minewatch people add NAME --role admin" in capsys.readouterr().err
    assert main([*console[:-1], f"0.0.0.0:{free_port()}"]) == 2
    assert "--certificate" in capsys.readouterr().err


def test_a_ledger_is_served_to_whoever_signs_in(tmp_path: Path) -> None:
    url, port = f"sqlite:///{tmp_path}/ledger.db", free_port()
    make_ledger(url)
    with opened(url) as door:
        add(door, "root", "admin")
    running = started(tmp_path, "--ledger", url, "--listen", f"127.0.0.1:{port}")
    try:
        page = _page(f"http://127.0.0.1:{port}/overview")
        assert 'name="password"' in page
        form = urllib.parse.urlencode({"login": "root", "password": PASSWORD}).encode()
        own = {"Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/sign-in", form, own)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(request, timeout=20) as answer:
            assert answer.url.endswith("/sensors")
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(20) in (0, -signal.SIGINT, 130)


def make_ledger(url: str) -> None:
    Ledger.open(url).close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(folder: Path, *options: str) -> subprocess.Popen[str]:
    """The command in a process of its own, once it has said where it listens."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    line = [sys.executable, "-m", "sensor.cli", "console", *options]
    running = subprocess.Popen(line, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    assert "http://127.0.0.1:" in running.stderr.readline()
    return running


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--listen", "0.0.0.0:9480"), "on this host alone, not on 0.0.0.0"),
        (("--listen", "[::]:9480"), "on this host alone, not on ::"),
        (("--listen", "localhost:9480"), "write an address and a port"),
        (("--listen", "127.0.0.1"), "write an address and a port"),
        (("--listen", "127.0.0.1:0"), "write an address and a port"),
        (("--certificate", "c.pem"), "belong together"),
        (("--ledger", "sqlite:///x.db"), "makes a ledger of its own"),
    ],
)
def test_a_demonstration_is_for_this_host_alone(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["console", "--demo", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_before_anything_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["console", "--demo", "--listen", f"127.0.0.1:{taken.getsockname()[1]}"]) == 1
    assert "address already in use" in capsys.readouterr().err


def test_the_demonstration_is_served_with_a_banner_and_leaves_nothing(tmp_path: Path) -> None:
    """The command itself, in a process of its own: no file of tests is needed."""
    port = free_port()
    running = started(tmp_path, "--demo", "--listen", f"127.0.0.1:{port}")
    try:
        text = _page(f"http://127.0.0.1:{port}/overview")
        assert "演示环境" in text
        assert re.search(r"<dt>IP地址</dt><dd class=\"value[^>]*><bdi>\d\d</bdi>", text)
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(20)
    assert not list(tmp_path.iterdir())


def _page(url: str) -> str:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.1)
    raise AssertionError("it did not answer")


def test_the_demonstrations_ledger_has_one_of_each_thing(tmp_path: Path) -> None:
    ledger = Ledger.open_to_read(make_demo_ledger(tmp_path, NOW))
    desk = desk_of(ledger, NOW)
    browser = client(desk, viewer("lead", language="en"))
    text = browser.get("/overview").text
    assert len(ledger.reader.findings()) >= len(PLANS)
    assert {"rectifying", "under-check", "closed", "new"} <= {case.state for case in ledger.reader.cases()}
    assert all(case.opened_ns < NOW - 5 * DAY_NS for case in ledger.reader.cases() if case.state == "rectifying")
    assert any(case.overdue(NOW) for case in ledger.reader.cases())
    assert "hatch" in text
    for name in ("enterprises", "sites", "addresses", "findings", "cases", "pools", "sensors"):
        assert browser.get(f"/{name}").text.count("<tr") >= 3, name
    officer = client(desk, viewer("officer", "320500", language="en"))
    assert "徐州" not in officer.get("/enterprises").text
    ledger.close()


def test_names_of_the_demonstration_are_nobodys() -> None:
    for plan in PLANS:
        assert plan.address.startswith(("198.51.100.", "192.0.2.", "203.0.113.", "2001:db8:"))
        if plan.holder is not None and plan.holder.category != "individual":
            assert "示例" in plan.holder.name


def test_a_wildcard_and_its_own_names() -> None:
    where = Listening("::1", 9480, ("console.example",))
    assert (where.on_loopback, where.secure) == (True, False)
    assert {"localhost", "[::1]", "console.example"} <= set(where.names)
    assert where.url == "http://console.example:9480/"
    assert not Listening("192.0.2.1", 9480).on_loopback


def test_what_is_behind_tls_is_secure_for_browsers_and_stays_on_this_host() -> None:
    behind = Listening("127.0.0.1", 9480, ("console.example",), behind_tls=True)
    assert (behind.secure, behind.on_open_network, behind.url) == (True, False, "http://console.example:9480/")
    assert Listening("192.0.2.1", 9480, behind_tls=True).on_open_network
    assert not Listening("192.0.2.1", 9480, certificate=Path("c.pem"), key=Path("k.pem")).on_open_network
