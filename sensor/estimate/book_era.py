"""What a book had counted when the difficulty in force was sent, and what it counts by hashes instead of a difficulty
that was sent. Sums only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from sensor.estimate.exposure import Exposure
from sensor.estimate.tally import Share, Tally
from sensor.estimate.target import Guess
from sensor.model.trace import WindowEdge


@dataclass(slots=True)
class ByHashes:
    """Shares whose work the hashes of others tell: they are counted like all others, and less certain."""

    tally: Tally = field(default_factory=Tally)
    doubtful_work: Fraction = Fraction(0)  # the work of each over the number of hashes that tell it

    def put(self, share: Share, sign: int = 1) -> None:
        """Count a share of known work; with sign -1 take it back."""
        if share.work is None or not share.hashes:
            return
        if sign > 0:
            self.tally.put(share.work)
        else:
            self.tally.remove(share.work)
        self.doubtful_work += sign * Fraction(share.work, share.hashes)

    def rescale(self, factor: Fraction) -> None:
        """Every share means this many times the work."""
        self.tally.rescale(factor)
        self.doubtful_work *= factor

    def copy(self) -> ByHashes:
        """The same sums, to change freely."""
        return ByHashes(self.tally.copy(), self.doubtful_work)

    def guess(self) -> Guess:
        """The same as a guess of one target, by as many hashes as it is as good as."""
        if self.tally.count <= 0 or self.doubtful_work <= 0:
            return Guess()
        return Guess(self.tally.copy(), 1, max(1, int(self.tally.work / self.doubtful_work)))


class BookEra(NamedTuple):
    """A book's sums at the beginning of an era."""

    era: int
    spent: Tally
    rejected: Tally | None
    by_hashes: ByHashes
    rows: int
    last: Share | None  # of the last row


def count_edge(exposure: Exposure, edge: WindowEdge) -> None:
    """Count the share that ended the earlier window of the same connection: this one begins there."""
    if edge.work is None:
        return
    exposure.submitted += 1
    exposure.spent.put(edge.work)
    if not edge.rejected:
        exposure.credited.put(edge.work)
