"""What people write into a case besides its moves: whose it is, a due date of its own, what was found at the place and
what was done, and files. Plain data; the words are those of notices and reports (docs/cases.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

#: What one step of a history did; None in a history of before they were told apart: a move, or a note.
StepKind = Literal["move", "note", "due", "assign", "conclude", "attach", "remove"]
Conclusion = Literal[
    "mine", "state-unit", "household", "internet-cafe", "intruded", "hosted", "not-found", "not-mining", "other"
]
CONCLUSIONS: tuple[Conclusion, ...] = get_args(Conclusion)
Measure = Literal[
    "confiscated", "power-cut", "network-cut", "account-closed", "promise", "warning", "discipline", "transferred",
    "cleaned", "none",
]  # fmt: skip
MEASURES: tuple[Measure, ...] = get_args(Measure)
MachineKind = Literal["asic", "gpu", "cpu", "other"]
MACHINE_KINDS: tuple[MachineKind, ...] = get_args(MachineKind)


@dataclass(frozen=True, slots=True)
class FoundMachines:
    """Machines of one kind as they were counted at the place; none (0) is another thing than not counted (None)."""

    kind: MachineKind
    count: int | None
    model: str = ""


@dataclass(frozen=True, slots=True)
class FieldResult:
    """What a visit to the place found; what was not found out is None, never 0."""

    machines: tuple[FoundMachines, ...] = ()  # those kinds of which anything is known
    hours: float | None = None  # that they ran
    kwh: float | None = None  # as a meter has it, of those hours

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was found out."""
        return not self.machines and self.hours is None and self.kwh is None

    @property
    def machines_counted(self) -> int | None:
        """All machines that were counted; None where no kind was."""
        counts = [each.count for each in self.machines if each.count is not None]
        return sum(counts) if counts else None

    @property
    def kilowatts(self) -> float | None:
        """Their mean power: what was metered by the hours that they ran."""
        return None if self.kwh is None or not self.hours else self.kwh / self.hours


@dataclass(frozen=True, slots=True)
class CaseAttachment:
    """A file of a case. One that was removed has no content any more; that it was there stays."""

    number: int  # within its case
    name: str  # as whoever attached it called it; never a path
    sha256: str
    size_bytes: int
    kind: str  # as its content says: "pdf", "png", ...
    added_ns: int
    added_by: str
    removed_ns: int | None = None
    removed_by: str | None = None
    removed_why: str | None = None


@dataclass(frozen=True, slots=True)
class CaseWork:
    """What stands in a case now, by its history."""

    assignee: str | None = None  # login of an account
    own_due_ns: int | None = None  # of the present step; None: as its state has it
    conclusion: Conclusion | None = None
    measures: tuple[Measure, ...] = ()
    field_result: FieldResult | None = None


#: Of a case into which nobody wrote anything, and of a place at which nothing was found out.
NO_WORK, NOTHING_FOUND = CaseWork(), FieldResult()
#: What a step wrote, beside its sentence, as it stands in the ledger.
StepDetails = Mapping[str, object]
