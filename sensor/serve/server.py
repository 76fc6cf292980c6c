"""An HTTP/1.1 server for few and short connections: one response a connection, given by a handler.

It runs an event loop in a thread of its own, so that nobody who asks waits for the line or is waited for. Past the
bound the oldest connection of the address that has the most is ended for the newest, an address that asks too often is
told nothing, and each connection has a deadline for everything, the handshake included. h11 reads the protocol; what it
refuses is answered 400. It reads no body, so it answers GET and HEAD only. Knows nothing of what is served.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import h11

from sensor.serve.access import Access
from sensor.serve.rates import AddressRates

#: Connections at once, seconds for all of one, and bytes of a request's head. Most take milliseconds and a kilobyte.
MAX_CONNECTIONS = 32
DEADLINE_S = 10.0
MAX_HEAD_BYTES = 16_384
#: Why a connection is ended without a response. `full`: too many, at once or in a second.
DROPS = ("full", "slow", "broken", "error")
PLAIN = "text/plain; charset=utf-8"


class HttpRequest(NamedTuple):
    """What is asked for, by somebody who may ask."""

    path: str  # without the query
    headers: Mapping[str, str]  # names in lower case


class HttpResponse(NamedTuple):
    """What a request gets."""

    status: int
    body: bytes = b""
    content_type: str = PLAIN
    headers: tuple[tuple[str, str], ...] = ()  # further ones


#: Gives the response to a request. Called in one thread of its own, one request at a time; what it raises becomes a
#: 500.
Handler = Callable[[HttpRequest], HttpResponse]


class Server:
    """Serves the responses of a handler from `start` to `close`."""

    def __init__(self, listening: socket.socket, access: Access, handler: Handler, name: str) -> None:
        """`listening` is a socket of `listen`, which `close` closes; `name` begins the names of the threads."""
        self.responses: Counter[int] = Counter()  # by status code
        self.drops = Counter(dict.fromkeys(DROPS, 0))  # connections ended without a response, by reason
        self._socket, self._access, self._handler = listening, access, handler
        self._connections: dict[asyncio.Task[None], str] = {}  # whose each is, the oldest first
        self._rates = AddressRates()
        self._worker = ThreadPoolExecutor(1, f"{name}-handler")  # one request at a time
        self._checker = ThreadPoolExecutor(1, f"{name}-login")  # and beside it one slow look at a password
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._stopped = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def replace_access(self, access: Access) -> None:
        """Use this TLS context and these users for the connections to come."""
        self._access = access

    def close(self) -> None:
        """Stop at once. Idempotent."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(DEADLINE_S)
        elif not self._loop.is_closed():  # never started
            self._loop.close()
        self._socket.close()
        for pool in (self._worker, self._checker):
            pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        with contextlib.closing(self._loop):
            asyncio.set_event_loop(self._loop)
            # Counted, never a line for each.
            self._loop.set_exception_handler(lambda _loop, _context: self.drops.update(error=1))
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
                connection, peer = await self._loop.sock_accept(self._socket)
            except OSError:  # out of file descriptors, or a peer that left: the next may come
                self.drops["broken"] += 1
                await asyncio.sleep(0.1)
                continue
            address = str(peer[0]) if peer else ""  # of a Unix socket there is none
            if not self._rates.admits(address, self._loop.time()):
                self.drops["full"] += 1
                connection.close()
                await asyncio.sleep(0)  # the others' turn
                continue
            if len(self._connections) >= MAX_CONNECTIONS:
                self._make_room()
            task = self._loop.create_task(self._connection(connection))
            self._connections[task] = address
            task.add_done_callback(partial(self._ended, connection))

    def _make_room(self) -> None:
        """End the oldest connection of the address that has the most: one address cannot keep others out."""
        self.drops["full"] += 1
        (greediest, _), *_ = Counter(self._connections.values()).most_common(1)
        oldest = next(task for task, address in self._connections.items() if address == greediest)
        del self._connections[oldest]
        oldest.cancel()

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
                await self._exchange(reader, writer, access)
                writer.close()
                await writer.wait_closed()
        except TimeoutError:
            self.drops["slow"] += 1
        except OSError:  # the peer left, or speaks no TLS
            self.drops["broken"] += 1
        finally:
            if transport is not None:
                transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, access: Access) -> None:
        """Read one request and write its response."""
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        try:
            while (event := connection.next_event()) is h11.NEED_DATA:
                connection.receive_data(await reader.read(4_096))
            if not isinstance(event, h11.Request):
                return  # connected and left
            response, method = await self._respond(event, access), event.method
        except h11.RemoteProtocolError as error:
            response, method = HttpResponse(400, f"{error}\n".encode()), b"GET"
        self.responses[response.status] += 1
        head = (
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            ("Connection", "close"),
        )
        status = h11.Response(status_code=response.status, headers=[*head, *response.headers])
        writer.write(connection.send(status) or b"")
        if method != b"HEAD":
            writer.write(connection.send(h11.Data(data=response.body)) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()

    async def _respond(self, request: h11.Request, access: Access) -> HttpResponse:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        if not await self._may(headers.get("authorization", ""), access):
            challenge = ("WWW-Authenticate", 'Basic realm="minewatch", charset="UTF-8"')
            return HttpResponse(401, b"who is asking?\n", headers=(challenge,))
        if request.method not in (b"GET", b"HEAD"):
            return HttpResponse(405, b"only GET and HEAD\n", headers=(("Allow", "GET, HEAD"),))
        path = request.target.decode("latin-1").partition("?")[0]
        return await self._loop.run_in_executor(self._worker, self._handle, HttpRequest(path, headers))

    async def _may(self, authorization: str, access: Access) -> bool:
        """Whether this header Authorization grants access (RFC 7617)."""
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

    def _handle(self, request: HttpRequest) -> HttpResponse:
        try:
            return self._handler(request)
        except Exception as error:  # a mistake in a handler must not end the server: it is counted and shown
            return HttpResponse(500, f"{type(error).__name__}\n".encode())


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; without a host, or at `::`, on every address of both families. Raises OSError."""
    everywhere = host in ("", "::") and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if ":" in host or everywhere else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=MAX_CONNECTIONS, dualstack_ipv6=everywhere)
    listening.setblocking(False)
    return listening
