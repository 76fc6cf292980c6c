"""What a case of the evasion matrix is, and what may be expected of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.reliability.evasion.wire import Carriage, Frame, Segment, ethernet, frames


class Expected(StrEnum):
    """What minewatch must tell of the session."""

    EXACT = "exact"  # login, agent, shares sent and accepted as they were
    #: Receivers may read it in more than one way: the miner is found under at least one, and the doubt is counted.
    AMBIGUOUS = "ambiguous"
    #: Only one direction is in the capture: the miner is found, its shares are counted if it is the one that is seen.
    SENT = "sent"
    ANSWERED = "answered"
    #: A part of the stream was never sent or never seen: found, and what is missing is counted.
    COUNTED = "counted"
    #: The same, and no reading that is tried finds the miner: the doubt is counted.
    DOUBTED = "doubted"
    #: Not read, or not to its end, and that is counted.
    UNREAD = "unread"


@dataclass(frozen=True)
class Case:
    """One capture with the expectation written down."""

    family: str
    name: str
    frames: list[Frame]
    expected: Expected = Expected.EXACT
    why: str = ""
    link: int = 1

    @property
    def title(self) -> str:
        return f"{self.family}: {self.name}"


Cases = Iterator[Case]


def of(
    family: str,
    name: str,
    segments: list[Segment],
    expected: Expected = Expected.EXACT,
    why: str = "",
    *,
    carry: Carriage = ethernet,
    six: bool = False,
    link: int = 1,
) -> Case:
    return Case(family, name, frames(segments, carry, six=six), expected, why, link)
