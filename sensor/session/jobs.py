"""The jobs of one flow as one dialect reads them: what a share of each is worth, and on which algorithm's scale. Knows
no accounts' counts.

A job's difficulty is fixed when it is given, by its own target or the one in force. Recomputed shares may prove that
the algorithm is another than assumed: then what was announced means a different amount of work.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from sensor.dialects.stream.message import Message
from sensor.estimate import JobTimes
from sensor.model.trace import SessionState
from sensor.session.account import Account
from sensor.session.verify import Look, SubmittedShare, Verifier
from sensor.signatures.language import look
from sensor.signatures.message_values import MessageValues
from sensor.signatures.model import Dialect, MessageRule
from sensor.signatures.proofs import Proof

#: Jobs whose difficulty is remembered; miners submit to the last few, and a chain-group pool pushes 16 at a time.
MAX_JOBS = 32
#: Jobs taken from one message.
MAX_JOBS_PER_MESSAGE = 64
NO_VALUES: MessageValues = {}
#: Framings whose reader adds the target in force to each job: that is what was sent before, not sent again.
REMEMBERED = frozenset({"stratum-v2"})


class JobWorks:
    """What a share of each of the last jobs is worth. Of names only a 32-bit mark is kept: texts would be most of a
    session's memory, and two of a few dozen jobs meet once in many million sessions.
    """

    __slots__ = ("_marks", "_works")

    def __init__(self) -> None:
        self._marks = array("I")
        self._works: tuple[int | None, ...] = ()  # oldest job first

    def put(self, name: str, work: int | None) -> None:
        """A job was given, or given again."""
        mark = _mark(name)
        if mark in self._marks:
            at = self._marks.index(mark)
            del self._marks[at]
            self._works = (*self._works[:at], *self._works[at + 1 :])
        elif len(self._marks) >= MAX_JOBS:
            del self._marks[0]
            self._works = self._works[1:]
        self._marks.append(mark)
        self._works = (*self._works, work)

    def of(self, name: str) -> int | None:
        """The work of a job's share; None for a job that was not seen, or whose difficulty was not."""
        mark = _mark(name)
        return self._works[self._marks.index(mark)] if mark in self._marks else None

    def pairs(self) -> tuple[tuple[int, int | None], ...]:
        """Marks and works, oldest job first."""
        return tuple(zip(self._marks, self._works, strict=True))

    @classmethod
    def of_pairs(cls, pairs: Iterable[tuple[int, int | None]]) -> JobWorks:
        """The jobs of another process."""
        works = cls()
        for mark, work in list(pairs)[-MAX_JOBS:]:
            works._marks.append(mark)
            works._works = (*works._works, work)
        return works

    def change(self, to: Callable[[int | None], int | None]) -> None:
        """The difficulty of all jobs means something else."""
        self._works = tuple(to(work) for work in self._works)


def _mark(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "backslashreplace"))


