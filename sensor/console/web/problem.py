"""Why a request of a program was refused, as RFC 9457 has it, and the challenge that goes with it."""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from sensor.console.refusal import RefusalError

#: Where everything of it begins; the number is that of its form, which never changes.
BASE = "/api/v1"
CONTENT_TYPE = "application/problem+json"


class ProgramRefusalError(RefusalError):
    """A refusal with headers of its own."""

    def __init__(self, status: int, sentence: str, headers: dict[str, str]) -> None:
        super().__init__(status, sentence)
        self.headers = headers


def is_of_programs(request: Request) -> bool:
    """Whether whoever asks is answered as a program."""
    path = request.url.path
    return path == "/api" or path.startswith("/api/")


def problem(
    status: int, sentence: str, headers: dict[str, str] | None = None, parameter: str | None = None
) -> Response:
    """A refusal as an answer. Its type is that of its status alone (RFC 9457 section 4.2.1)."""
    body: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body["detail"] = sentence
    if parameter is not None:
        body["parameter"] = parameter
    data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Response(data, status, headers, CONTENT_TYPE)
