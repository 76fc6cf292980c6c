"""When the work of a connection's shares was known. Knows only nanoseconds of the packet clock.

It is known from the first job of known difficulty on. A gap in what the pool sent puts it in doubt: the gap may have
held another difficulty. The doubt begins with the last message before the gap and lasts until a difficulty is sent
again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Doubts kept apart in one connection; after the last there is no end to it.
MAX_DOUBTS = 256


@dataclass(slots=True)
class JobTimes:
    """When a connection's first job came, the first whose difficulty was known, and when that was in doubt."""

    first_ns: int | None = None
    known_ns: int | None = None
    aimed_ns: int | None = None  # the first difficulty, with or without a job
    heard_ns: int = 0  # the pool's latest message
    doubts: list[tuple[int, int]] = field(default_factory=list)  # begin and end, in order
    since_ns: int | None = None  # the present doubt
    told_ns: int = 0  # when the difficulty in force was sent, or hashes told it
    era: int = 0  # counts those times
    hashes: int = 0  # accepted hashes that tell the difficulty in force; 0: the pool sent it

    @property
    def in_doubt(self) -> bool:
        """Whether a share sent now is of unknown work, though a difficulty was sent once."""
        return self.since_ns is not None

    def put(self, ts_ns: int, has_work: bool) -> None:
        """A job was given."""
        if self.first_ns is None:
            self.first_ns = ts_ns
        if has_work:
            self.settle(ts_ns)
            if self.known_ns is None:
                self.known_ns = ts_ns

    def begin_era(self, ts_ns: int, hashes: int = 0) -> None:
        """A difficulty was sent, or so many hashes tell it."""
        self.told_ns, self.hashes = ts_ns, hashes
        self.era += 1

    def refute(self) -> bool:
        """The difficulty in force never held; whether that is new."""
        if self.known_ns is None or self.since_ns is not None:
            return False
        self.since_ns = max(self.known_ns, self.told_ns)
        return True

    def doubt(self) -> bool:
        """The pool may have sent another difficulty since its latest message; whether that is new."""
        if self.known_ns is None or self.since_ns is not None:
            return False
        self.since_ns = max(self.known_ns, self.heard_ns)
        return True

    def settle(self, ts_ns: int) -> None:
        """The difficulty was sent again."""
        if self.since_ns is not None and len(self.doubts) < MAX_DOUBTS:
            self.doubts.append((self.since_ns, max(self.since_ns, ts_ns)))
            self.since_ns = None

    def until(self, end_ns: int) -> list[tuple[int, int]]:
        """All doubts up to a time."""
        still = [] if self.since_ns is None else [(self.since_ns, max(self.since_ns, end_ns))]
        return [*self.doubts, *still]
