"""The server of the metrics: `/metrics`, `/healthz` and `/readyz`, all read from the sensor's newest status."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from exporters.forms.metrics import StatusCollector
from exporters.forms.series import METRICS, PREFIX
from exporters.kinds import prometheus
from sensor.model.status import Status
from sensor.model.time import SECOND_NS
from sensor.serve.access import Access, ServeError, read
from sensor.serve.server import HttpRequest, HttpResponse, Server, listen

#: The status codes of all responses, so that each is counted from 0.
CODES = (200, 400, 401, 404, 405, 500, 503)
#: How long an encoded answer is given again while the status is the same (the daemon makes one a second, and one after
#: a reload), in seconds; and how many forms of it are held, more than there are.
FRESH_S, MOST_FORMS = 1.0, 16
INDEX = "minewatch: /metrics /healthz /readyz\n"


class MetricsServer:
    """Serves the metrics of `source` from `start` to `close`. It listens at once, so that a mistake shows at once.

    `source` is called from the server's thread and must answer at once. Raises ServeError, each problem in one
    sentence.
    """

    def __init__(self, config: prometheus.Config, source: Callable[[], Status]) -> None:
        self._config, self._source = config, source
        access = _access(config)
        self.certificate_until_ns = access.until_ns  # when the certificate ends; 0: there is none
        host, port = prometheus.address(config.listen)
        try:
            listening = listen(host, port)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ServeError(f"{config.listen}: cannot listen for scrapes: {reason}") from None
        self._server = Server(listening, access, self._respond, "metrics")
        self._server.responses.update(dict.fromkeys(CODES, 0))
        self._encoded: dict[str, tuple[float, Status, bytes]] = {}  # by form: when it was made and of what, the answer
        self._lock = threading.Lock()
        self._registry = registry(StatusCollector(source), ServerCollector(self._server))

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.port

    def start(self) -> None:
        """Answer from now on."""
        self._server.start()

    def reload(self, config: prometheus.Config | None = None) -> None:
        """Read the web configuration file again, for the connections to come. Raises ServeError, and then nothing
        has changed.
        """
        config = config or self._config
        if config.listen != self._config.listen:
            raise ServeError(f"listen: {config.listen} instead of {self._config.listen} needs a restart")
        access = _access(config)
        self._server.replace_access(access)
        self._config, self.certificate_until_ns = config, access.until_ns

    def close(self) -> None:
        """Stop at once. Idempotent."""
        self._server.close()

    def _respond(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/metrics":
            return self._metrics(request.headers.get("accept", ""))
        if request.path == "/healthz":
            status = self._source()
            trouble = "; ".join(filter(None, (_simulated(status), status.ledger_trouble)))
            return _health(stalled(status, time.time_ns(), self._config.stall_seconds), trouble or None)
        if request.path == "/readyz":
            return _health(list(self._source().unready))
        return HttpResponse(200, INDEX.encode()) if request.path == "/" else HttpResponse(404, b"no such page\n")

    def _metrics(self, accept: str) -> HttpResponse:
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # asked for a version that is none
            encode, content_type = choose_encoder("")
        with self._lock:  # one encodes, whoever asks meanwhile gets the same
            now_s, status = time.monotonic(), self._source()
            made_s, of, body = self._encoded.get(content_type, (0.0, None, b""))
            if of is not status or now_s - made_s >= FRESH_S:
                if len(self._encoded) >= MOST_FORMS:
                    self._encoded.clear()
                body = encode(self._registry)
                self._encoded[content_type] = (now_s, status, body)
        return HttpResponse(200, body, content_type)


class ServerCollector(Collector):
    """What the server itself counts."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterator[Metric]:
        """Responses by status code, and connections dropped by reason."""
        counts = (
            ("http_responses_total", "code", self._server.responses),
            ("http_connections_dropped_total", "reason", self._server.drops),
        )
        for name, label, counter in counts:
            family = CounterMetricFamily(PREFIX + name, METRICS[name], labels=[label])
            for value, count in counter.items():
                family.add_metric([str(value)], count)
            yield family


class ProcessMetrics(ProcessCollector):
    """The library's collector of the process. It reads the boot time from /proc/stat, which the sandbox hides
    (ProcSubset=pid).
    """

    def _boot_time(self) -> float:
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def registry(*collectors: Collector) -> CollectorRegistry:
    """A registry of these collectors and of the process."""
    collected = CollectorRegistry(auto_describe=False)
    ProcessMetrics(registry=collected)
    for collector in collectors:
        collected.register(collector)
    return collected


def stalled(status: Status, now_ns: int, stall_seconds: int) -> list[str]:
    """A sentence for each stage that has not moved for longer than `stall_seconds`."""
    ages = {stage: (now_ns - beat_ns) // SECOND_NS for stage, beat_ns in status.heartbeats_ns.items()}
    return [f"{stage} has not moved for {age} s" for stage, age in ages.items() if age > stall_seconds]


def _health(problems: list[str], trouble: str | None = None) -> HttpResponse:
    """The problems decide; trouble that a restart would not mend is only said."""
    lines = [*(problems or ["ok"]), *([] if trouble is None else [trouble])]
    return HttpResponse(503 if problems else 200, "".join(f"{line}\n" for line in lines).encode())


def _simulated(status: Status) -> str | None:
    return f"simulated: {', '.join(status.simulated)}" if status.simulated else None


def _access(config: prometheus.Config) -> Access:
    return read(None if config.web_config_file is None else Path(config.web_config_file))
