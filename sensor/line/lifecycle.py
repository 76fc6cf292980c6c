"""Findings while mining goes on: which connections each rests on, and when it is reported: opened, updated, closed.

Time is handed in (the packets' clock). A finding is reported as soon as it is certain, again when its grade rises,
then at most once in `update_ns` while something new is seen, and a last time when it was silent for `close_ns`, or
when it has become another finding. Knows contributions; judges nothing.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sensor.line.donors import Donors
from sensor.line.join import MAX_FLOWS, Joined
from sensor.line.judge import Spoken
from sensor.line.tracked import Report, TrackedFinding, TrackedSubject
from sensor.line.unspoken import SubjectKey, Unspoken, subject_key, unspoken_id
from sensor.model.evidence import Grade
from sensor.model.observation import KINDS, Hint, ObservationKind
from sensor.model.time import HOUR_NS, MINUTE_NS

#: A finding is reported when so many of its connections have ended: each is listed in some report, by which a ledger
#: knows it again.
MAX_UNLISTED = MAX_FLOWS // 2
#: Connections listed in what is reported in one step: as objects they take 3 KB each, and the ledger and each receiver
#: hold the same again. A quiet line takes ten steps a second, so 65,536 findings of one connection each are out within
#: four seconds.
MAX_REPORTED = 2_048
#: Findings tracked at once; past this new ones are counted and refused.
MAX_FINDINGS = 65_536
#: Of them, those of one miner's address: it takes no more than a quarter of the room, and leaves the rest to others.
MAX_OF_MINER = 16_384
#: Of what is due at one time, what became something else comes last: the other is reported before it is referred to.
FIRST, LAST = 0, 1

#: How long it is waited for a login, or for certainty, while a connection is open.
ATTEMPT_NS = MINUTE_NS
#: And this long for a session without shares to show whether it only watches, if that can be known within it.
MOST_DOUBT_NS = HOUR_NS

Identified = tuple[str, Spoken]  # a finding's identity, and what a flow adds to it


@dataclass(frozen=True, slots=True)
class ReportingSettings:
    """How often a finding is reported."""

    update_ns: int = 5 * MINUTE_NS
    close_ns: int = 30 * MINUTE_NS
    #: What is not certain, or has no login yet, is reported when its connection has ended, or after this.
    attempt_ns: int = ATTEMPT_NS


def is_certain(contribution: Spoken) -> bool:
    """Whether it can be reported at once: a miner that has not signed in yet is likely to be another finding in a
    moment, and who sends no share may only look.
    """
    account = contribution.account
    return contribution.grade >= Grade.ACCEPTED or (
        contribution.grade is Grade.SPEAKS and account.login is not None and account.shares.submitted > 0
    )


def _is_fresh(joined: Joined | Unspoken) -> bool:
    """Whether what it rests on began only now: it is likely to sign in in a moment."""
    return joined.last_ns - joined.first_ns < ATTEMPT_NS


def _is_open(joined: Joined | Unspoken, login: str | None) -> bool:
    """Whether it is likely to be something else in a moment: to sign in, or to be known as one that only watches."""
    if isinstance(joined, Joined) and joined.may_only_watch(MOST_DOUBT_NS):
        return True
    return login is None and _is_fresh(joined)


class Lifecycle:
    """All findings of one run. `judge_open` gives what an open connection contributes as of now."""

    def __init__(self, settings: ReportingSettings | None, judge_open: Callable[[int], Sequence[Identified]]) -> None:
        self.settings = settings
        self._judge_open = judge_open
        self._tracked: dict[str, TrackedFinding] = {}
        self._subjects: dict[SubjectKey, TrackedSubject] = {}  # each has a finding at least
        self._of_flow: dict[int, tuple[str, ...]] = {}
        self._due: list[tuple[int, int, str]] = []
        self._became: dict[str, str] = {}  # what was forgotten since all that was due was reported, and what it is now
        self._of_miner: Counter[str] = Counter()  # findings tracked, by the miner's address
        self.donors = Donors()  # of what is tracked
        self.counters: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._tracked)

    def observe(self, seen: Iterable[Hint], now_ns: int) -> None:
        """Take what names and behaviour say: it is listed in all findings of its subject, and is one where nothing was
        spoken.
        """
        for hint in seen:
            key = subject_key(hint)
            subject = self._subjects.get(key)
            unspoken = (subject and subject.unspoken) or Unspoken(hint.subject)
            dropped, grade = unspoken.dropped, unspoken.grade if unspoken.parts else None
            unspoken.add(hint)
            self.counters["observations_dropped"] += unspoken.dropped - dropped
            self._track(unspoken_id(unspoken.kind, key), key, unspoken.kind, None, now_ns)
            subject = self._subjects.get(key)
            if subject is None:
                continue  # no room
            subject.unspoken = unspoken
            if unspoken.grade != grade:
                for identity, tracked in chain(subject.spoken.items(), subject.silent.items()):
                    if tracked.reported_grade is not None and unspoken.grade > tracked.reported_grade:
                        self._schedule(identity, tracked, now_ns)

    def flow_changed(self, flow: int, contributions: Iterable[Identified], now_ns: int) -> None:
        """What an open connection contributes has changed in kind."""
        before, after = self._of_flow.get(flow, ()), []
        for identity, contribution in contributions:
            tracked = self._track(identity, subject_key(contribution), "spoken", contribution, now_ns)
            if tracked is None:
                continue
            after.append(identity)
            tracked.live.add(flow)
            tracked.over, tracked.heir = False, None
            better = is_certain(contribution) and contribution.grade > (tracked.reported_grade or 0)
            if better or tracked.is_urgent(contribution):
                self._schedule(identity, tracked, now_ns)
        self._leave(flow, set(before) - set(after), after, now_ns)
        self._of_flow[flow] = tuple(after)

    def follows(self, flow: int) -> bool:
        """Whether a finding rests on this open connection."""
        return flow in self._of_flow

    def flow_ended(self, flow: int, contributions: Iterable[Identified], now_ns: int) -> None:
        """A connection is over; this is what it contributed."""
        before, after = self._of_flow.pop(flow, ()), []
        for identity, contribution in contributions:
            tracked = self._track(identity, subject_key(contribution), "spoken", contribution, now_ns)
            if tracked is None:
                continue
            after.append(identity)
            tracked.live.discard(flow)
            tracked.over, tracked.heir = False, None
            tracked.ended = tracked.ended or Joined(contribution)
            tracked.ended.add(contribution)
            tracked.settled = False
            tracked.unlisted += 1
            better = tracked.reported_grade is None or contribution.grade > tracked.reported_grade
            better = better or tracked.is_urgent(contribution)
            if better or tracked.unlisted >= MAX_UNLISTED:
                self._schedule(identity, tracked, now_ns)
        self._leave(flow, set(before) - set(after), after, now_ns)

    def count(self, identity: str, count: int, first_ns: int, last_ns: int) -> bool:
        """So many more connections like those that ended, which were not judged by themselves; whether the finding is
        followed."""
        tracked = self._tracked.get(identity)
        if tracked is None or tracked.ended is None:
            return False
        tracked.ended.count(count, first_ns, last_ns)
        tracked.settled = False
        return True

    def due_reports(self, now_ns: int) -> Iterator[Report]:
        """What is due by now; of much the first: the rest stays due."""
        listed = 0
        while self._due and self._due[0][0] <= now_ns:
            if listed >= MAX_REPORTED:
                return
            due_ns, _, identity = heapq.heappop(self._due)
            tracked = self._tracked.get(identity)
            if tracked is not None and tracked.due_ns == due_ns and self.settings is not None:
                report = self._report(identity, tracked, now_ns, self.settings)
                if report is not None:
                    self.counters[f"findings_{report.state}"] += 1
                    listed += len(report.joined.flows) if isinstance(report.joined, Joined) else 1
                    yield report
        self._became.clear()

    def last_reports(self, *, over: bool = True) -> Iterator[Report]:
        """At the end of a run every finding once; with settings only what is new, for findings stay open. While it goes
        on (not `over`), what is new: what has not signed in yet is likely to be another finding in a moment."""
        by_grade = over and self.settings is not None  # there may not be time for all

        def order(item: tuple[str, TrackedFinding]) -> tuple[int, int]:
            return KINDS.index(item[1].kind), -(item[1].reported_grade or 0) if by_grade else 0

        for identity, tracked in sorted(self._tracked.items(), key=order):
            subject = self._subjects[tracked.key]
            if subject.waits(tracked):
                continue
            if self.settings is None and not over and tracked.kind != "spoken":
                continue  # what names and behaviour say is whole only at the end
            joined = self._joined(identity, tracked)
            if not over and tracked.live and not tracked.reported and _is_open(joined, tracked.login):
                continue
            heir = self._now(subject.heir(tracked, over=False))
            if tracked.reported and (heir is not None or tracked.over):
                yield Report(identity, "closed", joined, heir, tracked.correction(joined))
            elif self.settings is None and over:
                yield Report(identity, "closed", joined, corrects=tracked.correction(joined))
            elif tracked.has_news(joined):
                corrects = tracked.correction(joined)
                yield Report(identity, tracked.note_report(joined), joined, corrects=corrects)

    def _track(
        self, identity: str, key: SubjectKey, kind: ObservationKind, lead: Spoken | None, now_ns: int
    ) -> TrackedFinding | None:
        """The finding with this identity, new if need be; None if there is no room for it."""
        tracked = self._tracked.get(identity)
        if tracked is None:
            if len(self._tracked) >= MAX_FINDINGS or self._of_miner[key.miner_ip] >= MAX_OF_MINER:
                self.counters["findings_refused"] += 1
                return None
            tracked = self._tracked[identity] = TrackedFinding(key, kind, lead)
            self._subjects.setdefault(key, TrackedSubject()).of(kind)[identity] = tracked
            self._of_miner[key.miner_ip] += 1
            self.donors.add(key.miner_ip, tracked.login)
            if self.settings is not None:
                self._schedule(identity, tracked, now_ns + self.settings.attempt_ns)
        return tracked

    def _forget(self, identity: str) -> None:
        tracked = self._tracked.pop(identity)
        miner_ip = tracked.key.miner_ip
        self.donors.remove(miner_ip, tracked.login)
        self._of_miner[miner_ip] -= 1
        if not self._of_miner[miner_ip]:
            del self._of_miner[miner_ip]
        subject = self._subjects[tracked.key]
        del subject.of(tracked.kind)[identity]
        if not (subject.spoken or subject.silent):
            del self._subjects[tracked.key]

    def _schedule(self, identity: str, tracked: TrackedFinding, due_ns: int, order: int = FIRST) -> None:
        if self.settings is not None and tracked.due_ns != due_ns:
            tracked.due_ns = due_ns
            heapq.heappush(self._due, (due_ns, order, identity))

    def _leave(self, flow: int, identities: Iterable[str], heirs: Sequence[str], now_ns: int) -> None:
        """A connection proved to be something else: a finding that rested on it alone is over, and is what the
        connection contributes to now.
        """
        heir = next(iter(heirs), None)
        for identity in sorted(identities):
            tracked = self._tracked.get(identity)
            if tracked is None:
                continue
            tracked.live.discard(flow)
            tracked.settled = False
            if tracked.live or tracked.ended is not None:
                continue
            if tracked.reported_grade is None:
                self._forget(identity)
                self._became.update({identity: heir} if heir else {})
                continue
            tracked.over, tracked.heir = True, heir
            if heir is not None and self._tracked[heir].reported_grade is None:
                self._schedule(heir, self._tracked[heir], now_ns)
            self._schedule(identity, tracked, now_ns, LAST)

    def _report(
        self, identity: str, tracked: TrackedFinding, now_ns: int, settings: ReportingSettings
    ) -> Report | None:
        subject = self._subjects[tracked.key]
        joined = self._joined(identity, tracked)
        silent = now_ns - joined.last_ns >= settings.close_ns
        reported, waits = tracked.reported, subject.waits(tracked)
        heir = self._now(subject.heir(tracked, silent)) if reported else None
        if not tracked.live and (reported or waits) and (silent or tracked.over or heir is not None):
            self._forget(identity)
            return Report(identity, "closed", joined, heir, tracked.correction(joined)) if reported else None
        next_ns = now_ns + settings.update_ns
        if not tracked.live:
            next_ns = min(next_ns, max(joined.last_ns + settings.close_ns, now_ns + 1))
        self._schedule(identity, tracked, next_ns)
        if not reported and isinstance(joined, Joined) and tracked.live and joined.may_only_watch(MOST_DOUBT_NS):
            return None
        if waits or not tracked.has_news(joined):
            return None
        if not reported:
            self._call_in(subject, now_ns)
        corrects = tracked.correction(joined)
        return Report(identity, tracked.note_report(joined), joined, corrects=corrects)

    def _call_in(self, subject: TrackedSubject, now_ns: int) -> None:
        """A finding is reported for the first time: those without words that were reported may become it."""
        for identity, tracked in subject.silent.items():
            if tracked.reported:
                self._schedule(identity, tracked, now_ns, LAST)

    def _now(self, identity: str | None) -> str | None:
        """What a finding is called now, if it was forgotten in this step."""
        while identity is not None and identity in self._became and identity not in self._tracked:
            identity = self._became[identity]
        return identity

    def _joined(self, identity: str, tracked: TrackedFinding) -> Joined | Unspoken:
        """What is over and what is open, together; of a finding that has become another one no sums."""
        unspoken = self._subjects[tracked.key].unspoken
        if tracked.lead is None:
            assert unspoken is not None, "a finding without words rests on names or behaviour"
            return unspoken
        if tracked.heir is not None:
            joined: Joined | None = Joined.moved(tracked.lead, tracked.reported_last_ns)
        else:
            joined = tracked.ended.copy() if tracked.ended is not None and tracked.live else tracked.ended
        for flow in sorted(tracked.live):
            for name, contribution in self._judge_open(flow):
                if name == identity:
                    joined = joined or Joined(contribution)
                    joined.add(contribution)
        if joined is None:
            joined = Joined(tracked.lead)
            joined.add(tracked.lead)
        joined.unspoken = unspoken
        return joined
