"""What the sizes of the first flights show of sessions that are encrypted from their first byte: Stratum V2 over Noise,
and DATUM.

A flight is what one side sends until the other speaks; behind the handshake of Noise, frames are counted instead
(`noise_frames`). Sizes prove little, so nothing here is ever more than a likeness; what it means is data
(`signatures/dialects`, `sizes_only`). Looks at a flow only until it gives a message of another framing.
"""

from __future__ import annotations

from collections.abc import Iterator

from sensor.dialects.noise_frames import FrameVerdict, NoiseFrames
from sensor.dialects.stream.message import Message, Read

FRAMING = "flights"
#: Noise NX of Stratum V2 since February 2024: 64 bytes of key, 234 of answer (key, static key, certificate). BIP 324
#: begins with 64 bytes too, but is answered by its own 64 and up to 4,095 bytes of garbage.
NOISE = (64, 234)
#: The first header of a DATUM client: XORed with this, `length:22, reserved:2, signed, sealed, channel, command:5`,
#: lowest bit first.
DATUM_KEY = 0xDC871829
DATUM_LENGTHS = range(240, 2_048)
MAX_FLIGHTS = 5


class Flights:
    """The first flights of one flow."""

    __slots__ = (
        *("_first", "_frames", "_given", "_is_noted", "_sizes"),
        *("_speaker", "_starts", "_stopped", "_verdict"),
    )

    def __init__(self) -> None:
        self._first = b""
        self._sizes: list[int] = []
        self._starts: list[int] = []  # time of each flight's first byte
        self._speaker: int | None = None  # of the first flight
        self._is_noted = False  # the bytes of the first two flights do not come
        self._stopped = False
        self._given = False  # a handshake of Noise was; what follows may still refute it
        self._frames: NoiseFrames | None = None  # once the first two flights are Noise's
        self._verdict = FrameVerdict.OPEN

    @property
    def are_over(self) -> bool:
        """Whether nothing more is looked for."""
        return self._stopped

    def stop(self) -> None:
        """The flow has been recognised as something that is read."""
        self._stopped = True

    def note(self, direction: int, ts_ns: int, sizes: tuple[int, int]) -> None:
        """The first flights and their sizes are known already; `direction` sent the first."""
        if self._speaker is None:
            self._is_noted = True
            self._speaker, self._sizes, self._starts = direction, [*sizes], [ts_ns, ts_ns]
            self._frames = NoiseFrames() if sizes == NOISE else None

    def add(self, direction: int, ts_ns: int, gap: int, data: bytes, offset: int | None = None) -> None:
        """Count bytes; a hole before the first flights are over ends the looking. `offset` is theirs in the direction's
        stream, where it is known."""
        if self._stopped or not (data or gap):
            return
        if offset is not None and not gap:
            self._infer(direction, offset)
            data = data[self._repeated(direction, offset) :]
            if not data:
                return
        if gap:
            self._stopped = True
            return
        if self._speaker is None:
            self._speaker = direction
        if self._frames is None and direction == self._speaker and tuple(self._sizes) == NOISE:
            self._frames = NoiseFrames()
        if self._frames is not None:
            if self._verdict in (FrameVerdict.OPEN, FrameVerdict.SEEN):
                self._verdict = self._frames.add(direction ^ self._speaker, ts_ns, len(data))
            return
        if direction == (self._speaker + len(self._sizes) + 1) % 2:
            self._sizes[-1] += len(data)
        else:
            self._sizes.append(len(data))
            self._starts.append(ts_ns)
        if len(self._sizes) == 1 and len(self._first) < 4:
            self._first = (self._first + data)[:4]

    def _infer(self, direction: int, offset: int) -> None:
        """The answer's first byte opened a gate as some framing's: then what was sent before did not come."""
        if self._speaker == 1 - direction and self._sizes == [NOISE[1]] and offset == NOISE[0]:
            self._speaker = None
            self.note(direction, self._starts[0], NOISE)

    def _repeated(self, direction: int, offset: int) -> int:
        """How many bytes from an offset on belong to flights that the core has seen: they were sent again."""
        if not self._is_noted:
            return 0
        return max(0, self._sizes[direction != self._speaker] - offset)

    def seen(self) -> Iterator[Read]:
        """What the flights show, once there are enough of them."""
        if self._stopped or (self._verdict is FrameVerdict.OPEN and len(self._sizes) < MAX_FLIGHTS):
            return iter(())
        if self._verdict is FrameVerdict.SEEN:
            given, self._given = self._given, True
            return iter(() if given else (self._message("NoiseHandshake", {"flights": self._sizes}),))
        self._stopped = True
        return self._seen()

    def finish(self) -> Iterator[Read]:
        """The flow is over before its fifth flight."""
        if self._given and self._frames is not None and not self._stopped:
            self._verdict = self._frames.finish()
        return iter(()) if self._stopped else self._seen()

    def _seen(self) -> Iterator[Read]:
        if self._speaker is None:
            return
        sizes = self._sizes
        header = int.from_bytes(self._first, "little") ^ DATUM_KEY
        length = header & 0x3FFFFF
        if self._given:
            if self._verdict is FrameVerdict.NONE:
                yield self._message("NoiseRefuted", {"flights": sizes})
        elif len(self._first) == 4 and header >> 22 == 0b101100 and length in DATUM_LENGTHS and sizes[0] <= length + 4:
            yield self._message("DatumHello", {"length": length, "whole": sizes[0] == length + 4})
        elif tuple(sizes) == NOISE and (self._frames is None or self._frames.is_silent):
            yield self._message("NoiseOpening", {"flights": sizes})

    def _message(self, name: str, facts: dict[str, object]) -> Message:
        return Message(self._speaker or 0, self._starts[0], 0, {"method": name, **facts}, FRAMING)
