"""The share target where none was seen, inferred from the shares' own hashes: CryptoNote miners send the hash with each
share.

A hash that meets a target is uniform below it, so the largest of n is close under it: target = max (n+1)/n, the
unbiased estimate of a uniform's upper end. Knows no messages; used when a session was joined after its target was
said, or when the pool's side was not captured.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sensor.estimate.interval import widened
from sensor.estimate.tally import Share, Tally
from sensor.model.quantities import Interval
from sensor.signatures.work import UNITS

#: Shares judged together. More pin the target closer (its error is 1/n), fewer follow a pool that changes it.
BLOCK_SHARES = 16
SPACE = 1 << 64


def hash_value(text: object) -> int | None:
    """The upper 64 bits of a share's hash. It is sent least significant byte first, so they are its last eight
    bytes; miners and pools compare just these with the target (XMRig, src/backend/cpu/CpuWorker.cpp: the uint64_t at
    hash + 24 must be below job.target()).
    """
    if not isinstance(text, str) or len(text) != 64:
        return None
    try:
        return int.from_bytes(bytes.fromhex(text)[24:], "little") or None
    except ValueError:
        return None


def work_from(values: list[int]) -> int:
    """Expected work of a share, in 2^-32 hashes, when these are the hashes of shares that met one unknown target."""
    target = max(values) * (len(values) + 1) // len(values)
    return max(UNITS, SPACE * UNITS // max(1, target))


def target_factors(count: int, level: float) -> tuple[float, float]:
    """How far the true work may lie from `work_from`, as factors: max/target has distribution x^n."""
    tail = (1.0 - level) / 2.0
    nominal = count / (count + 1)
    return tail ** (1.0 / count) / nominal, (1.0 - tail) ** (1.0 / count) / nominal


@dataclass(slots=True)
class Guess:
    """Shares of unknown target, in blocks; each block is tallied with the work that its hashes imply."""

    tally: Tally = field(default_factory=Tally)
    blocks: int = 0
    largest: int = 0  # shares of the fullest block: what most of the sum rests on
    _open: list[Share] = field(default_factory=list)

    def put(self, share: Share) -> None:
        """One more share whose hash is known and whose target is not."""
        self._open.append(share)
        if len(self._open) >= BLOCK_SHARES:
            self.flush()

    def finished(self) -> Guess:
        """A copy with the open block judged, too."""
        result = Guess(self.tally.copy(), self.blocks, self.largest, list(self._open))
        result.flush()
        return result

    def flush(self) -> None:
        """Judge the open block. What the pool has refused by now may lie above the target and is no evidence."""
        values = [share.value for share in self._open if share.value is not None and not share.rejected]
        self._open.clear()
        if values:
            self.tally.put(work_from(values), len(values))
            self.largest = max(self.largest, len(values))
            self.blocks += 1

    def add(self, other: Guess) -> None:
        """Add the finished blocks of another."""
        if not other.blocks:
            return
        self.tally.add(other.tally)
        self.largest = max(self.largest, other.largest)
        self.blocks += other.blocks

    def applied(self, interval: Interval, part: float = 1.0) -> Interval:
        """The interval with the uncertainty of the targets; it shrinks with the root of the number of blocks. `part` is
        the part of the work that rests on them."""
        if not self.blocks:
            return interval
        low, high = target_factors(self.largest, interval.level)
        power = part * self.blocks**-0.5
        return widened(interval, low**power, high**power)
