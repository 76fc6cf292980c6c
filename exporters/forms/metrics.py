"""The metrics: a status in, the series of Prometheus out.

Nothing is counted here; each scrape reads the newest status once. Every label's values are a closed set with a
bound: what is past the bound counts as `other`, so the number of series does not follow what is seen on the network.
Knows no socket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, time

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from exporters.forms import series as names
from exporters.forms.series import MALFORMED, METRICS, PREFIX, CounterSeries
from sensor.model.evidence import Grade
from sensor.model.policy import KINDS
from sensor.model.status import LEDGER_FAULTS, RELOAD_KINDS, STAGES, Figures, OutboxStatus, Reload, Status
from sensor.model.summary import Range

SECONDS_PER_NS = 1e-9
OTHER = "other"
#: Different values that a label may have in one metric, `other` not counted. Labels that are not here have values fixed
#: in the code, or chosen in the configuration (interface, exporter). With these a sensor with everything filled stays
#: under 500 series.
BOUNDS: Mapping[str, int] = {"dialect": 43, "algorithm": 11, "reason": 32, "event": 16, "result": 8}
#: Grades that stand at zero beforehand for each dialect. A finding of a lower one rests on shapes, names or addresses,
#: and seldom on a dialect. The last is given only where shares can be recomputed.
DIALECT_GRADES = tuple(grade.label for grade in Grade if grade >= Grade.SPEAKS)
GRADES = tuple(grade.label for grade in Grade)

Families = Iterable[tuple[str, str, str]]


class StatusCollector(Collector):
    """All series of the sensor. `source` gives its newest status at once, from any thread. One scrape at a time."""

    def __init__(self, source: Callable[[], Status]) -> None:
        self._source = source
        self._values = LabelValues()

    def collect(self) -> Iterator[Metric]:
        """The families of the newest status. Raises only what the source raises."""
        status = self._source()
        samples = Samples(self._values)
        for gather in (_sensor, _capture, _line, _findings, _records, _policy):
            gather(samples, status)
        return samples.families()


class LabelValues:
    """The values each label has had. A value keeps its place, so no series changes its meaning meanwhile."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], set[str]] = {}

    def closed(self, metric: str, label: str, value: str) -> str:
        """The value, or `other` once the label has as many as it may have."""
        bound = BOUNDS.get(label)
        values = self._values.setdefault((metric, label), set())
        if bound is None or value in values:
            return value
        if len(values) >= bound:
            return OTHER
        values.add(value)
        return value


class Samples:
    """The values of one scrape, added up by metric and labels."""

    def __init__(self, values: LabelValues) -> None:
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
        self, figures: Figures, rows: Mapping[str, CounterSeries], rest: str, families: Families = (), **labels: str
    ) -> None:
        """Figures by name: those with a row, those of a family, and all others in `rest`, so that none is hidden."""
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
        """What was samples, as the library's families, in the order of `METRICS`."""
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


def _sensor(samples: Samples, status: Status) -> None:
    simulated = ",".join(sorted({re.split("[=@]", fault)[0] for fault in status.simulated}))  # empty in service
    about = {"version": status.version, "engine": status.engine, "sandbox": status.sandbox, "simulated": simulated}
    samples.add("build_info", 1, **about)
    samples.add("start_time_seconds", status.start_ns * SECONDS_PER_NS)
    samples.add("ready", not status.unready)
    samples.add("troubles", len(status.troubles))
    if status.watched_today_seconds is not None:
        samples.add("watched_today_seconds", status.watched_today_seconds)
    samples.add("certificate_expiry_timestamp_seconds", status.certificate_until_ns * SECONDS_PER_NS)
    dated = [table.dated for table in status.tables if table.dated is not None]
    oldest_s = datetime.combine(min(dated), time(), UTC).timestamp() if dated else 0.0
    samples.add("tables_oldest_timestamp_seconds", oldest_s)
    for stage in STAGES:
        samples.add("heartbeat_timestamp_seconds", status.heartbeats_ns.get(stage, 0) * SECONDS_PER_NS, stage=stage)
    for kind in (*RELOAD_KINDS, *(kind for kind in status.reloads if kind not in RELOAD_KINDS)):
        reload = status.reloads.get(kind, Reload())
        samples.add("reloads_total", reload.succeeded, kind=kind, result="success")
        samples.add("reloads_total", reload.refused, kind=kind, result="refused")
        samples.add("reload_last_successful", reload.last_succeeded, kind=kind)
        samples.add("reload_last_success_timestamp_seconds", reload.last_success_ns * SECONDS_PER_NS, kind=kind)
    samples.add("signatures_changed_timestamp_seconds", status.signatures_changed_ns * SECONDS_PER_NS)
    samples.figures(status.daemon, names.DAEMON, "daemon_other_total")


