"""One login within one session: its shares, work, claims and rig names. Counts; knows no messages and no bytes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from sensor.estimate import JobTimes, Share, ShareBook, Timeline
from sensor.model.naming import AlgorithmBasis
from sensor.model.quantities import Shares
from sensor.session.share_trail import ShareTrail

#: Rig names kept of one account; a proxy may forward thousands, the count of shares does not depend on them.
MAX_WORKERS = 64


class EraSums(NamedTuple):
    """What an account had counted when a difficulty came into force."""

    era: int
    work: int
    unknown: int  # accepted shares of unknown work
    accepted: int
    submitted: int


@dataclass(slots=True, eq=False)
class Account:
    """What one login did in one session. Work is in 2^-32 hashes, so that sums are exact."""

    login: str | None
    first_ns: int
    last_ns: int
    worker: str | None = None
    agent: str | None = None
    coin: str | None = None
    algorithm: str | None = None
    basis: AlgorithmBasis | None = None  # how that algorithm is known
    no_habit: bool = False  # its form says that the dialect's usual algorithm need not be its own
    payout: str | None = None  # the coin that its options ask to be paid in
    shares: Shares = field(default_factory=Shares)
    book: ShareBook = field(default_factory=ShareBook)  # the same shares as the estimate needs them
    work: int = 0
    work_unknown: int = 0  # accepted shares whose difficulty was never seen
    share_work: tuple[int, int] | None = None  # (time, work) of the latest share
    claimed_hps: tuple[int, float] | None = None  # (time, claim)
    workers: tuple[str, ...] = ()
    refused: bool = False
    timeline: Timeline | None = None  # when shares were sent
    trail: ShareTrail | None = None  # and where in the miner's stream
    era: EraSums | None = None  # what was counted when the difficulty in force was sent

    def name_worker(self, name: str) -> None:
        """Remember a rig name; over the bound the last in the alphabet go, so that order of arrival does not matter."""
        names = (*self.workers, name) if name not in self.workers else self.workers
        last = max(names) if len(names) > MAX_WORKERS else None
        self.workers = names if last is None else tuple(worker for worker in names if worker != last)

    def rescale(self, factor: Fraction) -> None:
        """The algorithm proved to be another than assumed: what was counted means this many times the work."""
        self.work = int(self.work * factor)
        self.share_work = self.share_work and (self.share_work[0], int(self.share_work[1] * factor))
        self.book.rescale(factor)
        if self.era is not None:
            self.era = self.era._replace(work=int(self.era.work * factor))
        if self.trail is not None:
            self.trail.rescale(factor)

    def submit(
        self, ts_ns: int, work: int | None, value: int | None = None, position: int = 0, times: JobTimes | None = None
    ) -> Share:
        """A share was sent; `value` is the upper part of its hash where the miner sends it, `position` the message's in
        the miner's stream, `times` when the connection's work was known."""
        self.shares.submitted += 1
        self.shares.unanswered += 1
        if ts_ns > self.last_ns:
            self.last_ns = ts_ns
        self.timeline = self.timeline or Timeline()
        self.timeline.put(ts_ns)
        if times is not None and (self.era is None or self.era.era != times.era):
            self.era = EraSums(times.era, self.work, self.work_unknown, self.shares.accepted, self.shares.submitted - 1)
        share = self.book.submit(ts_ns, work, value, position, times)
        if share.work is not None:
            self.share_work = (ts_ns, share.work)
        self.trail = self.trail or ShareTrail()
        self.trail.put(share)
        return share

    def refute(self) -> None:
        """The difficulty in force never held: what was counted by it is of unknown work."""
        self.book.refute()
        self.share_work = None
        if self.era is None:
            return
        self.work = self.era.work
        self.work_unknown = self.era.unknown + self.shares.accepted - self.era.accepted
        if self.trail is not None:
            self.trail.unrate(self.era.submitted)

    def settle(self, accepted: bool, work: int | None, share: Share | None = None) -> None:
        """A share was answered; its work may be known only from the answer."""
        self.shares.unanswered -= 1
        if share is not None and share.doubted:
            work = None
        if share is not None and self.trail is not None:
            self.trail.settle(share, accepted=accepted, work=work)
        if share is not None and share.work is None and work is not None:
            self.share_work = (share.ts_ns, work)
            self.book.learn(share, work)
        if not accepted:
            self.shares.rejected += 1
            if share is not None:
                share.work = work
                self.book.reject(share)
            return
        self.shares.accepted += 1
        if work is None:
            self.work_unknown += 1
        else:
            self.work += work


def without_work(account: Account) -> Account:
    """The same account where it is not known what its shares are worth: they are counted, and no work is."""
    return replace(account, work=0, work_unknown=account.shares.accepted, share_work=None)
