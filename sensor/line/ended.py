"""Flows that are over: what only began and came to nothing is judged by itself, or counted with others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sensor.line.attempt_summary import Matching, glance, summary
from sensor.line.attempts import AttemptCount, Attempts, Ends
from sensor.line.lifecycle import Identified, Lifecycle
from sensor.line.open_flow import OpenFlow
from sensor.model.events import Close
from sensor.model.finding import Finding
from sensor.signatures.model import SignatureSet

#: Whether attempts of an address are judged one by one as far as there is room, as a registered enterprise's are.
Watches = Callable[[str], bool]
#: Findings of attempts that were judged by themselves, to which others of the same ends are counted.
MAX_FINDINGS_BESIDE = 1_024


def nobody(address: str) -> bool:  # noqa: ARG001 (it is a Watches)
    """No address is looked at more closely than others."""
    return False


class Ended(NamedTuple):
    """A flow that is over, as its Close has it; None: it was given up."""

    number: int
    flow: OpenFlow
    closed: Close | None


Contribute = Callable[[Ended], Sequence[Identified]]


class EndedBeginnings:
    """The beginnings of one run that came to nothing."""

    def __init__(self, contribute: Contribute, lifecycle: Lifecycle, watches: Watches, *, at_once: bool) -> None:
        """`contribute` judges a flow by itself; `at_once`: the first of an interval when they end."""
        self._contribute, self._lifecycle, self._watches = contribute, lifecycle, watches
        self._matching = Matching()
        self._attempts: Attempts[Ended] = Attempts(at_once=at_once)
        self._findings: OrderedDict[Ends, str] = OrderedDict()  # of those that were judged by themselves

    @property
    def counters(self) -> dict[str, int]:
        """Counts since the start, by name."""
        return dict(self._attempts.counters)

    def take(self, ended: Ended, signatures: SignatureSet) -> None:
        """One that came to nothing."""
        facts = ended.flow.facts(ended.closed)
        seen = glance(ended.flow, facts, signatures, self._matching)
        if seen is None:
            self._contribute(ended)
            return
        watched = self._watches(seen.ends.source)
        judged, counted = self._attempts.take(seen.beginner, facts.last_ns, ended, watched=watched)
        if judged is not None:
            self._judge(judged)
        if counted is not None:
            self._count(counted, signatures)

    def _count(self, ended: Ended, signatures: SignatureSet) -> None:
        seen = glance(ended.flow, ended.flow.facts(ended.closed), signatures, self._matching)
        if seen is not None:
            self._attempts.count(seen.ends, seen.counts)

    def summaries(self, signatures: SignatureSet, now_ns: int, *, over: bool = False) -> list[Finding]:
        """What is to be reported of those that were counted; those that were held are judged before."""
        for ended, alone in self._attempts.waiting(now_ns, over=over):
            if alone:
                self._judge(ended)
            else:
                self._count(ended, signatures)
        groups = self._attempts.summaries(now_ns, self._join, over=over)
        return [summary(group, began_ns, signatures) for began_ns, group in groups]

    def _judge(self, ended: Ended) -> None:
        for identity, contribution in self._contribute(ended):
            ends = Ends(contribution.miner_ip, contribution.pool_ip, contribution.pool_port, contribution.account.login)
            self._findings[ends] = identity
            self._findings.move_to_end(ends)
        while len(self._findings) > MAX_FINDINGS_BESIDE:
            self._findings.popitem(last=False)

    def _join(self, ends: Ends, counts: AttemptCount) -> bool:
        """Count into a finding of the same source, pool and login, if there is one."""
        identity = self._findings.get(ends)
        return identity is not None and self._lifecycle.count(identity, counts.count, counts.first_ns, counts.last_ns)
