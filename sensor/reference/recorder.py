"""Encrypted sessions: which flows are recorded, when one is judged thin, and what leaves of it. The flow table decides
before which flow a segment belongs to.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, MutableSequence

from sensor.model.encrypted import (
    ALERT,
    APPLICATION_DATA,
    ClientHello,
    EncryptedClose,
    EncryptedCloseReason,
    EncryptedOpen,
    NamelessSession,
    Records,
    SealedRecord,
    ServerCertificate,
    ServerHello,
    SessionKind,
)
from sensor.model.events import CloseReason, Event
from sensor.model.limits import CoreLimits
from sensor.model.time import SECOND_NS
from sensor.reference.assembler import SEQUENCE_MASK
from sensor.reference.counters import Counters
from sensor.reference.der_certificate import CertificateFacts
from sensor.reference.flags import SYN
from sensor.reference.flow import Flow
from sensor.reference.listed import SentNames
from sensor.reference.lookups import SEALED_DNS_PORT
from sensor.reference.record_place import HANDSHAKE, OPENING_BYTES, is_chain, is_opening, is_text
from sensor.reference.sealed_session import (
    BATCH_RECORDS,
    Finding,
    Opened,
    Resynchronised,
    SealedSession,
    SideReading,
    StreamPiece,
    Withdrawn,
)
from sensor.reference.tables import TCP
from sensor.reference.tls_hello import ClientFacts, ServerFacts
from sensor.reference.walk import Segment

MINUTE_NS = 60 * SECOND_NS
THIN_RECORDS = 120  # of a minute; with more, a session is not thin
START_MISSING_BYTES = 16_384
MAX_DELTA_NS = (1 << 40) - 1
YOUNG_SHARE = 4  # over the bound, the young make room among themselves if they are more than this part of it


class SessionRecorder:
    def __init__(
        self,
        limits: CoreLimits,
        counters: Counters,
        events: MutableSequence[Event],
        numbers: Iterator[int],
        names: SentNames,
    ) -> None:
        self._limits = limits
        self._counters = counters
        self._events = events
        self._numbers = numbers
        self._names = names
        self._young: OrderedDict[int, Flow] = OrderedDict()  # by the session's number; the oldest first
        self._judged: OrderedDict[int, Flow] = OrderedDict()  # the one that was silent longest first
        self._held_bytes = 0
        self.source = ""

    def __len__(self) -> int:
        return len(self._young) + len(self._judged)

    def take(self, flow: Flow, direction: int, segment: Segment) -> bool:
        """A segment of a flow. True: it is sealed."""
        if not self._limits.thin_flows or segment.proto != TCP or not segment.wire_bytes:
            return False
        if flow.is_fat:
            return not is_text(segment.payload)
        seq = (segment.seq + (1 if segment.flags & SYN else 0)) & SEQUENCE_MASK
        session = flow.session or self._admit(flow, direction, seq, segment)
        if session is None:
            return False
        if not flow.sides[direction].payload_seen:
            session.begin_at(direction, seq)
        piece = StreamPiece(seq, segment.wire_bytes, segment.payload, segment.ts_ns)
        found = session.take(direction, piece, lambda: max(0, self._limits.thin_bytes - self._held_bytes))
        if not self._report(flow, session, found, segment.ts_ns, segment):
            return flow.is_fat and not is_text(segment.payload)
        is_sealed = session.is_tls and not is_text(segment.payload)
        if session.is_judged:
            self._judged.move_to_end(session.number)
        self._weigh(session)
        self._keep_within_pool()
        return is_sealed

    def _admit(self, flow: Flow, direction: int, seq: int, segment: Segment) -> SealedSession | None:
        """Begin to record a flow, if it is one to be recorded."""
        side, other = flow.sides[direction], flow.sides[1 - direction]
        payload, begins_at = segment.payload, seq
        midstream = False
        if side.syn_seen and not side.payload_seen and seq != side.base:
            begins_at = side.base or 0
            if (seq - begins_at) & SEQUENCE_MASK > START_MISSING_BYTES:
                return None
        elif not is_opening(payload) or (side.payload_seen and len(payload) < OPENING_BYTES):
            midstream = is_chain(payload, segment.wire_bytes) and payload[0] < 24 and payload[0] != HANDSHAKE
            if not midstream:
                return None
        session = self._add(flow, midstream=midstream)
        session.begin_at(direction, begins_at)
        if other.syn_seen and not other.payload_seen:
            session.begin_at(1 - direction, other.base or 0)
        if midstream:
            self._open(flow, session, segment)
        return session

    def take_noise(self, flow: Flow, segment: Segment) -> None:
        """Record a flow whose first two flights are those of Noise, from its next segments on."""
        if not self._limits.thin_flows or flow.session is not None or flow.is_fat:
            return
        session = self._add(flow, is_noise=True)
        for direction, side in enumerate(flow.sides):
            session.begin_at(direction, side.next)
        self._open(flow, session, segment)
        self._keep_within_pool()

    def _add(self, flow: Flow, *, midstream: bool = False, is_noise: bool = False) -> SealedSession:
        self._make_room()
        session = flow.session = SealedSession(next(self._numbers), midstream=midstream, is_noise=is_noise)
        self._young[session.number] = flow
        self._weigh(session)
        return session

    def _keep_within_pool(self) -> None:
        while self._young and self._held_bytes > self._limits.thin_bytes:
            self._evict(next(iter(self._young.values())))

    def _make_room(self) -> None:
        if len(self) < self._limits.thin_flows:
            return
        young = not self._judged or len(self._young) > self._limits.thin_flows // YOUNG_SHARE
        self._evict(next(iter((self._young if young else self._judged).values())))

    def _evict(self, flow: Flow) -> None:
        self._counters["thin_evicted"] += 1
        self._end(flow, "evicted")

    def _weigh(self, session: SealedSession) -> None:
        weight_bytes = session.weigh()
        self._held_bytes += weight_bytes - session.weight_bytes
        session.weight_bytes = weight_bytes

    def _forget(self, flow: Flow, session: SealedSession) -> None:
        flow.session = None
        self._held_bytes -= session.weight_bytes
        (self._judged if session.is_judged else self._young).pop(session.number)

    def _open(self, flow: Flow, session: SealedSession, segment: Segment) -> None:
        self._counters["noise_flows" if session.is_noise else "tls_flows"] += 1
        kind: SessionKind = "noise" if session.is_noise else "tls"
        (orig_addr, orig_port), (resp_addr, resp_port) = flow.originator, flow.responder
        opened = EncryptedOpen(session.number, segment.ts_ns, kind, orig_addr, orig_port, resp_addr, resp_port,
                               flow.basis, session.midstream, flow.first_ns, segment.vlans, self.source)  # fmt: skip
        waits = self._names.listed.are_some and kind == "tls"
        if waits and SEALED_DNS_PORT not in (orig_port, resp_port):
            session.beginning = [opened]
        else:
            self._events.append(opened)

    def _report(
        self, flow: Flow, session: SealedSession, found: list[Finding], ts_ns: int, segment: Segment | None
    ) -> bool:
        """Act on what was found; false if the session is followed no more."""
        for finding in found:
            match finding:
                case SealedRecord():
                    if not self._take_record(flow, session, finding):
                        return False
                case SideReading():
                    self._hand_on(flow, session, finding, ts_ns)
                case Resynchronised():
                    self._counters["resynchronised"] += 1
                    session.resynchronised += 1
                case Opened() if segment is not None:
                    self._open(flow, session, segment)
                case Withdrawn():
                    self._forget(flow, session)
                    return False
        return True

    def _hand_on(self, flow: Flow, session: SealedSession, finding: SideReading, ts_ns: int) -> None:
        beginning = (session.number, ts_ns, finding.side)
        match finding.reading:
            case ClientFacts() as client:
                self._counters["hellos"] += 1
                self._counters["ech_hellos"] += client.ech
                server = flow.responder if finding.side == 0 else flow.originator
                self._names.note(client.sni, (server[0],), ts_ns)
                self._go_on(session, ClientHello._make((*beginning, *client[:-1])))
            case ServerFacts() as server:
                self._counters["server_hellos"] += 1
                self._go_on(session, ServerHello(*beginning, server.version, server.cipher, server.alpn))
            case CertificateFacts() as certificate:
                self._counters["certificates"] += 1
                self._go_on(session, ServerCertificate._make((*beginning, *certificate)))
            case _:
                self._counters["hellos_lost"] += 1

    def _go_on(self, session: SealedSession, event: ClientHello | ServerHello | ServerCertificate) -> None:
        """An event of a beginning: it is kept back with what was before it, or all is told."""
        if session.beginning:
            names: tuple[bytes, ...] = ()
            if isinstance(event, ClientHello):
                names = (event.sni,)
            elif isinstance(event, ServerCertificate):
                names = tuple(name.removeprefix(b"*.") for name in event.names)
            if all(self._names.listed.kind(name) != "listed" for name in names):
                session.beginning.append(event)
                return
            self._tell_beginning(session)
        self._events.append(event)

    def _tell_beginning(self, session: SealedSession) -> None:
        self._events += session.beginning
        session.beginning = []

    def _drop_beginning(self, session: SealedSession, ts_ns: int) -> None:
        """A session that was kept back ends: nothing is told of it if a host was named; else that it was there."""
        hello = next((event for event in session.beginning if isinstance(event, ClientHello)), None)
        opened = session.beginning[0]
        session.beginning = []
        if isinstance(opened, EncryptedOpen) and (hello is None or self._names.listed.kind(hello.sni) == "no-host"):
            ends = (opened.orig_addr, opened.orig_port, opened.resp_addr, opened.resp_port)
            client = -1 if hello is None else hello.direction
            seen = (opened.first_ns, opened.vlans, opened.source)
            self._events.append(NamelessSession(opened.flow, ts_ns, *ends, opened.basis, client, *seen))

    def _take_record(self, flow: Flow, session: SealedSession, record: SealedRecord) -> bool:
        """False: the session has too many of them."""
        self._counters["records"] += 1
        session.records[record.direction] += 1
        if session.first_ns is None:
            session.first_ns = session.minute_ns = record.ts_ns
        if record.ts_ns >= session.minute_ns + MINUTE_NS:
            session.minute_ns, session.minute_records = record.ts_ns, 0
        session.minute_records += 1
        if session.minute_records > THIN_RECORDS:
            self._counters["thin_fat"] += 1
            flow.is_fat = True
            self._end(flow, "fat")
            return False
        self._judge_if_due(flow, session, record.ts_ns)
        if record.content_type in (ALERT, APPLICATION_DATA):
            base_ns = session.waiting[0].ts_ns if session.waiting else record.ts_ns
            at_ns = base_ns + min(max(0, record.ts_ns - base_ns), MAX_DELTA_NS)
            session.waiting.append(record._replace(ts_ns=at_ns))
            if session.is_judged and len(session.waiting) >= BATCH_RECORDS:
                self._flush(session, record.ts_ns)
        return True

    def _judge_if_due(self, flow: Flow, session: SealedSession, ts_ns: int) -> None:
        """Once the session's first minute is over: it is thin."""
        if session.is_judged or session.first_ns is None or ts_ns < session.first_ns + MINUTE_NS:
            return
        self._counters["thin_admitted"] += 1
        self._counters["hellos_lost"] += len(session.stop_collecting())
        del self._young[session.number]
        self._judged[session.number] = flow
        session.is_judged = True
        self._flush(session, ts_ns)

    def _flush(self, session: SealedSession, ts_ns: int) -> None:
        if not session.waiting:
            return
        self._tell_beginning(session)
        originator, responder = session.counts
        self._events.append(Records(session.number, ts_ns, (originator, responder), tuple(session.waiting)))
        for record in session.waiting:
            session.counts[record.direction] += 1
        session.waiting.clear()

    def sweep(self, ts_ns: int) -> None:
        """Empty the sessions whose time has come."""
        for _, flow in sorted([*self._young.items(), *self._judged.items()]):
            session = flow.session
            if session is None or not self._report(flow, session, session.close_late(ts_ns), ts_ns, None):
                continue
            if session.is_judged and session.waiting and ts_ns >= session.waiting[0].ts_ns + MINUTE_NS:
                self._flush(session, ts_ns)
            self._weigh(session)

    def leave(self, flow: Flow, reason: CloseReason) -> None:
        """The flow is out of the table."""
        session = flow.session
        if session is not None and self._report(flow, session, session.close_all(), flow.last_ns, None):
            self._end(flow, reason)

    def _end(self, flow: Flow, reason: EncryptedCloseReason) -> None:
        """A session is followed no more; what waits of it leaves."""
        session = flow.session
        if session is None:
            return
        if session.is_judged:
            self._flush(session, flow.last_ns)
        self._forget(flow, session)
        if session.beginning:
            self._drop_beginning(session, flow.last_ns)
        elif not session.on_trial:
            originator, responder = session.records
            self._events.append(
                EncryptedClose(session.number, flow.last_ns, reason, (originator, responder), session.resynchronised)
            )
