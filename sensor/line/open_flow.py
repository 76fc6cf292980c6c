"""One open candidate flow: its readers, its session, and what was seen of it; and the node record it becomes if it was
a node's.

Knows the pieces that a flow is read with; knows no other flow and no findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sensor.dialects.conversation import Conversation
from sensor.dialects.nodes import NodeSeen, read_datagram, read_tcp
from sensor.dialects.stream.message import Message, Read
from sensor.line.beginning import Beginning
from sensor.line.flow_facts import TCP, FlowFacts, facts, flow_key, proxy_of, stable_id
from sensor.line.resumed import between_bytes, carriage_of, miner_direction
from sensor.model.events import Chunk, Close, Open
from sensor.model.evidence import Evidence, Grade
from sensor.model.flow import FlowSummary
from sensor.model.node import Node
from sensor.model.trace import StreamRange
from sensor.session.fallback import Fallback
from sensor.session.session import Session
from sensor.session.verify import Sampling
from sensor.signatures.model import NodeSignature, SignatureSet

#: A line, its head and its tail: no reader holds more of a direction.
MAX_UNREAD_BYTES = 131_072
#: About what the state of a reading takes.
READING_BYTES = 1_536
#: Bytes of a node's first message shown as evidence, in hex.
NODE_EXCERPT_BYTES = 64


class First(NamedTuple):
    """The first bytes that one side of a node sent."""

    data: bytes
    direction: int
    offset: int  # in the direction's stream: behind the wrappings
    ts_ns: int


class OpenFlow:
    """One open candidate."""

    __slots__ = (
        *("_beginning", "_fallback", "_sampling", "_session", "_signatures", "bases", "before", "conversation"),
        *("acks", "datagram", "held_bytes", "last_ns", "missed", "opened", "reached", "seen", "stage", "starts"),
        *("unread",),
    )

    def __init__(self, opened: Open, signatures: SignatureSet, sampling: Sampling) -> None:
        self.opened = opened
        self._signatures, self._sampling = signatures, sampling
        self._beginning: Beginning | None = Beginning()  # as long as it is one
        self._session: Session | None = None  # made when it is asked for
        self._fallback: Fallback | None = None  # None: it is not, or no longer, of use
        self.bases = [-1, -1]  # sequence numbers at which the directions' streams begin; -1: not known
        self.conversation = Conversation(opened.midstream)
        self.datagram: tuple[NodeSignature, NodeSeen, First] | None = None
        self.seen = [0, 0]  # stream bytes by direction
        self.missed = [0, 0]
        self.acks = [(0, 0), (0, 0)]  # by direction: `ack_advances` and `acked_bytes` of its newest chunk
        self.starts = [0, 0]  # offsets of the first bytes that were seen
        self.reached = [0, 0]  # and behind the last ones
        self.unread = [0, 0]  # bytes that wait for the rest of their message, by direction, about
        self.held_bytes = 0  # about what is held of it, when it was last weighed
        self.last_ns = opened.ts_ns
        self.before: FlowSummary | None = None  # what was known of the connection that this goes on
        self.stage: tuple[object, ...] = ()  # of the session, when it was last judged

    def take(self, chunk: Chunk) -> None:
        """Bytes of the flow came."""
        _, ts_ns, side, offset, gap, data, base_seq, ack_advances, acked_bytes = chunk
        if not self.seen[side] and data:
            self.starts[side] = offset
        self.bases[side] = base_seq
        if offset >= self.reached[side]:  # else another reading of bytes that were told
            self.reached[side] = offset + len(data)
            self.seen[side] += len(data)
            self.missed[side] += gap
        self.acks[side] = (ack_advances, acked_bytes)
        if ts_ns > self.last_ns:
            self.last_ns = ts_ns

    def take_datagram(self, chunk: Chunk) -> None:
        """A datagram of the flow came: it may be a node's."""
        for signature in self._signatures.nodes if self.datagram is None else ():
            seen = read_datagram(signature, chunk.data)
            if seen is not None:
                self.datagram = (signature, seen, First(chunk.data, chunk.direction, 0, chunk.ts_ns))
                return

    @property
    def session(self) -> Session:
        """The session by the dialects."""
        if self._session is None:
            self._session = Session(self._signatures, self._sampling, is_one_sided=not all(self.opened.packets))
            self._session.bases = self.bases
            self._fallback = Fallback() if self._signatures.unknown is not None else None
            for read in self._beginning or ():
                self._read(read, self._session)
        return self._session

    @property
    def heard(self) -> Session:
        """The session as it is judged."""
        session = self.session
        return session if self._fallback is None else self._fallback.heard(session)

    @property
    def is_beginning(self) -> bool:
        """Whether it only begins: what was said in it is not read for good."""
        return self._beginning is not None

    @property
    def first_messages(self) -> Iterator[Message]:
        """The messages of its beginning."""
        return (read for read in self._beginning or () if isinstance(read, Message))

    @property
    def spoke(self) -> tuple[bool, bool]:
        """Whether there is a message of each direction in its beginning."""
        return (False, False) if self._beginning is None else self._beginning.spoke

    @property
    def sign_ins(self) -> int:
        """In how many messages of its beginning one signed in; 0 later."""
        return 0 if self._beginning is None else self._beginning.sign_ins

    @property
    def is_read(self) -> bool:
        """Whether any dialect recognised a message, as far as it is more than a beginning."""
        return not self.is_beginning and (bool(self.session.readings) or self.heard is not self.session)

    @property
    def is_established(self) -> bool:
        """Whether shares were counted in it."""
        return not self.is_beginning and self.heard.shares > 0

    def new_blocks(self) -> list[tuple[str, str, int]]:
        """Coin (or algorithm), name and time of blocks that jobs came to stand on, each once: of a session whose
        shares were counted."""
        readings = () if self._session is None else self._session.readings
        if len(readings) != 1 or not readings[0].jobs.blocks or not self.is_established:
            return []
        best = readings[0]
        coin = best.jobs.coin or next((each.coin for each in best.logins.accounts if each.coin), best.dialect.coin)
        what = coin or best.jobs.algorithm or best.dialect.algorithm
        return [(what, block, ts_ns) for ts_ns, block in best.jobs.blocks.take()] if what else []

    @property
    def is_settled(self) -> bool:
        """Whether one reading is all that is held."""
        session = self._session
        alone = session is not None and len(session.readings) == 1 and self._fallback is None
        return alone and self._beginning is None and not (self.unread[0] or self.unread[1])

    def weigh(self, chunk: Chunk, *, completed: bool) -> int:
        """About how many bytes are held of it after these, and by how many that grew. `completed`: they were the end of
        a message at least."""
        side, before = chunk.direction, self.held_bytes
        if completed and before == READING_BYTES and self.is_settled and chunk.data[-1:] == b"\n":
            return 0  # as nearly always
        if completed:
            self.unread[side] = min(MAX_UNREAD_BYTES, len(chunk.data) - 1 - chunk.data.rfind(b"\n"))
        else:
            self.unread[side] = min(MAX_UNREAD_BYTES, self.unread[side] + len(chunk.data))
        self.held_bytes = self.unread[0] + self.unread[1]
        if self._beginning is not None:
            self.held_bytes += self._beginning.held_bytes
        elif self._session is not None:
            self.held_bytes += READING_BYTES * len(self._session.readings)
            self.held_bytes += self._fallback.held_bytes if self._fallback is not None else 0
        return self.held_bytes - before

    @property
    def speaks(self) -> bool:
        """Whether it is known to speak a dialect."""
        return not self.is_beginning and bool(self.session.readings)

    def receive(self, read: Read) -> None:
        """One message or one malformed piece."""
        if self._beginning is None and self._session is not None and self._fallback is None:
            self._session.receive(read)
            return
        if self._beginning is not None:
            self.rest()
            is_share = isinstance(read, Message) and self._signatures.is_share(read.value, read.framing)
            if not is_share and self._beginning.add(read):
                return
        session, self._beginning = self.session, None
        self._read(read, session)

    def _read(self, read: Read, session: Session) -> None:
        session.receive(read)
        if self._fallback is not None and not self._fallback.receive(read, session):
            self._fallback = None

    def rest(self) -> None:
        """It was judged: a beginning is held unread again."""
        if self._beginning is not None:
            self._session = self._fallback = None

    def finish(self) -> None:
        """The flow has ended."""
        session, self._beginning = self.session, None
        session.finish()
        if self._fallback is not None:
            self._fallback.finish(session)

    def resume(self, before: FlowSummary, signatures: SignatureSet, ts_ns: int) -> None:
        """Go on from what was known of the connection."""
        dialects = (*signatures.dialects, *signatures.generic)
        dialect = next((dialect for dialect in dialects if dialect.name == before.dialect), None)
        if dialect is not None and before.trace is not None and before.trace.state is not None:
            session, self._beginning = self.session, None
            self.before = before
            miner, state = miner_direction(before, self.opened), before.trace.state
            if not dialect.generic:
                session.resume(dialect, miner, state, ts_ns)
            elif self._fallback is not None:
                self._fallback.resume(dialect, miner, state, ts_ns, signatures)

    def meet_before(self, first: Chunk) -> None:
        """The first bytes of a direction, where the connection is known from before: were some between never seen?"""
        if self.before is None:
            return
        between = between_bytes(self.before, self.opened, first)
        for session in self._sessions():
            if between is None or between > 0:
                session.lose(first.direction)
            if between != 0:
                session.break_off()

    def _sessions(self) -> tuple[Session, ...]:
        """All that read its messages."""
        unknown = self._fallback.session if self._fallback is not None else None
        return (self.session,) if unknown is None else (self.session, unknown)

    def forget_before(self, signatures: SignatureSet, sampling: Sampling) -> None:
        """It was another connection: its own first bytes of the other direction say so."""
        self.before, self._session, self._fallback = None, None, None
        self._signatures, self._sampling = signatures, sampling

    def facts(self, closed: Close | None) -> FlowFacts:
        """What of the flow was seen by now, or, once it is closed, in all."""
        summary = facts(
            self.opened, closed, self.last_ns, (self.seen[0], self.seen[1]), (self.missed[0], self.missed[1])
        )
        summary.carriage = self.conversation.carriage
        if self.before is not None:
            summary.carriage = carriage_of(self.before, summary.carriage, self.opened)
        summary.ranges = (self._range(0), self._range(1))
        originator, responder = summary.paths or ((*self.acks[0], 0, 0), (*self.acks[1], 0, 0))
        summary.acks = ((originator[0], originator[1]), (responder[0], responder[1]))
        return summary

    def _range(self, side: int) -> StreamRange | None:
        """The part of a direction's stream that was seen, by its sequence numbers."""
        base = self.bases[side]
        if base < 0 or not self.seen[side]:
            return None
        return StreamRange(base + self.starts[side], base + self.reached[side])


