"""The metrics: a status in, the series of Prometheus out. Nothing is counted here; each scrape reads the newest status once.

Every label's values are a closed set with a bound: what is past the bound counts as `other`, so the number of series does not follow what
is seen on the network. Knows no socket; `exporters/scrape.py` serves it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector as Collecting
from pydantic import Field, field_validator

from exporters.forms import series as names
from exporters.forms.series import MALFORMED, METRICS, PREFIX, Row
from exporters.settings import PATH, Section
from sensor.model.evidence import Grade
from sensor.model.status import RELOAD_KINDS, STAGES, Bounds, Figures, Outbox, Reload, Status

NS = 1e-9
OTHER = "other"
#: Different values that a label may have in one metric, `other` not counted. Labels that are not here have values fixed in the code, or
#: chosen in the configuration (interface, exporter). With these a sensor with everything filled stays under 500 series.
BOUNDS: Mapping[str, int] = {"dialect": 36, "algorithm": 12, "reason": 32, "event": 16, "result": 8}
#: Grades a dialect can give; a finding of a lower one rests on names and addresses, not on a dialect.
DIALECT_GRADES = tuple(grade.label for grade in Grade if grade >= Grade.BEHAVES)
GRADES = tuple(grade.label for grade in Grade)

Families = Iterable[tuple[str, str, str]]


class Config(Section):
    """Where the metrics are served. `listen` is address:port, an IPv6 address in brackets, none for all addresses."""

    listen: str = "127.0.0.1:9469"
    web_config_file: str | None = Field(
        default=None, min_length=1, json_schema_extra=PATH
    )  # as for Prometheus' --web.config.file
    stall_seconds: Annotated[int, Field(ge=5, le=3_600)] = (
        30  # a stage that does not move for so long makes /healthz fail
    )

    @field_validator("listen")
    @classmethod
    def _listen(cls, text: str) -> str:
        address(text)
        return text


def address(listen: str) -> tuple[str, int]:
    """Host and port of `listen`. Raises ValueError in one sentence."""
    host, colon, port = listen.rpartition(":")
    if (
        not colon
        or not port.isascii()
        or not port.isdigit()
        or int(port) > 65_535
        or (":" in host and not host.startswith("["))
    ):
        raise ValueError(f"must be address:port, such as 127.0.0.1:9469 or [::1]:9469, not {listen!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


class Collector(Collecting):
    """All series of the sensor. `source` gives its newest status at once, from any thread. One scrape at a time."""

    def __init__(self, source: Callable[[], Status]) -> None:
        self._source = source
        self._values = Values()

    def collect(self) -> Iterator[Metric]:
        """The families of the newest status. Raises only what the source raises."""
        status = self._source()
        gathered = Gathered(self._values)
        for gather in (_sensor, _capture, _line, _findings, _records):
            gather(gathered, status)
        return gathered.families()


class Values:
    """The values each label has had. A value keeps its place for good, so no series changes its meaning while the sensor runs."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], set[str]] = {}

    def closed(self, metric: str, label: str, value: str) -> str:
        """The value, or `other` once the label has as many as it may have."""
        bound = BOUNDS.get(label)
        known = self._known.setdefault((metric, label), set())
        if bound is None or value in known:
            return value
        if len(known) >= bound:
            return OTHER
        known.add(value)
        return value


class Gathered:
    """The values of one scrape, added up by metric and labels."""

    def __init__(self, values: Values) -> None:
        self._closed = values.closed
        self._values: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}

    def add(self, metric: str, value: float, **labels: str) -> None:
        """One value; of several values of the same series the sum."""
        series = self._values.setdefault(metric, {})
        key = tuple((label, self._closed(metric, label, text)) for label, text in labels.items())
        series[key] = series.get(key, 0.0) + value

    def leave_out(self, metric: str, **labels: str) -> None:
        """Take a series back."""
        self._values.get(metric, {}).pop(tuple(labels.items()), None)

    def figures(
        self, figures: Figures, rows: Mapping[str, Row], rest: str, families: Families = (), **labels: str
    ) -> None:
        """Figures by name: those with a row, those of a family, and in `rest` what is in neither, so that nothing is hidden."""
        for name, row in rows.items():
            self.add(row.metric, figures.get(name, 0) * row.scale, **labels, **dict([row.label] if row.label else []))
        for name, figure in figures.items():
            if name in rows:
                continue
            for beginning, metric, label in families:
                if name.startswith(beginning):
                    self.add(metric, figure, **labels, **{label: name.removeprefix(beginning)})
                    break
            else:
                self.add(rest, figure, **labels, event=name)

    def families(self) -> Iterator[Metric]:
        """What was gathered, as the library's families, in the order of `METRICS`."""
        for metric in sorted(self._values, key=list(METRICS).index):
            series = self._values[metric]
            if not series:
                continue
            labels = [label for label, _ in next(iter(series))]
            make = CounterMetricFamily if metric.endswith("_total") else GaugeMetricFamily
            family = make(PREFIX + metric, METRICS[metric], labels=labels)
            for key, value in series.items():
                family.add_metric([text for _, text in key], value)
            yield family


