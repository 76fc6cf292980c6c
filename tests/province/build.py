"""A whole province in a folder: captures in several cuts, the hours of a sensor whose clock was wrong, books, truth."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tests.province import books, captures, simulate, talk
from tests.province.roster import HOUR_US, POOLS, S19_PRO, SECOND_US, Machine, Period, Span, machines
from tests.province.runs import Runner
from tests.province.truth import Truth, day_of_hour

#: Where a clock stood that was not set: far ahead, and at its beginning.
WRONG_CLOCKS = (datetime(2036, 5, 5, 3, 7, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 20, tzinfo=UTC))
#: When, in hours after the first midnight, the wrong clocks' hour really was.
WRONG_HOUR = 30
STRANGER = "198.51.100.99"


@dataclass(frozen=True)
class Province:
    """What was simulated, and where it stands."""

    folder: Path
    period: Period
    machines: list[Machine]
    truth: Truth
    files: dict[int, list[Path]]  # by hours of a file
    packets: int
    wrong: dict[str, Path]  # by the day that the wrong clock showed
    wrong_truth: dict[str, Truth]
    runner: Runner

    @property
    def first(self) -> str:
        """The first day."""
        return day_of_hour(self.period.captured.begin_us // HOUR_US)

    @property
    def last(self) -> str:
        """The last day."""
        return day_of_hour((self.period.captured.end_us - 1) // HOUR_US)


def build(folder: Path, *, days: int, count: int, seed: str, pace: float = 1.0) -> Province:
    """Simulate so many days of so many machines into an emptied folder. The same arguments give the same bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    period = Period(days)
    roster = machines(period, count)
    truth = Truth(period.captured)
    frames = simulate.frames(roster, truth, seed, pace=pace)
    files, packets = captures.write(frames, folder / "captures", period.captured.begin_us, (1, 6, 24))
    wrong, wrong_truth = _wrong_hours(folder, period, roster, seed)
    truth.write(folder / "truth.json")
    runner = Runner(folder / "runs", books.write(roster, folder / "books"))
    return Province(folder, period, roster, truth, files, packets, wrong, wrong_truth, runner)


def _wrong_hours(
    folder: Path, period: Period, roster: list[Machine], seed: str
) -> tuple[dict[str, Path], dict[str, Truth]]:
    """An hour of a machine that is also seen otherwise, and of one that is not, for each wrong clock."""
    stranger = Machine("stranger", None, STRANGER, S19_PRO, POOLS["sha256d"], f"{talk.BTC}.stranger", period.all())
    begin_us = period.midnight_us + WRONG_HOUR * HOUR_US
    hour = Span(begin_us, begin_us + HOUR_US)
    files, truths = {}, {}
    for clock in WRONG_CLOCKS:
        until = replace(stranger, spans=(Span(begin_us - HOUR_US, hour.end_us),))
        seen = [replace(roster[0], spans=until.spans), until]
        truth, day = Truth(hour), clock.date().isoformat()
        shift_us = int(clock.timestamp()) * SECOND_US - begin_us
        frames = simulate.frames(seen, truth, f"{seed} {day}")
        cuts, _ = captures.write(frames, folder / "captures" / day, begin_us, (1,), shift_us)
        files[day], truths[day] = cuts[1][0], truth
    return files, truths
