"""The frames of Stratum V2 over Noise NX behind the two messages of its handshake, told by sums of bytes.

A frame is a header of 6 bytes with its tag of 16, and a payload with a tag for each 65,519 bytes of it (Stratum V2,
"Protocol Security"). Headers are encrypted, so frames show only where pieces of a stream end. What one side sends is
added up, because frames are sent one behind another without waiting, and pieces hold parts of frames or several.
"""

from __future__ import annotations

from enum import Enum, auto

from sensor.dialects.channel_frames import ChannelFrames, is_opened

#: SetupConnection has strings of any length; its Success, the third frame's answer, has one size.
MIN_SETUP_BYTES, SUCCESS_BYTES = 54, 44
MAX_SETUP_BYTES = 1_400
#: OpenStandardMiningChannel with a user of one byte; before it a server has nothing to send but the Success.
MIN_OPEN_BYTES = 80
#: Pieces of one side so close to each other are one burst.
BURST_NS = 100_000_000
#: What the frames behind have to weigh, in bits of each side and together, where the Success came joined with others;
#: and after how much nothing more is looked at.
SIDE_BITS, JOINED_BITS, SURE_BITS = 5, 18, 26
#: A packet that was captured behind the answer to it was lost once; it comes again by then (RFC 6298: 200 ms and more).
LATE_NS = 500_000_000
#: Where so much fits, one burst may not: a frame may be cut by what the other side sends.
MISFITS, TOLERANT_BITS = 1, 6


class FrameVerdict(Enum):
    OPEN = auto()  # it may still be
    SEEN = auto()
    SURE = auto()  # what followed fits, too
    NONE = auto()


class NoiseFrames:
    """Both directions behind 64 bytes and 234."""

    __slots__ = (
        *("_asked", "_before", "_burst", "_burst_ns", "_channel", "_early", "_early_ns"),
        *("_misfits", "_sent", "_side", "_verdict"),
    )

    def __init__(self) -> None:
        self._sent = [0, 0]  # by client, by server
        self._side = 0  # who sent the burst at hand
        self._burst, self._burst_ns = 0, 0  # its bytes; when its last piece came
        self._asked = 0  # the client's last burst before a channel was opened
        self._early, self._early_ns = 0, 0  # bytes of the server before the client's first, and since when
        self._before = 0  # what the server had sent before it
        self._channel: ChannelFrames | None = None  # once one was opened
        self._misfits = 0
        self._verdict = FrameVerdict.OPEN

    @property
    def is_silent(self) -> bool:
        """Nothing has followed."""
        return self._sent == [0, 0]

    def add(self, side: int, ts_ns: int, size: int) -> FrameVerdict:
        """The next piece of a side: 0 is the client's, 1 the server's."""
        if side and not self._sent[0]:
            self._early, self._early_ns = self._early + size, self._early_ns or ts_ns
            self._sent[1] += size
            return self._verdict
        if self._early and not self._sent[0] and ts_ns - self._early_ns > LATE_NS:
            self._verdict = FrameVerdict.NONE
        if side != self._side or ts_ns - self._burst_ns > BURST_NS:
            self._verdict = self._end_burst()
            self._side, self._burst, self._before = side, 0, self._sent[1]
        self._burst, self._burst_ns = self._burst + size, ts_ns
        self._sent[side] += size
        if self._verdict is FrameVerdict.OPEN and side and self._channel is None:
            self._verdict = self._answered()
        return self._verdict

    def finish(self) -> FrameVerdict:
        """Nothing comes any more; what came last counts, too."""
        if self._side == 0 or self._sent[1] != SUCCESS_BYTES:
            self._verdict = self._end_burst()
        return self._verdict

    def _answered(self) -> FrameVerdict:
        """The server has sent something of its first frames."""
        client, server = self._sent
        if client < MIN_SETUP_BYTES or client > MAX_SETUP_BYTES:
            return FrameVerdict.NONE
        return FrameVerdict.SEEN if server == SUCCESS_BYTES else FrameVerdict.OPEN

    def _end_burst(self) -> FrameVerdict:
        """What one side has sent without a break, now that it is over."""
        if self._verdict in (FrameVerdict.NONE, FrameVerdict.SURE) or not self._burst:
            return self._verdict
        if self._channel is None:
            return self._begun()
        fits = self._channel.fits(self._side, self._burst)
        self._misfits += not fits
        joined, both, least = self._verdict is FrameVerdict.OPEN, sum(self._channel.bits), min(self._channel.bits)
        if self._misfits > (MISFITS if both >= TOLERANT_BITS and not joined else 0):
            return FrameVerdict.NONE
        if joined:
            return FrameVerdict.SEEN if both >= JOINED_BITS and least >= SIDE_BITS else FrameVerdict.OPEN
        return FrameVerdict.SURE if both >= SURE_BITS and least >= SIDE_BITS else self._verdict

    def _begun(self) -> FrameVerdict:
        """The same while no channel was opened."""
        client, server = self._sent
        if not self._side:
            self._asked = self._burst
            self._early, early = 0, self._early
            if early:
                return self._begun_late(early)
            least = MIN_SETUP_BYTES if self._burst == client else MIN_OPEN_BYTES
            return self._verdict if self._burst >= least else FrameVerdict.NONE
        if server <= SUCCESS_BYTES:
            return self._verdict
        opened = self._burst - max(0, SUCCESS_BYTES - self._before)
        if client < MIN_SETUP_BYTES + MIN_OPEN_BYTES or not is_opened(opened):
            return FrameVerdict.NONE
        is_ahead = self._asked == client
        self._channel = ChannelFrames((self._asked if is_ahead else 0, self._burst))
        return self._verdict

    def _begun_late(self, early: int) -> FrameVerdict:
        """The same where the server's bytes were captured before the client's that they answer."""
        if early == SUCCESS_BYTES:
            return FrameVerdict.SEEN if self._burst >= MIN_SETUP_BYTES else FrameVerdict.NONE
        if self._burst < MIN_SETUP_BYTES + MIN_OPEN_BYTES or not is_opened(early - SUCCESS_BYTES):
            return FrameVerdict.NONE
        self._channel = ChannelFrames((self._burst, early))
        return FrameVerdict.OPEN