def node_seen(signatures: SignatureSet, flow: OpenFlow) -> tuple[NodeSignature, NodeSeen, First] | None:
    """The node a flow belongs to, if it shows one: by which signature, what was seen, and by which first bytes."""
    if flow.datagram is not None:
        return flow.datagram
    heads = flow.conversation.heads
    for signature in signatures.nodes if heads is not None and flow.opened.proto == TCP else ():
        seen = read_tcp(signature, heads.pair) if heads is not None else None
        if seen is not None and heads is not None:
            direction = seen.directions[0]
            first = First(
                bytes(heads.pair[direction].data), direction, flow.conversation.start(direction), flow.opened.ts_ns
            )
            return signature, seen, first
    return None


def is_heard(seen: NodeSeen, flow: FlowFacts) -> bool:
    """Whether somebody answered: both ends were seen, or, where one direction is not captured, what came of the other
    acknowledges something. Of UDP this is not asked: one packet is all there is of most look-ups, it says no more than
    that somebody's node is sought, and anybody may send it in another's name. A node is no mining and opens no case.
    """
    if flow.opened.proto != TCP:
        return True
    whole = len(seen.directions) == 2 or not flow.opened.midstream
    return (all(flow.packets) and whole) or any(advances for advances, _ in flow.acks)


def node_record(signature: NodeSignature, seen: NodeSeen, first: First, flow: FlowFacts) -> Node:
    opened = flow.opened
    data, direction, offset, ts_ns = first
    key = flow_key(opened, 0, flow.first_ns)
    header = signature.header
    evidence = Evidence(
        grade=Grade.SPEAKS,
        signature=header.name,
        time_ns=ts_ns,
        flow=key.community_id,
        direction="originator" if direction == 0 else "responder",
        offset=offset,
        excerpt=data[:NODE_EXCERPT_BYTES].hex(),
        detail={"reason": seen.reason},
    )
    return Node(
        node_id=stable_id("node", key.flow_id, header.name),
        protocol=header.name,
        network=seen.network,
        coin=seen.coin,
        key=key,
        agent=seen.agent,
        signature_id=header.id,
        signature_rev=header.rev,
        signature=header.title,
        first_ns=flow.first_ns,
        last_ns=flow.last_ns,
        confidence=seen.confidence,
        evidence=[evidence],
        vlans=opened.vlans,
        source=opened.source,
        transport=flow.carriage.transport,
        host=flow.carriage.pool_host,
        proxy=proxy_of(opened, flow.carriage.asked_by, flow.carriage.transport),
    )
