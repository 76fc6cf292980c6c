"""Frames as capture files, cut every so many hours: the same packets in any cut."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tests.province.connection import Timed
from tests.province.roster import HOUR_US, SECOND_US

#: Classic pcap with microseconds, least significant byte first, Ethernet.
HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)


class _Cut:
    """One series of files, each of so many hours."""

    def __init__(self, folder: Path, hours: int, begin_us: int, shift_us: int) -> None:
        folder.mkdir(parents=True)
        self._folder, self._length_us, self._begin_us, self._shift_us = folder, hours * HOUR_US, begin_us, shift_us
        self._number = -1
        self._file: BinaryIO | None = None
        self.paths: list[Path] = []

    def put(self, at_us: int, record: bytes) -> None:
        """One record to the file of its true time; an empty stretch has no file."""
        number = (at_us - self._begin_us) // self._length_us
        if number != self._number or self._file is None:
            self.close()
            self._number = number
            begun_us = self._begin_us + number * self._length_us + self._shift_us
            begun = datetime.fromtimestamp(begun_us // SECOND_US, UTC)
            self.paths.append(self._folder / f"{begun:%Y%m%dT%H%M%S}.pcap")
            self._file = self.paths[-1].open("wb")
            self._file.write(HEAD)
        self._file.write(record)

    def close(self) -> None:
        """End the open file. It was changed last when its time was over, by the true clock."""
        if self._file is not None:
            self._file.close()
            ended_s = (self._begin_us + (self._number + 1) * self._length_us) // SECOND_US
            os.utime(self.paths[-1], (ended_s, ended_s))
            self._file = None


def write(
    frames: Iterable[Timed], folder: Path, begin_us: int, hours: tuple[int, ...], shift_us: int = 0
) -> tuple[dict[int, list[Path]], int]:
    """Write the frames once for each cut, below `folder`; the files of each cut and the number of frames.

    `shift_us` is what the capturing host's clock was ahead of the true time.
    """
    cuts = {length: _Cut(folder / f"{length}h", length, begin_us, shift_us) for length in hours}
    count = 0
    with ExitStack() as stack:
        for cut in cuts.values():
            stack.callback(cut.close)
        for at_us, record in _records(frames, shift_us):
            count += 1
            for cut in cuts.values():
                cut.put(at_us, record)
    return {length: cut.paths for length, cut in cuts.items()}, count


def _records(frames: Iterable[Timed], shift_us: int) -> Iterator[tuple[int, bytes]]:
    for true_us, frame in frames:
        at_us = true_us + shift_us
        yield true_us, struct.pack("<IIII", at_us // SECOND_US, at_us % SECOND_US, len(frame), len(frame)) + frame
