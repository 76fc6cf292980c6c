"""What a collector tells of itself: `/metrics` for Prometheus, `/healthz` and `/readyz`. Read when somebody asks."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector as MetricsCollector

from exporters.forms.series import METRICS, PREFIX
from sensor.collect.collector import Collector
from sensor.collect.group_delivery import GroupDelivery
from sensor.model.time import SECOND_NS
from sensor.serve.access import ServeError, read
from sensor.serve.server import HttpRequest, HttpResponse, Server, listen

#: A metric, its meaning, its label if it has one, and the counters that it is made of, by the label's value.
COUNTERS: tuple[tuple[str, str, str | None, dict[str, str]], ...] = (
    ("collect_messages_total", "Messages that were read.", None, {"": "messages_read"}),
    (
        "collect_reports_total",
        "Reports: written, replaced by a later one of the same batch, or repeated by the sensor.",
        "result",
        {"written": "reports_written", "replaced": "reports_replaced", "repeated": "reports_repeated"},
    ),
    ("collect_records_total", "Findings, nodes and conditions that were written.", None, {"": "records_written"}),
    ("collect_batches_total", "Transactions of the ledger.", None, {"": "batches"}),
    (
        "collect_bad_messages_total",
        "Messages that were put aside: unreadable, of a newer release, or not to be written.",
        "reason",
        {"unreadable": "letters_unreadable", "newer": "letters_newer", "unwritable": "letters_unwritable"},
    ),
    ("collect_ledger_failures_total", "Attempts to write that are repeated.", None, {"": "ledger_failures"}),
    ("collect_partitions_reset_total", "Partitions that were made anew.", None, {"": "partitions_reset"}),
    ("collect_cases_closed_total", "Cases that fell silent and were closed.", None, {"": "cases_closed"}),
)
#: The loop goes round more often than this, in seconds; the longest pause after a failure is half of it.
STALL_S = 60.0


class CollectMetrics(MetricsCollector):
    """The series of one collector, and of what it delivers."""

    def __init__(self, collector: Collector, delivery: GroupDelivery | None = None) -> None:
        self._collector, self._delivery = collector, delivery

    def collect(self) -> Iterator[Metric]:
        """Every series, as it is now."""
        counts = self._collector.counters
        for name, meaning, label, parts in COUNTERS:
            family = CounterMetricFamily(PREFIX + name, meaning, labels=[label] if label else [])
            for value, counter in parts.items():
                family.add_metric([value] if label else [], counts[counter])
            yield family
        lag = GaugeMetricFamily(
            f"{PREFIX}collect_lag_messages", "Messages that wait, by partition.", labels=["partition"]
        )
        for (_, partition), waiting in sorted(self._collector.lag.items()):
            lag.add_metric([str(partition)], waiting)
        yield lag
        took = self._collector.batch_seconds
        yield GaugeMetricFamily(f"{PREFIX}collect_batch_seconds", "What the last batch took.", value=took)
        troubled = float(self._collector.trouble is not None)
        yield GaugeMetricFamily(f"{PREFIX}collect_trouble", "1 while something is wrong, else 0.", value=troubled)
        if self._delivery is not None:
            yield from delivery_series(self._delivery)


def delivery_series(delivery: GroupDelivery) -> Iterator[Metric]:
    """What is delivered from here. Names that a sensor has, too, mean the same."""
    held = float(delivery.delivers)
    yield GaugeMetricFamily(f"{PREFIX}collect_delivers", "1 while this collector runs the exporters.", value=held)
    changes = CounterMetricFamily(f"{PREFIX}collect_delivery_changes_total", CHANGES, labels=["change"])
    for change in ("takeovers", "losses", "failures"):
        changes.add_metric([change], delivery.counters[change])
    yield changes
    deliveries = CounterMetricFamily(
        f"{PREFIX}deliveries_total", METRICS["deliveries_total"], labels=["exporter", "result"]
    )
    for (exporter, result), count in sorted(delivery.counted().items()):
        deliveries.add_metric([exporter, result], count)
    yield deliveries
    waiting, oldest, dropped = (
        family(f"{PREFIX}{name}", METRICS[name], labels=["exporter"])
        for family, name in (
            (GaugeMetricFamily, "outbox_records"),
            (GaugeMetricFamily, "outbox_oldest_timestamp_seconds"),
            (CounterMetricFamily, "outbox_dropped_records_total"),
        )
    )
    for status in delivery.statuses():
        waiting.add_metric([status.name], status.depth)
        oldest.add_metric([status.name], status.oldest_ns / SECOND_NS)
        dropped.add_metric([status.name], status.dropped)
    yield from (waiting, oldest, dropped)


CHANGES = "Times this collector began to deliver, lost that to another one, or could not ask the ledger."


class CollectServer:
    """Serves the metrics of a collector from `start` to `close`. Raises ServeError where it cannot listen."""

    def __init__(self, address: str, collector: Collector, delivery: GroupDelivery | None = None) -> None:
        host, _, port = address.rpartition(":")
        try:
            listening = listen(host.removeprefix("[").removesuffix("]"), int(port))
        except OSError as error:
            raise ServeError(
                f"{address}: cannot listen for scrapes: {(error.strerror or str(error)).lower()}"
            ) from None
        self._collector, self._delivery = collector, delivery
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(CollectMetrics(collector, delivery))
        self._server = Server(listening, read(None), self._respond, "collect-metrics")

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.port

    def start(self) -> None:
        """Answer from now on."""
        self._server.start()

    def close(self) -> None:
        """Stop at once."""
        self._server.close()

    def _respond(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/metrics":
            try:
                encode, content_type = choose_encoder(request.headers.get("accept", ""))
            except (TypeError, ValueError):  # asked for a version that is none
                encode, content_type = choose_encoder("")
            return HttpResponse(200, encode(self._registry), content_type)
        if request.path == "/healthz":
            still_s = time.monotonic() - self._collector.moved_s
            trouble = f"has not moved for {still_s:.0f} s" if still_s > STALL_S else None
            return HttpResponse(503 if trouble else 200, f"{trouble or 'ok'}\n".encode())
        if request.path == "/readyz":
            trouble = self._collector.trouble or (None if self._delivery is None else self._delivery.trouble)
            return HttpResponse(503 if trouble else 200, f"{trouble or 'ok'}\n".encode())
        known_pages = b"minewatch collect: /metrics /healthz /readyz\n"
        return HttpResponse(200, known_pages) if request.path == "/" else HttpResponse(404, b"no such page\n")
