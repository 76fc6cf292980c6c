"""One login within one session: its shares, work, claims and rig names. Knows counting; knows no messages and no bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from sensor.records import Shares

#: Rig names kept of one account; a proxy may forward thousands, the count of shares does not depend on them.
MAX_WORKERS = 64


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
    shares: Shares = field(default_factory=Shares)
    work: int = 0
    work_unknown: int = 0  # accepted shares whose difficulty was never seen
    share_work: tuple[int, int] | None = None  # (time, work) of the latest share
    claimed_hps: tuple[int, float] | None = None  # (time, claim)
    workers: set[str] = field(default_factory=set)
    refused: bool = False

    def name_worker(self, name: str) -> None:
        """Remember a rig name; over the bound the last in the alphabet go, so that order of arrival does not matter."""
        self.workers.add(name)
        if len(self.workers) > MAX_WORKERS:
            self.workers.discard(max(self.workers))

    def submit(self, ts_ns: int, work: int | None) -> None:
        """A share was sent."""
        self.shares.submitted += 1
        self.shares.unanswered += 1
        self.last_ns = max(self.last_ns, ts_ns)
        if work is not None:
            self.share_work = (ts_ns, work)

    def settle(self, accepted: bool, work: int | None) -> None:
        """A share was answered."""
        self.shares.unanswered -= 1
        if not accepted:
            self.shares.rejected += 1
            return
        self.shares.accepted += 1
        if work is None:
            self.work_unknown += 1
        else:
            self.work += work
