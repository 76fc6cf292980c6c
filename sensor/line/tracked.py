"""A finding that is followed, and the findings of one miner and pool's end: which of them becomes which. No time here;
it knows contributions and what was reported of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sensor.line.join import Joined
from sensor.line.judge import Spoken
from sensor.line.unspoken import SubjectKey, Unspoken
from sensor.model.evidence import Grade
from sensor.model.observation import KINDS, ObservationKind

State = Literal["opened", "updated", "closed"]


class Report(NamedTuple):
    """A finding that is to be reported now."""

    identity: str
    state: State
    joined: Joined | Unspoken
    merged_into: str | None = None  # the finding that it became


@dataclass(slots=True)
class TrackedFinding:
    """One finding and the connections it rests on."""

    key: SubjectKey
    kind: ObservationKind
    lead: Spoken | None  # what it began with; None where nothing was spoken
    ended: Joined | None = None  # what connections that are over contributed
    live: set[int] = field(default_factory=set)  # connections that are open
    due_ns: int = 0
    reported_grade: Grade | None = None  # None: never reported
    reported_last_ns: int = 0  # last packet that a report covered
    settled: bool = True  # nothing has ended, left, or been learnt of names and behaviour since the latest report
    over: bool = False  # what it rested on proved to be something else
    heir: str | None = None  # and this is the finding that it is

    @property
    def login(self) -> str | None:
        """The login it is of."""
        return None if self.lead is None else self.lead.account.login

    def has_news(self, joined: Joined | Unspoken) -> bool:
        """Whether there is more than was reported."""
        return (
            self.reported_grade is None
            or not self.settled
            or joined.last_ns > self.reported_last_ns
            or joined.grade > self.reported_grade
        )

    def note_report(self, joined: Joined | Unspoken) -> State:
        """Remember that it is reported as it stands; the state it is reported in."""
        state: State = "opened" if self.reported_grade is None else "updated"
        self.reported_grade = max(joined.grade, self.reported_grade or joined.grade)
        self.reported_last_ns = max(self.reported_last_ns, joined.last_ns)
        self.settled = True
        return state


@dataclass(slots=True)
class TrackedSubject:
    """The findings of one miner and pool's end, and what names and behaviour say of it."""

    findings: dict[str, TrackedFinding] = field(default_factory=dict)  # in the order in which they came
    unspoken: Unspoken | None = None

    def waits(self, tracked: TrackedFinding) -> bool:
        """Whether a finding is listed in one that tells more, and was not reported by itself."""
        return tracked.reported_grade is None and any(_tells_more(other, tracked) for other in self.findings.values())

    def heir(self, tracked: TrackedFinding, silent: bool) -> str | None:
        """The reported finding that one without words becomes: that of the first login, else one without words that
        tells more; if it is silent, any in which something was spoken.
        """
        if tracked.kind == "spoken":
            return tracked.heir
        heirs = [
            (other.login is None, other.lead is None, name)
            for name, other in self.findings.items()
            if other.reported_grade is not None and _tells_more(other, tracked)
            if silent or other.login is not None or other.lead is None
        ]
        return min(heirs, key=lambda heir: heir[:2], default=(False, False, None))[2]


def _tells_more(other: TrackedFinding, tracked: TrackedFinding) -> bool:
    return KINDS.index(other.kind) < KINDS.index(tracked.kind)
