"""When a flow is read without a dialect: only once a share was sent that no dialect counts.

Until then its first and latest messages wait, so sessions of shipped dialects, nearly all there are, pay for a look at
a verb and no more. Sans-IO.
"""

from __future__ import annotations

from sensor.dialects.stream.message import DEFAULT_FRAMING, Malformed, Message, Read
from sensor.dialects.unknown.verbs import verb_in
from sensor.model.trace import SessionState
from sensor.session.session import Session
from sensor.session.unknown import UnknownSession, Verbs, add_verb
from sensor.signatures.model import Dialect, SignatureSet

#: Messages that wait: the first, by which a session begins, and as many of the latest; and the bytes of them all, as
#: they came.
FIRST_MESSAGES, MAX_MESSAGES, MAX_WAITING_BYTES = 4, 12, 98_304


class Fallback:
    """The reading of one flow by what all dialects have in common, as far as it is needed."""

    __slots__ = ("_aside", "_sharer", "_waiting", "session")

    def __init__(self) -> None:
        self.session: UnknownSession | None = None
        self._waiting: tuple[Message, ...] = ()
        self._aside: Verbs = ()  # that are no part of mining's course, for the names alone
        self._sharer: int | None = None  # the direction that sent a share

    def receive(self, read: Read, session: Session) -> bool:
        """One message or one malformed piece, which `session` has read by the dialects before; whether more is of use
        here.
        """
        if self.session is not None:
            self.session.receive(read)
            return 2 * session.shares < self.session.shares or not session.shares
        if isinstance(read, Malformed) or read.framing != DEFAULT_FRAMING:
            return True
        verb = verb_in(read.value)
        if verb is not None and verb.purpose == "none":
            self._aside = add_verb(self._aside, read.direction, verb)
            return True
        self._wait(read)
        is_share = verb is not None and verb.purpose == "share"
        if is_share and self._sharer in (None, read.direction):  # some answers repeat the verb
            self._sharer = read.direction
        elif self._sharer is not None and read.direction != self._sharer:
            return self._decide(session)
        return self._sharer is not None or not session.knows_jobs

    @property
    def held_bytes(self) -> int:
        """Bytes of the messages that wait, as they came."""
        return sum(map(_size, self._waiting))

    def _wait(self, read: Message) -> None:
        """Keep a message until it is known whether it is needed. Of too many the oldest behind the first go, of too
        large ones the largest.
        """
        waiting = [*self._waiting, read]
        if len(waiting) > MAX_MESSAGES:
            del waiting[FIRST_MESSAGES]
        while len(waiting) > 1 and sum(map(_size, waiting)) > MAX_WAITING_BYTES:
            del waiting[max(range(len(waiting) - 1), key=lambda at: _size(waiting[at]))]
        self._waiting = tuple(waiting)

    def finish(self, session: Session) -> None:
        """The flow has ended."""
        if self.session is None and self._sharer is not None:
            self._decide(session)

    def resume(self, dialect: Dialect, miner: int, state: SessionState, ts_ns: int, signatures: SignatureSet) -> None:
        """Go on from what was known of the connection before, where that was read without a dialect."""
        if signatures.unknown is not None:
            self.session = UnknownSession(signatures.unknown)
            self.session.resume(dialect, miner, state, ts_ns)

    def _decide(self, session: Session) -> bool:
        """The share may have been answered by now: whether a dialect counts it."""
        waiting, self._waiting = self._waiting, ()
        alone = session.signatures.unknown
        if session.shares or alone is None or not all(session.messages):
            return False
        self.session = UnknownSession(alone)
        self.session.bases, self.session.verbs = session.bases, self._aside
        for read in waiting:
            self.session.receive(read)
        return True

    def heard(self, session: Session) -> Session:
        """The session as it is judged: by its dialect, or, where none counts its shares, by what all have in common."""
        unknown = self.session
        if unknown is not None and 2 * session.shares < unknown.shares and unknown.is_whole:
            return unknown
        return session


def _size(read: Message) -> int:
    """A message's bytes that are held."""
    return max(0, read.end - read.offset - read.skipped_bytes)
