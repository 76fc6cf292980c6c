"""Encrypted sessions whose names are of interest: from their beginning until nothing more can be said of them. Bounded;
what is given up is counted.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from sensor.model.encrypted import EncryptedOpen, NamelessSession
from sensor.names.bindings import BoundHost
from sensor.names.catalogue import ListedHost, Way

#: Sessions followed at once, about 1 KB each with their names. Nearly all of them are given up within a second, as soon
#: as the names of both sides were read.
MAX_SESSIONS = 16_384


class ConnectionEnds(NamedTuple):
    """Who connected to whom, when, and where it was seen."""

    client: bytes
    client_port: int
    server: bytes
    port: int
    first_ns: int
    source: str
    vlans: tuple[int, ...]


def ends_of(opened: EncryptedOpen | NamelessSession, client_side: int) -> ConnectionEnds:
    """The ends of a session whose originator (0) or responder (1) is the client."""
    both = ((opened.orig_addr, opened.orig_port), (opened.resp_addr, opened.resp_port))
    return ConnectionEnds(*both[client_side], *both[1 - client_side], opened.first_ns, opened.source, opened.vlans)


@dataclass(slots=True)
class NamedSession:
    """What the names of one session have come to."""

    opened: EncryptedOpen | NamelessSession
    ends: ConnectionEnds  # who connected to whom
    client_side: int = 0
    sent: str = ""  # the name that the client sent
    has_hello: bool = False
    found: ListedHost | None = None  # the listed host that was sent or shown
    way: Way = "sent"
    bound: BoundHost | None = None  # without a name: the host that its address is bound to

    def begun_by(self, side: int) -> None:
        """The client is the originator (0) or the responder (1)."""
        if side != self.client_side:
            self.client_side, self.ends = side, ends_of(self.opened, side)

    @property
    def is_nameless(self) -> bool:
        """Whether no name was sent or shown that says who the server is."""
        return not self.sent and self.found is None


class NamedSessions:
    """By the flow's number, the oldest first."""

    def __init__(self, most: int = MAX_SESSIONS) -> None:
        self._most = most
        self._sessions: OrderedDict[int, NamedSession] = OrderedDict()
        self.dropped = 0  # sessions given up for others before their names were read

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, opened: EncryptedOpen) -> NamedSession:
        """A session that is followed from now on."""
        session = self._sessions[opened.flow] = NamedSession(opened, ends_of(opened, 0))
        while len(self._sessions) > self._most:
            self._sessions.popitem(last=False)
            self.dropped += 1
        return session

    def find(self, flow: int) -> NamedSession | None:
        """The session of a flow, if it is followed."""
        return self._sessions.get(flow)

    def end(self, flow: int) -> NamedSession | None:
        """Give a session up; what it was."""
        return self._sessions.pop(flow, None)
