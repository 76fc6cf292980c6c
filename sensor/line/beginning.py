"""The beginning of a flow, unread: its first messages, packed.

Cheap traffic is all beginnings. One that is read holds the state of every dialect that shares its words; packed it
holds no more than its bytes. It is read when it is judged, when a share comes, or when it has gone on for a while.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator

from sensor.dialects.stream.message import Malformed, Message, Read
from sensor.dialects.unknown.verbs import verb_in

#: A beginning is over with so many messages, or bytes of them: a miner that was let in and got its first job has sent
#: and heard four, of about a kilobyte.
MAX_READS, MAX_BYTES = 6, 6_144


class Beginning:
    """The first messages of one flow."""

    __slots__ = ("_packed", "held_bytes", "sign_ins", "spoke")

    def __init__(self) -> None:
        self._packed: tuple[bytes, ...] = ()
        self.held_bytes = 0
        self.spoke = (False, False)  # whether there is a message of each direction
        self.sign_ins = 0  # messages by which one signs in

    def __bool__(self) -> bool:
        return bool(self._packed)

    def __iter__(self) -> Iterator[Read]:
        for packed in self._packed:
            fields = marshal.loads(packed)
            yield Malformed(*fields) if len(fields) == len(Malformed._fields) else Message(*fields)

    def add(self, read: Read) -> bool:
        """Whether the flow still only begins with this; if not, it was not taken."""
        verb = verb_in(read.value) if isinstance(read, Message) else None
        purpose = None if verb is None else verb.purpose
        if len(self._packed) >= MAX_READS or purpose == "share":
            return False
        try:
            packed = marshal.dumps((*read,))  # exact types alone: what a reader gives of JSON
        except ValueError:  # a text that was cut, or too deep
            return False
        if self.held_bytes + len(packed) > MAX_BYTES:
            return False
        self._packed, self.held_bytes = (*self._packed, packed), self.held_bytes + len(packed)
        if isinstance(read, Message):
            self.spoke = (self.spoke[0] or not read.direction, self.spoke[1] or bool(read.direction))
        self.sign_ins += purpose == "sign-in"
        return True
