"""A CryptoNote session in which every third share carries a proof of 80 to 400 KB: before the job's name, behind it, as
one text, as a list of pieces, and with texts in it that look like shares and logins.
"""

from __future__ import annotations

import json
import random

from tests.demo.wire import Tcp, Wire, host

MINER, POOL = host("198.51.100.41"), host("203.0.113.41")
WALLET = "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"
TRAP = '","method":"submit","id":99,"params":{"id":"s1","job_id":"j1","nonce":"00000000"},"login":"mallory","x":"'
PLAIN = 24


def proof(rng: random.Random, number: int) -> object:
    """What a share carries; of five kinds in turn."""
    size = rng.randrange(80_000, 400_000)
    text = rng.randbytes(size // 2).hex()
    if number % 5 == 1:
        return [text[at : at + 64] for at in range(0, size, 64)]
    if number % 5 == 2:
        return text + TRAP * 300
    if number % 5 == 3:
        return {"parts": [[{"i": at, "leaf": text[at : at + 32]}] for at in range(0, size, 64)]}
    if number % 5 == 4:
        return "\\" * (size // 2) + TRAP
    return text


def share(rng: random.Random, number: int) -> bytes:
    """One share; its proof stands before, between or behind what names it."""
    params: dict[str, object] = {
        "id": "s1",
        "job_id": "j1",
        "nonce": rng.randbytes(4).hex(),
        "result": rng.randbytes(32).hex(),
    }
    document = {"id": 10 + number, "jsonrpc": "2.0", "method": "submit", "params": params}
    if number % 3 == 1:
        carried = proof(rng, number // 3)
        if number % 2:
            params["proof"] = carried
        else:
            document = {"proof": carried, **document}
    return json.dumps(document).encode() + b"\n"


def make(wire: Wire) -> None:
    """Play the session."""
    rng = random.Random("proofs")
    tcp = Tcp(wire, MINER, POOL, (41_000, 3333), 0).open()
    login = {"login": f"{WALLET}.rig", "pass": "x", "agent": "XMRig/6.21.0"}
    tcp.client(json.dumps({"id": 1, "jsonrpc": "2.0", "method": "login", "params": login}).encode() + b"\n")
    job = {"blob": rng.randbytes(76).hex(), "job_id": "j1", "target": "711b0d00", "algo": "rx/0", "height": 3_000_000}
    result = {"id": "s1", "job": {**job, "seed_hash": rng.randbytes(32).hex()}, "status": "OK"}
    tcp.server(json.dumps({"id": 1, "jsonrpc": "2.0", "error": None, "result": result}).encode() + b"\n")
    for number in range(PLAIN):
        tcp.wait(7_000_000)
        tcp.client(share(rng, number))
        refused = {"code": -1, "message": "Low difficulty share"} if number % 8 == 4 else None
        answer = {"id": 10 + number, "error": refused, "result": None if refused else {"status": "OK"}}
        tcp.server(json.dumps(answer).encode() + b"\n")
    tcp.close()
