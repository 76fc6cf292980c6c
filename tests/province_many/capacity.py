"""The table of docs/capacity.md, reckoned from figures that stand beside it: so many sensors, so much of everything.

python -m tests.province_many.capacity [--write]
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "capacity.md"
SENSORS = (1, 3, 10, 50, 200, 500, 1_000)
HEADS = (
    *("sensors", "mining addresses", "findings followed", "reports a second", "of a collector", "collectors"),
    *(
        "partitions",
        "brokers",
        "topic of 14 days, each replica",
        "database after a year",
        "its memory",
        "its processors",
    ),
)
#: Assumed: mining addresses of a sensor, as 5,000 of 200; by how many sensors one is seen, as in the simulation.
ADDRESSES, SEEN_BY = 25, 1.35
#: By the defaults: seconds between two reports of a finding (`findings.update_s`) and of listening.
UPDATE_S, COVERAGE_S = 300.0, 60.0
#: Measured: reports of new findings that one collector writes a second (docs/collect.md, the slowest kind).
WRITTEN = 513.0
#: Measured: bytes of a report after lz4, one by one (11.3 KB before); together they take less.
REPORT_BYTES = 4_572
RETENTION_S = 14 * 86_400
#: Measured in the simulation: bytes of a row of roll-ups, of a connection, of an address with its findings and parts.
ROLLUP_BYTES, CONNECTION_BYTES, ADDRESS_BYTES = 391, 1_791, 40_000
#: Days for which hours are kept as hours, and a year; assumed: a connection each three days, as in the simulation.
HOURS_DAYS, YEAR_DAYS, CONNECTION_DAYS = 62, 365, 3
#: Assumed: of what collectors write at most, what is to be used; beyond it more wait than is wished.
USED = 0.5


@dataclass(frozen=True)
class CapacityRow:
    """What so many sensors need."""

    sensors: int

    @property
    def addresses(self) -> int:
        """That mine."""
        return self.sensors * ADDRESSES

    @property
    def findings(self) -> int:
        """That sensors follow, each for itself."""
        return round(self.addresses * SEEN_BY)

    @property
    def reports(self) -> float:
        """A second, when everybody mines."""
        return self.findings / UPDATE_S + self.sensors / COVERAGE_S

    @property
    def partitions(self) -> int:
        """To begin with: a power of two, so that doubling moves no key into a partition of others."""
        return 8 if self.sensors <= 200 else 32

    @property
    def topic_bytes(self) -> float:
        """Of one replica."""
        return self.reports * REPORT_BYTES * RETENTION_S

    @property
    def database_bytes(self) -> float:
        """After a year, if every address mines all the time."""
        hours = 24 * HOURS_DAYS + (YEAR_DAYS - HOURS_DAYS)
        connections = SEEN_BY * YEAR_DAYS / CONNECTION_DAYS
        return self.addresses * (hours * ROLLUP_BYTES + connections * CONNECTION_BYTES + ADDRESS_BYTES)

    def cells(self) -> tuple[str, ...]:
        """As the page has them."""
        alone = self.sensors == 1
        part = self.reports / WRITTEN
        collectors = 1 if self.sensors <= 3 else 2
        assert part <= USED, "collectors cannot write as much"
        memory, processors = next(
            (memory, cores) for most, memory, cores in ((50, 2, 2), (200, 4, 4), (500, 16, 4), (1_000, 32, 8))
            if self.sensors <= most
        )  # fmt: skip
        return (
            f"{self.sensors:,}",
            f"{self.addresses:,}",
            f"{self.findings:,}",
            f"{self.reports:.2g}" if self.reports < 10 else f"{self.reports:.0f}",
            "none" if alone else f"{part:.1%}",
            "none" if alone else str(collectors),
            "none" if alone else str(self.partitions),
            "none" if alone else "1" if self.sensors <= 3 else "3",
            "none" if alone else size_text(self.topic_bytes),
            size_text(self.database_bytes),
            "SQLite" if alone else f"{memory} GB",
            "SQLite" if alone else str(processors),
        )


def size_text(count: float) -> str:
    """Bytes to two digits, upwards."""
    for unit, whole in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= whole:
            digits = max(0, math.ceil(math.log10(count / whole)) - 2)
            return f"{math.ceil(count / whole / 10**digits) * 10**digits:,} {unit}"
    return f"{math.ceil(count / 1e3):,} KB"


def table() -> str:
    """The table as Markdown, a column for each number of sensors."""
    rows = [CapacityRow(sensors).cells() for sensors in SENSORS]
    lines = [[head, *(row[at] for row in rows)] for at, head in enumerate(HEADS)]
    return "\n".join(
        [
            f"| {' | '.join(lines[0])} |",
            "|---|" + "---:|" * len(rows),
            *(f"| {' | '.join(line)} |" for line in lines[1:]),
        ]
    )


def page_with_table(text: str) -> str:
    """The page with the table as it is reckoned now. Raises AssertionError where it has no place for it."""
    made = f"<!-- table: capacity -->\n{table()}\n<!-- end -->"
    text, count = re.subn(r"<!-- table: capacity -->\n.*?<!-- end -->", lambda _: made, text, flags=re.S)
    assert count == 1, f"{PAGE.name} has no place for the table"
    return text


if __name__ == "__main__":
    print(table())
    if "--write" in sys.argv:
        PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
