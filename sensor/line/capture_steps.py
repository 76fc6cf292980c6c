"""Captures through the line, hour by hour of their own clock: the same in a replay and in a daemon. Sans-IO: what
follows them, a ledger, is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sensor.line.hours import PacketHours
from sensor.line.pipeline import Pipeline
from sensor.model.events import Chunk, End, Event
from sensor.model.record import Record


class CaptureSteps(Protocol):
    """What follows captures as they are read."""

    def found(self, records: Sequence[Record]) -> None:
        """Records that are due while a capture is read; a replay has none before an hour ends."""

    def step(self, records: Sequence[Record], since_ns: int, over_ns: int) -> None:
        """An hour of the packet clock is over; what is new of findings since the last one. The capture at hand covers
        at least the time since then."""

    def read(self, end: End, records: Sequence[Record]) -> None:
        """A capture was read; what is new of findings since the last step. Its stretches are of times that can be."""


class CaptureStepper:
    """Takes events, and tells of each hour and each capture that ends."""

    def __init__(self, pipeline: Pipeline, steps: CaptureSteps) -> None:
        self._pipeline, self._steps = pipeline, steps
        self._hours = PacketHours()
        self._since_ns: int | None = None  # the first event of the capture at hand

    def step(self, events: Sequence[Event]) -> None:
        """Events in their order, however they are batched."""
        plausible = self._hours.plausible = self._pipeline.plausible
        for over_ns, part in self._hours.parts(events):
            if over_ns is not None:
                since_ns = over_ns if self._since_ns is None else self._since_ns
                self._steps.step(self._pipeline.checkpoint(), since_ns, over_ns)
            self._steps.found(self._pipeline.step(part))
            for event in part:
                if isinstance(event, Chunk) and self._since_ns is None and plausible.holds(event.ts_ns):
                    self._since_ns = event.ts_ns
                elif isinstance(event, End):
                    end = event._replace(stretches=plausible.stretches(event.stretches))
                    self._steps.read(end, self._pipeline.checkpoint())
                    self._since_ns = None