class Process(ProcessCollector):
    """The library's collector of the process. It reads the boot time from /proc/stat, which the sandbox hides (ProcSubset=pid)."""

    def _boot_time(self) -> float:
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def registry(*collectors: Collecting) -> CollectorRegistry:
    """A registry of these collectors and of the process."""
    made = CollectorRegistry(auto_describe=False)
    Process(registry=made)
    for collector in collectors:
        made.register(collector)
    return made


def _sensor(gathered: Gathered, status: Status) -> None:
    gathered.add("build_info", 1, version=status.version, engine=status.engine)
    gathered.add("start_time_seconds", status.start_ns * NS)
    gathered.add("ready", not status.unready)
    for stage in STAGES:
        gathered.add("heartbeat_timestamp_seconds", status.heartbeats_ns.get(stage, 0) * NS, stage=stage)
    for kind in (*RELOAD_KINDS, *(kind for kind in status.reloads if kind not in RELOAD_KINDS)):
        reload = status.reloads.get(kind, Reload())
        gathered.add("reloads_total", reload.succeeded, kind=kind, result="success")
        gathered.add("reloads_total", reload.refused, kind=kind, result="refused")
        gathered.add("reload_last_successful", reload.last_succeeded, kind=kind)
        gathered.add("reload_last_success_timestamp_seconds", reload.last_success_ns * NS, kind=kind)
    gathered.add("signatures_changed_timestamp_seconds", status.signatures_changed_ns * NS)
    gathered.figures(status.daemon, names.DAEMON, "daemon_other_total")


def _capture(gathered: Gathered, status: Status) -> None:
    gathered.figures(status.core, names.CORE, "core_other_total", names.CORE_FAMILIES)
    gathered.add("capture_lag_seconds", status.lag_seconds)
    for name, figures in status.interfaces.items():
        gathered.figures(figures, names.INTERFACE, "capture_other_total", interface=name)


def _line(gathered: Gathered, status: Status) -> None:
    for reason in MALFORMED:
        gathered.add("malformed_messages_total", 0, reason=reason)
    for dialect in status.dialects:
        gathered.add("dialect_messages_total", 0, dialect=dialect)
    gathered.figures(status.line, names.LINE, "line_other_total", names.LINE_FAMILIES)


def _findings(gathered: Gathered, status: Status) -> None:
    for dialect in status.dialects:
        for grade in DIALECT_GRADES:
            gathered.add("findings_total", 0, dialect=dialect, grade=grade)
    for (dialect, grade), count in status.findings_reached.items():
        gathered.add("findings_total", count, dialect=dialect, grade=grade)
    for grade in GRADES:
        gathered.add("findings_open", status.findings_open.get(grade, 0), grade=grade)
    gathered.add("findings_muted", status.findings_muted)
    for algorithm, bounds in status.hashrate_hps.items():
        _estimate(gathered, "estimated_hashrate{}_hashes_per_second", algorithm, bounds)
    for algorithm, bounds in status.power_watts.items():
        _estimate(gathered, "estimated_power{}_watts", algorithm, bounds)
    gathered.add("estimated_energy_joules_total", status.energy_joules)


def _estimate(gathered: Gathered, name: str, algorithm: str, bounds: Bounds) -> None:
    for end, value in (("", bounds.best), ("_low", bounds.low), ("_high", bounds.high)):
        gathered.add(name.format(end), value, algorithm=algorithm)
        if "hashrate" in name:  # a sum over several algorithms would mean nothing
            gathered.leave_out(name.format(end), algorithm=OTHER)


def _records(gathered: Gathered, status: Status) -> None:
    gathered.figures(status.attribution, names.ATTRIBUTION, "attribution_other", names.ATTRIBUTION_FAMILIES)
    gathered.figures(status.ledger, names.LEDGER, "ledger_other_total")
    gathered.figures(status.evidence, names.EVIDENCE, "evidence_other_total")
    for name, outbox in status.outboxes.items():
        _outbox(gathered, name, outbox)


def _outbox(gathered: Gathered, name: str, outbox: Outbox) -> None:
    gathered.add("outbox_records", outbox.depth, exporter=name)
    gathered.add("outbox_oldest_timestamp_seconds", outbox.oldest_ns * NS, exporter=name)
    gathered.add("outbox_dropped_records_total", outbox.dropped, exporter=name)
    for result, count in outbox.deliveries.items():
        gathered.add("deliveries_total", count, exporter=name, result=result)
