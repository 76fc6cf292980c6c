"""The jobs of one flow as one dialect reads them: what a share of each is worth, and on which algorithm's scale. Knows
no accounts' counts.

A job's difficulty is fixed when it is given, by its own target or the one in force. Recomputed shares may prove that
the algorithm is another than assumed: then what was announced means a different amount of work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from sensor.dialects.stream.message import Message
from sensor.estimate import JobTimes
from sensor.estimate.hash_target import FULL_HASHES, HashTarget
from sensor.model.naming import AlgorithmBasis
from sensor.model.trace import SessionState
from sensor.session.account import Account
from sensor.session.job_works import JobWorks, block_hashes, job_key
from sensor.session.new_blocks import NewBlocks
from sensor.session.target_hashes import TargetHashes
from sensor.session.verify import HeaderShares, Look, SubmittedShare, Verifier
from sensor.signatures.message_values import MessageValues, aims_of
from sensor.signatures.model import Dialect, MessageRule
from sensor.signatures.paths import look
from sensor.signatures.proofs import Proof

#: Jobs taken from one message.
MAX_JOBS_PER_MESSAGE = 64
NO_VALUES: MessageValues = {}
#: How an algorithm is known, and how much that counts.
BASES: dict[AlgorithmBasis, int] = {"assumed": 1, "stated": 2, "proven": 3}
#: Framings whose reader adds the target in force to each job: that is what was sent before, not sent again.
REMEMBERED = frozenset({"stratum-v2"})


class KnownAlgorithm(NamedTuple):
    """An algorithm, and how it is known."""

    name: str
    basis: AlgorithmBasis


class Jobs:
    """Targets, jobs and their work, in 2^-32 hashes a share."""

    __slots__ = (
        *("_carried", "_suspect", "_target", "_templated", "_works", "algorithm", "basis", "block_hashes", "blocks"),
        *(
            "coin",
            "count",
            "dialect",
            "hardest",
            "hashes",
            "latest",
            "machine",
            "proven",
            "tellings",
            "times",
            "verifier",
        ),
    )

    def __init__(self, dialect: Dialect, verifier: Verifier | None) -> None:
        self.dialect = dialect
        self.verifier = verifier
        self.proven: str | None = None  # the algorithm that recomputed shares prove
        self.algorithm: str | None = None  # that the pool names, or the form of its jobs
        self.basis: AlgorithmBasis = "proven"  # how that is known
        self.machine: str | None = None  # the only algorithm of the machine that the agent names
        self.coin: str | None = None  # that the shape of a job names
        self.count = 0
        self.latest: tuple[int, int] | None = None  # (time, work) of the latest job
        self.hardest: int | None = None  # the most that a share was worth
        self.block_hashes = 0  # of the network, by the newest job: any pool may say anything
        self.blocks = NewBlocks()
        self.times = JobTimes()
        self.tellings = 0  # messages that set a difficulty
        self._suspect = False  # the pool may have sent another target than this
        self.hashes: TargetHashes | None = None
        self._works: JobWorks | None = None
        self._target: MessageValues = NO_VALUES
        self._templated = False  # work rests on the target of a template, for no difficulty was told
        self._carried: int | None = None  # work by the difficulty that was in force before, until another is sent

    def carry(self, state: SessionState, ts_ns: int) -> None:
        """Go on from what was known of the connection before."""
        self.algorithm, self.machine, self.coin = state.algorithm, state.machine, state.coin
        self.basis = state.basis
        self.proven, self._carried = state.proven, state.work
        self._works = JobWorks.of_pairs(state.jobs)
        self.hardest = state.work
        if isinstance(self.verifier, HeaderShares):
            self.verifier.restore(state.extranonce1, state.version_mask)
        if state.work is not None:
            self.latest = (ts_ns, state.work)
            self.times.put(ts_ns, has_work=True)
            self.times.begin_era(ts_ns, state.hashes)

    def in_hand(self, account: Account | None) -> tuple[int | None, tuple[tuple[int, int | None], ...]]:
        """What a share is worth by the difficulty in force, and what those of the last jobs are."""
        now = self.in_force_work(account)
        return None if self._suspect else now, () if self._works is None else self._works.pairs()

    @property
    def header_session(self) -> tuple[str | None, int | None]:
        """What the headers of the connection's shares have in common: extranonce1 and version mask."""
        return self.verifier.session if isinstance(self.verifier, HeaderShares) else (None, None)

    def in_force_work(self, account: Account | None) -> int | None:
        """The work of a share by the difficulty in force, or in force before it came into doubt."""
        now = self._per_share(self._target, self.in_force(account)) if self._target else self._carried
        return self.latest[1] if now is None and self.latest is not None else now

    def assumed(self, account: Account | None) -> str | None:
        """The algorithm as it is known without recomputed shares."""
        named = self._named(account)
        return named.name if named is not None else None

    def mined(self, account: Account | None) -> KnownAlgorithm | None:
        """The algorithm and how it is known; None: nothing names it."""
        return KnownAlgorithm(self.proven, "proven") if self.proven is not None else self._named(account)

    def in_force(self, account: Account | None) -> str | None:
        """The algorithm by which difficulty is read."""
        return self.proven or self.assumed(account)

    def _named(self, account: Account | None) -> KnownAlgorithm | None:
        """What is proven comes before what is stated, and that before what is assumed; of equals the login's own comes
        first, then the pool's, the dialect's, the machine's.
        """
        habit = self.dialect.algorithm if account is None or not account.no_habit else None
        names: tuple[tuple[str | None, AlgorithmBasis], ...] = (
            (account.algorithm if account else None, (account.basis if account else None) or "assumed"),
            (self.algorithm, self.basis),
            (habit, self.dialect.algorithm_basis),
            (self.machine, "stated"),
        )
        best, most = None, 0
        for name, basis in names:
            if name is not None and BASES[basis] > most:
                best, most = KnownAlgorithm(name, basis), BASES[basis]
        return best

    def doubt(self, accounts: Iterable[Account], ts_ns: int) -> None:
        """Something that the pool sent is missing, perhaps another difficulty: work is not known until one is sent."""
        self._suspect = True
        if self.times.doubt():
            self.hashes = None if self.hashes is None or not self.hashes.useless else self.hashes
            for account in accounts:
                account.book.doubt(self.times.heard_ns, ts_ns)

    def check(self) -> None:
        """Something was lost that was no difficulty by its length: let the hashes of the next shares say the same."""
        self.hashes = self.hashes or TargetHashes()
        self.hashes.check()

    @property
    def asks(self) -> bool:
        """Whether shares are hashed to learn their difficulty: while it is not known or in doubt, until it is known
        closely, or to check it."""
        hashes, times = self.hashes, self.times
        if not isinstance(self.verifier, HeaderShares) or not self.count or (hashes is not None and hashes.useless):
            return False
        few = 0 < times.hashes < FULL_HASHES
        return times.in_doubt or times.known_ns is None or few or (hashes is not None and hashes.checking)

    def is_of_before(self, job: str) -> bool:
        """Whether this job was given before the present doubt: with the difficulty of before."""
        return self.times.in_doubt and self._works is not None and self._works.of(job) is not None

    def disbelieve(self, accounts: Iterable[Account]) -> None:
        """The difficulty in force never held."""
        if self.times.refute():
            self._suspect = True
            for account in accounts:
                account.refute()

    def believe(self, target: HashTarget, ts_ns: int) -> None:
        """Work by the hashes, from now on."""
        self._suspect = False
        if target.hashes:
            self._target, self._carried = NO_VALUES, target.work
        self.latest = (ts_ns, target.work)
        self.times.put(ts_ns, has_work=True)
        self.times.begin_era(ts_ns, target.hashes)

    def distrust_template(self, values: MessageValues, accounts: Iterable[Account]) -> None:
        """A difficulty is told after all, so the target of the templates so far was that of a block."""
        if self._templated and aims_of(values):
            self._templated = False
            self.disbelieve(accounts)
            if self._works is not None:
                self._works.change(lambda _: None)

    def aim(self, rule: MessageRule, values: MessageValues, account: Account | None, ts_ns: int) -> None:
        """A new difficulty or target: for jobs from now on, or for all of them if the dialect says so."""
        aims = aims_of(values)
        self.harden(self._per_share(aims, self.in_force(account)) if rule.every_job and aims else None)
        self._target = {**self._target, **aims}
        self._carried = None if self._target else self._carried
        if aims and (rule.kind == "target" or "target" in aims):
            self._suspect = False
            self.tellings += 1
            self.times.begin_era(ts_ns)
            self.times.aimed_ns = ts_ns if self.times.aimed_ns is None else self.times.aimed_ns
        self._name(values, rule.basis)
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
            whole = self.verifier is not None and not message.skipped_bytes
            pieces = rule.proof.read(message.value) if whole else None
            self._name(values, rule.basis)
            self.announce(values, message.ts_ns, account, fresh=fresh, pieces=pieces)
            return
        elements = look(message.value, rule.each)
        for element in elements[:MAX_JOBS_PER_MESSAGE] if isinstance(elements, list) else [elements]:
            values_of_it: MessageValues = {**rule.constants, **rule.take.read(message.value, element)}
            if rule.by_algorithm:
                self._put_for_algorithm(values_of_it, message.ts_ns, account)
                continue
            self._name(values_of_it, rule.basis)
            self._put(values_of_it, message.ts_ns, account, fresh, None)
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
        self.algorithm = values.get("algorithm", self.algorithm)
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
        self.coin = values.get("coin", self.coin)
        own = aims_of(values)
        initial = self.dialect.work.initial if fresh and self._carried is None else NO_VALUES
        aim = {**initial, **self._target, **own} if initial or own else self._target
        if own and self.dialect.framing not in REMEMBERED:
            self.tellings += 1
        elif self._suspect:
            aim = NO_VALUES
        elif fresh and not aim and self._carried is None and "template_target" in values:
            aim, self._templated = {"target": values["template_target"]}, True
        work = self._per_share(aim, self.in_force(account)) if aim or self._suspect else self._carried
        self.times.put(ts_ns, work is not None)
        self.blocks.note(values, ts_ns)
        self.harden(work)
        if pieces:
            self.block_hashes = block_hashes(pieces.get("nbits"))
        if work is not None:
            if self.latest is not None and self.latest[1] == work:
                work = self.latest[1]  # one number for many jobs
            self.latest = (ts_ns, work)
        if "job" not in values:
            return
        key = str(values["job"])
        if pieces and self.verifier is not None:
            self.verifier.inquiring = self.asks
            self.verifier.job(key, pieces, aim)
        self._works = self._works or JobWorks()
        self._works.put(key, work)

    def _put_for_algorithm(self, values: MessageValues, ts_ns: int, account: Account | None) -> None:
        """What a share of a job is worth to miners of one algorithm; others mine the same job at another difficulty."""
        name = values.get("algorithm")
        work = self._per_share(aims_of(values), name) if name is not None and "job" in values else None
        if work is None:
            return
        self.tellings += 1
        self.times.put(ts_ns, has_work=True)
        self._works = self._works or JobWorks()
        self._works.put(job_key(values), work)
        if name == self.in_force(account):
            self.harden(work)
            self.latest = (ts_ns, work)

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
        work = None
        if self._works is not None and key is not None:
            work = self._works.of(job_key(values)) if self.dialect.by_algorithm else self._works.of(str(key))
        if work is not None:
            return work
        own = aims_of(values)
        now = self._per_share(
            {**self._target, **own} if own else self._target,
            self.in_force(account if account.algorithm is not None else latest),
        )
        return now if now is not None else (self.latest[1] if self.latest else None)

    def has(self, values: MessageValues) -> bool:
        """Whether the job that a share names was given, as far as shares name one. Of jobs with a difficulty for each
        algorithm only those that are rated are remembered."""
        return (
            "job" not in values
            or self.dialect.by_algorithm
            or (self._works is not None and self._works.has(str(values["job"])))
        )

    def _name(self, values: MessageValues, basis: AlgorithmBasis) -> None:
        """The pool's message names the algorithm, or has a form that only it has."""
        if "algorithm" in values:
            self.algorithm, self.basis = values["algorithm"], basis

    def learn(self, proof: Proof, message: Message) -> None:
        """The parts of a message from which shares are recomputed."""
        if proof and self.verifier is not None and not message.skipped_bytes:
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
        work = self.work_of(values, *who)
        share = SubmittedShare(job, proof.read(message.value), who[0].shares, work, message.ts_ns)
        return verifier.share(share, self.assumed(who[0]), self.dialect.work.per_share)

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
