"""What names and addresses say of miners and pools, as the line hears it: look-ups, hellos, certificates, connections,
and clear sessions in; hints out. Sans-IO.

One forged answer or hello makes a hint of the weakest kinds and reports nobody (docs/forgery.md). Nothing is known of
what the line knew before it started.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from sensor.line.flow_facts import TCP, FlowFacts, address_text, is_host
from sensor.line.judge import Spoken
from sensor.line.named_asked import asked_in
from sensor.line.named_hints import Statement, community_of, hint_of, of_host, of_learnt, of_taught, subject_of
from sensor.line.named_room import NamedRoom
from sensor.line.unspoken import subject_key
from sensor.model.address import parse_address
from sensor.model.domain import host_text
from sensor.model.encrypted import (
    AddressNamed,
    ClientHello,
    DnsAnswer,
    EncryptedClose,
    EncryptedOpen,
    NamelessSession,
    Records,
    ServerCertificate,
    ServerHello,
)
from sensor.model.events import End, Event, Open
from sensor.model.evidence import Grade
from sensor.model.observation import Named, ObservationPoint, Subject
from sensor.model.shared_knowledge import SharedAddress
from sensor.model.time import HOUR_NS, MINUTE_NS, PlausibleTime
from sensor.names.bindings import Bindings, BoundHost
from sensor.names.catalogue import (
    NameClaim,
    listed,
    looked_up,
    seen_in_connection,
    shown_by_certificate,
)
from sensor.names.learnt import LearntAddresses
from sensor.names.sessions import ConnectionEnds, NamedSession, NamedSessions, ends_of
from sensor.names.sharing import SharedAddresses
from sensor.names.taught import TaughtAddresses
from sensor.names.waiting import WaitingContacts
from sensor.signatures.model import SignatureSet

#: DNS over TLS (RFC 7858 section 3.1).
DOT_PORT = 853
TLS_1_3 = 0x0304
#: The same is handed on again after this, so that a finding that rests on it lives as long as the name is seen.
AGAIN_NS = 10 * MINUTE_NS
#: Names handed on that are remembered for that.
MAX_REMEMBERED = 16_384

#: What tells when its flow began: that decides whether it is of a time that can be.
BEGINNINGS = (Open, EncryptedOpen, NamelessSession)

Handler = Callable[[Any], None]


class NamedFlows:
    """The names of one run. Not for several threads."""

    def __init__(self, close_ns: int | None = None) -> None:
        """`close_ns`: after which silence a finding is closed; None: findings stay to the end of the run."""
        self._room = NamedRoom(None if close_ns is None else max(HOUR_NS, 2 * close_ns))
        self._sessions, self._shared, self._bindings = NamedSessions(), SharedAddresses(), Bindings()
        self.learnt, self.taught, self._waiting = LearntAddresses(), TaughtAddresses(), WaitingContacts()
        self._remembered: OrderedDict[tuple[object, ...], int] = OrderedDict()
        self._counters: Counter[str] = Counter()
        self._hints: list[Named] = []
        self._signatures: SignatureSet
        self._handlers: dict[type, Handler] = {
            AddressNamed: self._name,
            DnsAnswer: self._answer,
            EncryptedOpen: self._begin,
            ClientHello: self._hello,
            ServerHello: self._chosen,
            ServerCertificate: self._certificate,
            Records: self._goes_on,
            EncryptedClose: self._over,
            NamelessSession: self._was_nameless,
            Open: self._clear,
        }

    @property
    def counters(self) -> Counter[str]:
        """Counts since the start, by name; what the line counts by the same name is added."""
        parts = (self._sessions, self._bindings, self._shared, self.learnt, self.taught, self._waiting)
        bounds = {"names_refused": self._room.refused, "names_evicted": sum(part.dropped for part in parts)}
        return self._counters + Counter(bounds)

    def take(self, event: Event, signatures: SignatureSet, plausible: PlausibleTime) -> Sequence[Named]:
        """One event; what it says by now. Of times that cannot be, nothing is said."""
        handler = self._handlers.get(type(event))
        if handler is None or isinstance(event, End):
            return ()
        if not plausible.holds(event.first_ns if isinstance(event, BEGINNINGS) else event.ts_ns):
            self._counters["chunks_off_clock"] += 1
            return ()
        self._signatures = signatures
        handler(event)
        return self._handed_on()

    def learn(self, contributions: Sequence[tuple[str, Spoken]], signatures: SignatureSet) -> None:
        """Where shares were accepted in clear. What follows from it comes with the next event."""
        self._signatures = signatures
        for _, spoken in contributions:
            if spoken.grade < Grade.ACCEPTED or spoken.activity != "mining" or spoken.flow.transport != "tcp":
                continue
            span_ns = (spoken.flow.first_ns, spoken.flow.last_ns)
            self.learnt.learn(spoken.pool_ip, spoken.pool_port, spoken.miner_ip, *span_ns)
            for contact in self._waiting.of(parse_address(spoken.pool_ip).packed):
                self._follow(contact.ends, contact.last_ns)

    def teach(self, sensor_id: str, addresses: Sequence[SharedAddress], now_ns: int) -> None:
        """What another sensor learnt. What follows from it comes with the next event."""
        for address in self.taught.replace(sensor_id, addresses, now_ns):
            for contact in self._waiting.of(parse_address(address).packed):
                self._follow(contact.ends, contact.last_ns)

    def contributed(
        self, facts: FlowFacts, contributions: Sequence[tuple[str, Spoken]], signatures: SignatureSet
    ) -> Sequence[Named]:
        """A clear flow is over: the name that was asked for in it, of a proxy or of a web server."""
        self.learn(contributions, signatures)
        asked = asked_in(facts, contributions[0][1] if contributions else None, signatures.pools)
        if asked is not None:
            self._say(asked.statement, asked.subject, (facts.first_ns, facts.last_ns), asked.flow)
        return self._handed_on()

    def _handed_on(self) -> Sequence[Named]:
        if not self._hints:
            return ()
        hints, self._hints = self._hints, []
        return hints

    def _name(self, event: AddressNamed) -> None:
        self._shared.note(event.addresses, host_text(event.name), event.ts_ns)

    def _answer(self, event: DnsAnswer) -> None:
        host = host_text(event.name)
        found = listed(self._signatures.pools, host)
        if found is None or not is_host(event.client):
            return
        if found.is_stratum:
            for address in event.addresses:
                self._bindings.bind(event.client, address, found, event.ts_ns, event.ttl_s)
        point = ObservationPoint(event.source, event.vlans)
        subject = Subject(address_text(event.client), None, None, point, found.host)
        self._say(of_host(found, looked_up(found), "dns"), subject, (event.ts_ns, event.ts_ns), None)

    def _begin(self, event: EncryptedOpen) -> None:
        session = self._sessions.begin(event)
        if event.kind == "tls" and event.resp_port == DOT_PORT:
            self._counters["dot_flows"] += 1
        if event.midstream or event.kind == "noise":
            self._look_for(session, event.ts_ns, begins=True)

    def _hello(self, event: ClientHello) -> None:
        session = self._sessions.find(event.flow)
        if session is None:
            return
        session.begun_by(event.direction)
        session.has_hello = True
        session.sent = host_text(event.sni)
        if not session.sent:
            self._look_for(session, event.ts_ns, begins=True)
            return
        hides = self._signatures.resolvers.hides(session.sent)
        if hides is not None:
            self._counters["ech_hellos" if hides == "ech" else "doh_flows"] += 1
        session.found = listed(self._signatures.pools, session.sent)
        if session.found is not None:
            self._state(session, event.ts_ns)

    def _chosen(self, event: ServerHello) -> None:
        session = self._sessions.find(event.flow)
        if session is not None and event.version >= TLS_1_3 and session.sent and session.found is None:
            self._sessions.end(event.flow)  # another name was sent, and no certificate will be seen

    def _certificate(self, event: ServerCertificate) -> None:
        session = self._sessions.find(event.flow)
        if session is None or session.found is not None:
            return
        session.found = shown_by_certificate(
            self._signatures.pools, tuple(host_text(name.removeprefix(b"*.")) for name in event.names)
        )
        if session.found is not None:
            session.way = "shown"
            self._state(session, event.ts_ns)
        elif session.sent:
            self._sessions.end(event.flow)

    def _goes_on(self, event: Records) -> None:
        session = self._sessions.find(event.flow)
        if session is None:
            return
        if session.found is not None:
            self._state(session, event.ts_ns)
        elif session.sent:
            self._sessions.end(event.flow)
        else:
            self._look_for(session, event.ts_ns)

    def _over(self, event: EncryptedClose) -> None:
        session = self._sessions.end(event.flow)
        if session is not None and session.found is not None:
            self._state(session, event.ts_ns, at_last=True)
        elif session is not None and session.is_nameless:
            self._look_for(session, event.ts_ns, at_last=True)

    def _was_nameless(self, event: NamelessSession) -> None:
        """A session without a name that is over."""
        session = NamedSession(event, ends_of(event, max(event.client, 0)), max(event.client, 0))
        session.has_hello = event.client >= 0
        self._look_for(session, event.ts_ns, at_last=True)

    def _clear(self, event: Open) -> None:
        """A candidate: what is spoken in it is read; that its server was looked up is evidence beside it."""
        if event.proto != TCP:
            return
        ends = ConnectionEnds(
            *(event.orig_addr, event.orig_port, event.resp_addr, event.resp_port),
            *(event.first_ns, event.source, event.vlans),
        )
        bound = self._bound(ends)
        if bound is not None:
            self._state_bound(bound, ends, event.ts_ns)

    def _state(self, session: NamedSession, at_ns: int, *, at_last: bool = False) -> None:
        """Say what a name of a session comes to by now."""
        assert session.found is not None, "a session is stated by its name"
        ends = session.ends
        claim = seen_in_connection(session.found, session.way, ends.port, at_ns - ends.first_ns)
        by = "sni" if session.way == "sent" else "certificate"
        statement, subject = of_host(session.found, claim, by), subject_of(ends, session.found.host)
        self._say(statement, subject, (ends.first_ns, at_ns), community_of(ends), at_last=at_last)

    def _look_for(self, session: NamedSession, at_ns: int, *, begins: bool = False, at_last: bool = False) -> None:
        """Say what the address of a session without a name is bound to, or was learnt to be. One that begins is waited
        for later: most end at once."""
        if session.bound is None and len(self._bindings):
            session.bound = self._bound(session.ends)
            if session.bound is None and session.opened.basis != "syn" and not session.has_hello:
                session.begun_by(1 - session.client_side)  # who began was not seen: a look-up tells who asked
                session.bound = self._bound(session.ends)
                if session.bound is None:
                    session.begun_by(1 - session.client_side)
        if session.bound is not None:
            self._state_bound(session.bound, session.ends, at_ns, at_last=at_last)
            return
        if not begins:
            self._waiting.add(session.ends, at_ns)
        self._follow(session.ends, at_ns, at_last=at_last)

    def _bound(self, ends: ConnectionEnds) -> BoundHost | None:
        """The host that a client looked up as the address that it went to, unless many names share the address."""
        bound = self._bindings.find(ends.client, ends.server, ends.first_ns)
        still = None if bound is None else listed(self._signatures.pools, bound.found.host)
        if bound is None or still is None or not still.is_stratum:  # a reload may have taken the row out
            return None
        if self._shared.is_shared(ends.server, ends.first_ns):
            self._counters["names_shared"] += 1
            return None
        return bound._replace(found=still)

    def _state_bound(self, bound: BoundHost, ends: ConnectionEnds, at_ns: int, *, at_last: bool = False) -> None:
        claim = NameClaim(Grade.CONTACTED, "bound")
        statement, subject = of_host(bound.found, claim, "dns", bound.lost_bits), subject_of(ends, bound.found.host)
        self._say(statement, subject, (ends.first_ns, at_ns), community_of(ends), at_last=at_last)

    def _follow(self, ends: ConnectionEnds, at_ns: int, *, at_last: bool = False) -> None:
        """Say that shares were accepted at this address, if they were by others, or at another port; here, or else on
        the link of another sensor."""
        statement = self._learnt_here(ends, at_ns) or self._learnt_elsewhere(ends)
        if statement is None:
            return
        if self._shared.is_shared(ends.server, ends.first_ns):
            self._counters["names_shared"] += 1
            return
        span_ns = (ends.first_ns, at_ns)
        self._say(statement, subject_of(ends, None), span_ns, community_of(ends), at_last=at_last)

    def _learnt_here(self, ends: ConnectionEnds, at_ns: int) -> Statement | None:
        learnt = self.learnt.find(address_text(ends.server)) if len(self.learnt) else None
        lost_bits = None if learnt is None or at_ns < learnt.first_ns else learnt.lost_bits(ends.first_ns)
        if learnt is None or lost_bits is None or learnt.is_circular(address_text(ends.client), ends.port):
            return None
        return of_learnt(learnt, ends.port, lost_bits)

    def _learnt_elsewhere(self, ends: ConnectionEnds) -> Statement | None:
        taught = self.taught.find(address_text(ends.server), ends.first_ns) if len(self.taught) else None
        lost_bits = None if taught is None else taught.lost_bits(ends.first_ns)
        return None if taught is None or lost_bits is None else of_taught(taught, lost_bits)

    def _say(
        self,
        statement: Statement,
        subject: Subject,
        span_ns: tuple[int, int],
        flow: str | None,
        *,
        at_last: bool = False,
    ) -> None:
        """Hand a statement on, if it is new or was long ago, and if there is room for it."""
        seen = (subject.miner_ip, subject.pool_ip, subject.pool_port, statement.table, statement.row, statement.claim)
        before_ns = self._remembered.get(seen)
        if before_ns is not None and span_ns[1] - before_ns < AGAIN_NS and not (at_last and span_ns[1] > before_ns):
            return
        hint = hint_of(statement, subject, span_ns, self._signatures.weights, flow)
        if not self._room.take(statement.claim.grade, subject_key(hint), span_ns[1]):
            return
        self._remembered[seen] = max(span_ns[1], before_ns or 0)
        self._remembered.move_to_end(seen)
        if len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        self._hints.append(hint)
