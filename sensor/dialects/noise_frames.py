"""The frames of Stratum V2 over Noise NX behind the two messages of its handshake, told by sums of bytes.

A frame is a header of 6 bytes with its tag of 16, and a payload with a tag for each 65,519 bytes of it (Stratum V2,
"Protocol Security"). Headers are encrypted, so frames show only where pieces of a stream end. What one side sends is
added up, because frames are sent one behind another without waiting, and pieces hold parts of frames or several.
"""

from __future__ import annotations

from enum import Enum, auto

#: SetupConnection has strings of any length; its Success, the third frame's answer, has one size.
MIN_SETUP_BYTES, SUCCESS_BYTES = 54, 44
MAX_SETUP_BYTES = 1_400
#: OpenStandardMiningChannel with a user of one byte; before it a server has nothing to send but the Success.
MIN_OPEN_BYTES = 80
#: The two kinds of OpenMiningChannel.Success, with up to 32 bytes of extranonce prefix.
OPENED_BYTES = frozenset(range(81, 118))
#: SubmitShares.Success, SetTarget, NewMiningJob without and with its time, SetNewPrevHash.
SERVER_BYTES = frozenset((58, 74, 83, 86, 87))
#: SubmitSharesStandard, and SubmitSharesExtended with up to 32 bytes of extranonce.
CLIENT_BYTES = frozenset((62, *range(64, 96)))
#: Frames that one burst may be the sum of, and bursts that have to fit where the Success came joined with others.
MAX_JOINED, CONFIRMING_BURSTS = 3, 3
#: Pieces of one side so close to each other are one burst.
BURST_NS = 100_000_000


def sums(sizes: frozenset[int]) -> frozenset[int]:
    """What one to `MAX_JOINED` frames of these sizes come to."""
    found = reached = sizes
    for _ in range(MAX_JOINED - 1):
        reached = frozenset(total + size for total in reached for size in sizes)
        found |= reached
    return found


SERVER_SUMS, CLIENT_SUMS = sums(SERVER_BYTES), sums(CLIENT_BYTES)
OPENED_SUMS = OPENED_BYTES | {first + rest for first in OPENED_BYTES for rest in SERVER_SUMS}


class FrameVerdict(Enum):
    OPEN = auto()  # it may still be
    SEEN = auto()
    NONE = auto()


class NoiseFrames:
    """Both directions behind 64 bytes and 234."""

    __slots__ = ("_burst", "_burst_ns", "_confirmed", "_joined", "_sent", "_side")

    def __init__(self) -> None:
        self._sent = [0, 0]  # by client, by server
        self._side = 0  # who sent the burst at hand
        self._burst, self._burst_ns = 0, 0  # its bytes; when its last piece came
        self._joined = False  # the Success came in one burst with what follows
        self._confirmed = 0

    @property
    def is_silent(self) -> bool:
        """Nothing has followed."""
        return self._sent == [0, 0]

    def add(self, side: int, ts_ns: int, size: int) -> FrameVerdict:
        """The next piece of a side: 0 is the client's, 1 the server's."""
        verdict = FrameVerdict.OPEN
        if side != self._side or ts_ns - self._burst_ns > BURST_NS:
            verdict = self._end_burst()
            self._side, self._burst = side, 0
        self._burst, self._burst_ns = self._burst + size, ts_ns
        self._sent[side] += size
        client, server = self._sent
        if verdict is FrameVerdict.OPEN and side and not self._joined:
            if client < MIN_SETUP_BYTES:
                return FrameVerdict.NONE
            if server == SUCCESS_BYTES:
                return FrameVerdict.SEEN if client <= MAX_SETUP_BYTES else FrameVerdict.NONE
        return verdict

    def _end_burst(self) -> FrameVerdict:
        """What one side has sent without a break, now that it is over."""
        client, server = self._sent
        if self._joined:
            fits = self._burst in (SERVER_SUMS if self._side else CLIENT_SUMS)
            self._confirmed += fits
            if not fits:
                return FrameVerdict.NONE
            return FrameVerdict.SEEN if self._confirmed >= CONFIRMING_BURSTS else FrameVerdict.OPEN
        if server > SUCCESS_BYTES:
            self._joined = client >= MIN_SETUP_BYTES + MIN_OPEN_BYTES and server - SUCCESS_BYTES in OPENED_SUMS
            return FrameVerdict.OPEN if self._joined else FrameVerdict.NONE
        return FrameVerdict.OPEN
