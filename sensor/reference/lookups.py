"""DNS: answers of servers in clear, and flows in which DNS is not. docs/border.md, "DNS"."""

from __future__ import annotations

from collections.abc import MutableSequence

from sensor.model.encrypted import DnsAnswer
from sensor.model.events import Event
from sensor.model.limits import CoreLimits
from sensor.reference.counters import Counters
from sensor.reference.dns_message import HEADER_BYTES, read_dns
from sensor.reference.flow import Flow
from sensor.reference.listed import SentNames
from sensor.reference.tables import UDP
from sensor.reference.vectors import ByteReader, CutError
from sensor.reference.walk import Segment

#: Of DNS (RFC 1035 section 4.2), and of DNS over TLS and over QUIC (RFC 7858, RFC 9250).
DNS_PORT, SEALED_DNS_PORT = 53, 853


class DnsLookups:
    def __init__(
        self, limits: CoreLimits, counters: Counters, events: MutableSequence[Event], names: SentNames
    ) -> None:
        self._limits = limits
        self._counters = counters
        self._events = events
        self._names = names
        self.source = ""

    def take(self, flow: Flow, segment: Segment) -> None:
        """A segment of a flow, before its payload is."""
        if not self._limits.thin_flows or not segment.wire_bytes:
            return
        if segment.src_port == DNS_PORT:
            self._read(segment)
        elif SEALED_DNS_PORT in (segment.src_port, segment.dst_port):
            self._counters["dot_flows"] += not any(side.payload_seen for side in flow.sides)

    def _read(self, segment: Segment) -> None:
        message = segment.payload
        if segment.proto != UDP:
            try:
                message = ByteReader(message).vector(2)  # over TCP its length is before it
            except CutError:
                return
            if len(message) < HEADER_BYTES:
                return  # the middle of a message, as a rule
        try:
            found = read_dns(message)
        except CutError:
            self._counters["dns_unreadable"] += 1
            return
        if found is None:
            return
        self._counters["dns_answers"] += 1
        name, addresses, _ = found
        self._names.note(name, addresses, segment.ts_ns)
        if not self._names.listed.are_some or self._names.listed.kind(name) == "listed":
            self._events.append(DnsAnswer(segment.ts_ns, segment.dst, segment.src, *found, segment.vlans, self.source))