class Jobs:
    """Targets, jobs and their work, in 2^-32 hashes a share."""

    __slots__ = (
        "_carried",
        "_suspect",
        "_target",
        "_works",
        "algorithm",
        "block_hashes",
        "coin",
        "count",
        "dialect",
        "hardest",
        "latest",
        "machine",
        "proven",
        "tellings",
        "times",
        "verifier",
    )

    def __init__(self, dialect: Dialect, verifier: Verifier | None) -> None:
        self.dialect = dialect
        self.verifier = verifier
        self.proven: str | None = None  # the algorithm that recomputed shares prove
        self.algorithm: str | None = None  # that the pool names
        self.machine: str | None = None  # the only algorithm of the machine that the agent names
        self.coin: str | None = None  # that the shape of a job names
        self.count = 0
        self.latest: tuple[int, int] | None = None  # (time, work) of the latest job
        self.hardest: int | None = None  # the most that a share was worth
        self.block_hashes = 0  # of the network, by the newest job
        self.times = JobTimes()
        self.tellings = 0  # messages that set a difficulty
        self._suspect = False  # the pool may have sent another target than this
        self._works: JobWorks | None = None
        self._target: MessageValues = NO_VALUES
        self._carried: int | None = None  # work by the difficulty that was in force before, until another is sent

    def carry(self, state: SessionState, ts_ns: int) -> None:
        """Go on from what was known of the connection before."""
        self.algorithm, self.machine, self.coin = state.algorithm, state.machine, state.coin
        self.proven, self._carried = state.proven, state.work
        self._works = JobWorks.of_pairs(state.jobs)
        self.hardest = state.work
        if state.work is not None:
            self.latest = (ts_ns, state.work)
            self.times.put(ts_ns, has_work=True)

    def in_hand(self, account: Account | None) -> tuple[int | None, tuple[tuple[int, int | None], ...]]:
        """What a share is worth by the difficulty in force, and what those of the last jobs are."""
        now = self._per_share(self._target, self.in_force(account)) if self._target else self._carried
        if now is None and self.latest is not None:
            now = self.latest[1]
        return None if self._suspect else now, () if self._works is None else self._works.pairs()

    def assumed(self, account: Account | None) -> str | None:
        """The algorithm that the login, the pool, the dialect or the machine names, in this order."""
        return (account.algorithm if account else None) or self.algorithm or self.dialect.algorithm or self.machine

    def in_force(self, account: Account | None) -> str | None:
        """The algorithm by which difficulty is read."""
        return self.proven or self.assumed(account)

    def doubt(self, accounts: Iterable[Account], ts_ns: int) -> None:
        """Something that the pool sent is missing, perhaps another difficulty: work is not known until one is sent."""
        self._suspect = True
        if self.times.doubt():
            for account in accounts:
                account.book.doubt(self.times.heard_ns, ts_ns)

    def aim(self, rule: MessageRule, values: MessageValues, account: Account | None, ts_ns: int) -> None:
        """A new difficulty or target: for jobs from now on, or for all of them if the dialect says so."""
        aims = _aims(values)
        self.harden(self._per_share(aims, self.in_force(account)) if rule.every_job and aims else None)
        self._target = {**self._target, **aims}
        self._carried = None if self._target else self._carried
        if aims and (rule.kind == "target" or "target" in aims):
            self._suspect = False
            self.tellings += 1
            self.times.aimed_ns = ts_ns if self.times.aimed_ns is None else self.times.aimed_ns
        self.algorithm = values.get("algorithm", self.algorithm)
        if rule.every_job:
            if self.verifier is not None:
                self.verifier.retarget(self._target)
            if self._works is not None:
                work = self._per_share(self._target, self.in_force(account))
                self._works.change(lambda _: work)
            self.times.settle(ts_ns)

    def take(
        self, rule: MessageRule, message: Message, values: MessageValues, account: Account | None, *, fresh: bool
    ) -> None:
        """The jobs of a message; `fresh` says that the dialect's initial difficulty holds."""
        if rule.each is None:
            pieces = rule.proof.read(message.value) if self.verifier is not None else None
            self.announce(values, message.ts_ns, account, fresh=fresh, pieces=pieces)
            return
        elements = look(message.value, rule.each)
        for element in elements[:MAX_JOBS_PER_MESSAGE] if isinstance(elements, list) else [elements]:
            self._put({**rule.constants, **rule.take.read(message.value, element)}, message.ts_ns, account, fresh, None)
        self.count += 1

    def announce(
        self,
        values: MessageValues,
        ts_ns: int,
        account: Account | None,
        *,
        fresh: bool,
        pieces: Mapping[str, object] | None = None,
    ) -> None:
        """One job."""
        self.count += 1
        self._put(values, ts_ns, account, fresh, pieces)

    def _put(
        self,
        values: MessageValues,
        ts_ns: int,
        account: Account | None,
        fresh: bool,
        pieces: Mapping[str, object] | None,
    ) -> None:
        """Its difficulty is fixed now, by its own target or the one in force."""
        self.algorithm = values.get("algorithm", self.algorithm)
        self.coin = values.get("coin", self.coin)
        own = _aims(values)
        initial = self.dialect.work.initial if fresh else NO_VALUES
        aim = {**initial, **self._target, **own} if initial or own else self._target
        if own and self.dialect.framing not in REMEMBERED:
            self.tellings += 1
        elif self._suspect:
            aim = NO_VALUES
        work = self._per_share(aim, self.in_force(account)) if aim or self._suspect else self._carried
        self.times.put(ts_ns, work is not None)
        self.harden(work)
        if pieces:
            self.block_hashes = block_hashes(pieces.get("nbits"))
        if work is not None:
            work = (
                self.latest[1] if self.latest is not None and self.latest[1] == work else work
            )  # one number for many jobs
            self.latest = (ts_ns, work)
        if "job" not in values:
            return
        key = str(values["job"])
        if pieces and self.verifier is not None:
            self.verifier.job(key, pieces, aim)
        self._works = self._works or JobWorks()
        self._works.put(key, work)

    def harden(self, work: int | None) -> None:
        """A share may be worth so much."""
        if work is not None:
            self.hardest = work if self.hardest is None else max(self.hardest, work)

    def work_as(self, work: int, account: Account, algorithm: str) -> int:
        """The work of a share if the algorithm is this one."""
        return int(work * self._scale(self.in_force(account), algorithm))

    def work_of(self, values: MessageValues, account: Account, latest: Account | None) -> int | None:
        """The work of a share: of its job if that was seen, else by what is in force at this time."""
        key = values.get("job")
        work = self._works.of(str(key)) if self._works is not None and key is not None else None
        if work is not None:
            return work
        own = _aims(values)
        now = self._per_share(
            {**self._target, **own} if own else self._target, self.proven or account.algorithm or self.in_force(latest)
        )
        return now if now is not None else (self.latest[1] if self.latest else None)

    def learn(self, proof: Proof, message: Message) -> None:
        """The parts of a message from which shares are recomputed."""
        if proof and self.verifier is not None:
            self.verifier.learn(proof.read(message.value))

    def recompute(
        self, proof: Proof, message: Message, values: MessageValues, who: tuple[Account, Account | None]
    ) -> Look | None:
        """Let the dialect's scheme look at a share if it is in the sample; `who` is whose it is, and the latest
        account.
        """
        verifier = self.verifier
        if verifier is None or not proof:
            return None
        job = str(values.get("job"))
        if not verifier.due(job):
            return None
        account, latest = who
        share = SubmittedShare(job, proof.read(message.value), account.shares, self.work_of(values, account, latest))
        return verifier.share(share, self.assumed(account), self.dialect.work.per_share)

    def settle(self, accounts: Iterable[Account], latest: Account | None) -> None:
        """The first proof also settles which algorithm it is."""
        proven = self.verifier.proven if self.verifier is not None else None
        if proven is None or self.proven is not None:
            return
        for account in accounts:
            account.rescale(self._scale(self.assumed(account), proven))
        self._rescale(self._scale(self.in_force(latest), proven))
        self.proven = proven

    def renamed(self, before: str | None, after: str | None) -> None:
        """Jobs came before the login that names the algorithm: their difficulty meant another work."""
        if self._works is not None and self.proven is None and after is not None and after != before:
            self._rescale(self._scale(before, after))

    def on_scale(self, account: Account, work: int | None) -> int | None:
        """Work that was computed before the algorithm was proven, on the scale of that algorithm."""
        if work is None or self.proven is None:
            return work
        return int(work * self._scale(self.assumed(account), self.proven))

    def _rescale(self, scale: Fraction) -> None:
        """The difficulty of the jobs so far means this many times the work."""
        if scale == 1:
            return
        if self._works is not None:
            self._works.change(lambda work: None if work is None else int(work * scale))
        self.latest = self.latest and (self.latest[0], int(self.latest[1] * scale))
        self._carried = self._carried and int(self._carried * scale)
        self.hardest = self.hardest and int(self.hardest * scale)

    def _scale(self, assumed: str | None, proven: str) -> Fraction:
        """How much a difficulty means for the proven algorithm, against what it meant for the assumed one."""
        unit: MessageValues = {"difficulty": 1 << 40}
        old, new = self._per_share(unit, assumed), self._per_share(unit, proven)
        return Fraction(new, old) if old and new else Fraction(1)

    def _per_share(self, values: MessageValues, algorithm: str | None) -> int | None:
        return self.dialect.work.per_share(values, algorithm)


def block_hashes(nbits: object) -> int:
    """The hashes of a block by the compact target of its header (Bitcoin's nBits: an exponent and three bytes); 0 where
    it is none."""
    if not isinstance(nbits, str) or len(nbits) != 8 or not all(digit in "0123456789abcdefABCDEF" for digit in nbits):
        return 0
    exponent, mantissa = int(nbits[:2], 16), int(nbits[2:], 16)
    if not 3 <= exponent <= 32 or not 0 < mantissa < 1 << 23:
        return 0
    return (1 << 256) // ((mantissa << 8 * (exponent - 3)) + 1)


def _aims(values: MessageValues) -> MessageValues:
    """The values of a message that set what a share must meet."""
    aim: MessageValues = {}
    if "target" in values:
        aim["target"] = values["target"]
    if "difficulty" in values:
        aim["difficulty"] = values["difficulty"]
    return aim
