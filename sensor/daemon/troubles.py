"""What is wrong with a running sensor now, a sentence each; said once when it begins and once when it is over.

`troubles` is a pure function of two statuses. What is only counted (drops, refusals) is trouble while its count rises
and for a while after: a sensor that drops a packet each second says so once and not each second.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from exporters.forms.amounts import duration
from sensor.model.status import Status
from sensor.model.text import printable
from sensor.model.time import DAY_NS, SECOND_NS
from sensor.model.trouble import Speaker

#: How long a count must not rise until its trouble is over.
CALM_S = 60
#: The line is behind by more than this; a stage has not moved for longer than this; a certificate ends within this.
LAG_S, STALL_S, EXPIRY_NS = 10.0, 30, 14 * DAY_NS

#: Counts that should never rise, by the part of the status: what it means, and what helps.
RISING = {
    "core": {
        "kernel_dropped": "the kernel dropped packets: give more workers, or a larger ring_bytes",
        "events_dropped": "the line is too slow and events were dropped: some shares are not counted",
        "flows_evicted": "the flow table is full (limits.flows) and the oldest flows were given up",
        "candidates_refused": "too many candidates at once (limits.candidates): some were not read",
    },
    "line": {
        "sessions_evicted": "too many sessions at once (limits.candidates): the oldest were given up",
        "streams_given_up": "streams take more memory than they may, and the greediest are given up",
        "findings_refused": "too many findings at once: new ones are not kept",
        "observations_dropped": "too many observations at once: some are not kept",
        "chunks_off_clock": (
            "packets are of a time that cannot be (before anything was mined, or still to come): is the clock set?"
        ),
    },
    "ledger": {"records_refused": "more records wait for the ledger than may: the newest are refused"},
    "evidence": {"write_failures": "evidence files cannot be written"},
    "daemon": {"resume_failures": "the ledger could not be asked what connections were known by"},
}


class SensorTrouble(NamedTuple):
    """What is wrong now."""

    key: str  # what it is told apart by, whatever its sentence says meanwhile
    sentence: str
    is_silent: bool = False  # whoever has it says it, with more than a status holds: the ledger, a delivery


class TroubleWatch:
    """Follows the troubles of one sensor from status to status. Used by the line's thread."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._now: dict[str, SensorTrouble] = {}
        self._since_ns: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._rose_ns: dict[str, int] = {}  # when a count was last seen to rise

    def step(self, status: Status, now_ns: int) -> tuple[str, ...]:
        """What is wrong at this time, oldest first; what has begun or is over since the last step is said."""
        found = {trouble.key: trouble for trouble in (*troubles(status, now_ns), *self._rising(status, now_ns))}
        for key in [key for key in self._now if key not in found]:
            self._end(self._now.pop(key), max(0, now_ns - self._since_ns.pop(key)))
        for key, trouble in found.items():
            if key not in self._now:
                self._since_ns[key] = now_ns
                if not trouble.is_silent:
                    self._speaker.warning(trouble.sentence)
            self._now[key] = trouble
        return tuple(trouble.sentence for trouble in self._now.values())

    def _end(self, trouble: SensorTrouble, lasted_ns: int) -> None:
        if not trouble.is_silent:
            self._speaker.notice(f"over after {duration(lasted_ns / SECOND_NS)}: {trouble.sentence}")

    def _rising(self, status: Status, now_ns: int) -> Iterator[SensorTrouble]:
        for part, counts in RISING.items():
            figures = getattr(status, part)
            for name, sentence in counts.items():
                key = f"count {part}.{name}"
                if self._rises(key, figures.get(name, 0), now_ns):
                    yield SensorTrouble(key, f"{sentence} ({figures[name]:,} since the start)")
        for name, outbox in status.outboxes.items():
            key = f"outbox {name}"
            if self._rises(key, outbox.dropped, now_ns, first=outbox.dropped):
                yield SensorTrouble(key, f"exporter {name}: its outbox is full, and the oldest events are given up")

    def _rises(self, key: str, count: int, now_ns: int, first: int = 0) -> bool:
        """Whether a count rose lately; `first` is what it is taken to have been before it was first seen."""
        if count > self._counts.get(key, first):
            self._rose_ns[key] = now_ns
        self._counts[key] = count
        return 0 <= now_ns - self._rose_ns.get(key, -CALM_S * SECOND_NS) < CALM_S * SECOND_NS


def troubles(status: Status, now_ns: int) -> Iterator[SensorTrouble]:
    """What is wrong by this status alone."""
    for sentence in status.unready:
        if sentence == status.ledger_trouble:
            yield SensorTrouble("ledger", sentence, is_silent=True)
        elif sentence != "starting":
            yield SensorTrouble(sentence, sentence)
    if status.lag_seconds > LAG_S:
        yield SensorTrouble("lag", f"the line is {status.lag_seconds:.0f} s behind the packets")
    for stage, beat_ns in status.heartbeats_ns.items():
        if now_ns - beat_ns > STALL_S * SECOND_NS:
            yield SensorTrouble(f"stage {stage}", f"{stage} has not moved for {(now_ns - beat_ns) // SECOND_NS} s")
    for name, outbox in status.outboxes.items():
        if outbox.trouble is not None:
            part = f"exporter {name}"
            yield SensorTrouble(part, f"{part}: {printable(outbox.trouble, '·')}", is_silent=True)
    if status.policy_trouble is not None:
        yield SensorTrouble("policy", f"policy: {printable(status.policy_trouble, '·')}", is_silent=True)
    for state in status.policies:
        if state.state == "refused" and state.version:  # whatever nobody signed is counted alone
            sentence = f"policy: {state.kind} {state.version} is refused: {printable(state.reason or '', '·')}"
            yield SensorTrouble(f"policy {state.kind}", sentence, is_silent=True)
    for fault in status.simulated:
        sentence = f"simulated: {fault}: this fault is made on purpose, and no figure of this run is true"
        yield SensorTrouble(f"simulated {fault}", sentence)
    if strained := [cause for cause, now in status.emergency.items() if now]:
        sentence = (
            f"emergency: no room for all {', '.join(strained)}; what mines and what an indicator names goes first"
        )
        yield SensorTrouble("emergency", sentence)
    for name in status.replaced:
        sentence = f"{name} was replaced, and the sandbox lets only the old one be read: restart the sensor"
        yield SensorTrouble(f"replaced {name}", sentence)
    left_ns = status.certificate_until_ns - now_ns
    if status.certificate_until_ns and left_ns < EXPIRY_NS:
        ends = f"ends in {left_ns / DAY_NS:.0f} days" if left_ns > 0 else "is over"
        yield SensorTrouble("certificate", f"the certificate of the metrics {ends}")
