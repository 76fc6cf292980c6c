"""Stratum V2 in clear: frames of one direction become messages by the names of the specification, with their fields as
plain values.

What belongs to a channel is kept for both directions: the target in force is added to each job and each share, as
big-endian hex. A frame that is not known is read past. Knows the layouts of the mining protocol; knows nothing of
sessions and grades.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sensor.dialects.readers.frames import Frames
from sensor.dialects.stream.message import Message, Read
from sensor.dialects.stream.reader import FramingReader
from sensor.model.text import printable

FRAMING = "stratum-v2"
HEADER_BYTES = 6
#: The largest message that is read (a coinbase of an extended job); of others only the length counts.
MAX_FRAME_BYTES = 65_536
MAX_CHANNELS = 256
#: Shares one Success may acknowledge; a session keeps no more unanswered ones.
MAX_ACKNOWLEDGED = 256
CHANNEL_BIT = 0x8000
#: Messages that have one length only, with their channel bit: what a joined stream is recognised by, and found by after
#: a hole.
FIXED_MESSAGE = re.compile(
    rb"\0\x80(?:\x1a\x18|\x1c\x14|\x21\x24|\x15[\x2d\x31]|\x20\x30|\x16\x28)\0\0"
    rb"|\0\x80\x1b[\x19-\x39]\0\0|\0\x80\x1d[\x09-\x80]\0\0|\0\0(?:\x01\x06|\x11[\x2d-\x4d]|\x14[\x2f-\x4f])\0\0"
)
#: How a stream begins: SetupConnection (extension 0, type 0, length, protocol 0 to 2, versions 2 to 2), or one of
#: those.
START = re.compile(rb"\0\0\0[\s\S]{2}\0[\0-\x02]\x02\0\x02\0|" + FIXED_MESSAGE.pattern)

Fields = dict[str, object]


@dataclass(slots=True)
class Channels:
    """The target in force for each channel of a connection, bounded."""

    targets: dict[int, str] = field(default_factory=dict)
    latest: str | None = None

    def aim(self, channel: int, target: bytes) -> str:
        """A new target, from little-endian bytes."""
        if channel not in self.targets and len(self.targets) >= MAX_CHANNELS:
            del self.targets[next(iter(self.targets))]
        self.latest = self.targets[channel] = target[::-1].hex()
        return self.latest

    def target_of(self, channel: int) -> Fields:
        """The target as a field; a group channel's jobs have none of their own."""
        target = self.targets.get(channel)
        return {"target": target} if target is not None else {}


class _CutError(Exception):
    """The payload ends before its fields do."""


