"""A look-up, a visit to a pool's web site, an explorer, an exchange, a wallet: never above `looked-up`, never reported;
and by default nothing that only a name says is reported, from packets to the command's output.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import jsonschema
import pytest

from sensor.cli.main import main
from sensor.intake.engine import Engine
from sensor.ledger import Ledger
from sensor.line.suppress import Suppression
from sensor.model.encrypted import DnsAnswer
from sensor.model.events import Event
from sensor.model.evidence import Grade
from sensor.model.time import day_of
from sensor.settings.sections import FindingsSettings
from tests.names.captures import THIN, capture, visit
from tests.names.hellos import (
    MINER,
    POOL,
    RESOLVER,
    STRATUM,
    answer,
    at,
    certificate,
    chosen,
    heard,
    hello,
    opened,
    session,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "exporters" / "forms" / "eve.schema.json").read_text())
#: What people visit who do not mine, each for hours: name and port.
VISITS = {
    "pool's web site": ("www.f2pool.com", 443),
    "pool's own domain": ("supportxmr.com", 443),
    "pool's api": ("api.nanopool.org", 443),
    "dashboard on a host with miners": ("xmr.2miners.com", 443),
    "web name below a host for miners": ("www.pool.supportxmr.com", 443),
    "explorer of a pool's operator": ("explorer.btc.com", 443),
    "explorer": ("blockchair.com", 443),
    "exchange with a pool": ("www.poolbinance.com", 443),
    "exchange": ("stream.binance.com", 9_443),
    "wallet that asks Electrum": ("electrum.blockstream.info", 50_002),
    "wallet of a miner's maker": ("api.xmrig.com", 443),
    "page with a miner of 2018": ("ws001.coinhive.com", 443),
}


@pytest.mark.parametrize(("name", "port"), VISITS.values(), ids=VISITS)
@pytest.mark.parametrize("before", ["looked up", "not looked up"])
def test_a_visit_is_never_above_looked_up_and_never_reported(name: str, port: int, before: str) -> None:
    visited = session(name, port, lasts_s=6 * 3_600, at_s=9)
    found, _ = heard([answer(name), *visited] if before == "looked up" else visited)
    assert all(finding.grade is Grade.LOOKED_UP and finding.activity is None for finding in found)
    assert all(finding.confidence <= 0.001 for finding in found)
    suppression = Suppression(FindingsSettings())
    assert suppression.heard(found, day_of(at(0))) == []


@pytest.mark.parametrize("name", [STRATUM, "mine.zpool.ca", "xmr.2miners.com", "coinhive.com"])
def test_a_look_up_is_never_above_looked_up(name: str) -> None:
    (found,), _ = heard([answer(name, at_s=second) for second in range(0, 7_200, 60)])
    assert (found.grade, found.pool_ip, found.pool_port) == (Grade.LOOKED_UP, None, None)
    assert found.confidence <= 0.001


def test_what_one_forged_packet_can_make_us_say_is_reported_of_nobody() -> None:
    forged: list[list[Event]] = [
        [answer()],
        [answer(ttl_s=1 << 31)],
        [opened(), hello(STRATUM)],
        [opened(), hello(""), chosen(0x0303), certificate(STRATUM)],
    ]
    suppression = Suppression(FindingsSettings())
    for events in forged:
        found, _ = heard(events)
        assert found
        assert all(suppression.reason(finding, day_of(at(0))) is not None for finding in found)


def replayed(folder: Path, path: Path, *options: str) -> tuple[list[str], list[str]]:
    """Grades that are shown, and grades that the ledger has."""
    url = f"sqlite:///{folder}/ledger.db"
    code = main(["replay", "-q", str(path), "--eve", str(folder / "eve.json"), "--ledger", url, *THIN, *options])
    assert code == 0
    shown = [json.loads(text)["mining"]["grade"] for text in (folder / "eve.json").read_text().splitlines()]
    ledger = Ledger.open(url)
    held = [row.finding.grade.label for row in ledger.reader.findings()]
    ledger.close()
    return sorted(shown), sorted(held)


@pytest.mark.parametrize("engine", ["reference", "compiled"])
def test_by_default_the_command_reports_no_name_and_the_ledger_has_it(engine: str, tmp_path: Path) -> None:
    named = [visit(1, STRATUM, 443), visit(2, STRATUM, 8_443, minutes=2), visit(3, "www.f2pool.com", 443)]
    path = capture(tmp_path / "named.pcap", *named)
    shown, held = replayed(tmp_path, path, "--engine", engine)
    assert (shown, len(held)) == ([], 3)
    shown, _ = replayed(tmp_path, path, "--engine", engine, "--set", "findings.least_grade=looked-up")
    assert shown == ["contacted", "looked-up", "named"]
    shown, _ = replayed(tmp_path, path, "--engine", engine, "--set", "findings.least_grade=named")
    assert shown == ["named"]


def test_a_look_up_and_a_connection_without_a_name_are_not_reported_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = capture(tmp_path / "bound.pcap", visit(4, "", 9_443))
    looked_up = DnsAnswer(0, bytes([10, 0, 1, 4]), RESOLVER, STRATUM.encode(), (bytes([10, 9, 1, 4]),), 60, (), "x")
    core: Callable[..., object] = Engine.core_of

    def with_answer(*arguments: object) -> object:
        made = core(*arguments)
        return Answering(made, looked_up)

    monkeypatch.setattr(Engine, "core_of", with_answer)
    shown, held = replayed(tmp_path, path)
    assert (shown, len(held)) == ([], 2)
    page, bundle = tmp_path / "page.html", tmp_path / "bundle.json"
    outputs = ["--report", str(page), "--stix", str(bundle)]
    shown, _ = replayed(tmp_path, path, "--set", "findings.least_grade=looked-up", *outputs)
    assert shown == ["contacted", "looked-up"]
    for text in (tmp_path / "eve.json").read_text().splitlines():
        jsonschema.validate(json.loads(text), SCHEMA)
        mining = json.loads(text)["mining"]
        assert (mining["activity"], mining["dialect"], mining["pool"]["host"]) == (None, None, STRATUM)
    assert STRATUM in page.read_text()
    assert json.loads(bundle.read_text())["type"] == "bundle"


def test_the_page_says_what_is_not_seen(tmp_path: Path) -> None:
    hidden = [visit(5, "dns.google", 853, minutes=1), visit(6, "cloudflare-ech.com", 443, minutes=1)]
    path, page = capture(tmp_path / "hidden.pcap", *hidden), tmp_path / "page.html"
    assert replayed(tmp_path, path, "--report", str(page)) == ([], [])
    for sentence in ("connections to resolvers over TLS", "resolvers over HTTPS", "sessions whose name is encrypted"):
        assert sentence in page.read_text()


class Answering:
    """A core that hands over one answer of DNS before the first session it sees."""

    def __init__(self, core: object, looked_up: DnsAnswer) -> None:
        self._core, self._looked_up = core, looked_up
        self._waits = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._core, name)

    def poll(self, max_events: int, timeout_ms: int) -> Sequence[Event]:
        """What the core has, with the answer in front."""
        events: list[Event] = self._core.poll(max_events, timeout_ms)  # type: ignore[attr-defined]
        if events and self._waits and hasattr(events[0], "first_ns"):
            self._waits = False
            return [self._looked_up._replace(ts_ns=events[0].first_ns), *events]
        return events


def test_the_miner_and_the_pool_of_these_tests_are_hosts() -> None:
    assert MINER != POOL
