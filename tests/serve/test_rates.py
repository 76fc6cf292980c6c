"""An address that asks too often is told nothing, and keeps nobody else from asking."""

from __future__ import annotations

import socket

from sensor.serve.access import Access
from sensor.serve.rates import BURST, MOST, PER_SECOND, AddressRates
from sensor.serve.server import MAX_CONNECTIONS, HttpResponse, Server, listen


def test_a_burst_is_admitted_and_then_so_many_a_second() -> None:
    rates = AddressRates()
    assert sum(rates.admits("192.0.2.1", 100.0) for _ in range(1_000)) == BURST
    assert sum(rates.admits("192.0.2.1", 101.0) for _ in range(1_000)) == PER_SECOND
    assert rates.admits("192.0.2.2", 101.0)


def test_only_so_many_addresses_are_remembered() -> None:
    rates = AddressRates()
    for number in range(MOST + 100):
        rates.admits(str(number), 1.0)
    assert len(rates._buckets) == MOST


def connect(port: int, host: str) -> socket.socket:
    connection = socket.socket()
    connection.bind((host, 0))
    connection.connect(("127.0.0.1", port))
    connection.settimeout(10)
    return connection


def test_one_address_with_many_open_connections_cannot_end_that_of_another() -> None:
    server = Server(listen("127.0.0.1", 0), Access(), lambda _: HttpResponse(200, b"yes"), "test")
    server.start()
    quiet = connect(server.port, "127.0.0.2")
    quiet.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
    greedy = [connect(server.port, "127.0.0.1") for _ in range(MAX_CONNECTIONS + 10)]
    assert greedy[0].recv(1) == b""
    quiet.sendall(b"\r\n")
    assert b"200" in quiet.recv(1_000)
    assert server.drops["full"] >= 10
    server.close()
    for connection in (quiet, *greedy):
        connection.close()


def test_whoever_asks_too_often_is_told_nothing_and_counted() -> None:
    server = Server(listen("127.0.0.1", 0), Access(), lambda _: HttpResponse(200, b"yes"), "test")
    server.start()
    answers = 0
    for _ in range(200):
        with connect(server.port, "127.0.0.1") as connection:
            try:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                answers += b"200" in connection.recv(1_000)
            except OSError:
                continue
    assert BURST <= answers < 200
    assert server.drops["full"] == 200 - answers
    with connect(server.port, "127.0.0.2") as other:
        other.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" in other.recv(1_000)
    server.close()
