"""Messages of a topic to reports: what cannot be read becomes a dead letter with its reason, and of several reports of
one finding by the same run only the last is read whole, for it has the totals. Pure; whatever a message holds, nothing
raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from sensor.collect.plausible import why_impossible
from sensor.ledger.central import CollectBatch, CollectPage, DeadLetter, PlacedReport, Queue, TopicPlace
from sensor.model.message import NewerWireError, WireError
from sensor.model.wire import VERSION, loads

#: Reports of a batch that are held read at once: each takes some ten times its text.
PAGE = 1_000
#: What becomes of a message.
Read = PlacedReport | DeadLetter


class TopicMessage(NamedTuple):
    """One message as it came."""

    place: TopicPlace
    body: bytes


class _RecordHead(msgspec.Struct):
    kind: str
    finding_id: str = ""
    state: str = ""
    first_ns: int = 0
    last_ns: int = 0


class _ReportHead(msgspec.Struct):
    sensor_id: str
    run_id: str
    v: int = 0
    number: int = 0
    kind: str = "live"
    records: list[_RecordHead] = []
    coverage: list[msgspec.Raw] = []
    ended: list[str] = []
    began: bool = False
    policies: list[msgspec.Raw] | None = None


_HEAD = msgspec.json.Decoder(_ReportHead)
#: Partition, sensor, run and finding.
_FindingKey = tuple[str, int, str, str, str]


@dataclass(frozen=True, slots=True)
class _FindingHead:
    """The finding that a report is of, and of nothing else."""

    key: _FindingKey
    number: int
    state: str
    first_ns: int
    last_ns: int


class MessageFold:
    """Messages as they come, without those that a later one of the same partition replaces: of a topic that was not
    read for hours little is left to be written."""

    def __init__(self, *, whole: bool = False) -> None:
        """`whole`: nothing is left out."""
        self._whole = whole
        self._messages: list[TopicMessage | None] = []
        self._last: dict[_FindingKey, tuple[int, _FindingHead]] = {}
        self.replaced = 0
        self.size_bytes = 0  # of those that are left

    @property
    def count(self) -> int:
        """How many are left."""
        return len(self._messages) - self.replaced

    def add(self, message: TopicMessage) -> None:
        """Take the next message of its partition."""
        head = None if self._whole else _finding(message)
        if head is not None and self._is_news(head):
            self._replace(head)
            self._last[head.key] = (len(self._messages), head)
        self._messages.append(message)
        self.size_bytes += len(message.body)

    def messages(self) -> list[TopicMessage]:
        """Those that are left, in their order."""
        return [message for message in self._messages if message is not None]

    def _is_news(self, head: _FindingHead) -> bool:
        """Whether a report may stand for those before it: one that is sent again after a failure, under a number that
        was there, is left out by the ledger, and must not take the newest one with it."""
        _, newest = self._last.get(head.key, (-1, None))
        return newest is None or not head.number or head.number > newest.number

    def _replace(self, head: _FindingHead) -> None:
        number, earlier = self._last.get(head.key, (-1, head))
        if number < 0 or _ended_before(earlier, head):
            return
        message = self._messages[number]
        if message is not None:
            self._messages[number] = None
            self.size_bytes -= len(message.body)
            self.replaced += 1


def batch_of(
    messages: Sequence[TopicMessage], from_offsets: Mapping[Queue, int], read: Callable[[TopicMessage], Read]
) -> CollectBatch:
    """A batch of messages, all there are in each partition from these places on but those that were replaced; `read`
    reads each when its page is written."""
    next_offsets = {message.place.queue: message.place.offset + 1 for message in messages}
    return CollectBatch(_pages(messages, read), {queue: from_offsets[queue] for queue in next_offsets}, next_offsets)


def read_message(message: TopicMessage, counters: Counter[str]) -> Read:
    """The report of a message, or why it cannot be read: that is counted by kind."""
    try:
        report = loads(message.body)
        reason = why_impossible(report)
        if reason is not None:
            raise WireError(reason)
        return PlacedReport(message.place, report)
    except WireError as error:
        counters["letters_newer" if isinstance(error, NewerWireError) else "letters_unreadable"] += 1
        return DeadLetter(message.place, str(error), message.body)


def _pages(messages: Sequence[TopicMessage], read: Callable[[TopicMessage], Read]) -> Iterator[CollectPage]:
    for start in range(0, len(messages), PAGE):
        found = [read(message) for message in messages[start : start + PAGE]]
        reports = [entry for entry in found if isinstance(entry, PlacedReport)]
        yield CollectPage(reports, [entry for entry in found if isinstance(entry, DeadLetter)])


def replaces(message: TopicMessage) -> bool:
    """Whether a message may have replaced others: if it cannot be read, those are what can be."""
    return _finding(message) is not None


def _finding(message: TopicMessage) -> _FindingHead | None:
    """The finding of a report that has one record and says nothing else; None for any other."""
    try:
        head = _HEAD.decode(message.body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if head.v != VERSION or head.kind != "live" or len(head.records) != 1:
        return None
    record = head.records[0]
    if head.coverage or head.ended or head.began or head.policies is not None:
        return None
    if record.kind != "finding" or not record.finding_id:
        return None
    key = (*message.place.queue, head.sensor_id, head.run_id, record.finding_id)
    return _FindingHead(key, head.number, record.state, record.first_ns, record.last_ns)


def _ended_before(before: _FindingHead, later: _FindingHead) -> bool:
    """Whether a finding was over before the later report's began: both count (as in `sensor/ledger/recorder.py`)."""
    return before.state == "closed" and later.first_ns > before.last_ns
