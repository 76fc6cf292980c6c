"""One flow's mining conversation: pairs replies with requests, and lets every dialect that recognises a message read it its way.

Who is the miner is told by the messages, not by who opened the connection: a rule says which side sends it, and both possibilities are kept
apart as readings. Sans-IO: knows messages, not packets; no grades.
"""

from __future__ import annotations

from collections import Counter

from sensor.dialects.json_lines import FOREIGN, Malformed, Message, Read
from sensor.pending import PendingRequests, Request, id_key
from sensor.reading import Reading, Token
from sensor.signatures.language import MISSING
from sensor.signatures.model import Dialect, ReplyRule, SignatureSet

#: Readings of one flow: every dialect in both roles would be more, but hostile bytes choose what they resemble.
MAX_READINGS = 32


class Session:
    """What one flow said, message by message."""

    def __init__(self, signatures: SignatureSet) -> None:
        self._signatures = signatures
        self._defaults: dict[str, tuple[ReplyRule, ...]] = {one.header.name: one.replies for one in signatures.framings}
        self._pending = (PendingRequests(), PendingRequests())
        self.readings: dict[tuple[str, int], Reading] = {}
        self.messages = [0, 0]  # by direction
        self.foreign = [0, 0]  # lines that are not this framing, by direction
        self.spoiled = [0, 0]  # pieces that gave no message for whatever reason, by direction
        self._gaps = [False, False]
        self.counters: Counter[str] = Counter()

    def receive(self, read: Read) -> None:
        """One message or one malformed piece."""
        if isinstance(read, Malformed):
            self.counters[f"malformed_{read.reason}"] += 1
            self._malformed(read)
            return
        self.counters["messages"] += 1
        self.messages[read.direction] += 1
        value = read.value
        matches = self._signatures.match(value)
        key = id_key(value.get("id", MISSING))
        secrets = tuple(place for _, rule in matches for place in rule.secrets)
        tokens: list[Token] = []
        answers: list[Token] = []
        told = False  # a pool's message whose own shape says what it is
        for dialect, rule in matches:
            miner = read.direction if rule.side == "miner" else 1 - read.direction
            reading = self._reading(dialect, miner)
            if reading is None:
                continue
            token = reading.receive(rule, read, secrets)
            self.counters[f"messages_{dialect.name}"] += 1
            if rule.side == "miner":
                tokens.append(token)
                continue
            told = True
            if rule.answers:
                answers.append(token)
        if tokens:
            self._pending[read.direction].add(Request(key, _kind(tokens), read.ts_ns, list(tokens)))
        elif answers:
            self._answer(key, answers, read)
        elif told:
            self._pending[1 - read.direction].settle(key, "getwork")
        elif is_reply(value):
            self._reply(key, read)
        elif "method" in value and key[0] not in ("none", "word"):
            self._pending[read.direction].add(Request(key, "unknown", read.ts_ns, []))
        else:
            self.counters["messages_unknown"] += 1

    def finish(self) -> None:
        """The flow has ended."""
        self.counters["requests_dropped"] += sum(one.dropped for one in self._pending)
        self.counters["readings_dropped"] += sum(one.dropped for one in self.readings.values())

    def _malformed(self, piece: Malformed) -> None:
        self.spoiled[piece.direction] += 1
        self.foreign[piece.direction] += piece.reason in FOREIGN
        if piece.reason == "gap":
            self._gaps[piece.direction] = True
            for reading in self.readings.values():
                reading.whole = reading.whole and reading.miner == piece.direction

    def _reading(self, dialect: Dialect, miner: int) -> Reading | None:
        reading = self.readings.get((dialect.name, miner))
        if reading is None:
            if len(self.readings) >= MAX_READINGS:
                self.counters["readings_refused"] += 1
                return None
            defaults = self._defaults.get(dialect.framing, ())
            reading = self.readings[dialect.name, miner] = Reading(dialect, miner, defaults, whole=not self._gaps[1 - miner])
        return reading

    def _reply(self, key: tuple[str, object], message: Message) -> None:
        request = self._pending[1 - message.direction].answer(key, flat=isinstance(message.value.get("result"), bool))
        if request is None:
            self.counters["replies_unmatched"] += 1
            return
        self.counters["replies"] += 1
        for token in request.tokens:
            if isinstance(token, Token):
                token.reading.reply(token, message)

    def _answer(self, key: tuple[str, object], answers: list[Token], message: Message) -> None:
        """A message that says by its shape what it answers; each dialect that knows it settles its own part of the request."""
        request = self._pending[1 - message.direction].answer_kind(key, answers[0].rule.answers)
        if request is None:
            self.counters["replies_unmatched"] += 1
            return
        self.counters["replies"] += 1
        for answer in answers:
            for token in request.tokens:
                if isinstance(token, Token) and token.reading is answer.reading:
                    token.reading.answered(token, answer.rule, message)


def is_reply(value: dict[str, object]) -> bool:
    """A JSON-RPC reply: a result, or an error, or a null result without a method."""
    if value.get("result") is not None or value.get("error") not in (None, False):
        return True
    return "method" not in value and ("result" in value or "error" in value)


def _kind(tokens: list[Token]) -> str:
    """Dialects may differ about a request; what is counted wins."""
    kinds = [token.rule.kind for token in tokens]
    for kind in ("submit", "login", "subscribe", "getwork", "hashrate"):
        if kind in kinds:
            return kind
    return kinds[0]
