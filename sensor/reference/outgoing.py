"""What candidates tell: at once, or, while a gate is on trial, kept back until it is proven, or dropped.

Rules: docs/border.md, "On trial".
"""

from __future__ import annotations

from collections import deque

from sensor.model.events import Chunk, Event, Hit, Open
from sensor.model.limits import CoreLimits
from sensor.reference.counters import Counters
from sensor.reference.flow import Flow
from sensor.reference.holdings import Holdings
from sensor.reference.ranks import Ranks
from sensor.reference.trial import Verdict


class CandidateEvents:
    """The events of candidates, on their way out."""

    def __init__(self, limits: CoreLimits, counters: Counters, events: deque[Event]) -> None:
        self._limits = limits
        self._counters = counters
        self._events = events
        self._ranks = Ranks(limits)
        self._holdings = Holdings()

    def _hand_on(self, flow: Flow, event: Event) -> None:
        if flow.trial is not None:
            flow.trial.keep(event)
            return
        if isinstance(event, Chunk):
            self._counters["chunks"] += 1
            self._counters["chunk_bytes"] += len(event.data)
        self._counters["candidates_opened"] += isinstance(event, Open)
        self._counters["hits"] += isinstance(event, Hit)
        self._events.append(event)

    def _note_gap(self, flow: Flow, gap: int) -> None:
        flow.gap_bytes += gap
        if flow.trial is not None:
            flow.trial.gaps += 1
            return
        self._counters["gaps"] += 1
        self._counters["gap_bytes"] += gap

    def _decide(self, flow: Flow, found: tuple[Verdict, int]) -> bool:
        """Do as bytes of a flow on trial say; False: it came to nothing."""
        verdict, least_budget_bytes = found
        if verdict is Verdict.PROVEN:
            flow.budget_bytes = max(flow.budget_bytes, least_budget_bytes)
            self._prove(flow)
        elif verdict is Verdict.FAILED:
            self._fail(flow)
        return verdict is not Verdict.FAILED

    def _prove(self, flow: Flow) -> None:
        """The gate is open: all that was kept back is told."""
        trial, flow.trial = flow.trial, None
        if trial is None:
            return
        self._counters["gaps"] += trial.gaps
        self._counters["gap_bytes"] += flow.gap_bytes
        for event in trial.events:
            self._hand_on(flow, event)

    def _fail(self, flow: Flow) -> None:
        """It came to nothing: the flow is no candidate, and never was."""
        self._counters["trials_failed"] += 1
        self._ranks.set(flow, None)
        flow.forget_candidate()
        self._holdings.weigh(flow)

    def _end_trial(self, flow: Flow, *, is_over: bool) -> None:
        """No more comes of a candidate (it `is_over`), or no more of it is looked at: is it still on trial?"""
        if flow.trial is not None and flow.trial.holds(is_over=is_over):
            self._prove(flow)
        elif flow.trial is not None:
            self._fail(flow)
