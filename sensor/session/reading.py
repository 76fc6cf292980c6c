"""One flow read as one dialect with one side as the miner: what it weighs, and, once asked, what it has understood.

A flow may have several readings at once (many dialects share `mining.subscribe`); which is right is decided at the
end, by weight. So a reading weighs each message at once, and works through the first ones (accounts, jobs, evidence:
`understanding.py`) only when it is asked for what they say: most readings are given up before. Knows no packets and
no grades.
"""

from __future__ import annotations

from collections.abc import Sequence
from sys import intern
from typing import Any, NamedTuple

from sensor.dialects.stream.message import Message
from sensor.session.jobs import Jobs
from sensor.session.logins import Logins
from sensor.session.matched_messages import Sightings
from sensor.session.pending_requests import PendingRequests
from sensor.session.pool_sizes import PoolSizes
from sensor.session.understanding import OpenRequest, Understanding
from sensor.session.verify import Sampling, verifier
from sensor.signatures.agents import AgentTable
from sensor.signatures.model import Dialect, MessageRule, ReplyRule
from sensor.signatures.paths import Parts

#: Steps that wait to be worked through in one session; a message of the pool's gives each reading two. Their messages
#: are bounded in bytes by the session.
MAX_LATE = 256


class Step(NamedTuple):
    """One thing to be worked through: a method of `Understanding`, and what it is given."""

    name: str
    given: tuple[Any, ...]
    tells: bool = False  # it may be what tells the worth of a share
    binds: bool = False  # it may be what tells a name of a login, which all readings know then

    def __call__(self, depth: Understanding) -> None:
        getattr(depth, self.name)(*self.given)


class LateSteps:
    """What the readings of one session have not worked through, in its order; and what they share."""

    __slots__ = ("_binds", "_steps", "titles")

    def __init__(self) -> None:
        self._steps: list[tuple[Reading, Step]] = []
        self._binds = False
        self.titles: dict[str, str] = {}  # the pool's names for logins, whichever dialect read them

    def add(self, reading: Reading, step: Step) -> None:
        """Let it wait; all is worked through where too much waits."""
        self._steps.append((reading, step))
        self._binds = self._binds or step.binds
        if len(self._steps) >= MAX_LATE:
            self.work()

    def may_tell(self, reading: Reading) -> bool:
        """Whether what waits of a reading may tell the worth of a share."""
        return any(step.tells for whose, step in self._steps if whose is reading)

    def work(self, reading: Reading | None = None) -> None:
        """Work through what waits; of one reading alone, unless others may know a name of a login."""
        alone = None if self._binds else reading
        steps, self._steps = self._steps, []
        for whose, step in steps:
            if alone is None or whose is alone:
                step(whose.depth_so_far)
            else:
                self._steps.append((whose, step))
        self._binds = self._binds and bool(self._steps)

    def settle_names(self) -> None:
        """Names of logins are needed: let all be known that were told."""
        if self._binds:
            self.work()

    def keep(self, readings: Sequence[Reading]) -> None:
        """The others are given up."""
        self.settle_names()
        self._steps = [(whose, step) for whose, step in self._steps if whose in readings]


class Token(OpenRequest):
    """A request as one reading remembers it."""

    __slots__ = ("reading",)

    def __init__(self, reading: Reading, rule: MessageRule) -> None:
        super().__init__(rule)
        self.reading = reading


