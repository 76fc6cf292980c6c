"""What makes one connection known again: where in its streams it was seen, and which shares stood where. Plain data.

Two sensors, or two captures, may see the same connection. Its sequence numbers tell it from another one between the
same ends, and a share has one place in the miner's stream, whoever saw it. A position is a sequence number that goes on
counting past 2^32, so positions of one record are in order; those of two records differ by a multiple of 2^32.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, overload

from sensor.model.naming import AlgorithmBasis
from sensor.model.quantities import ExposureRecord, ShareTimeline

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

#: What became of a share: accepted, rejected, or no answer was seen.
Outcome = Literal["a", "r", "u"]
#: Sequence numbers of TCP (RFC 9293 section 3.4).
SEQUENCES = 1 << 32


class StreamRange(NamedTuple):
    """The part of a direction's stream between the first and the last byte that was seen."""

    start: int  # position of the first byte
    end: int  # position after the last byte


class ShareMark(NamedTuple):
    """One share."""

    position: int  # of the message's first byte
    outcome: Outcome
    work: int | None  # 2^-32 hashes; None: its difficulty was not seen


class ShareMarks(Sequence[ShareMark]):
    """Many shares in little room: by columns they take 18 bytes each, as tuples 140. Equal to any sequence of the same
    shares."""

    __slots__ = ("_outcomes", "_positions", "_works")
    _positions: Sequence[int]

    def __init__(self, marks: Iterable[ShareMark] = ()) -> None:
        rows, alike = tuple(marks), dict[int | None, int | None]()
        positions = tuple(row.position for row in rows)
        try:
            self._positions = array("q", positions)
        except OverflowError:  # in no stream; but another sensor's message may say anything
            self._positions = positions
        self._outcomes = "".join(row.outcome for row in rows)
        self._works = tuple(alike.setdefault(row.work, row.work) for row in rows)

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, at: int) -> ShareMark: ...
    @overload
    def __getitem__(self, at: slice) -> ShareMarks: ...
    def __getitem__(self, at: int | slice) -> ShareMark | ShareMarks:
        if isinstance(at, slice):
            return ShareMarks(tuple(self)[at])
        return ShareMark(self._positions[at], self._outcomes[at], self._works[at])  # type: ignore[arg-type]

    def rows(self) -> list[tuple[int, str, int | None]]:
        """The shares as plain tuples."""
        return list(zip(self._positions, self._outcomes, self._works, strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"ShareMarks({tuple(self)!r})"


class _ByColumns:
    """How a library that reads and writes records takes marks: any sequence of shares, which becomes `ShareMarks`, and
    is written as a tuple. The library is only there where records are read."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: Any) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_after_validator_function(
            ShareMarks, handler(source), serialization=core_schema.plain_serializer_function_ser_schema(tuple)
        )


class ShareBin(NamedTuple):
    """Older shares of one stretch of the stream, as counts."""

    number: int  # position of the stretch over its width
    submitted: int
    accepted: int
    rejected: int
    work: int  # of the accepted ones, in 2^-32 hashes


class WindowEdge(NamedTuple):
    """Where a login's window ended. A share that put the end there is not in the window's sums: where the connection
    goes on it is counted, for then it is no edge."""

    until_ns: int
    work: int | None  # of that share, in 2^-32 hashes; None: no share put it there
    rejected: bool
    hashes: int  # of accepted shares that tell the work; 0: the pool sent it


class CarriedLogin(NamedTuple):
    """What was known of one login of a connection."""

    login: str | None
    worker: str | None
    agent: str | None
    coin: str | None
    algorithm: str | None
    edge: WindowEdge | None = None  # where its window ended; None: another login's record has it
    basis: AlgorithmBasis | None = None  # how that algorithm is known
    no_habit: bool = False
    payout: str | None = None


class OpenShare(NamedTuple):
    """A share that was not answered yet."""

    id_kind: str  # of the request: how its id is compared
    id_value: str | int | float | None
    rule: str  # the dialect's name for the message
    login: int  # whose it is, among the connection's logins
    work: int | None  # 2^-32 hashes; None: not known


@dataclass(frozen=True, slots=True)
class SessionState:
    """What a connection is known by where it goes on in another capture, or after a restart. No secrets, no counts."""

    framing: str | None
    logins: tuple[CarriedLogin, ...]  # in the order in which they signed in
    latest: int | None  # the one that messages without a login speak for
    agent: str | None
    algorithm: str | None  # that the pool names
    machine: str | None  # the only algorithm of the machine that the agent names
    proven: str | None  # the algorithm that recomputed shares prove
    coin: str | None
    work: int | None  # of a share by the difficulty in force, in 2^-32 hashes
    jobs: tuple[tuple[int, int | None], ...]  # marks of the last jobs, and what their shares are worth
    endpoint: str | None  # the pool's host as the miner names it
    extranonce1: str | None = None  # in hex: the pool's part of the shares' headers
    version_mask: int | None = None  # bits of the headers' version that the miner rolls
    hashes: int = 0  # of accepted shares that tell `work`; 0: the pool sent it
    open_shares: tuple[OpenShare, ...] = ()  # sent, and not answered yet: the newest, oldest first
    basis: AlgorithmBasis = "proven"  # how the algorithm that the pool names is known


@dataclass(frozen=True, slots=True)
class FlowTrace:
    """One login's part of one connection as one process saw it."""

    miner: StreamRange | None  # None: nothing of this direction was seen
    pool: StreamRange | None
    from_start: bool  # the connection's beginning was seen
    bin_bits: int  # the width of a bin is 2 to this power
    bins: tuple[ShareBin, ...]  # of the shares before the first mark, in order
    marks: Annotated[Sequence[ShareMark], _ByColumns]  # the newest, in order
    work: int  # of all accepted shares, in 2^-32 hashes
    work_unknown: int  # accepted shares of unknown work
    jobs: int
    stream_bytes: int  # both directions, those that were missed included
    missed_bytes: int
    exposure: ExposureRecord
    state: SessionState | None = None  # None: the connection ended
    timeline: ShareTimeline | None = None  # of its shares; None: there are none, or a release before did not keep it

    def __post_init__(self) -> None:
        """Whatever read them, marks are in little room."""
        if not isinstance(self.marks, ShareMarks):
            object.__setattr__(self, "marks", ShareMarks(self.marks))
