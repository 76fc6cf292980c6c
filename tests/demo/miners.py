"""What miners and pools say, in five dialects, as conversations on a wire of the demo or of a test case.

Each function plays one session and returns how many shares it submitted, and how many of them were accepted and
rejected, so that a test knows the truth without reading the capture. Every wallet is a checksummed encoding of hash
output: nobody has its key. Nothing is hashed to mine: nonces are random, and no such share can be recomputed; only
`recomputable` plays work that was done.
"""

from __future__ import annotations

import json
import random
from typing import NamedTuple

from tests.demo import museum
from tests.demo.wire import Tcp

BTC = "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr"
XMR = "43ofb6jnX1wWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bBg4pz"
ETC = "0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D"
ZEC = "t1ZSH35SQ8E3oM2NT3xAYvb7RpMuAHag2ZE"
RVN = "RQqs7FuYkj4mpPgkahLYtJLiKyAgA835gQ"
SECOND = 1_000_000
#: Hashes of a share of difficulty 1, as Bitcoin's pools count.
DIFFICULTY_1 = 1 << 32
#: Difficulty 10,000 and 80,000 as CryptoNote pools write it, and the boundaries of 4e9 and of 2.16e9 hashes.
XMR_EASY, XMR_USUAL = "b88d0600", "b7d10000"
ETC_BOUNDARY = "0x0000000112e0be826d694b2e62d01511f12a6061fbaec8bc02357593e70e52ba"
RVN_BOUNDARY = "00000001fe" + 54 * "0"


class Socks(Tcp):
    """A connection to a SOCKS5 proxy, which is asked for the pool by name before anything else is said."""

    pool = ("pool.example.test", 5555)

    def open(self) -> Tcp:
        """Handshake, method, request."""
        super().open()
        self.client(b"\x05\x01\x00").server(b"\x05\x00")
        name, port = self.pool
        self.client(b"\x05\x01\x00\x03" + bytes([len(name)]) + name.encode() + port.to_bytes(2, "big"))
        self.server(b"\x05\x00\x00\x01" + bytes(6))
        return self


class Counts(NamedTuple):
    """The truth about one session."""

    submitted: int
    accepted: int
    rejected: int


