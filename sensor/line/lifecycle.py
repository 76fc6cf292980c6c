"""Findings while mining goes on: which connections each rests on, and when it is reported: opened, updated, closed.

Time is handed in (the packets' clock). A finding is reported as soon as it is certain, again when its grade rises,
then at most once in `update_ns` while something new is seen, and a last time when it was silent for `close_ns`.
Knows contributions; judges nothing.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sensor.line.join import Joined
from sensor.line.judge import Spoken
from sensor.model.evidence import Grade
from sensor.model.time import MINUTE_NS

#: Findings tracked at once; past this new ones are counted and refused.
MAX_FINDINGS = 65_536

State = Literal["opened", "updated", "closed"]
Identified = tuple[str, Spoken]  # a finding's identity, and what a flow adds to it


@dataclass(frozen=True, slots=True)
class ReportingSettings:
    """How often a finding is reported."""

    update_ns: int = 5 * MINUTE_NS
    close_ns: int = 30 * MINUTE_NS
    #: What is not certain, or has no login yet, is reported when its connection has ended, or after this.
    attempt_ns: int = MINUTE_NS


class Report(NamedTuple):
    """A finding that is to be reported now."""

    identity: str
    state: State
    joined: Joined


@dataclass(slots=True)
class TrackedFinding:
    """One finding and the connections it rests on."""

    first_ns: int
    lead: Spoken
    ended: Joined | None = None  # what connections that are over contributed
    live: set[int] = field(default_factory=set)  # connections that are open
    due_ns: int = 0
    reported_grade: Grade | None = None  # None: never reported
    reported_last_ns: int = 0  # last packet that a report covered
    settled: bool = True  # no connection has ended or left since the latest report
    over: bool = False  # what it rested on proved to be something else

    def has_news(self, joined: Joined) -> bool:
        """Whether there is more than was reported."""
        return (
            self.reported_grade is None
            or not self.settled
            or joined.last_ns > self.reported_last_ns
            or joined.lead.grade > self.reported_grade
        )


def is_certain(contribution: Spoken) -> bool:
    """Whether it can be reported at once: a miner that has not signed in yet is likely to be another finding in a
    moment.
    """
    return contribution.grade >= Grade.ACCEPTED or (
        contribution.grade is Grade.SPEAKS and contribution.account.login is not None
    )


class Lifecycle:
    """All findings of one run. `judge_open` gives what an open connection contributes as of now."""

    def __init__(self, settings: ReportingSettings | None, judge_open: Callable[[int], Sequence[Identified]]) -> None:
        self.settings = settings
        self._judge_open = judge_open
        self._tracked: dict[str, TrackedFinding] = {}
        self._of_flow: dict[int, tuple[str, ...]] = {}
        self._due: list[tuple[int, str]] = []
        self.counters: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._tracked)

    def logins(self, miner_ip: str) -> set[str]:
        """The logins of a miner's address."""
        return {
            tracked.lead.account.login
            for tracked in self._tracked.values()
            if tracked.lead.miner_ip == miner_ip and tracked.lead.account.login
        }

    def flow_changed(self, flow: int, contributions: Iterable[Identified], now_ns: int) -> None:
        """What an open connection contributes has changed in kind."""
        before, after = self._of_flow.get(flow, ()), []
        for identity, contribution in contributions:
            tracked = self._track(identity, contribution, now_ns)
            if tracked is None:
                continue
            after.append(identity)
            tracked.live.add(flow)
            tracked.over = False
            if is_certain(contribution) and contribution.grade > (tracked.reported_grade or 0):
                self._schedule(identity, tracked, now_ns)
        self._leave(flow, set(before) - set(after), now_ns)
        self._of_flow[flow] = tuple(after)

    def flow_ended(self, flow: int, contributions: Iterable[Identified], now_ns: int) -> None:
        """A connection is over; this is what it contributed."""
        left = set(self._of_flow.pop(flow, ()))
        for identity, contribution in contributions:
            tracked = self._track(identity, contribution, now_ns)
            if tracked is None:
                continue
            left.discard(identity)
            tracked.live.discard(flow)
            tracked.over = False
            tracked.ended = tracked.ended or Joined(contribution)
            tracked.ended.add(contribution)
            tracked.settled = False
            if tracked.reported_grade is None or contribution.grade > tracked.reported_grade:
                self._schedule(identity, tracked, now_ns)
        self._leave(flow, left, now_ns)

    def due_reports(self, now_ns: int) -> Iterator[Report]:
        """What is due by now."""
        while self._due and self._due[0][0] <= now_ns:
            due_ns, identity = heapq.heappop(self._due)
            tracked = self._tracked.get(identity)
            if tracked is not None and tracked.due_ns == due_ns and self.settings is not None:
                report = self._report(identity, tracked, now_ns, self.settings)
                if report is not None:
                    self.counters[f"findings_{report.state}"] += 1
                    yield report

    def all(self) -> Iterator[tuple[str, Joined, bool]]:
        """Every finding as it is now, and whether all of it was reported before."""
        for identity, tracked in self._tracked.items():
            joined = self._joined(identity, tracked)
            yield identity, joined, not tracked.has_news(joined)

    def was_reported(self, identity: str) -> bool:
        """Whether a finding was reported at all."""
        tracked = self._tracked.get(identity)
        return tracked is not None and tracked.reported_grade is not None

    def _track(self, identity: str, contribution: Spoken, now_ns: int) -> TrackedFinding | None:
        """The finding with this identity, new if need be; None if there is no room for it."""
        tracked = self._tracked.get(identity)
        if tracked is None:
            if len(self._tracked) >= MAX_FINDINGS:
                self.counters["findings_refused"] += 1
                return None
            tracked = self._tracked[identity] = TrackedFinding(now_ns, contribution)
            if self.settings is not None:
                self._schedule(identity, tracked, now_ns + self.settings.attempt_ns)
        return tracked

    def _schedule(self, identity: str, tracked: TrackedFinding, due_ns: int) -> None:
        if self.settings is not None and tracked.due_ns != due_ns:
            tracked.due_ns = due_ns
            heapq.heappush(self._due, (due_ns, identity))

    def _leave(self, flow: int, identities: Iterable[str], now_ns: int) -> None:
        """A connection proved to be something else: a finding that rested on it alone is over."""
        for identity in identities:
            tracked = self._tracked.get(identity)
            if tracked is None:
                continue
            tracked.live.discard(flow)
            tracked.settled = False
            if tracked.live or tracked.ended is not None:
                continue
            if tracked.reported_grade is None:
                del self._tracked[identity]
            else:
                tracked.ended = Joined(tracked.lead)
                tracked.ended.add(tracked.lead)
                tracked.over = True
                self._schedule(identity, tracked, now_ns)

    def _report(
        self, identity: str, tracked: TrackedFinding, now_ns: int, settings: ReportingSettings
    ) -> Report | None:
        joined = self._joined(identity, tracked)
        silent = now_ns - joined.last_ns >= settings.close_ns
        if not tracked.live and tracked.reported_grade is not None and (silent or tracked.over):
            del self._tracked[identity]
            return Report(identity, "closed", joined)
        next_ns = now_ns + settings.update_ns
        if not tracked.live:
            next_ns = min(next_ns, max(joined.last_ns + settings.close_ns, now_ns + 1))
        self._schedule(identity, tracked, next_ns)
        if not tracked.has_news(joined):
            return None
        state: State = "opened" if tracked.reported_grade is None else "updated"
        tracked.reported_grade = max(joined.lead.grade, tracked.reported_grade or joined.lead.grade)
        tracked.reported_last_ns = joined.last_ns
        tracked.settled = True
        return Report(identity, state, joined)

    def _joined(self, identity: str, tracked: TrackedFinding) -> Joined:
        """What is over and what is open, together."""
        joined = tracked.ended.copy() if tracked.ended is not None and tracked.live else tracked.ended
        for flow in sorted(tracked.live):
            for name, contribution in self._judge_open(flow):
                if name == identity:
                    joined = joined or Joined(contribution)
                    joined.add(contribution)
        if joined is None:
            joined = Joined(tracked.lead)
            joined.add(tracked.lead)
        return joined
