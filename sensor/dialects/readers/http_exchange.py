"""What the two directions of an HTTP connection must know of each other: which requests wait for their response."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

#: Requests without their answer on one connection; browsers stop at eight.
MAX_OUTSTANDING = 64


@dataclass(slots=True)
class OutstandingRequest:
    """A request that waits for its response."""

    number: int
    method: str
    json: bool = False
    several: bool = False  # its body holds more than one message, each with an id of its own


@dataclass(slots=True)
class Exchange:
    """What the two directions of a connection must know of each other."""

    outstanding: deque[OutstandingRequest] = field(default_factory=deque)
    numbered: int = 0

    def ask(self, method: str) -> OutstandingRequest:
        """A request has begun."""
        self.numbered += 1
        request = OutstandingRequest(self.numbered, method)
        self.outstanding.append(request)
        if len(self.outstanding) > MAX_OUTSTANDING:
            self.outstanding.popleft()
        return request
