"""A registry of schemas beside the brokers, and how a message names its schema: a zero byte, the schema's number (4
bytes, big-endian), then the message. That is the wire format of Confluent's Schema Registry, which others speak, too.

The registry is asked once in a process's life. Registering the same schema again gives the same number.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from exporters.destination import Refused, Unreachable
from exporters.settings import PATH, Tls, secret_of
from exporters.transports.http import Poster, Url
from sensor.model.section import Section

MARK, NUMBER_BYTES = b"\0", 4
CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
MOST_NUMBER = (1 << 31) - 1


class RegistrySettings(Section):
    """Where the registry is, and a file that holds the value of the header Authorization."""

    url: Url
    authorization_file: str | None = Field(default=None, json_schema_extra=PATH)
    tls: Tls = Tls()


class SchemaRegistry:
    """What names a topic's schema."""

    def __init__(self, settings: RegistrySettings, topic: str, schema: dict[str, Any], timeout_s: float) -> None:
        """`schema` is JSON Schema. Raises Unusable if a secret or certificate cannot be read."""
        self._url = f"{settings.url.rstrip('/')}/subjects/{topic}-value/versions"
        self._poster = Poster(self._url, settings.tls, timeout_s)
        allowed = settings.authorization_file
        self._headers = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE}
        if allowed is not None:
            self._headers["Authorization"] = secret_of("schema_registry.authorization_file", allowed)
        self._body = json.dumps({"schemaType": "JSON", "schema": json.dumps(schema)}).encode()
        self._beginning: bytes | None = None

    def beginning(self) -> bytes:
        """What stands before each message. Raises Unreachable: whatever the registry has against a schema may be
        mended there, and no report is given up for it."""
        if self._beginning is None:
            try:
                answer = self._poster.post(self._body, self._headers)
            except Refused as error:
                raise Unreachable(str(error)) from None
            self._beginning = MARK + self._number(answer).to_bytes(NUMBER_BYTES, "big")
        return self._beginning

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

    def _number(self, answer: bytes) -> int:
        try:
            number = json.loads(answer)["id"]
        except (ValueError, TypeError, KeyError, RecursionError):
            number = None
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= MOST_NUMBER:
            raise Unreachable(f"{self._url}: answers without the number of a schema")
        return number


def without_schema(body: bytes) -> bytes:
    """A message without what names its schema. JSON begins with no zero byte."""
    return body[1 + NUMBER_BYTES :] if body.startswith(MARK) else body
