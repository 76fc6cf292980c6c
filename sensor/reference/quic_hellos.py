"""QUIC: of each flow the hello in its client's first packets, and nothing more. docs/border.md, "QUIC"."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, MutableSequence
from dataclasses import dataclass, field

from sensor.model.encrypted import ClientHello, EncryptedClose, EncryptedOpen
from sensor.model.events import Event
from sensor.model.limits import CoreLimits
from sensor.reference.counters import Counters
from sensor.reference.flow import Flow, FlowKey
from sensor.reference.listed import SentNames
from sensor.reference.quic_initial import (
    MIN_DATAGRAM_BYTES,
    MIN_NAME_BYTES,
    CryptoStream,
    InitialKeys,
    derive_keys,
    find_initial,
    open_initial,
)
from sensor.reference.tables import UDP
from sensor.reference.tls_hello import ClientFacts, read_client_hello
from sensor.reference.vectors import CutError
from sensor.reference.walk import Segment

MAX_PACKETS = 4  # of one hello
MAX_WAITING = 1_024  # hellos that wait for their next packet


@dataclass
class _Attempt:
    """A hello of which something is missing."""

    side: int
    keys: InitialKeys
    packets: int = 0
    stream: CryptoStream = field(default_factory=CryptoStream)


class QuicHellos:
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
        self._waiting: OrderedDict[FlowKey, _Attempt] = OrderedDict()  # the oldest first
        self.source = ""

    def take(self, flow: Flow, direction: int, segment: Segment) -> None:
        """A datagram of a flow, before its payload is."""
        if not self._limits.thin_flows or segment.proto != UDP or segment.wire_bytes < MIN_DATAGRAM_BYTES:
            return
        attempt = self._waiting.get(flow.key)
        if attempt is not None:
            if attempt.side == direction:
                self._go_on(flow, attempt, segment)
        elif not any(side.payload_seen for side in flow.sides):
            self._begin(flow, direction, segment)

    def leave(self, flow: Flow) -> None:
        """The flow is out of the table; a hello that is not whole by then is none."""
        if self._waiting.pop(flow.key, None) is not None:
            self._counters["quic_unreadable"] += 1

    def _begin(self, flow: Flow, direction: int, segment: Segment) -> None:
        packet = find_initial(segment.payload)
        if packet is None or len(packet.server_name) < MIN_NAME_BYTES:
            return
        attempt = _Attempt(direction, derive_keys(packet.version, packet.server_name))
        frames = open_initial(packet, attempt.keys)
        if frames is None:
            self._counters["quic_unreadable"] += 1
            return
        self._counters["quic_flows"] += 1
        self._take_frames(flow, attempt, frames, segment)

    def _go_on(self, flow: Flow, attempt: _Attempt, segment: Segment) -> None:
        packet = find_initial(segment.payload)
        if packet is not None:
            self._take_frames(flow, attempt, open_initial(packet, attempt.keys) or b"", segment)

    def _take_frames(self, flow: Flow, attempt: _Attempt, frames: bytes, segment: Segment) -> None:
        attempt.packets += 1
        try:
            attempt.stream.take(frames)
            body = attempt.stream.hello()
        except CutError:
            self._give_up(flow)
            return
        facts = None if body is None else read_client_hello(body, over_quic=True)
        if facts is not None:
            self._waiting.pop(flow.key, None)
            self._hand_on(flow, attempt.side, facts, segment)
        elif body is None and attempt.packets < MAX_PACKETS:
            self._waiting[flow.key] = attempt
            if len(self._waiting) > MAX_WAITING:
                self._waiting.popitem(last=False)
                self._counters["quic_unreadable"] += 1
        else:
            self._give_up(flow)

    def _give_up(self, flow: Flow) -> None:
        self._waiting.pop(flow.key, None)
        self._counters["quic_unreadable"] += 1

    def _hand_on(self, flow: Flow, side: int, facts: ClientFacts, segment: Segment) -> None:
        """The three events of a hello, if its name is asked for."""
        number, ts_ns = next(self._numbers), segment.ts_ns
        (orig_addr, orig_port), (resp_addr, resp_port) = flow.originator, flow.responder
        self._counters["hellos"] += 1
        self._counters["ech_hellos"] += facts.ech
        server = flow.responder if side == 0 else flow.originator
        self._names.note(facts.sni, (server[0],), ts_ns)
        if self._names.listed.kind(facts.sni) == "ordinary":
            return
        self._events += [
            EncryptedOpen(number, ts_ns, "quic", orig_addr, orig_port, resp_addr, resp_port, flow.basis, False,
                          flow.first_ns, segment.vlans, self.source),
            ClientHello._make((number, ts_ns, side, *facts[:-1])),
            EncryptedClose(number, ts_ns, "read", (0, 0), 0),
        ]  # fmt: skip
