"""Findings while mining goes on: which connections each rests on, and when it is due to be told: opened, updated, closed.

Time is handed in (the packets' clock). A finding is told as soon as it is certain, again when its grade rises, then at most once in
`update_ns` while something new is seen, and a last time when it was silent for `close_ns`. Knows contributions; judges nothing.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from sensor.line.join import Joined
from sensor.line.judge import Contribution
from sensor.model.evidence import Grade

#: Findings kept at once; past this new ones are counted and refused.
MAX_FINDINGS = 65_536
NS = 1_000_000_000

State = Literal["opened", "updated", "closed"]
Named = tuple[str, Contribution]  # a finding's identity, and what a flow adds to it


@dataclass(frozen=True, slots=True)
class Tempo:
    """How often a finding is told."""

    update_ns: int = 300 * NS
    close_ns: int = 1_800 * NS
    attempt_ns: int = (
        60 * NS
    )  # what is not certain, or has no login yet, is told when its connection has ended, or after this


class Told(NamedTuple):
    """A finding to be told now."""

    identity: str
    state: State
    joined: Joined


@dataclass(slots=True)
class Followed:
    """One finding."""

    first_ns: int
    lead: Contribution
    ended: Joined | None = None  # what connections that are over contributed
    live: set[int] = field(default_factory=set)  # connections that are open
    due_ns: int = 0
    told: Grade | None = None
    told_last_ns: int = 0  # last packet that was told of
    settled: bool = True  # no connection has ended or left since
    over: bool = False  # what it rested on proved to be something else

    def has_news(self, joined: Joined) -> bool:
        """Whether there is more than was told."""
        return (
            self.told is None or not self.settled or joined.last_ns > self.told_last_ns or joined.lead.grade > self.told
        )


def is_certain(one: Contribution) -> bool:
    """Whether it can be told at once: a miner that has not signed in yet is likely to be another finding in a moment."""
    return one.grade >= Grade.ACCEPTED or (one.grade is Grade.SPEAKS and one.account.login is not None)


class Following:
    """All findings of one run. `reread` gives what an open connection contributes as of now."""

    def __init__(self, tempo: Tempo | None, reread: Callable[[int], Sequence[Named]]) -> None:
        self.tempo = tempo
        self._reread = reread
        self._known: dict[str, Followed] = {}
        self._of_flow: dict[int, tuple[str, ...]] = {}
        self._due: list[tuple[int, str]] = []
        self.counters: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._known)

    def logins(self, miner_ip: str) -> set[str]:
        """The logins of a miner's address."""
        return {
            one.lead.account.login
            for one in self._known.values()
            if one.lead.miner_ip == miner_ip and one.lead.account.login
        }

    def saw(self, flow: int, contributions: Iterable[Named], now_ns: int) -> None:
        """What an open connection contributes has changed in kind."""
        before, after = self._of_flow.get(flow, ()), []
        for identity, one in contributions:
            found = self._get(identity, one, now_ns)
            if found is None:
                continue
            after.append(identity)
            found.live.add(flow)
            found.over = False
            if is_certain(one) and one.grade > (found.told or 0):
                self._schedule(identity, found, now_ns)
        self._leave(flow, set(before) - set(after), now_ns)
        self._of_flow[flow] = tuple(after)

    def ended(self, flow: int, contributions: Iterable[Named], now_ns: int) -> None:
        """A connection is over; this is what it contributed."""
        left = set(self._of_flow.pop(flow, ()))
        for identity, one in contributions:
            found = self._get(identity, one, now_ns)
            if found is None:
                continue
            left.discard(identity)
            found.live.discard(flow)
            found.over = False
            found.ended = found.ended or Joined(one)
            found.ended.add(one)
            found.settled = False
            if found.told is None or one.grade > found.told:
                self._schedule(identity, found, now_ns)
        self._leave(flow, left, now_ns)

    def tell(self, now_ns: int) -> Iterator[Told]:
        """What is due by now."""
        while self._due and self._due[0][0] <= now_ns:
            due_ns, identity = heapq.heappop(self._due)
            found = self._known.get(identity)
            if found is not None and found.due_ns == due_ns and self.tempo is not None:
                told = self._tell(identity, found, now_ns, self.tempo)
                if told is not None:
                    self.counters[f"findings_{told.state}"] += 1
                    yield told

    def all(self) -> Iterator[tuple[str, Joined, bool]]:
        """Every finding as it stands, and whether all of it was told before."""
        for identity, found in self._known.items():
            joined = self._joined(identity, found)
            yield identity, joined, not found.has_news(joined)

    def was_told(self, identity: str) -> bool:
        """Whether a finding was told at all."""
        found = self._known.get(identity)
        return found is not None and found.told is not None

    def _get(self, identity: str, one: Contribution, now_ns: int) -> Followed | None:
        found = self._known.get(identity)
        if found is None:
            if len(self._known) >= MAX_FINDINGS:
                self.counters["findings_refused"] += 1
                return None
            found = self._known[identity] = Followed(now_ns, one)
            if self.tempo is not None:
                self._schedule(identity, found, now_ns + self.tempo.attempt_ns)
        return found

    def _schedule(self, identity: str, found: Followed, due_ns: int) -> None:
        if self.tempo is not None and found.due_ns != due_ns:
            found.due_ns = due_ns
            heapq.heappush(self._due, (due_ns, identity))

    def _leave(self, flow: int, identities: Iterable[str], now_ns: int) -> None:
        """A connection proved to be something else: a finding that rested on it alone is over."""
        for identity in identities:
            found = self._known.get(identity)
            if found is None:
                continue
            found.live.discard(flow)
            found.settled = False
            if found.live or found.ended is not None:
                continue
            if found.told is None:
                del self._known[identity]
            else:
                found.ended = Joined(found.lead)
                found.ended.add(found.lead)
                found.over = True
                self._schedule(identity, found, now_ns)

    def _tell(self, identity: str, found: Followed, now_ns: int, tempo: Tempo) -> Told | None:
        joined = self._joined(identity, found)
        silent = now_ns - joined.last_ns >= tempo.close_ns
        if not found.live and found.told is not None and (silent or found.over):
            del self._known[identity]
            return Told(identity, "closed", joined)
        following_ns = now_ns + tempo.update_ns
        self._schedule(
            identity,
            found,
            following_ns if found.live else min(following_ns, max(joined.last_ns + tempo.close_ns, now_ns + 1)),
        )
        if not found.has_news(joined):
            return None
        state: State = "opened" if found.told is None else "updated"
        found.told, found.told_last_ns = max(joined.lead.grade, found.told or joined.lead.grade), joined.last_ns
        found.settled = True
        return Told(identity, state, joined)

    def _joined(self, identity: str, found: Followed) -> Joined:
        """What is over and what is open, together."""
        joined = found.ended.copy() if found.ended is not None and found.live else found.ended
        for flow in sorted(found.live):
            for name, one in self._reread(flow):
                if name == identity:
                    joined = joined or Joined(one)
                    joined.add(one)
        if joined is None:
            joined = Joined(found.lead)
            joined.add(found.lead)
        return joined
