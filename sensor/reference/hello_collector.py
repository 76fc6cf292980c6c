"""The handshake messages of a direction that are in clear, collected until what they say is read."""

from __future__ import annotations

from enum import Enum, auto

from sensor.reference.der_certificate import CertificateFacts, read_certificate
from sensor.reference.record_place import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE
from sensor.reference.tls_hello import ClientFacts, ServerFacts, read_client_hello, read_server_hello

MAX_COLLECTED_BYTES = 16_384  # of both directions of a flow at once
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE = 1, 2, 11  # RFC 8446 section 4
TLS_1_3 = 0x0304
MESSAGE_HEADER_BYTES = 4
LEAF_AT = 10  # the first certificate: behind the message's header and the lengths of the list and of itself


class HelloLost:
    """A hello that will not be read."""


Reading = ClientFacts | ServerFacts | CertificateFacts | HelloLost


class _Stage(Enum):
    EXPECTS = auto()  # the first message says who it is
    CLIENT = auto()
    SERVER = auto()
    CERTIFIES = auto()  # a version up to TLS 1.2 was chosen
    DONE = auto()


class HelloCollector:
    __slots__ = ("_stage", "buffer")

    def __init__(self, *, waits: bool) -> None:
        self._stage = _Stage.EXPECTS if waits else _Stage.DONE
        self.buffer = b""

    @property
    def is_on(self) -> bool:
        return self._stage is not _Stage.DONE

    @property
    def is_untouched(self) -> bool:
        return self._stage is _Stage.EXPECTS and not self.buffer

    def give_up(self) -> list[Reading]:
        """Collect no more. A hello that was not read is lost."""
        lost = self._stage in (_Stage.EXPECTS, _Stage.CLIENT, _Stage.SERVER)
        self._stop()
        return [HelloLost()] if lost else []

    def _stop(self) -> None:
        self._stage, self.buffer = _Stage.DONE, b""

    def begin_record(self, content_type: int) -> list[Reading]:
        passed_over = content_type in (HANDSHAKE, ALERT) or (
            content_type == CHANGE_CIPHER_SPEC and self._stage is not _Stage.CERTIFIES
        )
        return [] if passed_over else self.give_up()

    def feed(self, data: bytes, room: int) -> list[Reading]:
        """Bytes of a handshake record, with room for `room` in all."""
        found: list[Reading] = []
        while self.is_on and data:
            free = max(0, room - len(self.buffer))
            if not free:
                return found + self.give_up()
            self.buffer += data[:free]
            data = data[free:]
            while self.is_on and self._read(found):
                pass
        return found

    def _read(self, found: list[Reading]) -> bool:
        """Read the first message; false if it is not whole, or nothing follows."""
        if not self.buffer:
            return False
        kind = self.buffer[0]
        if self._stage is _Stage.EXPECTS:
            if kind not in (CLIENT_HELLO, SERVER_HELLO):
                found += self.give_up()
                return False
            self._stage = _Stage.CLIENT if kind == CLIENT_HELLO else _Stage.SERVER
        if len(self.buffer) < MESSAGE_HEADER_BYTES:
            return False
        end = MESSAGE_HEADER_BYTES + int.from_bytes(self.buffer[1:4], "big")
        if self._stage is _Stage.CERTIFIES and kind == CERTIFICATE:
            self._read_certificate(end, found)
            return False
        if len(self.buffer) < end:
            if end > MAX_COLLECTED_BYTES:
                found += self.give_up()
            return False
        self._take_message(kind, self.buffer[MESSAGE_HEADER_BYTES:end], found)
        self.buffer = self.buffer[end:] if self.is_on else b""
        return self.is_on

    def _take_message(self, kind: int, body: bytes, found: list[Reading]) -> None:
        if self._stage is _Stage.CLIENT:
            found.append(read_client_hello(body) or HelloLost())
            self._stop()
        elif self._stage is _Stage.SERVER and kind == SERVER_HELLO:
            facts = read_server_hello(body)
            if facts is None:
                found += self.give_up()
            elif not facts.retry:
                found.append(facts)
                self._stage = _Stage.DONE if facts.version >= TLS_1_3 else _Stage.CERTIFIES

    def _read_certificate(self, end: int, found: list[Reading]) -> None:
        """The first certificate of the message that ends there, as soon as it is whole."""
        if len(self.buffer) < LEAF_AT:
            if end < LEAF_AT:
                self._stop()
            return
        leaf_end = LEAF_AT + int.from_bytes(self.buffer[7:LEAF_AT], "big")
        if leaf_end > min(end, MAX_COLLECTED_BYTES):
            self._stop()
        elif len(self.buffer) >= leaf_end:
            facts = read_certificate(self.buffer[LEAF_AT:leaf_end])
            found += [facts] if facts else []
            self._stop()
