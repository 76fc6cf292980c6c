"""How many shares of a session are recomputed, and when what they gave is proof: a bounded sample, and a bet that luck
cannot win.

Knows no hashes and no headers. The proof is a betting score: under the hypothesis "these headers have nothing to do
with the target" a share passes with probability p = target/2^256. Each pass multiplies the score by 1/2p, each
failure by 1/2 or, to be exact, 1/2(1-p); the expected score stays at most 1, so by Ville's inequality (J. Ville
1939; G. Shafer, "Testing by betting", JRSS A 2021) it ever reaches 2^30 with probability at most 2^-30, however many
shares are tried. One SHA-256d share of difficulty 1 scores 31 bits, one of scrypt 15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sensor.model.quantities import Shares
from sensor.signatures.message_values import MessageValues

#: Bits of score from which a session's passes are called verified: an error once in a thousand million sessions at
#: most.
PROOF_BITS = 30.0

#: Expected work of one share in 2^-32 hashes, from the difficulty or target in force, if the algorithm were this one.
PerShare = Callable[[MessageValues, str | None], int | None]


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which shares of a session are recomputed: the first ones, then one in so many, and never more than `most`."""

    first: int = 3
    every: int = 64
    most: int = 32
    scrypt_most: int = 8  # a scrypt hash costs a hundred times a double SHA-256
    target_most: int = 512  # hashed besides, to learn a difficulty that was not seen


@dataclass(frozen=True, slots=True)
class SubmittedShare:
    """One submitted share: its job's name, the parts named by the dialect, the counts it belongs to, its work as it is
    counted, and when it was sent.
    """

    job: str
    parts: Mapping[str, object]
    counts: Shares  # of the account that sent it
    work: int | None
    ts_ns: int


class Digest(NamedTuple):
    """The hash of a share as a number, and by which algorithm."""

    number: int
    algorithm: str


@dataclass(frozen=True, slots=True)
class Look:
    """What looking at a share gave: whether it was recomputed and met its target, and a remark for its evidence."""

    proof: bool
    remark: str


class Verifier(Protocol):
    """What a session passes to a scheme; `proven` is the algorithm once it is beyond doubt."""

    proven: str | None
    inquiring: bool  # jobs are kept, because shares are hashed to learn their difficulty
    outdated: int  # shares of another time than that of their packets

    @property
    def checked(self) -> int:
        """Shares looked at."""

    def learn(self, parts: Mapping[str, object]) -> None:
        """Parts from the pool that hold for the whole session."""

    def job(self, name: str, parts: Mapping[str, object], values: MessageValues) -> None:
        """A job was given, with the difficulty or target that holds for its shares."""

    def retarget(self, values: MessageValues) -> None:
        """A new target that also holds for jobs already given."""

    def due(self, job: str) -> bool:
        """A share was sent: whether it is to be looked at, which needs its job."""

    def digests(self, job: str, parts: Mapping[str, object], hint: str | None) -> tuple[Digest, ...]:
        """The hash of a share by each algorithm that it may be, to learn its difficulty from; none if it cannot be
        computed."""

    def share(self, share: SubmittedShare, hint: str | None, per_share: PerShare) -> Look | None:
        """Look at a share; nothing if not all that is needed was seen."""


@dataclass(slots=True)
class Turn:
    """Whose turn it is: which of a stream of shares are looked at."""

    sampling: Sampling
    seen: int = 0
    owed: int = 0
    taken: int = 0

    def due(self) -> bool:
        """Count one more share; whether it may be looked at. A turn that could not be used stays owed."""
        self.seen += 1
        if self.seen <= self.sampling.first or self.seen % max(1, self.sampling.every) == 0:
            self.owed = min(self.owed + 1, max(1, self.sampling.first))
        return self.owed > 0 and not self.spent

    @property
    def wanted(self) -> bool:
        """Whether one of the next shares will be looked at."""
        return self.owed > 0 or self.seen < self.sampling.first

    @property
    def spent(self) -> bool:
        """Whether no further share will be looked at."""
        return self.taken >= self.sampling.most

    def take(self) -> None:
        """The share was looked at."""
        self.owed -= 1
        self.taken += 1


@dataclass(slots=True)
class Score:
    """The bet for one algorithm; when it is won, every share that passed is counted as verified."""

    bits: float = 0.0
    passed: int = 0
    failed: int = 0
    held: tuple[Shares, ...] = ()

    @property
    def won(self) -> bool:
        return self.bits >= PROOF_BITS

    def passes(self, surprise_bits: float, counts: Shares) -> None:
        """A share passed that a random header would pass with probability 2^-surprise_bits."""
        won = self.won
        self.passed += 1
        self.bits += surprise_bits - 1
        self.held = (*self.held, counts)
        if won or self.won:
            self.bits = max(self.bits, PROOF_BITS)
            for credited in self.held:
                credited.verified += 1
            self.held = ()

    def fails(self) -> None:
        """A share did not meet its target; what is won stays won."""
        self.failed += 1
        if not self.won:
            self.bits -= 1
