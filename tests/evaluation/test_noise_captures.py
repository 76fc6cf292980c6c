"""Stratum V2 over Noise, and what opens like it, by captures through the command line: a small deterministic part."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.evaluation import families, schedule
from tests.evaluation.parts import Part, carry_out

MINING, OTHER = 40, 150


def test_sessions_of_noise_are_reported_and_what_opens_like_them_is_not(tmp_path: Path) -> None:
    counts = tuple((family, MINING if family.mining else OTHER) for family in families.noise())
    part = Part(schedule.NOISE, "1", counts, hours=1 / 6, joins=False, lossy=False, servers=20)
    done = carry_out(part, [], None, tmp_path)
    assert not done.failures
    found = Counter(row.family for row in done.outcomes if row.behaves or row.reported)
    assert not [family.name for family in families.noise() if not family.mining and found[family.name]]
    assert found["Stratum V2, in turn"] == MINING
    assert found["Stratum V2, pipelined"] >= 0.95 * MINING
