"""Whether this sensor is in an emergency: a bound was reached, and something was given up for want of room within the
last minute. What is followed and what an indicator names goes first then; who is given up is decided elsewhere.

Counters of the core and the line in, the sensor's condition out: once when it begins, once when it is over, and about
once a minute between, so that a run after this one knows how it stood. Whether it is calm is asked of a clock that does
not step. Used by the line's thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sensor.line.flow_facts import stable_id
from sensor.model.condition import CALM_NS, CAUSES, Condition
from sensor.model.time import MINUTE_NS

#: Of what something was given up, by the counter that says so: those of the core, and those of the line.
OF_CORE: Mapping[str, str] = {
    "flows_evicted": "flows",
    "fragments_evicted": "fragments",
    "candidates_refused": "candidates",
    "unproven_evicted": "candidates",
    "held_given_up": "held",
    "events_dropped": "queue",
}
OF_LINE: Mapping[str, str] = {
    "sessions_evicted": "sessions",
    "streams_given_up": "streams",
    "findings_refused": "findings",
}


class EmergencyWatch:
    """Follows the counters of one run."""

    def __init__(self, sensor_id: str, before: Condition | None, ticks_ns: int) -> None:
        """`before`: what an earlier run began and did not end; it goes on, and is over after a calm minute of this
        run. `ticks_ns` here and below: the clock that does not step."""
        self._sensor_id, self._now = sensor_id, before
        self._counts = dict.fromkeys(CAUSES, 0)  # as they were when last looked at
        self._rose_ns = {} if before is None else dict.fromkeys(before.causes, ticks_ns)  # by that clock
        self._noted_ns = ticks_ns  # when it was last said how it stands

    def causes(self, ticks_ns: int) -> dict[str, int]:
        """By CAUSES: 1 for what there was no room for within the last minute, else 0."""
        return {cause: int(self._is_lately(self._rose_ns.get(cause), ticks_ns)) for cause in CAUSES}

    def step(self, core: Mapping[str, int], line: Mapping[str, int], now_ns: int, ticks_ns: int) -> list[Condition]:
        """The counters of now, at this wall clock: the condition, if something is to be recorded of it."""
        given_up = self._rises(core, line)
        self._rose_ns.update(dict.fromkeys(given_up, ticks_ns))
        before = self._now
        if given_up:
            self._now = self._with(given_up, now_ns)
            if before is None or ticks_ns - self._noted_ns >= MINUTE_NS:
                return self._noted(self._now, ticks_ns)
        elif before is not None and not any(self.causes(ticks_ns).values()):
            self._now = None
            return self._noted(replace(before, state="over"), ticks_ns)
        return []

    def end(self, core: Mapping[str, int], line: Mapping[str, int], now_ns: int, ticks_ns: int) -> list[Condition]:
        """The run ends: how it stands, for the next one to end it."""
        found = self.step(core, line, now_ns, ticks_ns)
        return found if found or self._now is None else self._noted(self._now, ticks_ns)

    def _rises(self, core: Mapping[str, int], line: Mapping[str, int]) -> dict[str, int]:
        """How much was given up since the last look, by cause."""
        counts = dict.fromkeys(CAUSES, 0)
        for counters, names in ((core, OF_CORE), (line, OF_LINE)):
            for name, cause in names.items():
                counts[cause] += counters.get(name, 0)
        before, self._counts = self._counts, counts
        return {cause: count - before[cause] for cause, count in counts.items() if count > before[cause]}

    def _with(self, given_up: Mapping[str, int], now_ns: int) -> Condition:
        """The condition, with what was given up since."""
        now = self._now
        if now is None:
            identity = stable_id("condition", self._sensor_id, "emergency", now_ns)
            now = Condition(identity, "emergency", "begun", self._sensor_id, now_ns, now_ns, {})
        causes = {cause: now.causes.get(cause, 0) + given_up.get(cause, 0) for cause in CAUSES}
        some = {cause: count for cause, count in causes.items() if count}
        return replace(now, last_ns=max(now.last_ns, now_ns), causes=some)

    def _noted(self, condition: Condition, ticks_ns: int) -> list[Condition]:
        self._noted_ns = ticks_ns
        return [condition]

    def _is_lately(self, rose_ns: int | None, ticks_ns: int) -> bool:
        return rose_ns is not None and ticks_ns - rose_ns < CALM_NS
