"""Messages of a topic to reports: what cannot be read becomes a dead letter with its reason, and of several reports of
one finding by the same run only the last is read whole, for it has the totals. Pure; whatever a message holds, nothing
raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from sensor.ledger.central import CollectBatch, DeadLetter, PlacedReport, Queue, TopicPlace
from sensor.model.wire import VERSION, NewerWireError, WireError, loads


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
    kind: str = "live"
    records: list[_RecordHead] = []
    coverage: list[msgspec.Raw] = []
    ended: list[str] = []
    began: bool = False


_HEAD = msgspec.json.Decoder(_ReportHead)


@dataclass(frozen=True, slots=True)
class _Finding:
    """The finding that a report is of, and of nothing else."""

    key: tuple[str, int, str, str, str]
    state: str
    first_ns: int
    last_ns: int


def batch_of(
    messages: Sequence[TopicMessage], from_offsets: Mapping[Queue, int], counters: Counter[str]
) -> CollectBatch:
    """A batch of messages, which follow one another in each partition from these places on. Counts those that were
    replaced (`reports_replaced`) and, by kind, those that cannot be read."""
    heads = [_finding(message) for message in messages]
    last: dict[tuple[str, int, str, str, str], _Finding] = {}
    wanted: list[bool] = [True] * len(messages)
    for number in reversed(range(len(messages))):
        head = heads[number]
        if head is None:
            continue
        later = last.get(head.key)
        if later is not None and not _ended_before(head, later):
            wanted[number] = False
            continue
        last[head.key] = head
    reports, letters = _read(messages, wanted)
    if any(heads[number] is not None for number in letters):  # what it replaced may be all that can be read
        wanted = [True] * len(messages)
        reports, letters = _read(messages, wanted)
    counters["reports_replaced"] += wanted.count(False)
    for error in letters.values():
        counters["letters_newer" if isinstance(error, NewerWireError) else "letters_unreadable"] += 1
    next_offsets = {message.place.queue: message.place.offset + 1 for message in messages}
    dead = [DeadLetter(messages[number].place, str(error), messages[number].body) for number, error in letters.items()]
    return CollectBatch(reports, {queue: from_offsets[queue] for queue in next_offsets}, next_offsets, dead)


def _read(messages: Sequence[TopicMessage], wanted: Sequence[bool]) -> tuple[list[PlacedReport], dict[int, WireError]]:
    """The reports of those that are wanted, and by their number why others cannot be read."""
    reports: list[PlacedReport] = []
    letters: dict[int, WireError] = {}
    for number, (message, is_wanted) in enumerate(zip(messages, wanted, strict=True)):
        if not is_wanted:
            continue
        try:
            reports.append(PlacedReport(message.place, loads(message.body)))
        except WireError as error:
            letters[number] = error
    return reports, letters


def _finding(message: TopicMessage) -> _Finding | None:
    """The finding of a report that has one record and says nothing else; None for any other."""
    try:
        head = _HEAD.decode(message.body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if head.v != VERSION or head.kind != "live" or len(head.records) != 1:
        return None
    record = head.records[0]
    if head.coverage or head.ended or head.began or record.kind != "finding" or not record.finding_id:
        return None
    key = (*message.place.queue, head.sensor_id, head.run_id, record.finding_id)
    return _Finding(key, record.state, record.first_ns, record.last_ns)


def _ended_before(before: _Finding, later: _Finding) -> bool:
    """Whether a finding was over before the later report's began: both count (as in `sensor/ledger/recorder.py`)."""
    return before.state == "closed" and later.first_ns > before.last_ns
