"""The page: figures of outcomes that are known, within the columns of a document."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.evaluation import families, hidden, page, reader, runs, schedule, tables
from tests.evaluation.bursts import Profile
from tests.evaluation.parts import Outcome, PartResult
from tests.evaluation.talk import DOWN, UP


def _outcome(family: str, behaves: bool, rng: random.Random, minutes: int = 60) -> Outcome:
    return Outcome(
        family=family,
        minutes=minutes,
        suite=rng.choice(["tls13", "tls12-cbc"]),
        joined=rng.random() < 0.5,
        lossy=rng.random() < 0.3,
        real_blocks=rng.random() < 0.5,
        replayed=True,
        thin=True,
        swapped=False,
        behaves=behaves,
        reported=behaves,
        grammar_p=rng.random(),
        beats=(("XMR", rng.random(), 1.0), ("BTC", rng.random(), 1.0)),
        synchrony_p=None,
        least_p=rng.random(),
        untestable=None,
        truth=10,
        shares=(9, 10),
    )


def test_a_page_has_all_parts_within_120_columns() -> None:
    rng = random.Random(1)
    done = page.Evaluation("1", quick=True, missing={"go": "there is no Go toolchain " * 9})
    for section, own in (
        (schedule.FAMILIES, (*families.mining(), *families.ordinary())),
        (schedule.NOISE, families.noise()),
    ):
        rows = [
            _outcome(family.name, family.mining, rng, minutes)
            for family in own
            for minutes in (10, 60)
            for _ in range(9)
        ]
        done.parts.append(PartResult(section, rows, ["calibrate: exit code 1: " + "x" * 200]))
    done.loads = [1.0]
    text = page.text(done)
    assert max(len(line) for line in text.splitlines()) <= 120
    assert "| 60 | seen | none | 100.0 | 100.0 | 100.0 | 100.0 | 0 of " in text
    assert "1 commands failed" in text or "2 commands failed" in text


def test_none_false_is_bounded_by_three_in_all() -> None:
    rng = random.Random(2)
    family = families.ordinary()[0]
    rows = [_outcome(family.name, False, rng) for _ in range(300)]
    assert "| 300 | 0 | 0 | 99.86 |" in tables.false_alarms([family], rows)


def test_a_uniform_p_is_at_its_level_and_a_small_one_above() -> None:
    even = [(number + 0.5) / 10_000 for number in range(10_000)]
    assert tables._against(even, 0.01).endswith("(+0.0)")
    assert tables._against([p / 2 for p in even], 0.01) == "2±0.099 (+10.1)"


def test_a_line_of_calibrate_is_read_whichever_end_was_taken_for_the_client() -> None:
    row = {
        "miner": "198.18.0.1:443", "server": "10.0.1.7:40000", "first_ns": 0, "last_ns": 60_000_000_000, "seen": [3, 4],
        "behaves": True, "p": 1e-9, "untestable": None, "dialects": ["x"], "looks": [{"at_s": 600, "p": 0.1}],
        "beats": [{"coin": "XMR", "answer": "follows", "p": 1e-5, "p_counted": 1e-4}], "synchrony_p": None,
        "answered_shares": [1, 2], "relations": [{"name": "a", "detail": "b", "p": 0.1}],
    }  # fmt: skip
    read = runs.judged(row)
    assert (read.swapped, read.seconds, read.shares, read.grammar_p) == (True, 60.0, (1, 2), 1e-9)
    assert runs.judged({**row, "untestable": "CBC"}).grammar_p is None


def test_a_published_session_becomes_records_of_its_lengths(tmp_path: Path) -> None:
    flights = ((UP, bytes((22, 3, 1, 1, 36)) + bytes(292)), (DOWN, bytes((22, 3, 3, 0, 122)) + bytes(122)))
    profile = Profile("openssl", "openssl", "tls13", False, flights)
    segments = (
        (0.0, UP, 297), (0.3, DOWN, 1228), (0.31, UP, 1448), (0.3101, UP, 101), (0.35, DOWN, 510), (0.4, DOWN, 491),
        (20.0, DOWN, 379), (90.0, UP, 257), (90.3, DOWN, 85),
    )  # fmt: skip
    hidden.to_pcap(hidden.RealSession("one", False, segments), profile, tmp_path / "one.pcap")
    records = [(r.source[1] == 9200, r.length) for r in reader.records(tmp_path / "one.pcap") if r.kind == 23]
    down = [length for server, length in records if server]
    assert down[1:] == [250, 250, 486, 374, 80]
    assert [length for server, length in records if not server] == [69, 1464, 252]


@pytest.mark.shared
@pytest.mark.skipif(not hidden.FOLDER.is_dir(), reason="the sessions are not here")
def test_the_published_sessions_are_at_hand() -> None:
    names = [real.name for real in hidden.sessions()]
    assert sum("tls" in name for name in names) == 2
    assert any("clear" in name for name in names)
