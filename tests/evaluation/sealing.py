"""How TLS stacks cut and seal plaintext: record lengths of each suite, and where a stack begins a new record.

Sources: RFC 8446 section 5.2 (TLS 1.3), RFC 5288 (AES-GCM), RFC 7905 (ChaCha20-Poly1305), RFC 5246 section 6.2.3.2
(CBC), RFC 7366 (encrypt-then-MAC); Go's crypto/tls, `maxPayloadSizeForWrite`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

HEADER_BYTES = 5
MAX_PLAINTEXT = 16_384
HANDSHAKE, ALERT, APPLICATION = 22, 21, 23
#: Go estimates a segment's room so; its first records are cut to it, until so many bytes were sent.
GO_SEGMENT, GO_BOOST_BYTES = 1208, 128 * 1024


class Suite(NamedTuple):
    """What a cipher adds to a fragment."""

    name: str
    version: str  # "1.2" or "1.3"
    fixed: int  # bytes added to each fragment; of a CBC suite those of the explicit IV
    mac: int = 0  # bytes of the MAC of a CBC suite
    mac_outside: bool = False  # encrypt-then-MAC
    go_room: int = 0  # plaintext of Go's first record

    def sealed(self, length: int) -> int:
        """Length of the record's body."""
        if not self.mac:
            return length + self.fixed
        if self.mac_outside:
            return self.fixed + (length // 16 + 1) * 16 + self.mac
        return self.fixed + ((length + self.mac) // 16 + 1) * 16

    @property
    def close_bytes(self) -> tuple[int, int]:
        """Type and length of the record that closes the session."""
        return (APPLICATION if self.version == "1.3" else ALERT), self.sealed(2)


SUITES = {
    suite.name: suite
    for suite in (
        Suite("tls13", "1.3", 17, go_room=GO_SEGMENT - 5 - 16 - 1),
        Suite("tls12-gcm", "1.2", 24, go_room=GO_SEGMENT - 5 - 8 - 16),
        Suite("tls12-chacha", "1.2", 16, go_room=GO_SEGMENT - 5 - 16),
        Suite("tls12-cbc", "1.2", 16, mac=20, go_room=(GO_SEGMENT - 5 - 16) // 16 * 16 - 1 - 20),
        Suite("tls12-cbc-etm", "1.2", 16, mac=20, mac_outside=True),
    )
}


class Cutter:
    """The records of one direction: a stack cuts what is written."""

    def __init__(self, suite: Suite, stack: str) -> None:
        self.suite, self._go = suite, stack == "go"
        self._sent_bytes = self._records = 0

    def cut(self, length: int) -> Iterator[int]:
        """Lengths of the records' bodies for one write."""
        while length > 0:
            room = self._room() if self._go else MAX_PLAINTEXT
            piece = min(length, room)
            length -= piece
            body = self.suite.sealed(piece)
            self._sent_bytes += HEADER_BYTES + body
            yield body

    def _room(self) -> int:
        """Go's records grow with their number until 128 KiB were sent."""
        if self._sent_bytes >= GO_BOOST_BYTES:
            return MAX_PLAINTEXT
        self._records += 1
        return min(MAX_PLAINTEXT, self.suite.go_room * self._records) if self._records <= 1000 else MAX_PLAINTEXT
