"""One end of a TLS session on OpenSSL (Python's ssl): plays a script. Arguments: a file of JSON.

Keys: role (client, server), port, version, ciphers, certificate, key, name, rows, expects. A row is [bytes that have to
have come before, milliseconds to wait then, lengths, whether each is written alone]. It ends when `expects` bytes came.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import time
from pathlib import Path
from typing import Any

#: SSL_OP_TLSEXT_PADDING, which Python sets and OpenSSL by itself does not.
TLSEXT_PADDING = 0x10


def main() -> None:
    """The command."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    secured = _accepted(plan) if plan["role"] == "server" else _connected(plan)
    secured.settimeout(30)
    came = 0
    for needed, pause_ms, lengths, alone in plan["rows"]:
        while came < needed and (part := secured.recv(65_536)):
            came += len(part)
        time.sleep(pause_ms / 1000)
        for length in lengths if alone else [sum(lengths)]:
            secured.sendall(bytes(length))
    while came < plan["expects"] and (part := secured.recv(65_536)):
        came += len(part)
    time.sleep(0.05)
    secured.close()


def _accepted(plan: dict[str, Any]) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if plan["version"] == "1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(plan["ciphers"])
    context.load_cert_chain(plan["certificate"], plan["key"])
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(connection, server_side=True)


def _connected(plan: dict[str, Any]) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT")  # of OpenSSL, not Python's
    context.options &= ~TLSEXT_PADDING
    connection = socket.create_connection(("127.0.0.1", plan["port"]))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(connection, server_hostname=plan["name"] or None)


if __name__ == "__main__":
    main()
