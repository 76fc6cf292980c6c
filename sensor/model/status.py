"""How a running sensor stands at one moment: plain records that the daemon fills and the metrics are made of. Knows no
clock, no exporter.

Counts run since the process started and never go down. Times are nanoseconds of the wall clock since the epoch, 0 for
"never". Every key of a mapping becomes the value of a label, so keys come from closed sets (signatures, configuration,
reasons), never from the network: no address, wallet, enterprise, login or pool. A mapping holds its zeros: what can be
counted stands there before it happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sensor.model.condition import CAUSES
from sensor.model.policy import PolicyState
from sensor.model.summary import Range

#: The stages whose heartbeats tell whether the sensor lives, in the order of the line.
STAGES = ("capture", "line", "record", "deliver")
#: What can be wrong with a ledger.
LEDGER_FAULTS = ("full", "damaged", "locked", "other")
#: What a reload replaces.
RELOAD_KINDS = ("config", "signatures", "books")
#: What becomes of an attempt at delivery: taken, to be tried again, never to be taken, and an open finding that was
#: sent once more.
DELIVERIES = ("delivered", "failed", "refused", "repeated")

Counts = Mapping[str, int]
Figures = Mapping[str, float]


@dataclass(slots=True, frozen=True, kw_only=True)
class OutboxStatus:
    """One exporter's queue and what became of what was in it."""

    depth: int = 0  # records that wait
    oldest_ns: int = 0  # when the oldest of them was recorded; 0: none waits
    deliveries: Counts = field(default_factory=lambda: dict.fromkeys(DELIVERIES, 0))  # attempts by result
    dropped: int = 0  # records given up because the queue's bound was reached
    trouble: str | None = None  # why the newest attempt failed or was refused; None: it succeeded


@dataclass(slots=True, frozen=True)
class TableAge:
    """A table of the signatures, and the day its rows were last gone through; None: it does not say."""

    name: str
    rows: int
    dated: date | None


@dataclass(slots=True, frozen=True, kw_only=True)
class Reload:
    """How often something was replaced while running; the start counts as the first success."""

    succeeded: int = 0
    refused: int = 0
    last_succeeded: bool = True  # the newest attempt did
    last_success_ns: int = 0


@dataclass(slots=True, frozen=True, kw_only=True)
class Status:
    """Everything that is known of a running sensor. The daemon makes a new one; nobody changes one."""

    version: str
    engine: str
    start_ns: int
    sensor_id: str = ""
    sandbox: str = "off"  # what the process gave up: "off", "none: why", or the parts in force
    replaced: tuple[str, ...] = ()  # files that the sandbox cannot read any more, for they are others by now
    simulated: tuple[str, ...] = ()  # faults that are made on purpose now
    troubles: tuple[str, ...] = ()  # what is wrong now, oldest first
    unready: tuple[str, ...] = ()  # why nothing is captured, in words; none: it is capturing
    heartbeats_ns: Counts = field(default_factory=dict)  # by STAGES: when it last made progress, or had nothing to do

    # The capture.
    core: Counts = field(default_factory=dict)  # Core.stats()
    interfaces: Mapping[str, Counts] = field(default_factory=dict)  # Core.interfaces()
    lag_seconds: float = 0.0  # how far the line is behind the packets

    # The line.
    line: Counts = field(default_factory=dict)  # Pipeline.counters
    dialects: tuple[str, ...] = ()  # names of the loaded signatures
    verifying: tuple[str, ...] = ()  # of them, those whose shares can be recomputed
    signatures_changed_ns: int = 0  # modification time of the newest signature file
    tables: tuple[TableAge, ...] = ()  # of the loaded signatures
    limits: Counts = field(default_factory=dict)  # flows and candidates at once, at most

    emergency: Counts = field(
        default_factory=lambda: dict.fromkeys(CAUSES, 0)
    )  # by CAUSES: 1 for what there was no room for within the last minute, else 0

    # The findings.
    findings_reached: Mapping[tuple[str, str], int] = field(
        default_factory=dict
    )  # by (dialect, grade): each once at every grade it came to
    findings_open: Counts = field(default_factory=dict)  # now, by grade
    findings_suppressed: int = 0  # open ones that an allow-list suppresses
    findings_unknown: int = 0  # open ones with shares of unknown work
    hashrate_hps: Mapping[str, Range] = field(default_factory=dict)  # of open findings, by algorithm
    power_watts: Mapping[str, Range] = field(default_factory=dict)  # of open findings, by algorithm
    energy_joules: float = 0.0  # estimated, best value, all findings, since the start

    # What follows the line.
    attribution: Figures = field(default_factory=dict)  # Attribution.stats()
    ledger: Counts = field(default_factory=dict)  # Recorder.counters
    ledger_url: str = ""  # without its password
    today_ns: int = 0  # when the ledger's day began
    watched_today_seconds: float | None = None  # of that day, by this sensor; None: not known
    certificate_until_ns: int = 0  # when the certificate of the metrics ends; 0: there is none
    ledger_faults: Counts = field(default_factory=dict)  # by kind of fault: 1 for what the ledger has now, else 0
    ledger_trouble: str | None = None  # the same as a sentence; None while all is well
    evidence: Counts = field(default_factory=dict)  # Evidence.counters
    outboxes: Mapping[str, OutboxStatus] = field(default_factory=dict)  # by exporter
    reloads: Mapping[str, Reload] = field(default_factory=dict)  # by RELOAD_KINDS
    daemon: Counts = field(default_factory=dict)  # whatever else is counted, by name

    # What a centre gives to this sensor; all empty where it takes no parcels.
    policies: tuple[PolicyState, ...] = ()  # what became of the newest parcels
    policy_messages: Counts = field(default_factory=dict)  # messages of the topic, by what became of them
    policy_refused: Counts = field(default_factory=dict)  # parcels that were refused, by kind
    policy_trouble: str | None = None  # why no parcels are read; None while all is well
