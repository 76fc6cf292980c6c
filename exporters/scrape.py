"""The server of the metrics: `/metrics`, `/healthz` and `/readyz` over HTTP/1.1, one answer a connection.

One thread of its own, so that nobody who reads metrics waits for the line or is waited for. Connections are few and short: past the bound
the oldest is ended for the newest, and each has a deadline for everything, the handshake included. h11 reads the protocol; what it refuses
is answered 400. Knows nothing of what the metrics say.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import h11
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector as Collecting

from exporters.forms.series import METRICS, PREFIX
from exporters.kinds import prometheus
from exporters.web_config import Access, ServeError, read
from sensor.model.status import Status

#: Connections at once, seconds for all of one, and bytes of a request's head. A scrape takes milliseconds and a kilobyte.
MAX_CONNECTIONS = 32
DEADLINE_S = 10.0
MAX_HEAD_BYTES = 16_384
CODES = (200, 400, 401, 404, 405, 500, 503)
DROPS = ("full", "slow", "broken", "error")
NS = 1_000_000_000
PLAIN = "text/plain; charset=utf-8"
INDEX = "minewatch: /metrics /healthz /readyz\n"


class Answer(NamedTuple):
    """What one request gets."""

    status: int
    body: bytes = b""
    content_type: str = PLAIN
    more: tuple[tuple[str, str], ...] = ()


class Server(Collecting):
    """Serves the metrics of `source` from `start` to `close`. The socket is bound at once, so that what is wrong is said at once.

    `source` is called from the server's thread and must answer at once. Raises ServeError, each problem in one sentence.
    """

    def __init__(self, config: prometheus.Config, source: Callable[[], Status]) -> None:
        self._config = config
        self._source = source
        self._access = _access(config)
        self._socket = _bound(config.listen)
        self._registry = prometheus.registry(prometheus.Collector(source), self)
        self._responses = Counter(dict.fromkeys(CODES, 0))
        self._drops = Counter(dict.fromkeys(DROPS, 0))
        self._connections: dict[asyncio.Task[None], None] = {}
        self._scraper = ThreadPoolExecutor(1, "metrics-scrape")  # one scrape at a time
        self._checker = ThreadPoolExecutor(1, "metrics-login")  # and beside it one slow look at a password
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._stopped = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def reload(self, config: prometheus.Config | None = None) -> None:
        """Read the web configuration file again, for the connections to come. Raises ServeError, and then nothing has changed."""
        config = config or self._config
        if config.listen != self._config.listen:
            raise ServeError(f"listen: {config.listen} instead of {self._config.listen} needs a restart")
        self._access, self._config = _access(config), config

    def close(self) -> None:
        """Stop at once. Idempotent."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(DEADLINE_S)
        elif not self._loop.is_closed():  # never started
            self._loop.close()
        self._socket.close()
        for pool in (self._scraper, self._checker):
            pool.shutdown(wait=False, cancel_futures=True)

    def collect(self) -> Iterator[Metric]:
        """What the server itself counts."""
        counts = (
            ("http_responses_total", "code", self._responses),
            ("http_connections_dropped_total", "reason", self._drops),
        )
        for name, label, counter in counts:
            family = CounterMetricFamily(PREFIX + name, METRICS[name], labels=[label])
            for value, count in counter.items():
                family.add_metric([str(value)], count)
            yield family

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            asyncio.set_event_loop(self._loop)
            self._loop.set_exception_handler(
                lambda _loop, _context: self._drops.update(error=1)
            )  # counted, never a line for each
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        accepting = self._loop.create_task(self._accept())
        await self._stopped.wait()
        tasks = [accepting, *self._connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self) -> None:
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._socket)
            except OSError:  # out of file descriptors, or a peer that left: the next may come
                self._drops["broken"] += 1
                await asyncio.sleep(0.1)
                continue
            if len(self._connections) >= MAX_CONNECTIONS:
                self._drops["full"] += 1
                oldest = next(iter(self._connections))
                del self._connections[oldest]
                oldest.cancel()
            task = self._loop.create_task(self._connection(connection))
            self._connections[task] = None
            task.add_done_callback(partial(self._ended, connection))

    def _ended(self, connection: socket.socket, task: asyncio.Task[None]) -> None:
        """A connection's task is over, also one that was cancelled before its first step."""
        self._connections.pop(task, None)
        connection.close()

    async def _connection(self, connection: socket.socket) -> None:
        """One connection from its handshake to its end, within the deadline."""
        access = self._access
        reader = asyncio.StreamReader(limit=MAX_HEAD_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport: asyncio.Transport | None = None
        try:
            async with asyncio.timeout(DEADLINE_S):
                transport, _ = await self._loop.connect_accepted_socket(lambda: protocol, connection, ssl=access.tls)
                writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
                await self._talk(reader, writer, access)
                writer.close()
                await writer.wait_closed()
        except TimeoutError:
            self._drops["slow"] += 1
        except OSError:  # the peer left, or speaks no TLS
            self._drops["broken"] += 1
        finally:
            if transport is not None:
                transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, access: Access) -> None:
        talk = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        try:
            while (event := talk.next_event()) is h11.NEED_DATA:
                talk.receive_data(await reader.read(4_096))
            if not isinstance(event, h11.Request):
                return  # connected and left
            answer, method = await self._answer(event, access), event.method
        except h11.RemoteProtocolError as error:
            answer, method = Answer(400, f"{error}\n".encode()), b"GET"
        self._responses[answer.status] += 1
        head = (
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            ("Connection", "close"),
        )
        writer.write(talk.send(h11.Response(status_code=answer.status, headers=[*head, *answer.more])) or b"")
        if method != b"HEAD":
            writer.write(talk.send(h11.Data(data=answer.body)) or b"")
        writer.write(talk.send(h11.EndOfMessage()) or b"")
        await writer.drain()

    async def _answer(self, request: h11.Request, access: Access) -> Answer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        if not await self._may(headers.get("authorization", ""), access):
            return Answer(
                401, b"who is asking?\n", more=(("WWW-Authenticate", 'Basic realm="minewatch", charset="UTF-8"'),)
            )
        if request.method not in (b"GET", b"HEAD"):
            return Answer(405, b"only GET and HEAD\n", more=(("Allow", "GET, HEAD"),))
        path = request.target.decode("latin-1").partition("?")[0]
        return await self._loop.run_in_executor(self._scraper, self._respond, path, headers.get("accept", ""))

    async def _may(self, authorization: str, access: Access) -> bool:
        if access.open:
            return True
        scheme, _, encoded = authorization.partition(" ")
        try:
            name, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
            user = name.decode()
        except (binascii.Error, ValueError):
            return False
        if scheme.lower() != "basic" or not colon:
            return False
        return access.remembers(user, password) or await self._loop.run_in_executor(
            self._checker, access.check, user, password
        )

    def _respond(self, path: str, accept: str) -> Answer:
        """The answer to a path, made in the scraper's thread."""
        try:
            if path == "/metrics":
                return self._metrics(accept)
            if path == "/healthz":
                return _verdict(stalled(self._source(), time.time_ns(), self._config.stall_seconds))
            if path == "/readyz":
                return _verdict(list(self._source().unready))
        except (
            Exception
        ) as error:  # the place where a mistake elsewhere must not end the server: it is counted and shown
            return Answer(500, f"{type(error).__name__}\n".encode())
        return Answer(200, INDEX.encode()) if path == "/" else Answer(404, b"no such page\n")

    def _metrics(self, accept: str) -> Answer:
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # asked for a version that is none
            encode, content_type = choose_encoder("")
        return Answer(200, encode(self._registry), content_type)


def stalled(status: Status, now_ns: int, stall_seconds: int) -> list[str]:
    """The stages that have not moved for longer than they may, in words."""
    ages = {stage: (now_ns - beat_ns) // NS for stage, beat_ns in status.heartbeats_ns.items()}
    return [f"{stage} has not moved for {age} s" for stage, age in ages.items() if age > stall_seconds]


def _verdict(problems: list[str]) -> Answer:
    return Answer(503 if problems else 200, "".join(f"{line}\n" for line in problems or ["ok"]).encode())


def _access(config: prometheus.Config) -> Access:
    return read(None if config.web_config_file is None else Path(config.web_config_file))


def _bound(listen: str) -> socket.socket:
    host, port = prometheus.address(listen)
    try:
        everywhere = host in ("", "::") and socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if ":" in host or everywhere else socket.AF_INET
        bound = socket.create_server((host, port), family=family, backlog=MAX_CONNECTIONS, dualstack_ipv6=everywhere)
    except OSError as error:
        raise ServeError(f"{listen}: cannot listen for scrapes: {(error.strerror or str(error)).lower()}") from None
    bound.setblocking(False)
    return bound