def line(message: object) -> bytes:
    """Compact JSON and a newline, as XMRig and most pools write."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def spaced(message: object) -> bytes:
    """JSON with blanks, as the cgminer family writes."""
    return json.dumps(message).encode() + b"\n"


def stratum(
    tcp: Tcp,
    login: str,
    agent: str,
    shares: int,
    every_s: float,
    rejects: frozenset[int] = frozenset(),
    *,
    difficulty: int = 65536,
    hashrate_hps: float | None = None,
) -> Counts:
    """Bitcoin-style Stratum V1: subscribe, authorize, jobs, a difficulty that is doubled once, shares by
    `mining.submit`.

    With a hashrate the difficulty in force decides how long a share takes; `every_s` does without.
    """
    rng = random.Random(f"stratum {login} {agent}")
    session, extranonce1 = rng.randbytes(4).hex(), rng.randbytes(4).hex()
    tcp.open()
    rolling = {"version-rolling.mask": "1fffe000", "version-rolling.min-bit-count": 2}
    tcp.client(spaced({"id": 1, "method": "mining.configure", "params": [["version-rolling"], rolling]}))
    tcp.server(line({"id": 1, "result": {"version-rolling": True, "version-rolling.mask": "1fffe000"}, "error": None}))
    tcp.client(spaced({"id": 2, "method": "mining.subscribe", "params": [agent]}))
    pairs = [["mining.set_difficulty", session], ["mining.notify", session]]
    tcp.server(line({"id": 2, "result": [pairs, extranonce1, 8], "error": None}))
    tcp.client(spaced({"id": 3, "method": "mining.authorize", "params": [login, "x"]}))
    tcp.server(line({"id": 3, "result": True, "error": None}))
    tcp.server(line({"id": None, "method": "mining.set_difficulty", "params": [difficulty]}) + _notify(rng, 1, True))
    job, accepted = 1, 0
    for number in range(shares):
        mean_s = difficulty * DIFFICULTY_1 / hashrate_hps if hashrate_hps else every_s
        tcp.wait(int(rng.uniform(0.6, 1.4) * mean_s * SECOND))
        if number == shares // 4:
            difficulty *= 2
            tcp.server(line({"id": None, "method": "mining.set_difficulty", "params": [difficulty]}))
        if number % 3 == 2:
            job += 1
            tcp.server(_notify(rng, job, number % 9 == 8))
        params = [login, f"{job:x}", f"{number:016x}", "69a544a0", rng.randbytes(4).hex(), "00c36000"]
        tcp.client(spaced({"params": params, "id": 4 + number, "method": "mining.submit"}))
        refused = number in rejects
        accepted += not refused
        error = [23, "Low difficulty share", None] if refused else None
        tcp.server(line({"id": 4 + number, "result": None if refused else True, "error": error}))
    return Counts(shares, accepted, shares - accepted)


def _notify(rng: random.Random, job: int, clean: bool) -> bytes:
    coinbase1 = (
        "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff35" + rng.randbytes(26).hex()
    )
    coinbase2 = "ffffffff02" + rng.randbytes(60).hex() + "00000000"
    branches = [rng.randbytes(32).hex() for _ in range(11)]
    params = [
        f"{job:x}",
        rng.randbytes(32).hex(),
        coinbase1,
        coinbase2,
        branches,
        "20000000",
        "17022f7a",
        "69a544a0",
        clean,
    ]
    return line({"id": None, "method": "mining.notify", "params": params})


def cryptonote(
    tcp: Tcp,
    login: str,
    agent: str,
    shares: int,
    every_s: float,
    rejects: frozenset[int] = frozenset(),
    *,
    target: str = XMR_EASY,
) -> Counts:
    """The login dialect of XMRig: login with a job in the answer, pushed jobs, submits, keepalives."""
    rng = random.Random(f"cryptonote {login} {agent}")
    session = f"{rng.getrandbits(32):08x}-0e8c-4b32-9d0e-{rng.getrandbits(48):012x}"

    def job(number: int) -> dict[str, object]:
        blob = "1010" + rng.randbytes(74).hex()
        seed = "b1bfbd6ea0ba6e947681566b22ad4188dfcf6d727c6d5cb2afeb03f8da364091"
        fields: dict[str, object] = {"blob": blob, "job_id": str(number), "target": target, "height": 3298110 + number}
        return {**fields, "seed_hash": seed, "algo": "rx/0", "id": session}

    def request(number: int, method: str, params: object) -> bytes:
        return line({"id": number, "jsonrpc": "2.0", "method": method, "params": params})

    def reply(number: int, result: object, error: object = None) -> bytes:
        return line({"id": number, "jsonrpc": "2.0", "error": error, "result": result})

    tcp.open()
    tcp.client(
        request(
            1, "login", {"login": login, "pass": "x", "agent": agent, "algo": ["rx/0", "cn/r", "rx/wow"], "rigid": ""}
        )
    )
    tcp.server(
        reply(1, {"id": session, "job": job(1), "extensions": ["algo", "nicehash", "keepalive"], "status": "OK"})
    )
    ident, current, accepted = 1, 1, 0
    for number in range(shares):
        tcp.wait(int(rng.uniform(0.6, 1.4) * every_s * SECOND))
        if number % 4 == 3:
            current += 1
            tcp.server(line({"jsonrpc": "2.0", "method": "job", "params": job(current)}))
        if number % 5 == 4:
            ident += 1
            tcp.client(request(ident, "keepalived", {"id": session}))
            tcp.server(reply(ident, {"status": "KEEPALIVED"}))
        ident += 1
        nonce, result = rng.randbytes(4).hex(), rng.randbytes(32).hex()
        tcp.client(
            request(
                ident,
                "submit",
                {"id": session, "job_id": str(current), "nonce": nonce, "result": result, "algo": "rx/0"},
            )
        )
        refused = number in rejects
        accepted += not refused
        tcp.server(
            reply(ident, None, {"code": -1, "message": "Low difficulty share"})
            if refused
            else reply(ident, {"status": "OK"})
        )
    return Counts(shares, accepted, shares - accepted)


def ethproxy(
    tcp: Tcp,
    login: str,
    worker: str,
    shares: int,
    every_s: float,
    rejects: frozenset[int] = frozenset(),
    *,
    claimed_hps: int = 89_000_000,
) -> Counts:
    """The eth-proxy dialect: eth_submitLogin, eth_getWork, pushed work of id 0, eth_submitWork, eth_submitHashrate."""
    rng = random.Random(f"ethproxy {login} {worker}")

    def request(number: int, method: str, params: list[str]) -> bytes:
        return line({"id": number, "jsonrpc": "2.0", "method": method, "params": params, "worker": worker})

    def work(number: int) -> tuple[str, bytes]:
        header = "0x" + rng.randbytes(32).hex()
        return header, line(
            {"id": number, "jsonrpc": "2.0", "result": [header, "0x" + "43" * 32, ETC_BOUNDARY, "0x1234567"]}
        )

    tcp.open()
    tcp.client(request(1, "eth_submitLogin", [f"{login}.{worker}", "x"])).server(
        line({"id": 1, "jsonrpc": "2.0", "result": True})
    )
    tcp.client(request(5, "eth_getWork", []))
    header, answer = work(5)
    tcp.server(answer)
    accepted = 0
    for number in range(shares):
        tcp.wait(int(rng.uniform(0.6, 1.4) * every_s * SECOND))
        header, pushed = work(0)
        tcp.server(pushed)
        if number % 3 == 1:
            tcp.client(request(9, "eth_submitHashrate", [f"0x{claimed_hps:064x}", "0x" + "4c" * 32]))
            tcp.server(line({"id": 9, "jsonrpc": "2.0", "result": True}))
        tcp.client(
            request(6, "eth_submitWork", ["0x" + rng.randbytes(8).hex(), header, "0x" + rng.randbytes(32).hex()])
        )
        refused = number in rejects
        accepted += not refused
        tcp.server(line({"id": 6, "jsonrpc": "2.0", "result": not refused}))
    return Counts(shares, accepted, shares - accepted)


def equihash(
    tcp: Tcp, login: str, agent: str, shares: int, every_s: float, rejects: frozenset[int] = frozenset()
) -> Counts:
    """ZIP 301: mining.* with a target instead of a difficulty, and solutions of 1,344 bytes."""
    rng = random.Random(f"equihash {login} {agent}")
    tcp.open()
    tcp.client(line({"id": 1, "method": "mining.subscribe", "params": [agent, None, "pool.example", "3333"]}))
    tcp.server(line({"id": 1, "result": [None, rng.randbytes(4).hex()], "error": None}))
    tcp.client(line({"id": 2, "method": "mining.authorize", "params": [login, "x"]}))
    tcp.server(line({"id": 2, "result": True, "error": None}))
    tcp.server(line({"id": None, "method": "mining.set_target", "params": ["0007" + "f" * 60]}))
    accepted = 0
    for number in range(shares):
        job = f"{number:x}"
        fields = [
            job,
            "04000000",
            rng.randbytes(32).hex(),
            rng.randbytes(32).hex(),
            rng.randbytes(32).hex(),
            "a0446569",
            "1b10a51e",
            True,
        ]
        tcp.server(line({"id": None, "method": "mining.notify", "params": fields}))
        tcp.wait(int(rng.uniform(0.6, 1.4) * every_s * SECOND))
        solution = "fd4005" + rng.randbytes(1344).hex()
        tcp.client(
            line(
                {
                    "id": 4,
                    "method": "mining.submit",
                    "params": [login, job, "a0446569", rng.randbytes(28).hex(), solution],
                }
            )
        )
        refused = number in rejects
        accepted += not refused
        tcp.server(line({"id": 4, "result": not refused, "error": [21, "Job not found", None] if refused else None}))
    return Counts(shares, accepted, shares - accepted)


def kawpow(
    tcp: Tcp, login: str, agent: str, shares: int, every_s: float, rejects: frozenset[int] = frozenset()
) -> Counts:
    """The KawPow family: a boundary for the session and again in each job, shares with header and mix."""
    rng = random.Random(f"kawpow {login} {agent}")
    tcp.open()
    tcp.client(line({"id": 1, "jsonrpc": "2.0", "method": "mining.subscribe", "params": [agent]}))
    tcp.server(line({"id": 1, "jsonrpc": "2.0", "result": [None, rng.randbytes(2).hex()], "error": None}))
    tcp.client(line({"id": 2, "jsonrpc": "2.0", "method": "mining.authorize", "params": [login, "x"]}))
    tcp.server(line({"id": 2, "jsonrpc": "2.0", "result": True, "error": None}))
    tcp.server(line({"id": None, "jsonrpc": "2.0", "method": "mining.set_target", "params": [RVN_BOUNDARY]}))
    accepted = 0
    for number in range(shares):
        job, header, seed = (
            f"{number:x}",
            rng.randbytes(32).hex(),
            "91b9ab249fc609695652b74fd7d97e03e1bdd61fc810b5802b8bc0b1a382f775",
        )
        params = [job, header, seed, RVN_BOUNDARY, True, 3_182_211 + number, "1b0404cb"]
        tcp.server(line({"id": None, "jsonrpc": "2.0", "method": "mining.notify", "params": params}))
        tcp.wait(int(rng.uniform(0.6, 1.4) * every_s * SECOND))
        share = [login, job, "0x" + rng.randbytes(8).hex(), "0x" + header, "0x" + rng.randbytes(32).hex()]
        tcp.client(line({"id": 3 + number, "jsonrpc": "2.0", "method": "mining.submit", "params": share}))
        refused = number in rejects
        accepted += not refused
        error = [21, "Job not found", None] if refused else None
        tcp.server(line({"id": 3 + number, "jsonrpc": "2.0", "result": None if refused else True, "error": error}))
    return Counts(shares, accepted, shares - accepted)


def recomputable(tcp: Tcp, login: str, every_s: float) -> Counts:
    """Shares whose work was done (tests/demo/museum.py): a reader can recompute it."""
    done = museum.shares()
    tcp.open()
    for number, share in enumerate(done):
        for said in share.dialogue(job=f"job{number}", first=number == 0, login=login).splitlines():
            side, _, text = said.partition(" ")
            if "mining.submit" in text:
                tcp.wait(int(every_s * SECOND))
            (tcp.client if side == "C" else tcp.server)(text.encode() + b"\n")
    return Counts(len(done), len(done), 0)
