"""A provider of OpenID Connect over the network: its description, its keys, and the exchange of a code for a token.

Every answer is bounded in bytes and time, no redirect is followed, and nothing but HTTPS is spoken, except with this
machine itself. What the provider says of itself must be of the issuer that is configured (OpenID Connect Discovery 1.0
section 4.3).
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlencode

import urllib3
from joserfc.jwk import KeySet

from exporters.destination import Unusable
from exporters.settings import Tls
from exporters.transports.deadline import Deadline
from exporters.transports.http import pools_within
from sensor.settings.https import is_safe_url

#: Bytes of an answer at most; seconds that one may take; seconds that description and keys are believed, and after
#: which keys are asked for again where one is not among them.
MOST_BYTES, TIMEOUT_S, KEEP_S, AGAIN_S = 262_144, 5.0, 3_600.0, 60.0
METADATA = "/.well-known/openid-configuration"


class ProviderError(Exception):
    """The provider does not answer, or not as one; why, for the journal."""


class Fetch(Protocol):
    """One request: method, URL, headers, body; the answer's bytes. Raises ProviderError for all but 200."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes: ...


class Endpoints(NamedTuple):
    """Where a provider is asked."""

    authorization: str
    token: str
    keys: str


def https_fetch(ca_file: str | None = None) -> Fetch:
    """Requests over the network, each over a connection of its own: they are few."""
    tls = Tls(ca=ca_file)

    def fetch(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
        deadline = Deadline(TIMEOUT_S)
        try:
            context = tls.context() if url.startswith("https:") else None
            pool = urllib3.PoolManager(num_pools=1, retries=False, timeout=TIMEOUT_S, ssl_context=context)
            pool.pool_classes_by_scheme = pools_within(deadline)
            with deadline, contextlib.closing(pool_request(pool, method, url, headers, body)) as answer:
                data = b""
                while piece := answer.read1(16_384):
                    data += piece
                    if len(data) > MOST_BYTES:
                        raise ProviderError("an answer that is too long")
                if deadline.passed:
                    raise ProviderError("an answer that is too slow")
                status = answer.status
        except (urllib3.exceptions.HTTPError, OSError, ValueError, Unusable) as error:
            raise ProviderError(f"it does not answer: {type(error).__name__}") from None
        finally:
            deadline.release()
        if status != 200:
            raise ProviderError(f"it answers with status {status}")
        return data

    return fetch


def pool_request(
    pool: urllib3.PoolManager, method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> urllib3.BaseHTTPResponse:
    """One request as it is sent; no redirect is followed, nothing is unpacked."""
    return pool.request(
        method, url, body, headers=dict(headers), redirect=False, preload_content=False, decode_content=False
    )


class OidcProvider:
    """One provider; used from any thread."""

    def __init__(self, issuer: str, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer, self._fetch, self._clock = issuer, fetch, clock
        self._lock = threading.Lock()
        self._endpoints: tuple[float, Endpoints] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def endpoints(self) -> Endpoints:
        """Where it is asked. Raises ProviderError."""
        with self._lock:
            return self._described()

    def keys(self, key_id: str | None) -> KeySet:
        """Its keys; asked for again where this one is not among them, but not always. Raises ProviderError."""
        with self._lock:
            now_s = self._clock()
            if self._keys is not None:
                age_s, keys = now_s - self._keys[0], self._keys[1]
                missing = key_id is not None and all(key.kid != key_id for key in keys.keys)
                if age_s < (AGAIN_S if missing else KEEP_S):
                    return keys
            document = _document(self._fetch("GET", self._described().keys, {"Accept": "application/json"}, None))
            try:
                found = KeySet.import_key_set({"keys": _public_keys(document)})
            except Exception as error:  # whatever a library raises for keys from outside
                raise ProviderError(f"its keys are none: {type(error).__name__}") from None
            self._keys = (now_s, found)
            return found

    def token(self, code: str, verifier: str, redirect_url: str, client_id: str, secret: str) -> object:
        """The ID token for a code. Raises ProviderError."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_url}
        body = urlencode({**form, "code_verifier": verifier, "client_id": client_id}).encode()
        credentials = base64.b64encode(f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()
        headers = {
            "Authorization": f"Basic {credentials}",  # RFC 6749 section 2.3.1
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        return _document(self._fetch("POST", self.endpoints().token, headers, body)).get("id_token")

    def _described(self) -> Endpoints:
        now_s = self._clock()
        if self._endpoints is not None and now_s - self._endpoints[0] < KEEP_S:
            return self._endpoints[1]
        url = self.issuer.rstrip("/") + METADATA
        document = _document(self._fetch("GET", url, {"Accept": "application/json"}, None))
        if document.get("issuer") != self.issuer:
            raise ProviderError("it describes another issuer")
        found = [document.get(f"{name}_endpoint") for name in ("authorization", "token")] + [document.get("jwks_uri")]
        for place in found:
            if not isinstance(place, str) or not is_safe_url(place):
                raise ProviderError("it names a place that is not HTTPS")
        endpoints = Endpoints(*map(str, found))
        self._endpoints = (now_s, endpoints)
        return endpoints


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise ProviderError("its answer is no JSON") from None
    if not isinstance(document, dict):
        raise ProviderError("its answer is no JSON object")
    return document


def _public_keys(document: Mapping[str, Any]) -> list[Any]:
    """Keys for signatures, of kinds that have a public half; others are left out."""
    keys = document.get("keys")
    if not isinstance(keys, list):
        return []
    return [
        key
        for key in keys[:32]
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and key.get("use") != "enc"
    ]
