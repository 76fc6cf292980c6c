"""All goals over all runs of a province: what was missed, and by how much."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from tests.province import goals, ways
from tests.province.build import Province
from tests.province.measured import Cell, Measured, Sum, measure
from tests.province.runs import Run, RunError


@dataclass(frozen=True)
class Judgement:
    """One goal, of one run."""

    goal: str
    run: str
    misses: tuple[str, ...]


class Judged:
    """What the ledgers of some runs hold; read when it is asked for."""

    def __init__(self, province: Province, running: Mapping[str, Future[Run]]) -> None:
        self.province, self._running = province, running
        self._measured: dict[str, Measured] = {}
        self._bulletins: dict[str, dict[str, object]] = {}

    def run(self, name: str) -> Run:
        """A run, as soon as it is done. Raises RunError."""
        return self._running[name].result()

    def failures(self) -> dict[str, RunError]:
        """The runs that could not read the captures."""
        errors = {name: result.exception() for name, result in self._running.items()}
        return {name: error for name, error in errors.items() if isinstance(error, RunError)}

    def done(self) -> list[str]:
        """The names of the others."""
        failures = self.failures()
        return [name for name in self._running if name not in failures]

    def measured(self, name: str) -> Measured:
        """Sums and cases of a run."""
        if name not in self._measured:
            self._measured[name] = measure(self.run(name).ledger, self.province.first, self.province.period.days)
        return self._measured[name]

    def cells(self, name: str) -> dict[Cell, Sum]:
        """Its sums of the captured days."""
        return goals.of_days(self.measured(name), self.province.first, self.province.last)

    def bulletin(self, name: str) -> dict[str, object]:
        """Its bulletin of the captured days."""
        if name not in self._bulletins:
            province = self.province
            self._bulletins[name] = province.runner.bulletin(self.run(name), province.first, province.last)
        return self._bulletins[name]

    def truth(self, name: str) -> list[str]:
        """The truth lies within the bounds."""
        return goals.truth_within(self.cells(name), self.province.truth.sums())

    def cases(self, name: str) -> list[str]:
        """Cases are those of the truth."""
        return goals.true_cases(self.measured(name).cases, self.province.truth.cases())

    def machines(self, name: str) -> list[str]:
        """Machines are never more than there are."""
        return goals.never_more_machines(self.measured(name).machines, self.province.truth.machine_names())

    def order(self, name: str) -> list[str]:
        """Low, best, high."""
        return goals.bounds_in_order(self.measured(name).sums)

    def sums(self, name: str) -> list[str]:
        """Sums are those of one sitting."""
        return goals.same_sums(self.cells(name), self.cells(ways.ONE_SITTING))

    def bounds(self, name: str) -> list[str]:
        """Bounds are at most twice as wide as those of one sitting."""
        return goals.bounds_as_narrow(self.cells(name), self.cells(ways.ONE_SITTING))

    def same_cases(self, name: str) -> list[str]:
        """Cases are those of one sitting."""
        return goals.same_cases(self.measured(name).cases, self.measured(ways.ONE_SITTING).cases)

    def same_bulletin(self, name: str) -> list[str]:
        """The bulletin is that of the daemon with files of six hours."""
        return goals.same_document(self.bulletin(name), self.bulletin(ways.HOURS_6))

    def coverage(self, name: str) -> list[str]:
        """The sensor says that it listened during the captured time, and not longer."""
        found = sum(self.measured(name).coverage_seconds.values())
        captured = self.province.period.captured
        true = (captured.end_us - captured.begin_us) / 1e6
        return [] if abs(found - true) <= goals.SAME_PART * true else [f"listened {found / true:.3f} of the true time"]

    def wrong_clocks_alone(self, name: str) -> list[str]:
        """With the hours of the wrong clocks the captured days and the steps of all cases are as without them."""
        other = ways.WRONG[name]
        alone = goals.same_sums(self.cells(name), self.cells(other), total=goals.SAME_PART, cell=goals.SAME_PART)
        found, whole = self.measured(name).cases, self.measured(other).cases
        steps = [
            f"{subject}: {found[subject].steps if subject in found else None}, not {case.steps}"
            for subject, case in sorted(whole.items())
            if subject not in found or found[subject].steps != case.steps
        ]
        return alone + steps

    def wrong_clocks_own(self, name: str) -> list[str]:
        """What the wrong clocks saw stands on the days that they showed, or was refused whole."""
        misses = []
        for day, truth in self.province.wrong_truth.items():
            sums = measure(self.run(name).ledger, day, 1).sums
            found = sum(amount.shares for cell, amount in sums.items() if cell.day == "total")
            true = sum(amount.shares for (_, at), amount in truth.sums().items() if at == "total")
            if found and abs(found - true) > goals.CELL_PART * true:
                misses.append(f"{day}: {found} shares, not {true}")
        return misses

    def all(self) -> list[Judgement]:
        """Every goal of every run, in the order of the runs."""
        failures = self.failures().items()
        found = [Judgement("the captures were read", name, (str(error),)) for name, error in failures]
        for name in self.done():
            tried = [
                ("truth within the bounds", self.truth),
                ("low, best and high in order", self.order),
                ("cases as in the truth", self.cases),
                ("machines never more than there are", self.machines),
                ("coverage is the captured time", self.coverage),
            ]
            if name in ways.PIECES:
                tried += [
                    ("sums of one sitting", self.sums),
                    ("bounds at most twice as wide", self.bounds),
                    ("cases of one sitting", self.same_cases),
                ]
            if name in ways.CUTS:
                tried += [("sums of one sitting", self.sums), ("the same bulletin within 1 %", self.same_bulletin)]
            if name in ways.WRONG:
                tried = [
                    ("2036 and 1970 change nothing else", self.wrong_clocks_alone),
                    ("2036 and 1970 keep their own", self.wrong_clocks_own),
                    ("low, best and high in order", self.order),
                ]
            found += [Judgement(goal, name, tuple(check(name))) for goal, check in tried]
        return found
