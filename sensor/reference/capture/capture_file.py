"""A capture, record by record: each packet's time, link type and captured bytes, and where and why the file stopped."""

from __future__ import annotations

from collections.abc import Iterator

from sensor.reference.capture.bytestream import ByteStream, CaptureError
from sensor.reference.capture.pcap import Pcap
from sensor.reference.capture.pcapng import Pcapng
from sensor.reference.capture.records import Packet, RecordReader

#: The formats there are.
FORMATS: tuple[type[RecordReader], ...] = (Pcap, Pcapng)
#: No capture is shorter.
SHORTEST_BYTES = 24


class CaptureFile:
    """One source, opened.

    `packets()` yields until the end or the first error; then `error` and `offset` are `End`'s.
    """

    def __init__(self, source: str) -> None:
        """Raises CaptureError if the source cannot be opened, is empty, or is in no format that is read."""
        self.source = source
        self.error: str | None = None
        self.offset = 0
        self._stream = ByteStream(source)
        whole = self._stream.need(SHORTEST_BYTES)
        magic = self._stream.window[self._stream.at : self._stream.at + 4]
        form = next((form for form in FORMATS if whole and form.recognises(magic)), None)
        if form is None:
            self._stream.close()
            raise CaptureError(source, "not a capture")
        self._reader = form(self._stream)

    @property
    def source_bytes(self) -> int:
        return self._stream.source_bytes

    def packets(self) -> Iterator[Packet]:
        yield from self._reader.packets()
        self.error, self.offset = self._reader.stop or (None, self._stream.offset)
        self._stream.close()

    def close(self) -> None:
        self._stream.close()
