"""POST over HTTP or HTTPS, and what the answer means for delivery: taken, never to be taken, or to be tried again.

Knows no records. Certificates and host names are always verified; no proxy, no redirect and no retry of its own: an
event is for the configured receiver, and for nobody that something on the way names instead.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

import urllib3
from pydantic import AfterValidator
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from exporters.destination import Refused, Unreachable
from exporters.settings import Tls
from exporters.transports.deadline import Deadline
from sensor.model.text import printable

#: Bytes of an answer that are read; of a refusal so many characters are reported.
ANSWER_BYTES, REPORTED_CHARACTERS = 4_096, 200
#: Refusals of the moment: request timeout, too many requests (RFC 9110, RFC 6585).
LATER = frozenset({408, 429})


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be http://HOST... or https://HOST...")
    if parts.username or parts.password:
        raise ValueError("must not hold a password: use authorization_file")
    return text


Url = Annotated[str, AfterValidator(_url)]


class Poster:
    """One URL, over a connection that is kept. `timeout_s` bounds a whole exchange: connecting, sending, and the answer
    to its end."""

    def __init__(self, url: str, tls: Tls, timeout_s: float) -> None:
        self._url, self._timeout_s = url, timeout_s
        self._deadline = Deadline(timeout_s)
        context = tls.context() if url.startswith("https:") else None
        timeout = urllib3.Timeout(connect=timeout_s, read=timeout_s)
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1, retries=False, timeout=timeout, ssl_context=context)
        self._pool.pool_classes_by_scheme = pools_within(self._deadline)

    def post(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Send a body; the beginning of the answer's. Raises Refused for an answer that will not change, Unreachable
        for all other trouble.

        A redirect is not followed, and is trouble that may pass: a captive portal answers so in the receiver's place.
        """
        fixed = {"Content-Type": "application/json", "User-Agent": "minewatch"}
        try:
            with self._deadline:
                response = self._pool.request(
                    "POST", self._url, body=body, headers={**fixed, **headers}, redirect=False, preload_content=False
                )
                answer, status = self._answer(response), response.status
                location = response.headers.get("Location", "")
        except (urllib3.exceptions.HTTPError, OSError) as error:
            late = f"timed out: no whole answer within {self._timeout_s:g} s"
            reason = late if self._deadline.passed else " ".join(str(error).split())
            raise Unreachable(f"{self._url}: {reason}") from error
        if 200 <= status < 300:
            return answer
        text = printable(answer.decode("utf-8", "replace"), " ")
        problem = f"{self._url}: answered {status} {text[:REPORTED_CHARACTERS]}".rstrip()
        if 300 <= status < 400:
            raise Unreachable(f"{self._url}: answered {status}: redirects{_target(location)} are not followed")
        if 400 <= status < 500 and status not in LATER:
            raise Refused(problem)
        raise Unreachable(problem)

    def _answer(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """The beginning of an answer's body; a receiver that sends it drop by drop is left."""
        answer = b""
        try:
            while len(answer) < ANSWER_BYTES:
                more = response.read1(ANSWER_BYTES - len(answer))
                if not more:
                    response.release_conn()
                    return answer
                answer += more
        except (urllib3.exceptions.HTTPError, OSError):
            if not self._deadline.passed:
                raise
        response.close()
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()
        self._deadline.release()


def pools_within(deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    """Pools of urllib3 whose connections belong to a deadline from the moment they are there."""

    class PlainConnection(urllib3.connection.HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            deadline.hold(connection)
            return connection

    class TlsConnection(urllib3.connection.HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            deadline.hold(connection)
            return connection

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = PlainConnection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": PlainPool, "https": TlsPool}


def _target(location: str) -> str:
    """Where a redirect leads, as a part of a sentence; nothing if it names no host."""
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return ""
    return f" to {printable(host, ' ')[:REPORTED_CHARACTERS]}" if host else ""
