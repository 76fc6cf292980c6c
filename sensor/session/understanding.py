"""What a reading has understood of its messages: accounts, jobs, shares and evidence, as the dialect's rules say.

A flow is read by many dialects at first, and nearly all of them are given up: so a reading works through its messages
only when it is asked for one of these. Knows no packets and no grades.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import intern

from sensor.dialects.stream.message import Message
from sensor.estimate import Share, hash_value
from sensor.model.naming import AlgorithmBasis
from sensor.session.account import Account
from sensor.session.job_hashes import accept, digests_of
from sensor.session.jobs import Jobs
from sensor.session.logins import Logins
from sensor.session.matched_messages import ACCEPTED, CONFIRMS, FROM_MINER, PROOF, Sightings
from sensor.session.pool_sizes import PoolSizes
from sensor.session.verify import Verifier
from sensor.signatures.agents import AgentTable
from sensor.signatures.message_values import MessageValues
from sensor.signatures.model import Dialect, MessageRule, ReplyRule
from sensor.signatures.paths import Parts
from sensor.signatures.proofs import Proof

#: Bytes of the message that sets a target, in framings where it has one length: Stratum V2's SetTarget.
FIXED_TARGETS = {"stratum-v2": 42}
#: Of a message that was cut.
NO_PROOF = Proof()


class OpenRequest:
    """What is remembered of a request until it is answered."""

    __slots__ = ("account", "rule", "share", "unproven", "work")

    def __init__(self, rule: MessageRule, account: Account | None = None, share: Share | None = None) -> None:
        self.rule = rule
        self.account = account
        self.share = share
        self.work = share.work if share is not None else None  # the share's own is rescaled with its account
        self.unproven = True  # the work is on the scale that was assumed before the algorithm was proven


class Understanding:
    """The state of one dialect over one flow, but for what it weighs."""

    __slots__ = (
        *("_agents", "_bases", "_miner", "_names_jobs", "_tellings", "agent", "dialect", "endpoint", "jobs", "logins"),
        *("sightings", "sizes", "started", "whole"),
    )

    def __init__(
        self,
        dialect: Dialect,
        miner: int,
        verifier: Verifier | None,
        agents: AgentTable,
        bases: Sequence[int],
        *,
        titles: dict[str, str],
        whole: bool,
    ) -> None:
        self.dialect = dialect
        self._miner = miner  # direction of the miner
        self._bases = bases  # sequence numbers at which the directions' streams begin, as far as they are known
        self._agents = agents
        self.whole = whole  # nothing the pool sent was lost
        self.started = False  # the session's subscribe or login was seen
        self.agent: str | None = None
        self.endpoint: str | None = None  # the pool's host as the miner names it
        self.logins = Logins(dialect, titles)
        self.jobs = Jobs(dialect, verifier)
        self.sightings = Sightings()
        self.sizes = PoolSizes(FIXED_TARGETS.get(dialect.framing))
        self._tellings = 0  # of its jobs, when a size was noted
        self._names_jobs = False  # a share named a job that it knows

    @property
    def misses_jobs(self) -> bool:
        """Whether it knows jobs, and none of its shares named such a one."""
        return self.jobs.count > 0 and not self._names_jobs

    @property
    def dropped(self) -> int:
        """Accounts or sightings over their bounds."""
        return self.logins.dropped + self.sightings.dropped

    def hear(self, ts_ns: int, size: int, answer_digits: int | None) -> None:
        """A message of the pool came at this time, and had so many bytes (0: none like it will come; -1: the framing
        does not say); `answer_digits` is the length of its id if it answers a share."""
        times = self.jobs.times
        if ts_ns > times.heard_ns:
            times.heard_ns = ts_ns
        if size < 0:
            return
        sets_target, self._tellings = self.jobs.tellings != self._tellings, self.jobs.tellings
        if not size:
            return
        if sets_target:
            self.sizes.note_target(size)
        elif answer_digits is not None:
            self.sizes.note_answer(size, answer_digits)
        else:
            self.sizes.note_other(size)

    def receive(self, asked: OpenRequest, message: Message, secrets: tuple[Parts, ...]) -> None:
        """A message of this dialect; `secrets` are the places any dialect that knows it calls secret."""
        rule = asked.rule
        from_miner = rule.side == "miner"
        values = rule.take.read(message.value)
        if rule.constants:
            values = {**rule.constants, **values}
        account: Account | None = None
        share: Share | None = None
        remark: str | None = None  # what recomputing the share gave
        if rule.kind == "submit":
            account = self._account(values, message.ts_ns, rule.basis)
            share, remark = self._submit(rule, message, values, account, secrets)
        elif rule.kind in ("subscribe", "login") or (rule.kind == "getwork" and "login" in values):
            account = self._sign_in(rule, values, message.ts_ns)
        elif rule.kind == "job":
            self.jobs.take(rule, message, values, self.logins.latest, fresh=self.started and self.whole)
        elif rule.kind == "target":
            self.jobs.distrust_template(values, self.logins.accounts)
            self.jobs.aim(rule, values, self.logins.latest, message.ts_ns)
        if "hashrate" in values:
            self._claim(values, message.ts_ns)
        if from_miner and "endpoint" in values:
            self.endpoint = values["endpoint"]
        login = account.login if account is not None else None
        if self.sightings.wants(rule.name, login):
            flags = FROM_MINER * from_miner | CONFIRMS * (rule.confirms != "none")
            detail = values if remark is None else {**values, "proof": remark}
            self.sightings.add(rule.name, login, flags, message, secrets, detail)
        if not from_miner and rule.kind != "job":
            self.jobs.learn(rule.proof, message)
        asked.account, asked.share, asked.work = account, share, share.work if share is not None else None
        asked.unproven = self.jobs.proven is None

    def reply(self, asked: OpenRequest, reply: ReplyRule, name: str, message: Message, confirms: bool) -> None:
        """The reply to one of its requests."""
        values = reply.take.read(message.value) if reply.take.sources else {}
        if reply.constants:
            values = {**reply.constants, **values}
        if "session" in values and asked.account is not None:
            self.logins.bind(str(values["session"]), asked.account)
        self.jobs.learn(reply.proof, message)
        if reply.job:
            self.jobs.announce(values, message.ts_ns, self.logins.latest, fresh=self.started and self.whole)
        self.settle(asked, reply.outcome, message.ts_ns)
        self._sight_answer(asked, name, message, values, reply.outcome, confirms=confirms)

    def answered(self, asked: OpenRequest, rule: MessageRule, message: Message) -> None:
        """A pool's message whose rule says that it answers this request."""
        values = rule.take.read(message.value)
        if "session" in values and asked.account is not None:
            self.logins.bind(str(values["session"]), asked.account)
        if "target" in values or "difficulty" in values:
            self.jobs.aim(rule, values, self.logins.latest, message.ts_ns)
            if asked.account is not None and asked.work is None:
                asked.work = self.jobs.work_of(values, asked.account, self.logins.latest)
        self.settle(asked, rule.outcome, message.ts_ns)
        if asked.rule.kind == "submit" and rule.outcome == "accepted":
            name = intern(f"{asked.rule.name}/{rule.name}")
            self._sight_answer(asked, name, message, values, rule.outcome, confirms=True)

    def settle(self, asked: OpenRequest, outcome: str, ts_ns: int) -> None:
        """Count what became of a request, at this time."""
        if outcome == "rejected" and asked.rule.kind == "login" and asked.account is not None:
            asked.account.refused = True
        if asked.rule.kind == "submit" and asked.account is not None and outcome != "none":
            work = self.jobs.on_scale(asked.account, asked.work) if asked.unproven else asked.work
            asked.account.settle(outcome == "accepted", work, asked.share)
            if outcome == "accepted" and asked.share is not None:
                accept(self.jobs, asked.share, self.logins.accounts, asked.account, ts_ns)

    def _sign_in(self, rule: MessageRule, values: MessageValues, ts_ns: int) -> Account | None:
        self.started = True
        if rule.kind == "subscribe" and "algorithm" in rule.constants:
            self.jobs.machine = rule.constants["algorithm"]
        agent = values.get("agent")
        if agent is not None:
            self.agent = agent
            self._know_machine(agent)
        if rule.kind == "subscribe" and "login" not in values:
            return None
        account = self._account(values, ts_ns, rule.basis)
        if agent is not None:
            account.agent = agent
        if account.book.login_ns is None:
            account.book.login_ns = ts_ns
        return account

    def _know_machine(self, agent: str) -> None:
        """Where several algorithms speak the dialect: a machine that works on only one of them settles which."""
        several = self.dialect.work.by_algorithm or self.dialect.algorithm_basis == "assumed"
        machine = self._agents.lookup(agent) if several else None
        if machine is None or machine.role is not None:
            return
        paid = self.logins.paid
        if machine.algorithm is not None:
            self.jobs.machine = machine.algorithm
        elif paid is not None and paid.algorithm in machine.algorithms:  # one of the few that the program computes
            self.jobs.machine, self.jobs.coin = paid.algorithm, self.jobs.coin or paid.coin

    def _account(self, values: MessageValues, ts_ns: int, basis: AlgorithmBasis = "proven") -> Account:
        """The account a message speaks for; it may be the first to name the algorithm."""
        latest = self.logins.latest
        renames = latest is None or "coin" in values or "payout" in values
        if latest is not None and "algorithm" in values:
            renames = renames or values["algorithm"] != latest.algorithm or basis != latest.basis
        before = self.jobs.in_force(latest) if renames else None
        account = self.logins.account(values, ts_ns, basis)
        asks = self.agent is not None and self.jobs.machine is None and account.payout is not None
        if not renames:
            if self.logins.latest is latest and not asks:  # as nearly always
                return account
            before = self.jobs.in_force(latest)
        if asks and self.agent is not None:
            self._know_machine(self.agent)
        self.jobs.renamed(before, self.jobs.in_force(self.logins.latest))
        return account

    def _submit(
        self,
        rule: MessageRule,
        message: Message,
        values: MessageValues,
        account: Account,
        secrets: tuple[Parts, ...],
    ) -> tuple[Share, str | None]:
        """A share: looked at if it is in the sample, and counted; with a remark on it if it was looked at and proved
        nothing.
        """
        proof = rule.proof if not message.skipped_bytes else NO_PROOF
        look = self.jobs.recompute(proof, message, values, (account, self.logins.latest))
        self.jobs.settle(self.logins.accounts, self.logins.latest)
        self._names_jobs = self._names_jobs or self.jobs.has(values)
        work = self.jobs.work_of(values, account, self.logins.latest)
        value = None
        if work is None or self.jobs.times.in_doubt:
            value = hash_value(proof.read(message.value).get("result"))
        position = max(0, self._bases[self._miner]) + message.offset
        share = account.submit(message.ts_ns, work, value, position, self.jobs.times)
        if look is not None or self.jobs.asks:
            share.digests = digests_of(self.jobs, proof, message, values, account)
        if look is not None and look.proof:
            name = intern(f"{rule.name}/recomputed")
            if self.sightings.wants(name, account.login):
                flags = FROM_MINER | CONFIRMS | PROOF
                self.sightings.add(name, account.login, flags, message, secrets, {**values, "proof": look.remark})
        return share, look.remark if look is not None and not look.proof else None

    def _claim(self, values: MessageValues, ts_ns: int) -> None:
        claim = values.get("hashrate")
        if claim is not None and 0 < claim < 1 << 80:
            self._account(values, ts_ns).claimed_hps = (ts_ns, float(claim))

    def _sight_answer(
        self, asked: OpenRequest, name: str, message: Message, values: MessageValues, outcome: str, *, confirms: bool
    ) -> None:
        login = asked.account.login if asked.account is not None else None
        if self.sightings.wants(name, login):
            accepted = asked.rule.kind == "submit" and outcome == "accepted"
            flags = CONFIRMS * confirms | ACCEPTED * accepted
            self.sightings.add(
                name, login, flags, message, (), {**values, "answers": asked.rule.name, "outcome": outcome}
            )
