"""Whether a flow's messages come as a miner's and a pool's do: each from its own side, and in turn. What ships, copies
or compares logs sends both sides' messages from one side, or many shares and many jobs at a stretch. Pure.

A pool gives a job when there is a new one, seconds apart. A miner finds shares at random times and waits for none; even
a proxy that sends hundreds a second gets its jobs singly.
"""

from __future__ import annotations

from collections.abc import Sequence

from sensor.model.time import MILLISECOND_NS
from sensor.signatures.model import MessageRule

#: Messages of a side that only the other side sends, from which it is quoting: one may be a freak of some program.
QUOTED = 2
#: Shares at a stretch follow each other within this, with no answer between; and so do jobs.
STRETCH_NS = 50 * MILLISECOND_NS
#: Shares and jobs from which their times tell anything, and the part of them that comes at a stretch in a log.
LEAST_SHARES, LEAST_JOBS, IN_STRETCHES = 12, 4, 0.5
#: Kinds of messages that a pool never sends, and a miner never.
OF_MINERS, OF_POOLS = frozenset({"subscribe", "login", "submit"}), frozenset({"job", "target"})


class Turns:
    """What was seen of one flow so far."""

    __slots__ = ("_job_ns", "_jobs", "_roles", "_share_before", "_shares", "_stretched_jobs", "_stretched_shares")

    def __init__(self) -> None:
        self._roles = [0, 0, 0, 0]  # messages by direction, of miners and of pools
        self._shares = self._jobs = 0
        self._stretched_shares = self._stretched_jobs = 0  # of these, those right behind another one
        self._share_before: tuple[int, int] | None = None  # direction and time of the message before, if it is a share
        self._job_ns: int | None = None  # when the job before was given

    def note(self, direction: int, ts_ns: int, rules: Sequence[MessageRule]) -> None:
        """A message, by all the rules that it fits."""
        if not rules:
            self._share_before = None
            return
        of_miners = of_pools = is_share = is_job = False
        for rule in rules:
            kind = rule.kind
            if kind in OF_MINERS:
                of_miners, is_share = True, is_share or kind == "submit"
            elif kind in OF_POOLS:
                of_pools, is_job = True, is_job or kind == "job"
        if of_miners is not of_pools:
            self._roles[2 * direction + of_pools] += 1
        before, self._share_before = self._share_before, (direction, ts_ns) if is_share else None
        if is_share:
            self._shares += 1
            if before is not None and before[0] == direction and ts_ns - before[1] <= STRETCH_NS:
                self._stretched_shares += 1
        elif is_job:
            self._jobs += 1
            if self._job_ns is not None and ts_ns - self._job_ns <= STRETCH_NS:
                self._stretched_jobs += 1
            self._job_ns = ts_ns

    def quoted(self, miner: int) -> bool:
        """Whether a side sends what only the other one does, where the miner's is this direction."""
        return self._roles[2 * miner + 1] >= QUOTED or self._roles[2 * (1 - miner)] >= QUOTED

    @property
    def at_a_stretch(self) -> bool:
        """Whether shares and jobs come in stretches, as they stand in a log."""
        shares, jobs = self._stretched_shares, self._stretched_jobs
        many = self._shares >= LEAST_SHARES and self._jobs >= LEAST_JOBS
        return many and shares >= IN_STRETCHES * self._shares and jobs >= IN_STRETCHES * self._jobs
