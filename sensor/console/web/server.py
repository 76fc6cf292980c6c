"""Serves the console: one process, bounds on what is open at once, and TLS where a certificate is named."""

from __future__ import annotations

import ipaddress
import sys
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

#: Connections at once, seconds that an idle one is kept, bytes of a request's head, seconds for what is under way when
#: the console is stopped.
MOST_CONNECTIONS, IDLE_S, MAX_HEAD_BYTES, STOPPING_S = 256, 5, 16_384, 5
#: Seconds after which a thread that reckons lets one go on that was waiting for the database. With Python's own 5 ms,
#: a page that reads a hundred rows waits half a second while figures of a week are made beside it.
SWITCH_S = 0.0005
#: Names under which a console on this host is asked.
OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Listening:
    """Where it listens, under which names it is asked, and by which certificate."""

    address: str
    port: int
    hosts: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    behind_tls: bool = False  # a server before it speaks TLS with browsers

    @property
    def on_loopback(self) -> bool:
        """Whether only this host can ask."""
        return ipaddress.ip_address(self.address).is_loopback

    @property
    def secure(self) -> bool:
        """Whether browsers speak TLS, with it or with a server before it: cookies are for that alone, then."""
        return self.certificate is not None or self.behind_tls

    @property
    def on_open_network(self) -> bool:
        """Whether what is said to it could be read on the way."""
        return not self.on_loopback and self.certificate is None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of Host that are taken."""
        own = f"[{self.address}]" if ":" in self.address else self.address
        return (*OWN_NAMES, own, *self.hosts)

    @property
    def url(self) -> str:
        """What to open in a browser."""
        name = self.hosts[0] if self.hosts else f"[{self.address}]" if ":" in self.address else self.address
        return f"{'http' if self.certificate is None else 'https'}://{name}:{self.port}/"


def serve(app: ASGIApp, where: Listening) -> None:
    """Serve until told to stop. Raises OSError where nothing can be listened to."""
    sys.setswitchinterval(SWITCH_S)
    config = uvicorn.Config(
        app,
        host=where.address,
        port=where.port,
        ssl_certfile=None if where.certificate is None else str(where.certificate),
        ssl_keyfile=None if where.key is None else str(where.key),
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        proxy_headers=False,  # nobody's word for another address is taken
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=STOPPING_S,
        h11_max_incomplete_event_size=MAX_HEAD_BYTES,
    )
    uvicorn.Server(config).run()
