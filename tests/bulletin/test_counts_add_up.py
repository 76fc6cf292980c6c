"""The counts of successive bulletins add up, whatever was watched: period before + new + back − gone − not observed =
now, in addresses and in enterprises, and the period before is what its own bulletin said; in both languages."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sensor.cli.main import main
from sensor.ledger import Ledger
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned

WEEKS = ("2023-W47", "2023-W48", "2023-W49")
WEEK = 7 * DAY


@dataclass(frozen=True)
class Address:
    """Who mines in which of the weeks, whose it is, and which sensor sees it."""

    weeks: frozenset[int]
    owner: int  # 0: nobody is named
    sensor: int


addresses = st.builds(
    Address, st.frozensets(st.integers(0, 2), min_size=1), st.integers(0, 3), st.integers(1, 2)
)  # fmt: skip
watched_parts = st.lists(
    st.tuples(*(st.sampled_from((0.0, 0.5, 1.0, 1.0)),) * 2), min_size=3, max_size=3
)  # of each week, by each sensor


def tell(url: str, plan: list[Address], watched: list[tuple[float, float]]) -> None:
    """A ledger of two sensors."""
    for sensor in (1, 2):
        ledger = Ledger.open(url, sensor_id=f"sensor-{sensor}", run_id=f"run-{sensor}")
        try:
            for week, parts in enumerate(watched):
                start = MONDAY + week * WEEK
                if parts[sensor - 1]:
                    ledger.add_coverage(start, start + int(parts[sensor - 1] * WEEK))
                ledger.record(
                    [
                        mined(
                            10 * number + week, start + HOUR, start + 5 * HOUR, 40, miner=f"192.0.2.{number}",
                            login=f"wallet{number}", finding_id=f"finding-{number}-{week}",
                            attribution=owned(one.owner) if one.owner else None,
                        )
                        for number, one in enumerate(plan, 1)
                        if one.sensor == sensor and week in one.weeks
                    ],
                    start,
                )  # fmt: skip
        finally:
            ledger.close()


@settings(max_examples=12, phases=(Phase.explicit, Phase.generate))
@given(st.lists(addresses, min_size=1, max_size=6), watched_parts)
def test_the_counts_of_successive_weeks_add_up(plan: list[Address], watched: list[tuple[float, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        tell(url, plan, watched)
        before: dict[str, int] = {}
        for number, week in enumerate(WEEKS):
            words = ["bulletin", "--week", week, "--ledger", url, "--lang", "both", "-o", folder, "--format", "json"]
            assert main(words) == 0
            english, chinese = (blocks_of(Path(folder) / f"bulletin-{week}.{name}.json") for name in ("en", "zh"))
            assert figures_of(english) == figures_of(chinese)
            now = {"addresses": 0, "enterprises": 0}
            for name, row in zip(now, english["turnover"]["rows"], strict=True):
                count = {key: 0 if value == "not-observed" else value for key, value in row.items()}
                come, left = count["new"] + count["back"], count["gone"] + count["unobserved"]
                assert count["before"] + come - left == count["now"]
                assert count["before"] == before.get(name, 0)
                unseen = not number or not any(watched[number - 1])
                assert (row["before"] == "not-observed") == (unseen and not count["before"])
                now[name] = count["now"]
            before = now
            the_headline_adds_up(english)
            mining = [one for one in plan if number in one.weeks]
            assert before == {"addresses": len(mining), "enterprises": len({one.owner for one in mining} - {0})}
            if min(watched[number]) < 0.8:  # nobody whom a sensor that did not listen saw is gone
                deaf = {at + 1 for at, part in enumerate(watched[number]) if part < 0.8}
                earlier = [one for one in plan if number - 1 in one.weeks and number not in one.weeks]
                assert facts_of(english["changes"])["addresses_unobserved"] >= sum(
                    one.sensor in deaf for one in earlier
                )


def the_headline_adds_up(blocks: dict[str, Any]) -> None:
    """The key figures alone do, too."""
    count = {key: 0 if value == "not-observed" else value for key, value in facts_of(blocks["changes"]).items()}
    total = count["addresses_before"] + count["addresses_new"] + count["addresses_back"]
    total -= count["addresses_gone"] + count["addresses_unobserved"]
    now = facts_of(blocks["headline"])["addresses"]
    assert total == (0 if now == "not-observed" else now)


def blocks_of(path: Path) -> dict[str, Any]:
    whole = json.loads(path.read_text(encoding="utf-8"))
    return {block["key"]: block for section in whole["sections"] for block in section["blocks"]}


def facts_of(block: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in block["facts"]}


def figures_of(blocks: dict[str, Any]) -> list[object]:
    """The numbers of what was counted, without words."""
    facts = [facts_of(blocks[key]) for key in ("headline", "changes")]
    rows = [[value for key, value in row.items() if key != "what"] for row in blocks["turnover"]["rows"]]
    return [
        {key: value for one in facts for key, value in one.items() if not isinstance(value, str) or "-" in value},
        rows,
    ]
