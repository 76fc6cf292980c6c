"""The hashes of accepted shares of one connection, kept for as long as they are asked about: while its difficulty is
not known or in doubt, and after something that the pool sent was lost. Knows numbers and algorithms; no messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sensor.estimate.hash_target import FIRST_HASHES, FULL_HASHES, HashTarget, are_proof_of_work, refute, work_by_hashes
from sensor.session.verify import Digest

#: Accepted shares that are hashed after a gap which held no difficulty by its length, and the newest of a difficulty
#: that are looked at together: of twice the difficulty they all lie below half of its target.
CHECKED = 24


class TargetHashes:
    """What the hashes say about the difficulty in force."""

    __slots__ = ("_checks", "_values", "_work", "useless")

    def __init__(self) -> None:
        self._values: dict[str, tuple[int, ...]] = {}  # by algorithm: which was searched for is seen by their size
        self._work: int | None = None  # that the shares of these hashes were taken to be worth; None: in doubt
        self._checks = 0
        self.useless = False  # what is hashed here is not the proof of work

    @property
    def checking(self) -> bool:
        """Whether shares of known difficulty are to be hashed."""
        return self._checks > 0

    def check(self) -> None:
        """Something was lost that was no difficulty by its length: see whether the next shares agree."""
        self._checks = CHECKED

    @property
    def algorithm(self) -> str | None:
        """By which the hashes were searched for, where that is beyond doubt."""
        proven = [name for name, values in self._values.items() if enough(values) and are_proof_of_work(values)]
        return min(proven, key=lambda name: max(self._values[name]), default=None)

    def put(self, digests: Iterable[Digest], work: int | None) -> None:
        """A share of these hashes was accepted, one for each algorithm that it may be; `work` is what it was taken to
        be worth."""
        self._checks -= self._checks > 0
        if work != self._work:
            self._values, self._work = {}, work
        for number, algorithm in digests:
            values = self._values.get(algorithm, ())
            if number not in values:  # else it was sent twice
                self._values[algorithm] = (*values, number)[-FULL_HASHES:]
        if self.algorithm is None and all(map(enough, self._values.values())):
            self.useless, self._values = True, {}

    def target(self, before: int | None) -> HashTarget | None:
        """The difficulty in force, by the hashes; `before` is what was in force before."""
        return work_by_hashes(self._proof, before)

    def better(self, hashes: int) -> HashTarget | None:
        """The same by all hashes that are asked for, once they are there; `hashes` is how many told it by now."""
        full = len(self._proof) >= FULL_HASHES > hashes
        return work_by_hashes(self._proof, None) if full else None

    def refute(self, work: int) -> bool:
        """Whether the newest shares were not worth what they were taken for. If so, their hashes are dropped: the
        difficulty may have changed among them."""
        wrong = self._work == work and refute(self._proof[-CHECKED:], work)
        if wrong:
            self._values, self._work = {}, None
        return wrong

    @property
    def _proof(self) -> tuple[int, ...]:
        algorithm = self.algorithm
        return () if algorithm is None else self._values[algorithm]


def enough(values: Sequence[int]) -> bool:
    """Whether there are as many as it takes to say anything."""
    return len(values) >= FIRST_HASHES