class _Payload:
    """Takes fields from the front; all numbers are little-endian."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def raw(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise _CutError
        taken, self._at = self._data[self._at : end], end
        return taken

    def number(self, count: int) -> int:
        return int.from_bytes(self.raw(count), "little")

    def text(self) -> str:
        return printable(self.raw(self.number(1)).decode("utf-8", "replace"))

    def rate(self) -> float | None:
        """F32; None for what is no number, or below zero."""
        value = struct.unpack("<f", self.raw(4))[0]
        return float(value) if 0 <= value < float("inf") else None


class StratumV2(Frames):
    """The reader of one direction."""

    __slots__ = ("_channels", "_joined", "_skip")

    def __init__(self, direction: int, channels: Channels, start: int = 0, joined: bool = False) -> None:
        super().__init__(direction, start)
        self._channels = channels
        self._joined = joined  # frame borders are not known
        self._skip = 0  # bytes of a frame that is read past

    def finish(self) -> Iterator[Read]:
        """A frame that was not finished is none; without a border there was no frame."""
        return iter(()) if self._joined else super().finish()

    def _lost(self, gap: int) -> None:
        self._joined = not 0 < gap <= self._skip
        self._skip = 0 if self._joined else self._skip - gap

    def _frame(self) -> list[Read] | None:
        if self._skip:
            self._skip -= len(self._take(min(self._skip, len(self._buffer))))
        if self._joined and not self._found():
            return None
        if len(self._buffer) < HEADER_BYTES:
            return None
        extension, kind = int.from_bytes(self._buffer[:2], "little"), self._buffer[2]
        length = int.from_bytes(self._buffer[3:6], "little")
        layout = LAYOUTS.get(kind) if extension & ~CHANNEL_BIT == 0 else None
        begun = self._offset
        if layout is not None and length <= MAX_FRAME_BYTES:
            if len(self._buffer) < HEADER_BYTES + length:
                return None
            return self._read(layout, begun, self._take(HEADER_BYTES + length)[HEADER_BYTES:])
        self._take(HEADER_BYTES)
        self._skip = length
        if extension & ~CHANNEL_BIT > 0xFF:  # no extension has such a number: the borders are lost
            self._joined, self._skip = True, 0
            return [self._malformed(begun, "bad_frame")]
        return [] if kind in PASSED else [self._malformed(begun, "unknown_frame")]

    def _found(self) -> bool:
        """Look for a message of known length; keep what may be the beginning of one."""
        found = FIXED_MESSAGE.search(self._buffer)
        self._take(found.start() if found is not None else max(0, len(self._buffer) - HEADER_BYTES + 1))
        self._joined = found is None
        return found is not None

    def _read(self, layout: Layout, begun: int, payload: bytes) -> list[Read]:
        name, take = layout
        try:
            fields = take(_Payload(payload), self._channels)
        except _CutError:
            return [self._malformed(begun, "cut_frame")]
        pairs = fields.pop("pairs", [None])
        value: Fields = {"method": name, **{key: field for key, field in fields.items() if field is not None}}
        repeated = pairs if isinstance(pairs, list) else [None]
        end = self._offset
        return [Message(self._direction, self._ts_ns, begun, value, FRAMING, pair, end) for pair in repeated]


Layout = tuple[str, Callable[[_Payload, Channels], Fields]]


def _setup(data: _Payload, _: Channels) -> Fields:
    fields: Fields = {
        "protocol": data.number(1),
        "min_version": data.number(2),
        "max_version": data.number(2),
        "flags": data.number(4),
    }
    fields |= {"host": data.text(), "port": data.number(2)}
    names = [data.text() for _ in range(4)]
    fields |= dict(zip(("vendor", "hardware", "firmware", "device_id"), names, strict=True))
    return {**fields, "agent": "/".join(name for name in names[:3] if name) or None}


def _setup_success(data: _Payload, _: Channels) -> Fields:
    return {"used_version": data.number(2), "flags": data.number(4)}


def _setup_error(data: _Payload, _: Channels) -> Fields:
    return {"flags": data.number(4), "error_code": data.text()}


def _open(data: _Payload, _: Channels) -> Fields:
    request = data.number(4)
    return {
        "request_id": request,
        "user_identity": data.text(),
        "nominal_hash_rate": data.rate(),
        "pairs": [("v2-open", request)],
    }


def _open_success(data: _Payload, channels: Channels) -> Fields:
    request, channel = data.number(4), data.number(4)
    return {
        "request_id": request,
        "channel_id": channel,
        "target": channels.aim(channel, data.raw(32)),
        "pairs": [("v2-open", request)],
    }


def _open_error(data: _Payload, _: Channels) -> Fields:
    request = data.number(4)
    return {"request_id": request, "error_code": data.text(), "pairs": [("v2-open", request)]}


def _update(data: _Payload, _: Channels) -> Fields:
    return {"channel_id": data.number(4), "nominal_hash_rate": data.rate()}


def _job(data: _Payload, channels: Channels) -> Fields:
    channel, job = data.number(4), data.number(4)
    return {"channel_id": channel, "job_id": job, "job": f"{channel}/{job}", **channels.target_of(channel)}


def _prev_hash(data: _Payload, _: Channels) -> Fields:
    fields: Fields = {"channel_id": data.number(4), "job_id": data.number(4), "prev_hash": data.raw(32)[::-1].hex()}
    return {**fields, "min_ntime": data.number(4), "nbits": data.number(4)}


def _target(data: _Payload, channels: Channels) -> Fields:
    channel = data.number(4)
    return {"channel_id": channel, "target": channels.aim(channel, data.raw(32))}


def _submit(data: _Payload, channels: Channels) -> Fields:
    channel, sequence, job = data.number(4), data.number(4), data.number(4)
    fields: Fields = {"channel_id": channel, "sequence_number": sequence, "job_id": job, "job": f"{channel}/{job}"}
    fields |= {"nonce": data.number(4), "ntime": data.number(4), "version": data.number(4)}
    return {**fields, **channels.target_of(channel), "pairs": [("v2-share", (channel, sequence))]}


def _submit_success(data: _Payload, _: Channels) -> Fields:
    """One message for each share it acknowledges: the `count` last ones up to its sequence number, and what one of
    them was worth.
    """
    channel, last, count, total = data.number(4), data.number(4), data.number(4), data.number(8)
    shares = [("v2-share", (channel, last - behind)) for behind in range(min(count, MAX_ACKNOWLEDGED))]
    fields: Fields = {
        "channel_id": channel,
        "last_sequence_number": last,
        "new_submits_accepted_count": count,
        "new_shares_sum": total,
    }
    return {**fields, "share_difficulty": total / count if count and total else None, "pairs": shares[::-1] or [None]}


def _submit_error(data: _Payload, _: Channels) -> Fields:
    channel, sequence = data.number(4), data.number(4)
    fields: Fields = {"channel_id": channel, "sequence_number": sequence, "error_code": data.text()}
    return {**fields, "pairs": [("v2-share", (channel, sequence))]}


#: Types that are read past: endpoint changes, custom jobs, job declaration, template distribution.
PASSED = frozenset({0x03, 0x04, 0x17, 0x18, 0x19, 0x22, 0x23, 0x24, 0x25, *range(0x50, 0x61), *range(0x70, 0x77)})
#: Message types of the specification (sv2-spec, 08-Message-Types).
LAYOUTS: dict[int, Layout] = {
    0x00: ("SetupConnection", _setup),
    0x01: ("SetupConnection.Success", _setup_success),
    0x02: ("SetupConnection.Error", _setup_error),
    0x10: ("OpenStandardMiningChannel", _open),
    0x11: ("OpenStandardMiningChannel.Success", _open_success),
    0x12: ("OpenMiningChannel.Error", _open_error),
    0x13: ("OpenExtendedMiningChannel", _open),
    0x14: ("OpenExtendedMiningChannel.Success", _open_success),
    0x15: ("NewMiningJob", _job),
    0x16: ("UpdateChannel", _update),
    0x1A: ("SubmitSharesStandard", _submit),
    0x1B: ("SubmitSharesExtended", _submit),
    0x1C: ("SubmitShares.Success", _submit_success),
    0x1D: ("SubmitShares.Error", _submit_error),
    0x1F: ("NewExtendedMiningJob", _job),
    0x20: ("SetNewPrevHash", _prev_hash),
    0x21: ("SetTarget", _target),
}

FRAMING_READER = FramingReader(
    name=FRAMING,
    open=lambda start, channels: StratumV2(start.direction, channels, start.offset, start.joined),
    shared=Channels,
    start=START,
    start_bytes=b"\0",
    middle=lambda head: FIXED_MESSAGE.search(head) is not None,
    middle_rank=3,
    foreign=frozenset({"bad_frame"}),
)
