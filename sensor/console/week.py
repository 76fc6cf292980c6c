"""The week that pages show: its figures by site, enterprise and address, made once for a scope and kept for a moment.

Figures of a week are sums over much of a ledger; fifty readers must not make them fifty times a second. What is kept is
of one scope alone, so nobody is given another's.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from sensor.bulletin.period import Period
from sensor.model.coverage import Coverage
from sensor.model.scope import Scope
from sensor.model.summary import Line, SiteSummary, Summary

#: Results that are kept at once; seconds for which one is used at least, and as a multiple of what making it took.
MOST_KEPT, LEAST_S, TIMES_MAKING = 64, 15.0, 20.0

Value = TypeVar("Value")


@dataclass(frozen=True)
class WeekFigures:
    """A week of a scope."""

    period: Period
    summary: Summary

    @property
    def coverage(self) -> Coverage:
        """When sensors listened."""
        return self.summary.coverage

    @property
    def watched_hours(self) -> float:
        """Hours in which at least one sensor listened."""
        return self.summary.coverage_seconds / 3_600

    @cached_property
    def by_site(self) -> dict[int, list[Line]]:
        """The lines of each site; 0: nobody is named."""
        return _grouped(self.summary.lines, lambda line: line.site_id or 0)

    @cached_property
    def by_address(self) -> dict[str, list[Line]]:
        """The lines of each address."""
        return _grouped(self.summary.lines, lambda line: line.address)

    @cached_property
    def by_enterprise(self) -> dict[str, list[Line]]:
        """The lines of each enterprise."""
        return _grouped(self.summary.lines, self._enterprise_id)

    @cached_property
    def by_pool(self) -> dict[str, list[Line]]:
        """The lines that have a pool, by its name."""
        found: dict[str, list[Line]] = defaultdict(list)
        for line in self.summary.lines:
            for pool in line.pools:
                found[pool].append(line)
        return dict(found)

    def site(self, site_id: int) -> SiteSummary | None:
        """What the week says of a site; None where it was not seen."""
        return self.summary.sites.get(site_id)

    def sites_of_kind(self, kind: str) -> list[int]:
        """The sites that are of a kind by what the week shows."""
        return [site_id for site_id, site in self.summary.sites.items() if site.site_class.kind == kind]

    def _enterprise_id(self, line: Line) -> str:
        site = self.summary.about(line)
        return site.enterprise.enterprise_id if site and site.enterprise else ""


def _grouped(lines: tuple[Line, ...], key: Callable[[Line], Value]) -> dict[Value, list[Line]]:
    found: dict[Value, list[Line]] = defaultdict(list)
    for line in lines:
        found[key(line)].append(line)
    return dict(found)


class FiguresCache:
    """What was made for a scope and a subject, for a moment. Any thread may ask; one makes, those who ask for the same
    wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[Scope, str], tuple[float, object]] = OrderedDict()
        self._making: dict[tuple[Scope, str], threading.Lock] = {}

    def get(self, scope: Scope, subject: str, make: Callable[[], Value]) -> Value:
        """What `make` gave not long ago, or gives now."""
        key = (scope, subject)
        with self._lock:
            turn = self._making.setdefault(key, threading.Lock())
        try:
            with turn:
                with self._lock:
                    entry = self._entries.get(key)
                if entry is not None and self._clock() < entry[0]:
                    return entry[1]  # type: ignore[return-value]
                began = self._clock()
                value = make()
                took = self._clock() - began
                with self._lock:
                    self._entries[key] = (self._clock() + max(LEAST_S, TIMES_MAKING * took), value)
                    self._entries.move_to_end(key)
                    while len(self._entries) > MOST_KEPT:
                        self._entries.popitem(last=False)
                return value
        finally:
            with self._lock:
                self._making.pop(key, None)
