"""What stands around every request, whoever asks and whatever is asked: bounds, the name of the host, and headers.

Bounds are kept before anything is parsed. The headers forbid scripts, styles and pictures of others, frames, and
keeping pages.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Bytes of all headers, of path and query, and of a body; seconds for each piece of a body.
MAX_HEADER_BYTES, MAX_ADDRESS_BYTES, MAX_BODY_BYTES, BODY_S = 16_384, 4_096, 65_536, 10.0
#: The one route that takes a file, bytes of its body, and seconds for all of it: a slow one must not hold a place.
UPLOAD, MAX_UPLOAD_BYTES, UPLOAD_S = re.compile(rb"/cases/\d{1,18}/attachments"), (10 << 20) + 65_536, 120.0
#: Headers at most.
MAX_HEADERS = 64
METHODS, READING = frozenset({"GET", "HEAD", "POST"}), frozenset({"GET", "HEAD"})
#: Nothing runs, nothing is loaded but the style sheet of this host, nothing is framed or sent elsewhere.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Of a file of somebody's: should it ever be drawn, then with no right at all.
SANDBOXED = f"{POLICY}; sandbox"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Nothing is told to other hosts. Not "no-referrer": with that browsers send forms with `Origin: null` (Fetch
    # standard, "append a request `Origin` header"), and ours count only with their own.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
#: Under TLS: a year (RFC 6797 section 6.1).
TRANSPORT_SECURITY = "max-age=31536000"


class TooLargeError(Exception):
    """A body was longer than its bound, or came too slowly."""


class Furniture:
    """An application around the console's."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], *, secure: bool) -> None:
        """`hosts` are the names under which the console is asked, without ports; `secure` says that TLS is spoken."""
        self._app, self._hosts, self._secure = app, frozenset(name.lower() for name in hosts), secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        begun = False

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._dress(MutableHeaders(scope=message))
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, dressed)
            return
        try:
            await self._app(scope, _bounded(receive, _most_bytes(scope)), dressed)
        except TooLargeError:
            if not begun:
                await PlainTextResponse("request too large or too slow\n", 413)(scope, receive, dressed)

    def _dress(self, headers: MutableHeaders) -> None:
        sandboxed = headers.get("Content-Security-Policy") == SANDBOXED
        for name, value in HEADERS.items():
            headers[name] = value
        if sandboxed:
            headers["Content-Security-Policy"] = SANDBOXED
        headers.setdefault("Cache-Control", "no-store")
        if self._secure:
            headers["Strict-Transport-Security"] = TRANSPORT_SECURITY

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        given = scope["headers"]
        if len(given) > MAX_HEADERS or sum(len(name) + len(value) for name, value in given) > MAX_HEADER_BYTES:
            return PlainTextResponse("headers too large\n", 431)
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_ADDRESS_BYTES:
            return PlainTextResponse("address too long\n", 414)
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _name(hosts[0]) not in self._hosts:
            return PlainTextResponse("unknown host\n", 421)
        if scope["method"] not in METHODS:
            allowed = READING if scope["path"].startswith("/api/") else METHODS
            return PlainTextResponse("method not allowed\n", 405, {"Allow": ", ".join(sorted(allowed))})
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:19]) > _most_bytes(scope):
            return PlainTextResponse("request too large\n", 413)
        return None


def _name(host: str) -> str:
    """The name of a Host header without its port, in lower case."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


def _most_bytes(scope: Scope) -> int:
    """Of the body of a request: a file is taken by one route alone, which reads it only from whoever is signed in."""
    takes_file = scope["method"] == "POST" and UPLOAD.fullmatch(scope.get("raw_path") or b"") is not None
    return MAX_UPLOAD_BYTES if takes_file else MAX_BODY_BYTES


def _bounded(receive: Receive, most: int) -> Receive:
    """The same, which ends with an error past the bound."""
    whole, ended, until_s = 0, False, time.monotonic() + UPLOAD_S

    async def bounded() -> Message:
        nonlocal whole, ended
        if ended:  # what comes now is the end of the connection, for which a long answer waits
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), min(BODY_S, max(0.0, until_s - time.monotonic())))
        except TimeoutError:
            raise TooLargeError from None
        whole += len(message.get("body", b""))
        ended = not message.get("more_body", False)
        if whole > most:
            raise TooLargeError
        return message

    return bounded
