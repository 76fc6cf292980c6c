"""The HTTP server with any handler: what the handler is given, and what becomes of its response."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from sensor.serve.access import Access
from sensor.serve.server import HttpRequest, HttpResponse, Server, listen


def echo(request: HttpRequest) -> HttpResponse:
    """Shows the path and one header; fails where that is asked for."""
    if request.path == "/broken":
        raise KeyError("a secret detail")
    body = f"{request.path} {request.headers.get('x-name', '')}".encode()
    return HttpResponse(201, body, "text/x-echo", (("X-Further", "yes"),))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(listen("127.0.0.1", 0), Access(), echo, "echo")
    server.start()
    yield server
    server.close()


def get(server: Server, path: str, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body, response.headers


def test_a_handler_gets_path_and_headers_and_its_response_is_sent(server: Server) -> None:
    status, body, headers = get(server, "/a/b?c=d", **{"X-Name": "value"})
    assert (status, body) == (201, b"/a/b value")
    assert (headers["Content-Type"], headers["X-Further"]) == ("text/x-echo", "yes")


def test_a_handler_that_fails_is_a_500_without_detail_and_the_next_request_is_answered(server: Server) -> None:
    assert get(server, "/broken")[:2] == (500, b"KeyError\n")
    assert get(server, "/")[0] == 201
    assert server.responses == {500: 1, 201: 1}
