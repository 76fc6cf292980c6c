"""A connection that goes on in another capture, after a restart or after the table gave it up is what it was: whoever
reads a capture in pieces finds the login, the difficulty and the work that one sitting finds."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest

from sensor import signatures
from sensor.intake import engine
from sensor.ledger import Ledger
from sensor.ledger.replay import ReplayLedger
from sensor.ledger.store.amounts import MEASURES
from sensor.line.replay import ReplayResult, replay
from sensor.line.resumed import Resumable
from sensor.model.finding import Finding
from sensor.model.time import PlausibleTime
from sensor.settings.sections import FindingsSettings, LedgerSettings
from tests.demo import miners
from tests.demo.miners import SECOND
from tests.demo.wire import START_US, Tcp, Wire, host

MINER, POOL = host("198.51.100.23"), host("203.0.113.40")
Packets = list[tuple[int, bytes]]


def conversation(shares: int = 40, every_s: float = 240.0, port: int = 40_001) -> Wire:
    """A miner over some hours: it signs in once, and the difficulty is told once."""
    wire = Wire()
    miners.stratum(Tcp(wire, MINER, POOL, (port, 3333), 0), "wallet.rig", "cgminer/4.12", shares, every_s)
    return wire


def written(path: Path, packets: Packets) -> Path:
    wire = Wire()
    wire.frames = [(at, number, data) for number, (at, data) in enumerate(packets)]
    wire.write(path)
    return path


def pieces_of(folder: Path, packets: Packets, cuts: list[int]) -> list[Path]:
    edges = [0, *cuts, len(packets)]
    return [
        written(folder / f"{number}.pcap", packets[begin:end])
        for number, (begin, end) in enumerate(itertools.pairwise(edges))
        if packets[begin:end]
    ]


def read(paths: list[Path], url: str, run_id: str, kind: str = "reference") -> ReplayResult:
    """One process reads these captures into a ledger."""
    table = signatures.load()
    ledger = ReplayLedger(LedgerSettings(url=url), FindingsSettings(), run_id=run_id)
    sources = [str(path) for path in paths]
    result = replay(sources, table, engine.load(kind), {}, steps=ledger, resume=ledger.resume)
    ledger.finish([*result.passed, *result.records])
    assert ledger.trouble is None
    return result


def findings(url: str) -> list[Finding]:
    ledger = Ledger.open(url)
    try:
        return [stored.finding for stored in ledger.reader.findings()]
    finally:
        ledger.close()


def amounts(url: str) -> dict[str, float]:
    """Sums over all roll-ups."""
    from sqlalchemy import func, select

    from sensor.ledger.store.database import reading
    from sensor.ledger.store.schema import ROLLUPS

    ledger = Ledger.open(url)
    with reading(ledger.engine) as connection:
        row = connection.execute(select(*(func.sum(ROLLUPS.c[name]) for name in MEASURES))).one()
    ledger.close()
    return {name: float(value or 0) for name, value in zip(MEASURES, row, strict=True)}


@pytest.mark.parametrize("parts", [2, 5, 9])
def test_pieces_have_the_login_and_the_work_of_the_whole(tmp_path: Path, parts: int) -> None:
    packets = conversation().sorted()
    cuts = [len(packets) * number // parts for number in range(1, parts)]
    whole, split = f"sqlite:///{tmp_path}/whole.db", f"sqlite:///{tmp_path}/split.db"
    read(pieces_of(tmp_path / "whole", packets, []), whole, "whole")
    for number, path in enumerate(pieces_of(tmp_path / "split", packets, cuts)):
        read([path], split, f"piece {number}")
    (one,), (other,) = findings(whole), findings(split)
    assert (other.finding_id, other.login, other.agent) == (one.finding_id, one.login, one.agent)
    assert dataclasses.replace(other.shares, verified=0) == dataclasses.replace(one.shares, verified=0)
    assert other.unknown_shares == 0
    first, second = amounts(whole), amounts(split)
    assert second["work_hashes"] == pytest.approx(first["work_hashes"], rel=1e-9)
    assert second["energy_best"] == pytest.approx(first["energy_best"], rel=0.05)


def test_an_answer_counts_where_its_share_is_in_the_piece_before(tmp_path: Path) -> None:
    """Cut behind every share: each answer stands at the beginning of a piece."""
    packets = conversation(shares=8).sorted()
    cuts = [at + 1 for at, (_, data) in enumerate(packets) if b"mining.submit" in data]
    whole, split = f"sqlite:///{tmp_path}/whole.db", f"sqlite:///{tmp_path}/split.db"
    read(pieces_of(tmp_path / "whole", packets, []), whole, "whole")
    paths = pieces_of(tmp_path / "split", packets, cuts)
    for number, path in enumerate(paths):
        read([path], split, f"piece {number}")
    (one,), (other,) = findings(whole), findings(split)
    assert one.shares.accepted > 4
    assert dataclasses.replace(other.shares, verified=0) == dataclasses.replace(one.shares, verified=0)
    assert other.work_hashes == pytest.approx(one.work_hashes)
    assert amounts(split)["work_hashes"] == pytest.approx(amounts(whole)["work_hashes"])
    again = amounts(split)
    for number, path in enumerate(paths):
        read([path], split, f"piece {number}")
    assert amounts(split) == pytest.approx(again, rel=1e-6)


@pytest.mark.parametrize("every_s", [20.0, 240.0])
def test_watched_time_and_energy_of_pieces_are_those_of_the_whole(tmp_path: Path, every_s: float) -> None:
    """Also where a share ends each piece: it is no edge of anything, since the connection goes on."""
    packets = conversation(shares=60, every_s=every_s).sorted()
    answers = [at for at, (_, data) in enumerate(packets) if b"mining.submit" in data]
    cuts = [at + 2 for at in answers[10::10]]
    whole, split = f"sqlite:///{tmp_path}/whole.db", f"sqlite:///{tmp_path}/split.db"
    read(pieces_of(tmp_path / "whole", packets, []), whole, "whole")
    for number, path in enumerate(pieces_of(tmp_path / "split", packets, cuts)):
        read([path], split, f"piece {number}")
    (one,), (other,) = findings(whole), findings(split)
    assert other.watched_seconds == pytest.approx(one.watched_seconds, rel=1e-9)
    assert one.hashrate_hps is not None
    assert other.hashrate_hps is not None
    assert other.hashrate_hps.best == pytest.approx(one.hashrate_hps.best, rel=1e-9)
    first, second = amounts(whole), amounts(split)
    assert second["energy_best"] == pytest.approx(first["energy_best"], rel=1e-3)


def test_what_is_read_again_adds_nothing(tmp_path: Path) -> None:
    packets = conversation().sorted()
    url = f"sqlite:///{tmp_path}/split.db"
    paths = pieces_of(tmp_path / "split", packets, [len(packets) // 3, len(packets) // 2])
    for number, path in enumerate(paths):
        read([path], url, f"piece {number}")
    once = amounts(url)
    for number, path in enumerate(paths):
        read([path], url, f"piece {number}")
    assert amounts(url) == pytest.approx(once, rel=1e-6)


def test_a_new_connection_between_the_same_ends_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    first = conversation(shares=5)
    ended_us = first.sorted()[-1][0] - START_US
    later = Wire()
    tcp = Tcp(later, MINER, POOL, (40_001, 3333), ended_us + 60 * SECOND)
    tcp.next = [(number + (1 << 31)) & 0xFFFFFFFF for number in tcp.next]
    miners.stratum(tcp, "another.rig", "cgminer/4.12", 5, 60.0)
    begun = later.sorted()[12:]  # joined after it signed in
    url = f"sqlite:///{tmp_path}/ledger.db"
    read([written(tmp_path / "a.pcap", first.sorted()[:-3])], url, "a")
    result = read([written(tmp_path / "b.pcap", begun)], url, "b")
    assert result.lines.get("sessions_resumed", 0) == 0
    assert all(finding.login != "wallet.rig" for finding in result.findings)


def test_where_the_other_direction_does_not_fit_it_is_another_connection(tmp_path: Path) -> None:
    first = conversation(shares=5)
    ended_us = first.sorted()[-1][0] - START_US
    later = Wire()
    tcp = Tcp(later, MINER, POOL, (40_001, 3333), ended_us + 60 * SECOND)
    miners.stratum(tcp, "another.rig", "cgminer/4.12", 5, 60.0)
    url = f"sqlite:///{tmp_path}/ledger.db"
    read([written(tmp_path / "a.pcap", first.sorted()[:-3])], url, "a")
    moved = Wire()
    shift = 1 << 30
    tcp = Tcp(moved, MINER, POOL, (40_001, 3333), ended_us + 60 * SECOND)
    tcp.next[1] = (tcp.next[1] - shift) & 0xFFFFFFFF  # the miner's numbers go on where they were, the pool's do not
    miners.stratum(tcp, "another.rig", "cgminer/4.12", 5, 60.0)
    result = read([written(tmp_path / "b.pcap", moved.sorted()[8:])], url, "b")
    if result.lines.get("sessions_not_resumed"):
        assert all(finding.login != "wallet.rig" for finding in result.findings)


def test_what_was_lost_between_two_pieces_puts_the_difficulty_in_doubt(tmp_path: Path) -> None:
    packets = conversation().sorted()
    url = f"sqlite:///{tmp_path}/ledger.db"
    third = len(packets) // 3
    read([written(tmp_path / "a.pcap", packets[:third])], url, "a")
    read([written(tmp_path / "b.pcap", packets[2 * third :])], url, "b")
    (found,) = findings(url)
    assert found.login == "wallet.rig"
    assert found.unknown_shares > 0
    assert found.assumed_seconds > 0  # at the rate of the first piece
    assert found.energy_kwh is None or found.energy_kwh.best > 0


@pytest.mark.parametrize("together", [False, True])
def test_time_in_which_nobody_listened_is_in_no_figure(tmp_path: Path, *, together: bool) -> None:
    """Also where the connection goes on after it, and its difficulty is in doubt since the last message before."""
    packets = conversation().sorted()
    url = f"sqlite:///{tmp_path}/ledger.db"
    third = len(packets) // 3
    paths = [written(tmp_path / "a.pcap", packets[:third]), written(tmp_path / "b.pcap", packets[2 * third :])]
    for number, some in enumerate([paths] if together else [[path] for path in paths]):
        read(some, url, f"run {number}")
    (found,) = findings(url)
    watched_us = packets[third - 1][0] - packets[0][0] + packets[-1][0] - packets[2 * third][0]
    counted_s = found.watched_seconds + found.assumed_seconds + found.unknown_seconds
    assert counted_s == pytest.approx(watched_us / SECOND, rel=0.01)


def test_what_is_remembered_is_bounded_in_bytes_whatever_was_sent(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pcap", conversation(shares=4).sorted()[:-3])
    (found,) = replay([str(path)], signatures.load(), engine.load("reference"), {}).findings
    (flow,) = found.flows
    remembered = Resumable(most_bytes=1 << 20)
    for number in range(2_000):
        key = dataclasses.replace(flow.key, community_id=str(number))
        remembered.put(dataclasses.replace(flow, key=key, login="x" * (number % 7) * 1_000))
        assert remembered.held_bytes <= 1 << 20
    assert 0 < len(remembered) < 600
    remembered.put(dataclasses.replace(flow, login="x" * (1 << 20)))
    assert (len(remembered), remembered.held_bytes) == (0, 0)


def test_packets_of_a_time_that_cannot_be_are_counted_and_in_no_finding(tmp_path: Path) -> None:
    packets = conversation(shares=6, every_s=10.0).sorted()
    decade_us = 10 * 365 * 86_400 * SECOND
    wrong = [*packets[:-20], *((at + decade_us, data) for at, data in packets[-20:])]
    path = written(tmp_path / "wrong.pcap", sorted(wrong))
    table = signatures.load()
    plausible = PlausibleTime.as_of((START_US + decade_us // 2) * 1_000)
    result = replay([str(path)], table, engine.load("reference"), {}, plausible=plausible)
    (found,) = result.findings
    assert result.lines["chunks_off_clock"] > 0
    assert found.last_ns < (START_US + decade_us // 2) * 1_000
    (plain,) = replay([str(path)], table, engine.load("reference"), {}).findings
    assert plain.last_ns > found.last_ns