def _capture(samples: Samples, status: Status) -> None:
    core = {figure: count for figure, count in status.core.items() if figure not in names.CORE_UNSHOWN}
    samples.figures(core, names.CORE, "core_other_total", names.CORE_FAMILIES)
    samples.add("capture_lag_seconds", status.lag_seconds)
    for name, figures in status.interfaces.items():
        shown = {figure: count for figure, count in figures.items() if figure not in names.INTERFACE_UNSHOWN}
        samples.figures(shown, names.INTERFACE, "capture_other_total", interface=name)


def _line(samples: Samples, status: Status) -> None:
    for reason in MALFORMED:
        samples.add("malformed_messages_total", 0, reason=reason)
    for dialect in status.dialects:
        samples.add("dialect_messages_total", 0, dialect=dialect)
    for cause, now in status.emergency.items():
        samples.add("emergency", now, of=cause)
    shown = {name: count for name, count in status.line.items() if not name.startswith(names.LINE_UNSHOWN)}
    samples.figures(shown, names.LINE, "line_other_total", names.LINE_FAMILIES)


def _findings(samples: Samples, status: Status) -> None:
    for dialect in status.dialects:
        for grade in DIALECT_GRADES if dialect in status.verifying else DIALECT_GRADES[:-1]:
            samples.add("findings_total", 0, dialect=dialect, grade=grade)
    for (dialect, grade), count in status.findings_reached.items():
        samples.add("findings_total", count, dialect=dialect, grade=grade)
    for grade in GRADES:
        samples.add("findings_open", status.findings_open.get(grade, 0), grade=grade)
    samples.add("findings_muted", status.findings_suppressed)
    samples.add("findings_unknown_work", status.findings_unknown)
    for algorithm, bounds in status.hashrate_hps.items():
        _estimate(samples, "estimated_hashrate{}_hashes_per_second", algorithm, bounds)
    for algorithm, bounds in status.power_watts.items():
        _estimate(samples, "estimated_power{}_watts", algorithm, bounds)
    samples.add("estimated_energy_joules_total", status.energy_joules)


def _estimate(samples: Samples, name: str, algorithm: str, bounds: Range) -> None:
    for end, value in (("", bounds.best), ("_low", bounds.low), ("_high", bounds.high)):
        samples.add(name.format(end), value, algorithm=algorithm)
        if "hashrate" in name:  # a sum over several algorithms would mean nothing
            samples.leave_out(name.format(end), algorithm=OTHER)


def _records(samples: Samples, status: Status) -> None:
    samples.figures(status.attribution, names.ATTRIBUTION, "attribution_other", names.ATTRIBUTION_FAMILIES)
    samples.figures(status.ledger, names.LEDGER, "ledger_other_total")
    for fault in LEDGER_FAULTS:
        samples.add("ledger_trouble", status.ledger_faults.get(fault, 0), fault=fault)
    samples.figures(status.evidence, names.EVIDENCE, "evidence_other_total")
    for name, outbox in status.outboxes.items():
        _outbox(samples, name, outbox)


def _policy(samples: Samples, status: Status) -> None:
    if not status.policy_messages:  # it takes no parcels, and has no series of them
        return
    for kind in KINDS:
        samples.add("policy_version", 0, kind=kind)
    for state in status.policies:
        if state.state != "refused" and state.kind in KINDS:
            samples.add("policy_version", state.version, kind=state.kind)
    for of, count in status.policy_refused.items():
        samples.add("policy_refused_total", count, kind=of)


def _outbox(samples: Samples, name: str, outbox: OutboxStatus) -> None:
    samples.add("outbox_records", outbox.depth, exporter=name)
    samples.add("outbox_oldest_timestamp_seconds", outbox.oldest_ns * SECONDS_PER_NS, exporter=name)
    samples.add("outbox_dropped_records_total", outbox.dropped, exporter=name)
    for result, count in outbox.deliveries.items():
        samples.add("deliveries_total", count, exporter=name, result=result)
