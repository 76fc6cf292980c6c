"""When the miners of findings were watched, as figures need it, remembered by the text of each record.

Reading a record takes a hundred times as long as looking it up, and figures of two weeks are asked for again and again
while few of their findings change. What is remembered is of the very text, so it is never of a former one.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import NamedTuple

from sensor.ledger.store.records import load_finding
from sensor.model.finding import Finding
from sensor.model.quantities import WatchedStretch
from sensor.model.work import WithAssumed, mining_stretches, with_assumed

#: Stretches and spans that are remembered at most, some 150 bytes each; a finding counts as four besides.
MOST_REMEMBERED, FINDING_ITSELF = 400_000, 4


class FindingTimes(NamedTuple):
    """The times of a finding."""

    stretches: tuple[WatchedStretch, ...]  # watched mining
    spans: tuple[tuple[int, int], ...]  # its connections, from when to when; empty where the record does not say
    work: WithAssumed | None  # None: its rate is not known
    has_energy: bool


def times_of(finding: Finding) -> FindingTimes:
    """Those of a finding."""
    return FindingTimes(
        mining_stretches(finding),
        tuple((part.start_ns, part.end_ns) for part in finding.active),
        None if finding.hashrate_hps is None else with_assumed(finding),
        finding.energy_kwh is not None,
    )


class TimesMemory:
    """The times of the records that were looked at last. Any thread may ask."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[bytes, FindingTimes]] = OrderedDict()
        self._held = 0

    def times(self, finding_id: str, record: str) -> FindingTimes:
        """Those of a finding by the text of its record. Raises DamagedRecordError."""
        digest = hashlib.blake2b(record.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            entry = self._entries.get(finding_id)
            if entry is not None and entry[0] == digest:
                self._entries.move_to_end(finding_id)
                return entry[1]
        found = times_of(load_finding(record))
        with self._lock:
            former = self._entries.pop(finding_id, None)
            self._held += _weight(found) - (0 if former is None else _weight(former[1]))
            self._entries[finding_id] = (digest, found)
            while self._held > self._most and len(self._entries) > 1:
                self._held -= _weight(self._entries.popitem(last=False)[1][1])
        return found


def _weight(times: FindingTimes) -> int:
    return FINDING_ITSELF + len(times.stretches) + len(times.spans)
