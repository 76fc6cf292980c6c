"""One flow read as one dialect with one side as the miner: accounts, jobs, shares and evidence, as the dialect's rules say.

A flow may have several readings at once (many dialects share `mining.subscribe`); which is right is decided at the end, by weight.
Knows no packets and no grades.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from sensor.account import Account
from sensor.dialects.excerpt import excerpt
from sensor.dialects.json_lines import Message
from sensor.dialects.rig import rig_of
from sensor.estimate import JobTimes, hash_value
from sensor.estimate import Share as SentShare
from sensor.machines import Distinct
from sensor.signatures.agents import AgentTable
from sensor.signatures.language import Parts, look
from sensor.signatures.model import Dialect, MessageRule, ReplyRule
from sensor.signatures.proofs import Proof
from sensor.signatures.take import Taken
from sensor.verify import Look, Share, Verifier

#: Logins kept of one connection; a coin-hive bridge has two, a dev fee one more.
MAX_ACCOUNTS = 16
#: Jobs whose difficulty is remembered; miners submit to the last few, and a chain-group pool pushes 16 at a time.
MAX_JOBS = 128
#: Jobs taken from one message.
MAX_JOBS_PER_MESSAGE = 64
#: Sightings kept; the judge shows at most eight.
MAX_SIGHTINGS = 32


@dataclass(slots=True)
class Sighting:
    """A message that fitted a rule, the first of its name for its account."""

    name: str
    ts_ns: int
    from_miner: bool
    offset: int
    excerpt: str
    confirms: bool
    accepted: bool
    detail: dict[str, object]
    proof: bool = False  # a share that was recomputed


@dataclass(slots=True, eq=False)
class Token:
    """What a reading remembers of a request until it is answered."""

    reading: Reading
    rule: MessageRule
    account: Account | None
    work: int | None
    share: SentShare | None = None
    unproven: bool = False  # the work is on the scale that was assumed before the algorithm was proven


@dataclass(slots=True, eq=False)
class Reading:
    """The state of one dialect over one flow."""

    dialect: Dialect
    miner: int  # direction of the miner
    defaults: tuple[ReplyRule, ...]  # replies every dialect of the framing shares
    verifier: Verifier | None = None
    proven: str | None = None  # the algorithm that recomputed shares prove
    score: int = 0
    received: int = 0  # messages
    agent: str | None = None
    accounts: dict[str | None, Account] = field(default_factory=dict)
    job_count: int = 0
    miner_confirms: set[str] = field(default_factory=set)
    pool_confirms: set[str] = field(default_factory=set)
    refused: int = 0
    dropped: int = 0  # accounts, jobs or sightings over their bounds
    sightings: dict[tuple[str, str | None], Sighting] = field(default_factory=dict)
    started: bool = False  # the session's subscribe or login was seen
    whole: bool = True  # nothing the pool said was lost
    latest: Account | None = None
    algorithm: str | None = None
    coin: str | None = None  # that the shape of a job names
    names: Distinct = field(default_factory=Distinct)  # rigs that were named on this connection, under any login
    job_work: tuple[int, int] | None = None  # (time, work) of the latest job
    job_times: JobTimes = field(default_factory=JobTimes)
    agents: AgentTable | None = None
    machine: str | None = None  # the only algorithm of the machine that the agent names
    _weighed: set[str] = field(default_factory=set)
    _sessions: dict[str, Account] = field(default_factory=dict)
    _jobs: dict[str, int | None] = field(default_factory=dict)
    _target: dict[str, Taken] = field(default_factory=dict)

    def receive(self, rule: MessageRule, message: Message, secrets: tuple[Parts, ...]) -> Token:
        """A message of this dialect; `secrets` are the places any dialect that knows it calls secret."""
        from_miner = rule.side == "miner"
        self._weigh(rule.name, rule.weight)
        if rule.confirms != "none":
            (self.miner_confirms if from_miner else self.pool_confirms).add(rule.name)
            if rule.confirms == "both":
                self.miner_confirms.add(rule.name)
                self.pool_confirms.add(rule.name)
        values: dict[str, Taken] = {**rule.constants, **rule.take.read(message.value)}
        account: Account | None = None
        work: int | None = None
        sent: SentShare | None = None
        if rule.kind in ("subscribe", "login"):
            account = self._sign_in(rule.kind, values, message.ts_ns)
        elif rule.kind == "submit":
            account = self._account(values, message.ts_ns)
            look = self._recompute(rule.proof, message, values, account)
            work = self._work_of(values, account)
            sent = account.submit(message.ts_ns, work, hash_value(rule.proof.read(message.value).get("result")) if work is None else None)
            if look is not None and look.proof:
                name, detail = f"{rule.name}/recomputed", dict[str, object](values, proof=look.remark)
                self._sight(name, message, True, account, secrets, confirms=True, detail=detail, proof=True)
            elif look is not None:
                values = {**values, "proof": look.remark}
        elif rule.kind == "job":
            self._jobs_of(rule, message, values)
        elif rule.kind == "target":
            self._aim(rule, values)
        if "hashrate" in values:
            self._claim(values, message.ts_ns)
        self._sight(rule.name, message, from_miner, account, secrets, confirms=rule.confirms != "none", detail=dict(values))
        if not from_miner and rule.kind != "job":
            self._learn(rule.proof, message)
        return Token(self, rule, account, work, unproven=self.proven is None, share=sent)

    def reply(self, token: Token, message: Message) -> None:
        """The reply to one of this reading's requests."""
        for reply in (*token.rule.replies, *self.defaults):
            if reply.when(message.value):
                break
        else:
            return
        name = f"{token.rule.name}/{reply.name}"
        self._weigh(name, reply.weight)
        values: dict[str, Taken] = {**reply.constants, **reply.take.read(message.value)}
        own = reply in token.rule.replies
        confirms = reply.confirms != "none" and (own or token.rule.kind == "submit")
        if confirms:
            self.pool_confirms.add(name)
            if reply.confirms == "both":
                self.miner_confirms.add(token.rule.name)
        if "session" in values and token.account is not None:
            self._bind(str(values["session"]), token.account)
        self._learn(reply.proof, message)
        if reply.job:
            self._announce(values, message.ts_ns)
        self.settle(token, reply.outcome)
        accepted = token.rule.kind == "submit" and reply.outcome == "accepted"
        detail: dict[str, object] = {**values, "answers": token.rule.name, "outcome": reply.outcome}
        self._sight(name, message, False, token.account, (), confirms=confirms, detail=detail, accepted=accepted)

    def answered(self, token: Token, rule: MessageRule, message: Message) -> None:
        """A pool's message that says itself that it answers this request."""
        values = rule.take.read(message.value)
        if "session" in values and token.account is not None:
            self._bind(str(values["session"]), token.account)
        if "target" in values or "difficulty" in values:
            self._aim(rule, values)
        self.settle(token, rule.outcome)
        if token.rule.kind == "submit" and rule.outcome != "none":
            self.pool_confirms.add(rule.name)
        if token.rule.kind == "submit" and rule.outcome == "accepted":
            detail: dict[str, object] = {**values, "answers": token.rule.name, "outcome": rule.outcome}
            self._sight(f"{token.rule.name}/{rule.name}", message, False, token.account, (), confirms=True, detail=detail, accepted=True)

    def settle(self, token: Token, outcome: str) -> None:
        """Count what became of a request."""
        if outcome == "rejected" and token.rule.kind != "submit":
            self.refused += 1
            if token.account is not None and token.rule.kind == "login":
                token.account.refused = True
        if token.rule.kind == "submit" and token.account is not None and outcome != "none":
            work = self._on_scale(token.account, token.work) if token.unproven else token.work
            token.account.settle(outcome == "accepted", work, token.share)

    def _weigh(self, name: str, weight: int) -> None:
        if name not in self._weighed:
            self._weighed.add(name)
            self.score += weight

    def _sign_in(self, kind: str, values: Mapping[str, Taken], ts_ns: int) -> Account | None:
        self.started = True
        agent = values.get("agent")
        if isinstance(agent, str):
            self.agent = agent
            self._know_machine(agent)
        if kind == "subscribe" and "login" not in values:
            return None
        account = self._account(values, ts_ns)
        if isinstance(agent, str):
            account.agent = agent
        if account.book.login_ns is None:
            account.book.login_ns = ts_ns
        return account

    def _know_machine(self, agent: str) -> None:
        """Where difficulty means something else for each algorithm: a machine that works on one only says which."""
        known = self.agents.lookup(agent) if self.agents is not None and self.dialect.work.by_algorithm else None
        if known is not None and known.role is None:
            self.machine = known.algorithm

    def _account(self, values: Mapping[str, Taken], ts_ns: int) -> Account:
        """The account a message speaks for: by login, by the session id it names, else the latest."""
        login = values.get("login")
        if login is None and self.latest is None:
            login = values.get("account")  # named beside a share by a miner that may have signed in under it before
        session = values.get("session")
        before = self._algorithm()
        if isinstance(login, str):
            account = self._by_login(login, ts_ns)
        elif session is not None and str(session) in self._sessions:
            account = self._sessions[str(session)]
        elif self.latest is not None:
            account = self.latest
        else:
            account = self._by_login(None, ts_ns)
        account.last_ns = max(account.last_ns, ts_ns)
        self._describe(account, values)
        if self._jobs and self.proven is None and (after := self._algorithm()) != before and after is not None:
            self._rescale_jobs(self._scale(before, after))  # jobs came before the login that names the algorithm
        return account

    def _rescale_jobs(self, scale: Fraction) -> None:
        """The difficulty of the jobs so far means this many times the work."""
        if scale != 1:
            self._jobs = {name: None if work is None else int(work * scale) for name, work in self._jobs.items()}
            self.job_work = self.job_work and (self.job_work[0], int(self.job_work[1] * scale))

    def _by_login(self, login: str | None, ts_ns: int) -> Account:
        account = self.accounts.get(login)
        if account is None:
            if len(self.accounts) >= MAX_ACCOUNTS and self.latest is not None:
                self.dropped += 1
                self.names.add(str(login))
                return self.latest
            account = self.accounts[login] = Account(login, ts_ns, ts_ns)
            if rig_of(login):
                self.names.add(str(login))
            for rule in self.dialect.coins if login else ():
                if rule.login.search(login or ""):
                    account.coin, account.algorithm = rule.coin, rule.algorithm
                    break
        self.latest = account
        return account

    def _describe(self, account: Account, values: Mapping[str, Taken]) -> None:
        rig = rig_of(account.login)
        worker = rig or values.get("worker")
        if isinstance(worker, str) and worker and worker != account.login:
            account.worker = account.worker or worker
            if worker not in account.workers:
                account.name_worker(worker)
                if not rig:
                    self.names.add(f"{account.login}\0{worker}")
        agent = values.get("agent")
        if isinstance(agent, str) and account.agent is None:
            account.agent = agent
        coin = values.get("coin")
        if isinstance(coin, str):
            account.coin = coin.upper()
            for rule in self.dialect.coins:  # a coin named in words has the algorithm of that coin's wallets
                if rule.coin == account.coin and rule.algorithm:
                    account.algorithm = rule.algorithm
                    break
        if isinstance(values.get("algorithm"), str):
            account.algorithm = str(values["algorithm"])

    def _bind(self, session: str, account: Account) -> None:
        if len(self._sessions) >= MAX_ACCOUNTS and session not in self._sessions:
            self.dropped += 1
            return
        self._sessions[session] = account

    def _claim(self, values: Mapping[str, Taken], ts_ns: int) -> None:
        claim = values.get("hashrate")
        if isinstance(claim, int | float) and 0 < claim < 1 << 80:
            self._account(values, ts_ns).claimed_hps = (ts_ns, float(claim))

    def _aim(self, rule: MessageRule, values: dict[str, Taken]) -> None:
        """A new difficulty or target: for jobs from now on, or for all of them if the dialect says so."""
        self._target = {**self._target, **{k: v for k, v in values.items() if k in ("target", "difficulty")}}
        if isinstance(values.get("algorithm"), str):
            self.algorithm = str(values["algorithm"])
        if rule.every_job:
            if self.verifier is not None:
                self.verifier.retarget(self._target)
            self._jobs = dict.fromkeys(self._jobs, self._per_share(self._target, self._algorithm()))

    def _jobs_of(self, rule: MessageRule, message: Message, values: dict[str, Taken]) -> None:
        if rule.each is None:
            self._announce(values, message.ts_ns, pieces=rule.proof.read(message.value) if self.verifier is not None else None)
            return
        elements = look(message.value, rule.each)
        for element in elements[:MAX_JOBS_PER_MESSAGE] if isinstance(elements, list) else [elements]:
            self._announce({**rule.constants, **rule.take.read(message.value, element)}, message.ts_ns, counted=False)
        self.job_count += 1

    def _announce(self, values: Mapping[str, Taken], ts_ns: int, counted: bool = True, pieces: Mapping[str, object] | None = None) -> None:
        """A job: its difficulty is fixed now, by its own target or the one in force."""
        self.job_count += counted
        if isinstance(values.get("algorithm"), str):
            self.algorithm = str(values["algorithm"])
        if isinstance(values.get("coin"), str):
            self.coin = str(values["coin"])
        own = {name: value for name, value in values.items() if name in ("target", "difficulty")}
        initial = self.dialect.work.initial if self.started and self.whole else {}
        aim = {**initial, **self._target, **own}
        work = self._per_share(aim, self._algorithm())
        self.job_times.put(ts_ns, work is not None)
        if work is not None:
            self.job_work = (ts_ns, work)
        key = values.get("job")
        if key is None:
            return
        if pieces and self.verifier is not None:
            self.verifier.job(str(key), pieces, aim)
        self._jobs.pop(str(key), None)
        self._jobs[str(key)] = work
        if len(self._jobs) > MAX_JOBS:
            del self._jobs[next(iter(self._jobs))]

    def _algorithm(self) -> str | None:
        return self.proven or self._assumed(self.latest)

    def _assumed(self, account: Account | None) -> str | None:
        return (account.algorithm if account else None) or self.algorithm or self.dialect.algorithm or self.machine

    def _per_share(self, values: Mapping[str, Taken], algorithm: str | None) -> int | None:
        return self.dialect.work.per_share(values, algorithm)

    def _work_of(self, values: Mapping[str, Taken], account: Account) -> int | None:
        """The work of a share: of its job if that was seen, else by what is in force at this time."""
        key = values.get("job")
        known = self._jobs.get(str(key)) if key is not None else None
        if known is not None:
            return known
        own = {name: value for name, value in values.items() if name in ("target", "difficulty")}
        now = self._per_share({**self._target, **own}, self.proven or account.algorithm or self._algorithm())
        return now if now is not None else (self.job_work[1] if self.job_work else None)

    def _learn(self, proof: Proof, message: Message) -> None:
        if proof and self.verifier is not None:
            self.verifier.learn(proof.read(message.value))

    def _recompute(self, proof: Proof, message: Message, values: Mapping[str, Taken], account: Account) -> Look | None:
        """Let the dialect's scheme look at a share if it is in the sample; the first proof also settles which algorithm it is."""
        verifier = self.verifier
        job = str(values.get("job"))
        if verifier is None or not proof or not verifier.due(job):
            return None
        share = Share(job, proof.read(message.value), account, self._work_of(values, account))
        look = verifier.share(share, self._assumed(account), self.dialect.work.per_share)
        if verifier.proven is not None and self.proven is None:
            for one in self.accounts.values():
                one.rescale(self._scale(self._assumed(one), verifier.proven))
            self._rescale_jobs(self._scale(self._algorithm(), verifier.proven))
            self.proven = verifier.proven
        return look

    def _on_scale(self, account: Account, work: int | None) -> int | None:
        """Work that was computed before the algorithm was proven, on the scale of that algorithm."""
        if work is None or self.proven is None:
            return work
        return int(work * self._scale(self._assumed(account), self.proven))

    def _scale(self, assumed: str | None, proven: str) -> Fraction:
        """How much a difficulty means for the proven algorithm, against what it meant for the assumed one."""
        unit = {"difficulty": 1 << 40}
        old, new = self._per_share(unit, assumed), self._per_share(unit, proven)
        return Fraction(new, old) if old and new else Fraction(1)

    def _sight(
        self,
        name: str,
        message: Message,
        from_miner: bool,
        account: Account | None,
        secrets: tuple[Parts, ...],
        *,
        confirms: bool,
        detail: dict[str, object],
        accepted: bool = False,
        proof: bool = False,
    ) -> None:
        key = (name, account.login if account else None)
        if key in self.sightings:
            return
        if len(self.sightings) >= MAX_SIGHTINGS:
            self.dropped += 1
            return
        text = excerpt(message.value, secrets)
        self.sightings[key] = Sighting(name, message.ts_ns, from_miner, message.offset, text, confirms, accepted, detail, proof)