class Reading:
    """The state of one dialect over one flow."""

    __slots__ = (
        *("_agents", "_bases", "_defaults", "_depth", "_late", "_sampling", "_weighed", "_whole", "carried", "dialect"),
        *("foreign_jobs", "miner", "miner_confirms", "pool_confirms", "received", "refused", "requests", "score"),
        *("_waits", "unbroken"),
    )

    def __init__(
        self,
        dialect: Dialect,
        miner: int,
        defaults: tuple[ReplyRule, ...],
        sampling: Sampling,
        agents: AgentTable,
        *,
        whole: bool,
        requests: PendingRequests,
        late: LateSteps,
        bases: Sequence[int] = (-1, -1),
    ) -> None:
        """`whole`: nothing that the pool sent was lost by now."""
        self.dialect = dialect
        self.miner = miner  # direction of the miner
        self.requests = requests  # of the miner's side that wait for an answer
        self._bases = bases  # sequence numbers at which the directions' streams begin, as far as they are known
        self._defaults = defaults  # replies every dialect of the framing shares
        self._agents = agents
        self._sampling = sampling
        self._whole = whole
        self.score = 0
        self.received = 0  # messages
        self.refused = 0
        self.foreign_jobs = False  # the pool sent jobs of another form than this dialect's
        self.carried = False  # it goes on from what was known of the connection before
        self.unbroken = False  # with not a byte between them
        self.miner_confirms: tuple[str, ...] = ()
        self.pool_confirms: tuple[str, ...] = ()
        self._weighed: tuple[str, ...] = ()
        self._depth: Understanding | None = None
        self._waits = False  # something is not worked through
        self._late = late

    @property
    def depth_so_far(self) -> Understanding:
        """What it has understood of what it has worked through."""
        if self._depth is None:
            scheme = verifier(self.dialect.verify, self._sampling) if self.dialect.verify else None
            titles, whole = self._late.titles, self._whole
            self._depth = Understanding(
                self.dialect, self.miner, scheme, self._agents, self._bases, titles=titles, whole=whole
            )
        return self._depth

    @property
    def depth(self) -> Understanding:
        """What it has understood of all it was given."""
        if self._waits:
            self._waits = False
            self._late.work(self)
        return self._depth or self.depth_so_far

    @property
    def logins(self) -> Logins:
        """The accounts."""
        return self.depth.logins

    @property
    def jobs(self) -> Jobs:
        """The pool's work."""
        return self.depth.jobs

    @property
    def sightings(self) -> Sightings:
        """Its evidence."""
        return self.depth.sightings

    @property
    def sizes(self) -> PoolSizes:
        """The lengths of the pool's messages."""
        return self.depth.sizes

    @property
    def has_foreign_jobs(self) -> bool:
        """Whether all jobs of the pool have another form than this dialect's."""
        return self.foreign_jobs and self.jobs.count == 0 and not self.carried

    @property
    def misses_jobs(self) -> bool:
        """Whether it knows jobs, and none of its shares named such a one."""
        return self.depth.misses_jobs and not self.carried

    @property
    def dropped(self) -> int:
        """Accounts or sightings over their bounds; so few as wait are never over them."""
        return 0 if self._depth is None else self._depth.dropped

    @property
    def shares_looked_at(self) -> int:
        """Shares that were recomputed; none waits."""
        scheme = None if self._depth is None else self._depth.jobs.verifier
        return 0 if scheme is None else scheme.checked

    @property
    def shares_outdated(self) -> int:
        """Of the recomputed shares, those of another time than their packets."""
        scheme = None if self._depth is None else self._depth.jobs.verifier
        return 0 if scheme is None else scheme.outdated

    def may_tell(self) -> bool:
        """Whether the pool told what a share must meet."""
        if self._depth is None and not self._late.may_tell(self):
            return False
        return self.jobs.tellings > 0

    def lose(self) -> None:
        """Something that the pool sent was lost."""
        self.depth.whole = False

    def hear(self, ts_ns: int, size: int, answer_digits: int | None) -> None:
        """A message of the pool came; see `Understanding.hear`."""
        depth = self._at_hand
        if depth is not None:
            depth.hear(ts_ns, size, answer_digits)
        else:
            self._wait(Step("hear", (ts_ns, size, answer_digits)))

    def receive(self, rule: MessageRule, message: Message, secrets: tuple[Parts, ...]) -> Token:
        """A message of this dialect; `secrets` are the places any dialect that knows it calls secret."""
        self.received += 1
        if rule.name not in self._weighed:  # what it confirms was confirmed with it
            self._weigh_rule(rule)
        token = Token(self, rule)
        if rule.kind == "submit":
            self._late.settle_names()
        if not self._waits and self._depth is not None:
            self._depth.receive(token, message, secrets)
            return token
        self._wait(Step("receive", (token, message, secrets), tells=rule.kind in ("job", "target")))
        if rule.kind == "submit":
            self.understand()
        return token

    def reply(self, token: Token, message: Message) -> None:
        """The reply to one of this reading's requests."""
        for reply in token.rule.replies + self._defaults:
            if reply.when(message.value):
                break
        else:
            return
        name = intern(f"{token.rule.name}/{reply.name}")
        self._weigh(name, reply.weight)
        confirms = reply.confirms != "none" and (token.rule.kind == "submit" or reply in token.rule.replies)
        if confirms:
            self._confirm(name, miner=False, pool=True)
            if reply.confirms == "both":
                self._confirm(token.rule.name, miner=True, pool=False)
        if reply.outcome == "rejected":
            self._note_refusal(token.rule)
        depth = self._at_hand
        if depth is not None:
            depth.reply(token, reply, name, message, confirms)
        else:
            self._wait(Step("reply", (token, reply, name, message, confirms), reply.job, "session" in reply.take.names))

    def answered(self, token: Token, rule: MessageRule, message: Message) -> None:
        """A pool's message whose rule says that it answers this request."""
        if rule.confirms == "both":  # no other protocol answers such a request so
            self._confirm(token.rule.name, miner=True, pool=False)
            self._confirm(rule.name, miner=False, pool=True)
        if token.rule.kind == "submit" and rule.outcome != "none":
            self._confirm(rule.name, miner=False, pool=True)
        if rule.outcome == "rejected":
            self._note_refusal(token.rule)
        depth = self._at_hand
        if depth is not None:
            depth.answered(token, rule, message)
        else:
            self._wait(Step("answered", (token, rule, message), tells=True, binds="session" in rule.take.names))

    def understand(self) -> None:
        """Let nothing wait from now on."""
        assert self.depth is not None

    @property
    def _at_hand(self) -> Understanding | None:
        """What it has understood, if nothing waits: then a message is worked through at once."""
        return None if self._waits else self._depth

    def _wait(self, step: Step) -> None:
        self._waits = True
        self._late.add(self, step)

    def _weigh_rule(self, rule: MessageRule) -> None:
        from_miner, both = rule.side == "miner", rule.confirms == "both"
        self._weigh(rule.name, rule.weight)
        if rule.confirms != "none" and not (both and rule.answers):  # such an answer confirms once it answers, above
            self._confirm(rule.name, miner=from_miner or both, pool=not from_miner or both)

    def _note_refusal(self, rule: MessageRule) -> None:
        self.refused += rule.kind != "submit"

    def _weigh(self, name: str, weight: int) -> None:
        if name not in self._weighed:
            self._weighed = (*self._weighed, name)
            self.score += weight

    def _confirm(self, name: str, *, miner: bool, pool: bool) -> None:
        if miner and name not in self.miner_confirms:
            self.miner_confirms = (*self.miner_confirms, name)
        if pool and name not in self.pool_confirms:
            self.pool_confirms = (*self.pool_confirms, name)
