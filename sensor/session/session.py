"""One flow's mining conversation: pairs replies with requests, and lets every dialect that recognises a message read it
its way.

The messages show who the miner is, not who opened the connection: a rule says which side sends it, and both
possibilities are kept apart as readings. Sans-IO: knows messages, not packets; no grades.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sensor.dialects.registry import FOREIGN
from sensor.dialects.stream.message import Malformed, Message, Read
from sensor.model.trace import SessionState
from sensor.session.carried import carry_into, open_requests
from sensor.session.pending_requests import IdKey, PendingRequests, Request, id_key
from sensor.session.pool_gaps import PoolGaps
from sensor.session.ranking import rank, rivals, works
from sensor.session.reading import LateSteps, Reading, Token
from sensor.session.turns import Turns
from sensor.session.verify import Sampling
from sensor.signatures.model import Dialect, SignatureSet
from sensor.signatures.paths import MISSING

#: Readings of one flow: every dialect in both roles would be more, but hostile bytes choose what they resemble.
MAX_READINGS = 48
#: A reading that is this far ahead, with a job or a share seen and both sides confirmed, is the one: what belongs to
#: another dialect has weighed in by then. Where the shapes leave it open, it is decided after so many messages.
CLEAR_LEAD, LAST_DECISION = 50, 128
#: Where only one side is heard there is nothing to wait for: its first messages are those that distinguish dialects.
ONE_SIDED_DECISION = 16
#: Where it stays open which dialect it is, all are read for so many messages.
LAST_OPEN_DECISION = 160
#: Bytes of messages that readings may work through later.
EARLY_BYTES = 16_384
DEFAULT = Sampling()
NOTHING: Mapping[str, int] = {}


class Session:
    """The conversation of one flow, message by message."""

    __slots__ = (
        *("_early_bytes", "_framing", "_gaps", "_given_up", "_late", "_lost", "_pending", "_rare", "_sampling"),
        *("_settled", "_signatures", "bases", "counters", "foreign", "messages"),
        *("ambiguous", "readings", "replies", "spoiled", "turns", "unknown", "unmatched", "wallets"),
    )

    def __init__(self, signatures: SignatureSet, sampling: Sampling = DEFAULT, *, is_one_sided: bool = False) -> None:
        self._signatures = signatures
        self.wallets = signatures.wallets
        self._sampling = sampling
        self._pending = (PendingRequests(is_one_sided=is_one_sided), PendingRequests(is_one_sided=is_one_sided))
        self.readings: tuple[Reading, ...] = ()
        self._late = LateSteps()
        self._settled: Reading | None = None  # the only reading of its framing from now on
        self._framing: str | None = None
        self._early_bytes = 0  # of the messages so far, while several readings are left
        self.turns = Turns()
        self.messages = [0, 0]  # by direction
        self.foreign = (0, 0)  # lines that are not this framing, by direction
        self.spoiled = (0, 0)  # pieces that gave no message for whatever reason, by direction
        self._gaps = (False, False)
        self._lost = PoolGaps()
        self.bases = [-1, -1]  # sequence numbers at which the directions' streams begin; -1: not known
        self.replies = self.unmatched = self.unknown = 0
        self._given_up = 0
        self.ambiguous: tuple[Dialect, ...] = ()  # dialects that fitted nearly as well when the best was settled on
        self._rare: Counter[str] | None = None  # what few sessions count
        self.counters: Mapping[str, int] = NOTHING  # when the flow has ended
        self._begin()

    def _begin(self) -> None:
        """What a session of another kind keeps beside."""

    @property
    def remark(self) -> str | None:
        """What is to be said of how it was read."""
        return None

    @property
    def signatures(self) -> SignatureSet:
        """Those by which it is read."""
        return self._signatures

    def resume(self, dialect: Dialect, miner: int, state: SessionState, ts_ns: int) -> None:
        """Go on from what was known of the connection before. Called before the first message."""
        reading = self._reading(dialect, miner)
        if reading is not None:
            carry_into(reading, state, ts_ns)
            reading.unbroken = True
            for request in open_requests(reading, state):
                self._pending[miner].add(request)
            self._settled, self._framing = reading, state.framing

    def break_off(self) -> None:
        """It does not go on with just the bytes that follow what was known."""
        for reading in self.readings:
            reading.unbroken = False

    def lose(self, direction: int) -> None:
        """Bytes of a direction were never seen between what was known of the connection and its first message here."""
        self._lost.lose(direction)

    def receive(self, read: Read) -> None:
        """One message or one malformed piece."""
        if isinstance(read, Malformed):
            self._malformed(read)
            return
        side = read.direction
        self.messages[side] += 1
        if read.skipped_bytes:
            self._count("lines_cut")
            self._count("line_bytes_skipped", read.skipped_bytes)
        if self._lost.holes[side]:
            self._lost.meet(read, self.readings, self._pending[1 - side])
        key = read.pair or id_key(read.value.get("id", MISSING))
        if self._settled is not None and self._framing == read.framing:
            self._go_on(self._settled, read, key)
            self._lost.pass_on(read, self.readings)
            return
        self._find_out(read, key)
        self._lost.pass_on(read, self.readings)
        self._early_bytes += read.end - read.offset if read.end >= 0 else EARLY_BYTES // 4
        if self._early_bytes > EARLY_BYTES:
            self._late.work()
        if len(self.readings) > 1:
            self._settle(read.framing)

    def _go_on(self, reading: Reading, read: Message, key: IdKey) -> None:
        """A message, once it is settled which dialect this is."""
        side = read.direction
        rule = reading.dialect.rule_of(read.value, read.framing)
        self.turns.note(side, read.ts_ns, () if rule is None else (rule,))
        if "method" in read.value and (rule is None or len(self.readings) > 1):
            self._note_jobs(read, () if rule is None else (reading.dialect,))
        if rule is None or (rule.side == "miner") is not (side == reading.miner):
            self._otherwise(read, key)
            return
        token = reading.receive(rule, read, rule.secrets)
        if rule.side == "miner":
            self._pending[side].add(Request(key, rule.kind, (token,)))
        elif rule.answers:
            self._answer(key, [token], read)
        else:
            self._pending[1 - side].settle(key, "getwork")

    def _find_out(self, read: Message, key: IdKey) -> None:
        """A message that any dialect may read."""
        side = read.direction
        matches = self._signatures.match(read.value, read.framing)
        secrets = tuple(place for _, rule in matches for place in rule.secrets)
        tokens: list[Token] = []
        answers: list[Token] = []
        matched_pool = False  # a pool's message that fitted a rule by its own shape
        for dialect, rule in matches:
            reading = self._reading(dialect, side if rule.side == "miner" else 1 - side)
            if reading is None:
                continue
            token = reading.receive(rule, read, secrets)
            if rule.side == "miner":
                tokens.append(token)
                continue
            matched_pool = True
            if rule.answers:
                answers.append(token)
        self.turns.note(side, read.ts_ns, [rule for _, rule in matches])
        if "method" in read.value:
            self._note_jobs(read, [dialect for dialect, _ in matches])
        if tokens:
            self._pending[side].add(Request(key, _kind(tokens), tuple(tokens)))
        elif answers:
            self._answer(key, answers, read)
        elif matched_pool:
            self._pending[1 - side].settle(key, "getwork")
        else:
            self._otherwise(read, key)

    def _otherwise(self, read: Message, key: IdKey) -> None:
        """A message that fits no rule: a reply, or a request that is not known."""
        value = read.value
        if is_reply(value) or (read.framing == "http" and is_response(value)):
            self._reply(key, read)
        elif "method" in value and key[0] not in ("none", "word"):
            self._pending[read.direction].add(Request(key, "unknown", ()))
        else:
            self.unknown += 1

    def _note_jobs(self, read: Message, dialects: Sequence[Dialect]) -> None:
        """A job by its method that some readings, whose dialects are none of these, do not know by its form."""
        method = read.value.get("method")
        for reading in self.readings if isinstance(method, str) else ():
            if (
                not reading.foreign_jobs
                and reading.miner != read.direction
                and method in reading.dialect.job_methods
                and all(dialect is not reading.dialect for dialect in dialects)
            ):
                reading.foreign_jobs = True

    def _settle(self, framing: str) -> None:
        """Once it is clear which dialect this is, the others are given up: they cost time and memory with every
        message.
        """
        best, *others = sorted(self.readings, key=rank, reverse=True)
        late = sum(self.messages) >= (LAST_DECISION if all(self.messages) else ONE_SIDED_DECISION)
        late = late and (not rivals(best, others) or sum(self.messages) >= LAST_OPEN_DECISION)
        leads = best.score - others[0].score >= CLEAR_LEAD
        if not (late or leads) or framing not in best.dialect.framings:
            return
        proven = works(best)
        if not (late or proven):
            return
        self.ambiguous = rivals(best, others)
        self._settled, self._framing = best, framing
        # Without proof of both sides the judge asks whether one side sends both sides' messages.
        remaining = [
            reading
            for reading in others
            if framing not in reading.dialect.framings or (not proven and reading.miner != best.miner)
        ]
        self._given_up = len(others) - len(remaining)
        self.readings = (best, *remaining)
        self._late.keep(self.readings)
        for pending in self._pending:
            pending.narrow(lambda token: isinstance(token, Token) and token.reading in self.readings)

    @property
    def knows_jobs(self) -> bool:
        """Whether it is settled which dialect this is, and the pool's jobs are of that dialect."""
        return self._settled is not None and self._settled.jobs.count > 0

    @property
    def shares(self) -> int:
        """The shares that the best reading counts; 0 where it was not confirmed by both sides, or none of its shares
        named a job that it knows though it knows some.
        """
        best = self._settled or max(self.readings, key=rank, default=None)
        if best is None or not (best.miner_confirms and best.pool_confirms) or best.misses_jobs:
            return 0
        return sum(account.shares.submitted for account in best.logins.accounts)

    @property
    def stage(self) -> tuple[object, ...]:
        """Changes when what the flow amounts to may have changed in kind: cheap enough to ask after every batch."""
        best = self._settled or max(self.readings, key=rank, default=None)
        if best is None:
            return ()
        accounts = best.logins.accounts
        submitted = any(account.shares.submitted for account in accounts)
        accepted = any(account.shares.accepted for account in accounts)
        verified = any(account.shares.verified for account in accounts)
        return (
            best.dialect.name,
            bool(best.miner_confirms),
            bool(best.pool_confirms),
            len(accounts),
            submitted,
            accepted,
            verified,
            best.jobs.mined(best.logins.latest),
            best.jobs.coin,
            bool(self.rivals_of(best)) or best.has_foreign_jobs,
        )

    def rivals_of(self, best: Reading) -> tuple[Dialect, ...]:
        """The dialects that fit nearly as well as the best; none where it is clear which one this is."""
        if self.ambiguous and not best.jobs.proven:
            return self.ambiguous
        return () if self._settled is best else rivals(best, self.readings)

    def finish(self) -> None:
        """The flow has ended: what it counted, by name."""
        found: Counter[str] = Counter(self._rare)
        often = {
            "messages": sum(self.messages),
            "messages_unknown": self.unknown,
            "replies": self.replies,
            "replies_unmatched": self.unmatched,
        }
        found.update({name: count for name, count in often.items() if count})
        found["requests_dropped"] += sum(pending.dropped for pending in self._pending)
        best = self._settled or max(self.readings, key=rank, default=None)
        if best is not None and (self.turns.quoted(best.miner) or self.turns.at_a_stretch):
            found["sessions_quoted"] += 1
        if self._settled is not None:
            found["sessions_settled"] += 1
            found["readings_given_up"] += self._given_up
        for reading in self.readings:
            found["shares_looked_at"] += reading.shares_looked_at
            found["shares_outdated"] += reading.shares_outdated
            found[f"messages_{reading.dialect.name}"] += reading.received
            found["readings_dropped"] += reading.dropped
        self.counters = found

    def _count(self, name: str, by: int = 1) -> None:
        self._rare = Counter() if self._rare is None else self._rare
        self._rare[name] += by

    def _malformed(self, piece: Malformed) -> None:
        self._count(f"malformed_{piece.reason}")
        self.spoiled = _more(self.spoiled, piece.direction, 1)
        self.foreign = _more(self.foreign, piece.direction, piece.reason in FOREIGN)
        if piece.reason == "gap":
            self._gaps = (self._gaps[0] or not piece.direction, self._gaps[1] or bool(piece.direction))
            self._lost.lose(piece.direction)
            for reading in self.readings:
                if reading.miner != piece.direction:
                    reading.lose()

    def _reading(self, dialect: Dialect, miner: int) -> Reading | None:
        for reading in self.readings:
            if reading.dialect is dialect and reading.miner == miner:
                return reading
        if len(self.readings) >= MAX_READINGS:
            self._count("readings_refused")
            return None
        reading = Reading(
            dialect,
            miner,
            self._signatures.shared_replies(dialect),
            self._sampling,
            self._signatures.agents,
            whole=not self._gaps[1 - miner],
            requests=self._pending[miner],
            late=self._late,
            bases=self.bases,
        )
        self.readings = (*self.readings, reading)
        return reading

    def _reply(self, key: IdKey, message: Message) -> None:
        request = self._pending[1 - message.direction].answer(key, flat=isinstance(message.value.get("result"), bool))
        if request is None:
            self.unmatched += 1
            return
        self.replies += 1
        self._lost.answered = request
        for token in request.tokens:
            if isinstance(token, Token) and self._is_read(token.reading):
                token.reading.reply(token, message)

    def _is_read(self, reading: Reading) -> bool:
        return self._settled is None or reading in self.readings

    def _answer(self, key: IdKey, answers: list[Token], message: Message) -> None:
        """A message whose rule names what it answers; each dialect that knows it settles its own part of the
        request.
        """
        request = self._pending[1 - message.direction].answer_kind(key, answers[0].rule.answers)
        if request is None:
            self.unmatched += 1
            return
        self.replies += 1
        self._lost.answered = request
        for answer in answers:
            for token in request.tokens:
                if isinstance(token, Token) and token.reading is answer.reading:
                    token.reading.answered(token, answer.rule, message)


def _more(counts: tuple[int, int], direction: int, by: int) -> tuple[int, int]:
    return (counts[0] + (0 if direction else by), counts[1] + (by if direction else 0))


def is_reply(value: dict[str, object]) -> bool:
    """A JSON-RPC reply: a result, or an error, or a null result without a method."""
    if value.get("result") is not None or value.get("error") not in (None, False):
        return True
    return "method" not in value and ("result" in value or "error" in value)


def is_response(value: dict[str, object]) -> bool:
    """What came with an HTTP status: it answers its request whatever it holds."""
    http = value.get("http")
    return isinstance(http, dict) and "status" in http


def _kind(tokens: list[Token]) -> str:
    """Dialects may differ about a request; what is counted wins."""
    if len(tokens) == 1:
        return tokens[0].rule.kind
    kinds = [token.rule.kind for token in tokens]
    return next((kind for kind in ("submit", "login", "subscribe", "getwork", "hashrate") if kind in kinds), kinds[0])
