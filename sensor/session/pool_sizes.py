"""What a gap in a pool's stream can have held, by its length: lengths of messages that were seen. Pure numbers; knows
no messages.

Whole messages are lost. The commonest are answers to shares and jobs without a difficulty of their own; they have few
lengths, and a gap of just such lengths held nothing else. Where the same length leaves room for a new difficulty, it
is not ruled out.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

#: Lengths kept of each kind, the newest, and messages that one gap is made up of.
MAX_SIZES, MAX_MESSAGES = 8, 3
#: A difficulty that was never seen by itself is sent in so many bytes.
USUAL_TARGET = (40, 160)
#: Another difficulty has fewer or more digits.
FEWER_DIGITS, MORE_DIGITS = 6, 8


class PoolSizes:
    """Lengths of a pool's messages on one connection, in bytes with their separators."""

    __slots__ = ("_answers", "_fixed", "_others", "_targets")

    def __init__(self, fixed: int | None = None) -> None:
        self._fixed = fixed  # the only length of a message that sets a difficulty, in a framing of fixed lengths
        self._answers: tuple[int, ...] = ()  # to shares, without the id's digits
        self._others: tuple[int, ...] = ()
        self._targets: tuple[int, int] | None = None  # the least and the most of those that set a difficulty

    def note_answer(self, size: int, id_digits: int) -> None:
        """A share was answered."""
        self._answers = _newest(self._answers, size - id_digits)

    def note_target(self, size: int) -> None:
        """A difficulty was sent, alone or with a job."""
        low, high = self._targets or (size, size)
        self._targets = (min(low, size), max(high, size))

    def note_other(self, size: int) -> None:
        """Anything else was sent."""
        self._others = _newest(self._others, size)

    def rules_out_target(self, lost: int, answers: int, id_digits: set[int]) -> bool:
        """Whether a gap of so many bytes held no difficulty: seen lengths explain it, at most `answers` answers among
        them, and leave no other explanation."""
        replies = {size + digits for size in self._answers for digits in id_digits}
        sums = _sums(replies, set(self._others), answers)
        if lost not in sums - {0}:
            return False
        if self._fixed is not None:
            return lost - self._fixed not in sums
        low, high = self._targets or USUAL_TARGET
        return not any(low - FEWER_DIGITS <= lost - part <= high + MORE_DIGITS for part in sums)


def _newest(sizes: tuple[int, ...], size: int) -> tuple[int, ...]:
    if sizes and sizes[-1] == size:
        return sizes
    return (*(other for other in sizes if other != size), size)[-MAX_SIZES:]


def _sums(replies: set[int], others: set[int], answers: int) -> set[int]:
    """The lengths of up to MAX_MESSAGES messages, or of answers alone."""
    found = {0}
    for count in range(1, MAX_MESSAGES + 1):
        for at in range(count + 1):
            if at > answers:
                break
            for some in combinations_with_replacement(sorted(replies), at):
                for more in combinations_with_replacement(sorted(others), count - at):
                    found.add(sum(some) + sum(more))
    found.update(size * count for size in replies for count in range(1, answers + 1))
    return found
