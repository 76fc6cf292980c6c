"""Each event as a JSON POST that the receiver can verify, after the Standard Webhooks specification (1.0.0).

Three headers: `webhook-id` is the event's `event_id`, the same at every retry; `webhook-timestamp` seconds since the
epoch; `webhook-signature` is `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`. To verify, compute the
same over the raw body, compare in constant time, and turn away timestamps more than five minutes off. Any library of
that specification does so.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

from pydantic import Field, model_validator

from exporters.destination import Unusable
from exporters.forms.event import dumps
from exporters.forms.event import encode as event_of
from exporters.settings import PATH, ExporterSettings, Timeout, Tls, secret_of
from exporters.transports.http import Poster, Url
from sensor.model.record import Record, event_id

#: What marks a secret in Base64, and the least bytes of a secret. The specification asks for 24 to 64.
BASE64_MARK, LEAST_BYTES = "whsec_", 16


class Config(ExporterSettings):
    """Where to, and where the shared secret is: a file or an environment variable. `whsec_` marks Base64."""

    url: Url
    secret_file: str | None = Field(default=None, json_schema_extra=PATH)
    secret_env: str | None = None
    authorization_file: str | None = Field(
        default=None, json_schema_extra=PATH
    )  # holds the value of the header Authorization
    tls: Tls = Tls()
    timeout_s: Timeout = 5.0

    @model_validator(mode="after")
    def _one_secret(self) -> Config:
        if (self.secret_file is None) == (self.secret_env is None):
            raise ValueError("needs either secret_file or secret_env")
        return self


def encode(record: Record) -> bytes:
    """The body: the event as the EVE file has it."""
    return dumps(event_of(record)).encode()


def sign(secret: bytes, identity: str, seconds: int, body: bytes) -> str:
    """The header `webhook-signature`."""
    signed = f"{identity}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


class Sender:
    """Sends one event after another."""

    most = 1
    repeat_s: float | None = None

    def __init__(self, settings: Config, clock: Callable[[], float] = time.time) -> None:
        """Raises Unusable if the secret or a certificate cannot be read."""
        self._clock = clock
        key = "secret_file" if settings.secret_file else "secret_env"
        self._secret = _secret(secret_of(key, settings.secret_file, settings.secret_env))
        allowed = settings.authorization_file
        self._headers = {} if allowed is None else {"Authorization": secret_of("authorization_file", allowed)}
        self._poster = Poster(settings.url, settings.tls, settings.timeout_s)

    def send(self, records: Sequence[Record]) -> None:
        """Post the records. Raises Refused or OSError."""
        for record in records:
            body, identity, seconds = encode(record), event_id(record), int(self._clock())
            signed = {
                "webhook-id": identity,
                "webhook-timestamp": str(seconds),
                "webhook-signature": sign(self._secret, identity, seconds, body),
            }
            self._poster.post(body, {**self._headers, **signed})

    def reopen(self) -> None:
        """Nothing is held open that could be rotated."""

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()


def _secret(text: str) -> bytes:
    try:
        marked = text.startswith(BASE64_MARK)
        secret = base64.b64decode(text.removeprefix(BASE64_MARK), validate=True) if marked else text.encode()
    except binascii.Error:
        raise Unusable(f"secret: what follows {BASE64_MARK} is not Base64") from None
    if len(secret) < LEAST_BYTES:
        raise Unusable(f"secret: shorter than {LEAST_BYTES} bytes")
    return secret
