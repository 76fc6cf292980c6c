"""Programs that ask an Ethereum node: a wallet in a browser, a monitor that asks for the node's mining and once for its
work, a service with an address in its path, a scanner that asks for work on a connection of its own.
"""

from __future__ import annotations

import json
import random

from tests.demo.wire import Tcp, Wire, host

NODE = host("203.0.113.61")
WORK = ["0x" + "2c" * 32, "0x" + "43" * 32, "0x00000000000112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e"]
ADDRESS = "0x" + random.Random("address").randbytes(20).hex()


def ask(tcp: Tcp, path: str, agent: str, method: str, result: object) -> None:
    body = json.dumps({"id": 1, "jsonrpc": "2.0", "method": method, "params": []}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: node.example.test\r\nUser-Agent: {agent}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    reply = json.dumps({"id": 1, "jsonrpc": "2.0", "result": result}).encode()
    tcp.client(head.encode() + body)
    tcp.server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(reply) + reply).wait(3_000_000)


def make(wire: Wire) -> None:
    """Play the sessions."""
    wallet = Tcp(wire, host("198.51.100.61"), NODE, (40_000, 8545), 0).open()
    for _ in range(40):
        ask(wallet, "/", "Mozilla/5.0", "eth_getBlockByNumber", {"number": "0x1b4", "miner": ADDRESS})
        ask(wallet, f"/?address={ADDRESS}", "Mozilla/5.0", "eth_call", "0x")
    wallet.close()
    monitor = Tcp(wire, host("198.51.100.62"), NODE, (40_000, 8545), 0).open()
    for method, result in (
        ("eth_mining", True),
        ("eth_hashrate", "0x38a"),
        ("eth_getWork", WORK),
        ("eth_mining", True),
    ):
        ask(monitor, "/", "python-requests/2.31", method, result)
    for _ in range(40):
        ask(monitor, "/", "python-requests/2.31", "eth_blockNumber", "0x1b4")
    monitor.close()
    service = Tcp(wire, host("198.51.100.63"), NODE, (40_000, 8545), 0).open()
    for _ in range(20):
        ask(service, f"/{ADDRESS}", "okhttp/4", "eth_getBalance", "0x0")
    service.close()
    scanner = Tcp(wire, host("198.51.100.64"), NODE, (40_000, 8545), 0).open()
    ask(scanner, "/", "Go-http-client/1.1", "eth_getWork", None)
    scanner.close()
