"""Both directions of one flow on their way from bytes to messages: wrappings are peeled, the framing is chosen, and
changed if need be.

The choice is made once for each layer, from whichever direction shows its mark first; until then bytes wait, within
a bound. Knows readers and the order they come in; knows nothing of what messages mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sensor.dialects.flights import Flights
from sensor.dialects.nodes import StreamHeads
from sensor.dialects.readers.json_lines import JsonLines
from sensor.dialects.registry import DEFAULT_READER, LINE_EXITS, LINE_EXITS_JOINED, READERS
from sensor.dialects.sniff import is_text, sniff_middle, sniff_start
from sensor.dialects.stream.message import DEFAULT_FRAMING, Message, Read
from sensor.dialects.stream.reader import INSIDE, Reader, Start
from sensor.dialects.wrappings import WRAPPINGS, Peeler, Tunnel, peeler

#: Wrappings within wrappings; a PROXY header before SOCKS before CONNECT is already more than anyone does.
MAX_LAYERS = 4
#: Changes of reader for one piece of stream: hostile bytes could otherwise go to and fro.
MAX_CHANGES = 256


class Piece(NamedTuple):
    """In-order bytes as they came."""

    ts_ns: int
    offset: int
    gap: int
    data: bytes


class Carriage(NamedTuple):
    """What carried the messages of a flow."""

    transport: str = "tcp"  # wrappings, outermost first, joined by +
    framing: str | None = None  # of the latest message
    pool_host: str | None = None  # host:port asked for through the wrappings
    client: str | None = None  # host:port a PROXY header says the connection comes from
    asked_by: int | None = None  # the direction that asked for the wrapping


PLAIN = Carriage()


class Conversation:
    """The readers of one flow."""

    __slots__ = ("_at", "_flights", "_framing", "_held", "_layers", "_readers", "_shared", "_starts", "_whole", "heads")

    def __init__(self, midstream: bool = False) -> None:
        self._layers: list[Tunnel | str] = []  # wrappings, then a framing
        self._readers: list[Reader | None] = [None, None]
        self._at = [0, 0]  # the layer each direction is in
        self._starts = [0, 0]  # where that layer starts
        self._whole = [not midstream, not midstream]  # the start of the layer was seen
        self._held: list[tuple[int, Piece]] = []  # bytes of a layer that is not decided yet
        self._flights = Flights()
        self.heads: StreamHeads | None = (
            StreamHeads()
        )  # of what is inside all wrappings; None once the flow is known not to be a node's
        self._framing: str | None = None
        self._shared: object = None  # what both directions of one framing know of each other

    @property
    def carriage(self) -> Carriage:
        """What carried the messages, as far as it is known by now."""
        tunnels = [layer for layer in self._layers if isinstance(layer, Tunnel) and layer.complete]
        names = [
            tunnel.name for index, tunnel in enumerate(tunnels) if not index or tunnels[index - 1].name != tunnel.name
        ]
        hosts = [tunnel.host for tunnel in tunnels if tunnel.host is not None]
        sources = [tunnel.source for tunnel in tunnels if tunnel.source is not None]
        return Carriage(
            transport="+".join(names) or "tcp",
            framing=self._framing,
            pool_host=hosts[-1] if hosts else None,
            client=sources[0] if sources else None,
            asked_by=tunnels[0].client if tunnels else None,
        )

    def start(self, direction: int) -> int:
        """The offset in a direction's stream at which what is inside all wrappings begins, as far as it is known by
        now.
        """
        return self._starts[direction]

    def feed(self, direction: int, ts_ns: int, offset: int, gap: int, data: bytes) -> Iterable[Read]:
        """What these bytes complete."""
        is_begun = self.heads is None and self._flights.are_over
        if is_begun:
            reader = self._readers[direction]
            message = reader.whole(ts_ns, offset, gap, data) if type(reader) is JsonLines else None
            if message is not None:  # as nearly always
                self._framing = DEFAULT_FRAMING
                return (message,)
        reads = self._give(direction, Piece(ts_ns, offset, gap, data), counted=is_begun)
        return reads if is_begun else self._watched(reads, direction)

    def _watched(self, reads: Iterator[Read], direction: int) -> Iterator[Read]:
        """What is read while the first bytes may still show what the flow is."""
        for read in reads:
            if isinstance(read, Message):
                self._flights.stop()
                if read.framing == DEFAULT_FRAMING and read.offset == self._starts[direction]:
                    self.heads = None  # no node's stream begins with a text
            yield read
        yield from self._flights.seen()

    def note_flights(self, direction: int, ts_ns: int, sizes: tuple[int, int]) -> None:
        """The core recognised the sizes of the first two flights; their bytes will not come."""
        self._flights.note(direction, ts_ns, sizes)

    def finish(self) -> Iterator[Read]:
        """The flow has ended."""
        if self._held:
            yield from self._decide(DEFAULT_FRAMING, self._held[0][0])
        for reader in self._readers:
            if reader is not None:
                yield from reader.finish()
        yield from self._flights.finish()

    def _give(self, direction: int, piece: Piece, *, counted: bool = False) -> Iterator[Read]:
        """Pass bytes to the reader of their direction; `counted` says that they have waited, and their flight knows
        them, or that no flight counts any more.
        """
        for _ in range(MAX_CHANGES):
            reader = self._readers[direction]
            if not counted and not isinstance(reader, Peeler):
                inside = piece.offset - self._starts[direction]
                self._flights.add(direction, piece.ts_ns, piece.gap, piece.data, inside)
                if self.heads is not None:
                    self.heads.add(direction, piece.data)
            counted = True
            if reader is None:
                yield from self._wait(direction, piece)
                return
            for read in reader.feed(*piece):
                if isinstance(read, Message):
                    self._framing = read.framing
                yield read
            left = reader.left
            if left is None:
                return
            piece = Piece(piece.ts_ns, left.offset, 0, left.data)
            if left.to == INSIDE:
                counted = False
                self._at[direction] += 1
                self._whole[direction] = True
                self._readers[direction] = self._enter(direction, left.offset)
            else:
                self._readers[direction] = self._reader(left.to, direction, left.offset)
            if not left.data:
                return

    def _enter(self, direction: int, offset: int) -> Reader | None:
        """The reader of the layer a direction has reached; None while it is not decided."""
        self._starts[direction] = offset
        while self._at[direction] < len(self._layers):
            layer = self._layers[self._at[direction]]
            reader = (
                peeler(layer, direction, offset)
                if isinstance(layer, Tunnel)
                else self._reader(layer, direction, offset)
            )
            if reader is not None:
                return reader
            self._at[direction] += 1
        return None

    def _wait(self, direction: int, piece: Piece) -> Iterator[Read]:
        """Hold bytes until the layer's mark is seen."""
        if (
            self._starts[direction] + sum(len(piece.data) for side, piece in self._held if side == direction)
            != piece.offset
        ):
            self._whole[direction] = False
        self._held.append((direction, piece))
        head = b"".join(held.data for side, held in self._held if side == direction)
        found = (
            sniff_start(head)
            if self._whole[direction] or self._starts[direction] == self._first_offset(direction)
            else DEFAULT_FRAMING
        )
        if found == DEFAULT_FRAMING and not (self._whole[direction] and is_text(head)):
            found = sniff_middle(head)
        if found is not None:
            yield from self._decide(found, direction)

    def _first_offset(self, direction: int) -> int:
        return next(piece.offset for side, piece in self._held if side == direction)

    def _decide(self, found: str, direction: int) -> Iterator[Read]:
        wrapping = found in WRAPPINGS and len(self._layers) < MAX_LAYERS
        self._layers.append(Tunnel(found, direction) if wrapping else DEFAULT_FRAMING if found in WRAPPINGS else found)
        held, self._held = self._held, []
        if wrapping:
            self._flights = Flights()  # what counts are the flights inside, and the first bytes there
            self.heads = self.heads and StreamHeads()
        for side in (0, 1):
            if self._readers[side] is None:
                self._readers[side] = self._enter(side, self._starts[side])
        for side, piece in held:
            yield from self._give(side, piece, counted=True)

    def _reader(self, framing: str, direction: int, offset: int) -> Reader:
        """A new reader of this framing from an offset on; an unknown framing is read as JSON lines."""
        declared = READERS.get(framing, DEFAULT_READER)
        joined = not self._whole[direction]
        start = Start(direction, offset, joined, LINE_EXITS_JOINED if joined else LINE_EXITS)
        if declared.shared is None:
            return declared.open(start, None)
        if not isinstance(self._shared, declared.shared):
            self._shared = declared.shared()
        return declared.open(start, self._shared)
