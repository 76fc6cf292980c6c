"""What the bursts of an open channel of Stratum V2 are the sums of: shares, their answers, jobs. By sizes alone.

Sizes are of "Mining Protocol" with 38 bytes of encryption (a header of 6 with its tag, the payload's tag).
"""

from __future__ import annotations

#: The two kinds of OpenMiningChannel.Success, with up to 32 bytes of extranonce prefix.
OPENED_BYTES = frozenset(range(81, 118))
#: SubmitShares.Success, SetTarget, NewMiningJob without and with its time, SetNewPrevHash.
SERVER_BYTES = frozenset((58, 74, 83, 86, 87))
#: SubmitShares.Error with the specification's codes: they say nothing, and are not held against it.
ERROR_BYTES = frozenset((58, 60, 61, 62, 65))
#: NewExtendedMiningJob: 57 and a coinbase of at least 86 bytes, 32 for each branch, 4 if it has its time.
EXTENDED_BYTES = range(140, 1_400)
BRANCH_BYTES = 32
#: By how much bursts with such a job may differ, besides branches: its time, and what is joined with one of them
#: (SubmitShares.Success, SetTarget, SetNewPrevHash).
BESIDES = (0, 4, 58, 74, 86, 58 + 86)
RESIDUES = frozenset(number % BRANCH_BYTES for size in BESIDES for number in (size, -size))
#: SubmitSharesStandard; UpdateChannel; SubmitSharesExtended with 1 to 32 bytes of extranonce, one size in a session.
STANDARD_BYTES, UPDATE_BYTES = 62, 78
SHARE_BYTES = frozenset(range(64, 96))
#: OpenMiningChannel with a user of one byte to the longest, twice; so many bursts may open further channels, or be
#: several shares before the first that comes alone.
OPEN_BYTES, MAX_OPENS = range(80, 2 * 336 + 1), 4
OPEN_BYTES_LIKE_SHARES = SHARE_BYTES & frozenset(OPEN_BYTES)
#: Frames that one burst may be the sum of, by server and by client.
MAX_JOINED, MAX_SHARES = 3, 8
#: What a size weighs: of one frame, when it is new and again; of several; of a job that fits those before.
NEW_BITS, AGAIN_BITS, SHARE_BITS, SUM_BITS = 4, 2, 3, 1
BRANCH_BITS = 2


def sums(sizes: frozenset[int], most: int = MAX_JOINED) -> frozenset[int]:
    """What one to `most` frames of these sizes come to."""
    found = reached = sizes
    for _ in range(most - 1):
        reached = frozenset(total + size for total in reached for size in sizes)
        found |= reached
    return found


SERVER_SUMS = sums(SERVER_BYTES)
OPENED_SUMS = OPENED_BYTES | {first + rest for first in OPENED_BYTES for rest in SERVER_SUMS}
MAX_OPENED_BYTES = max(OPENED_SUMS) + max(EXTENDED_BYTES)


def is_opened(size: int) -> bool:
    """Whether a burst may be an OpenMiningChannel.Success and the first jobs."""
    return size in OPENED_SUMS or min(OPENED_BYTES) + min(EXTENDED_BYTES) <= size <= MAX_OPENED_BYTES


class ChannelFrames:
    """The bursts of both sides since the channel was opened."""

    __slots__ = ("_asked", "_first", "_job", "_opens", "_seen", "_shares", "_sums", "bits")

    def __init__(self, first: tuple[int, int]) -> None:
        """`first`: the bursts by which it was opened, which none of the later ones is like; 0: one may be."""
        self._first = first
        self.bits = [0, 0]  # of client and server
        self._shares: frozenset[int] = frozenset()  # sizes of the client's frames
        self._sums = frozenset[int]()  # of several of them
        self._seen: frozenset[int] = frozenset()  # the server's sums
        self._opens = 0  # bursts that may open further channels
        self._asked = False  # the last of them was not answered yet
        self._job = 0  # the first burst with an extended job

    def fits(self, side: int, size: int) -> bool:
        """Whether a burst may be frames of this side; what it weighs is added."""
        bits = self._server(size) if side else self._client(size)
        self.bits[side] += bits or 0
        return bits is not None

    def _client(self, size: int) -> int | None:
        if size in self._shares:
            return AGAIN_BITS
        extended = self._shares - {STANDARD_BYTES, UPDATE_BYTES}
        if size in (STANDARD_BYTES, UPDATE_BYTES) or (size in SHARE_BYTES and not extended):
            self._asked = size in OPEN_BYTES
            self._share(self._shares | {size})
            return SHARE_BITS
        if size in self._sums:
            return SUM_BITS
        if size not in OPEN_BYTES or self._opens >= MAX_OPENS or size == self._first[0]:
            return None
        self._opens, self._asked = self._opens + 1, True
        return 0

    def _share(self, sizes: frozenset[int]) -> None:
        self._shares, self._sums = sizes, sums(sizes | {STANDARD_BYTES}, MAX_SHARES)

    def _answer(self, size: int) -> bool:
        """Whether a burst opens a further channel; then what was a share by its size was none."""
        if not is_opened(size):
            return False
        doubtful = self._shares & OPEN_BYTES_LIKE_SHARES
        if doubtful:
            self._share(self._shares - doubtful)
            self.bits[0] -= SHARE_BITS
        return True

    def _server(self, size: int) -> int | None:
        asked, self._asked = self._asked, False
        if size in SERVER_SUMS:
            if size in self._seen:
                return AGAIN_BITS if size in SERVER_BYTES else SUM_BITS
            self._seen |= {size}
            return NEW_BITS if size in SERVER_BYTES else AGAIN_BITS
        if size in ERROR_BYTES or (asked and self._answer(size)):
            return 0
        return self._with_job(size) if size != self._first[1] else None

    def _with_job(self, size: int) -> int | None:
        """A burst with an extended job, or with one for each channel."""
        if size in EXTENDED_BYTES and not self._job:
            self._job = size
            return 0
        if size in EXTENDED_BYTES and (size - self._job) % BRANCH_BYTES in RESIDUES:
            return SUM_BITS if size == self._job else BRANCH_BITS
        several = range(2, 2 + self._opens)
        return 0 if any((size - jobs * self._job) % BRANCH_BYTES in RESIDUES for jobs in several) else None
