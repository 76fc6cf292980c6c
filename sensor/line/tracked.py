"""A finding that is followed, and the findings of one miner and pool's end: which of them becomes which. No time here;
it knows contributions and what was reported of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import Literal, NamedTuple

from sensor.line.join import Joined
from sensor.line.judge import Spoken
from sensor.line.unspoken import SubjectKey, Unspoken
from sensor.model.evidence import Grade
from sensor.model.naming import Correction, MinedName, correction, is_family
from sensor.model.observation import KINDS, ObservationKind

#: Reports of one finding that go out at once because what is mined proves to be something else.
MAX_URGENT = 8

State = Literal["opened", "updated", "closed"]


class Report(NamedTuple):
    """A finding that is to be reported now."""

    identity: str
    state: State
    joined: Joined | Unspoken
    merged_into: str | None = None  # the finding that it became
    corrects: Correction | None = None  # what an earlier report of it said and is withdrawn


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
    reported_named: MinedName | None = None  # what the latest report said is mined
    corrections: int = 0  # reports that withdrew something
    reported_last_ns: int = 0  # last packet that a report covered
    unlisted: int = 0  # connections that ended since the latest report
    reported_changes: int = 0  # what names and behaviour had said by then
    settled: bool = True  # no connection has ended or left since the latest report
    over: bool = False  # what it rested on proved to be something else
    heir: str | None = None  # and this is the finding that it is

    @property
    def reported(self) -> bool:
        """Whether it was reported at all."""
        return self.reported_grade is not None

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
            or joined.changes != self.reported_changes
        )

    def correction(self, joined: Joined | Unspoken) -> Correction | None:
        """What a report now withdraws of the latest one."""
        if self.reported_named is None or self.heir is not None or not isinstance(joined, Joined):
            return None
        return correction(self.reported_named, joined.named)

    def is_urgent(self, contribution: Spoken) -> bool:
        """Whether what a connection says now is to be reported at once: the latest report named the family only, or
        something else. Whoever makes it change again and again waits for the next update.
        """
        before = self.reported_named
        if before is None or contribution.spoken_as.is_open:
            return False
        name = contribution.spoken_as.name
        now = MinedName(name, contribution.coin, contribution.algorithm, contribution.algorithm_basis)
        changed = is_family(before.dialect) or correction(before, now) is not None
        return changed and self.corrections < MAX_URGENT

    def note_report(self, joined: Joined | Unspoken) -> State:
        """Remember that it is reported as it stands; the state it is reported in."""
        state: State = "opened" if self.reported_grade is None else "updated"
        if isinstance(joined, Joined):
            urgent = self.reported_named is not None and self.reported_named != joined.named
            self.corrections += urgent
            self.reported_named = joined.named
        self.reported_grade = max(joined.grade, self.reported_grade or joined.grade)
        self.reported_last_ns = max(self.reported_last_ns, joined.last_ns)
        self.reported_changes, self.settled, self.unlisted = joined.changes, True, 0
        return state


@dataclass(slots=True)
class TrackedSubject:
    """The findings of one miner and pool's end, in the order in which they came, and what hints say of it."""

    spoken: dict[str, TrackedFinding] = field(default_factory=dict)
    silent: dict[str, TrackedFinding] = field(default_factory=dict)  # one of each kind without words at most
    unspoken: Unspoken | None = None

    def of(self, kind: ObservationKind) -> dict[str, TrackedFinding]:
        """Where a finding of this kind is."""
        return self.spoken if kind == "spoken" else self.silent

    def waits(self, tracked: TrackedFinding) -> bool:
        """Whether a finding is listed in one that tells more, and was not reported by itself."""
        if tracked.kind == "spoken" or tracked.reported_grade is not None:
            return False
        return bool(self.spoken) or any(_tells_more(other, tracked) for other in self.silent.values())

    def heir(self, tracked: TrackedFinding, over: bool) -> str | None:
        """The reported finding that one becomes. Without words it is that of the first login, else one without words
        that tells more; if it is over, any in which something was spoken.
        """
        if tracked.kind == "spoken":
            return tracked.heir
        signed_in = (name for name, other in self.spoken.items() if other.login is not None and other.reported)
        telling = (name for name, other in self.silent.items() if _tells_more(other, tracked) and other.reported)
        spoken = (name for name, other in self.spoken.items() if over and other.reported)
        return next(chain(signed_in, telling, spoken), None)


def _tells_more(other: TrackedFinding, tracked: TrackedFinding) -> bool:
    return KINDS.index(other.kind) < KINDS.index(tracked.kind)
