"""What crosses the border of an encrypted session: what its handshake says in clear, lengths and times of its records.

Per flow the order is EncryptedOpen (ClientHello | ServerHello | ServerCertificate | Records)* EncryptedClose; each of
the hellos and the certificate at most once. The flow's number is unique among all flows of a core; a flow that passes a
gate of the prefilter besides has another one there (`Open`). No payload crosses. docs/border.md, "Encrypted sessions",
fixes what every field means.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

#: Content types of TLS records (RFC 8446 section 5.1); what is reported of Noise has that of application data.
ALERT, APPLICATION_DATA = 21, 23

SessionKind = Literal["tls", "noise", "quic"]
EncryptedCloseReason = Literal["fin", "rst", "idle", "evicted", "reused", "end", "fat", "read"]


class EncryptedOpen(NamedTuple):
    """An encrypted session is followed. It comes right before the first of the session's other events."""

    flow: int
    ts_ns: int  # of the packet that made the event behind it
    kind: SessionKind
    orig_addr: bytes  # 4 or 16 bytes
    orig_port: int
    resp_addr: bytes
    resp_port: int
    basis: Literal["syn", "port", "first-seen"]  # how the originator was told
    midstream: bool  # its beginning was not seen: no hello was, and records are counted from the joining on
    first_ns: int  # first packet of the flow
    vlans: tuple[int, ...]  # VLAN ids, outermost first, of the packet that made the event behind it
    source: str  # name given to attach()


class ClientHello(NamedTuple):
    """The first ClientHello of a TLS session (RFC 8446 section 4.1.2), whole. GREASE (RFC 8701) is in none of the
    fields.
    """

    flow: int
    ts_ns: int  # of the packet that completed it
    direction: int  # who sent it, the client
    sni: bytes  # server_name (RFC 6066 section 3), as sent; b"" without
    alpn: tuple[bytes, ...]  # application protocols offered (RFC 7301), in order; at most 16
    versions: tuple[int, ...]  # supported_versions in order, at most 16; without them the legacy version
    ciphers: int  # cipher suites offered
    ja3: str  # MD5 in hex digits
    ja4: str  # for example t13i310900_e8f1e7e78f70_1f22a2ca17c4
    length: int  # of the handshake message, its header of 4 bytes included


class ServerHello(NamedTuple):
    """The ServerHello of a TLS session; a HelloRetryRequest is passed over."""

    flow: int
    ts_ns: int
    direction: int  # who sent it, the server
    version: int  # chosen: 0x0304 is TLS 1.3, 0x0303 TLS 1.2
    cipher: int  # chosen, as in IANA's registry
    alpn: bytes  # chosen, where it is in clear (up to TLS 1.2); b"" without


class ServerCertificate(NamedTuple):
    """The server's own certificate (RFC 5280), which is in clear up to TLS 1.2. It is not verified."""

    flow: int
    ts_ns: int
    direction: int
    names: tuple[bytes, ...]  # dNSName of its subjectAltName, in order; at most 16 of at most 255 bytes
    subject: bytes  # "CN=...,O=...", in its order; at most 1,024 bytes
    issuer: bytes  # likewise
    self_signed: bool  # subject and issuer are the same
    not_before_s: int  # seconds since the epoch
    not_after_s: int


class SealedRecord(NamedTuple):
    """A record of application data or an alert; of Noise, what a segment brought, which is frames or parts of them."""

    ts_ns: int  # of the packet that completed its header
    direction: int
    content_type: int  # APPLICATION_DATA or ALERT
    length: int  # of what follows the header of 5 bytes: plaintext and overhead (Noise: frames with their headers)
    gap: bool  # records of this direction right before it were not seen: the reader had lost its place


class Records(NamedTuple):
    """Records of both directions, in the order in which they were seen; the first batch comes after a minute.

    In TLS 1.3 the encrypted part of the handshake and session tickets have the type of application data and are among
    them: `counts` tells which are the first of a direction. A batch that a full queue dropped shows as a leap of it.
    """

    flow: int
    ts_ns: int  # of the packet, or of the sweep, that made the batch leave
    counts: tuple[int, int]  # records of each direction in the batches before this
    records: tuple[SealedRecord, ...]


class EncryptedClose(NamedTuple):
    """The session is followed no more: its flow left the table, it had too many records to be thin ("fat"), its place
    was needed ("evicted"), or, of QUIC, its hello was read ("read").
    """

    flow: int
    ts_ns: int  # the flow's last packet
    reason: EncryptedCloseReason
    records: tuple[int, int]  # of each direction, of all content types
    resynchronised: int  # times that the reader had lost its place and found it again


class NamelessSession(NamedTuple):
    """A session of TLS that ended before it was judged, without the name of a host, and without a listed name on its
    certificate. It is all that is told of it (docs/border.md, "Ordinary names")."""

    flow: int
    ts_ns: int  # the flow's last packet
    orig_addr: bytes  # 4 or 16 bytes
    orig_port: int
    resp_addr: bytes
    resp_port: int
    basis: Literal["syn", "port", "first-seen"]  # how the originator was told
    client: int  # whose side sent a ClientHello; -1 if none was read
    first_ns: int  # first packet of the flow
    vlans: tuple[int, ...]  # VLAN ids, outermost first, of the packet that began it
    source: str  # name given to attach()


class DnsAnswer(NamedTuple):
    """Addresses that an answer of DNS gave for a name, over UDP or TCP (RFC 1035). It belongs to no followed flow."""

    ts_ns: int
    client: bytes  # who asked: 4 or 16 bytes
    server: bytes  # who answered
    name: bytes  # that was asked for: lower case, no last dot, at most 255 bytes
    addresses: tuple[bytes, ...]  # 4 or 16 bytes each, aliases followed; at most 16
    ttl_s: int  # the least of the records that lead to them
    vlans: tuple[int, ...]  # VLAN ids of the answer's packet, outermost first
    source: str  # name given to attach()


class AddressNamed(NamedTuple):
    """Addresses that answer to a name, by a look-up or because a client sent it there. It belongs to no followed flow.
    Each domain of an address comes once an hour, and of an address no more than three of them.
    """

    ts_ns: int
    name: bytes  # of a host, in lower case, without a last dot
    addresses: tuple[bytes, ...]  # 4 or 16 bytes each


ENCRYPTED_EVENTS = (EncryptedOpen, ClientHello, ServerHello, ServerCertificate, Records, EncryptedClose)
EncryptedEvent = EncryptedOpen | ClientHello | ServerHello | ServerCertificate | Records | EncryptedClose
