"""What miners and pools say, one class a protocol: who signs in, jobs, difficulties, shares and their answers.

Nothing is hashed: nonces are random. `hashes` is how many hashes a share of a difficulty takes on average, as the
protocol's own documents define it.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Protocol

from tests.province.connection import MINER, POOL

Said = tuple[int, bytes]
BTC = "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr"
LTC = "LandHxL6EZWG1C1iHfLj4o5Gmv5Mi3jgMk"
KAS = "kaspa:qprgnpts6z9u7csk63th22ktsk0acvewluyapp6wwz29xnttyfahy7u9udahf"
XMR = "43ofb6jnX1wWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bBg4pz"
ETC = "0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D"
ZEC = "t1ZSH35SQ8E3oM2NT3xAYvb7RpMuAHag2ZE"
STALE = [21, "Job not found", None]


class Talk(Protocol):
    """One conversation; a difficulty is a number of the protocol's own scale."""

    def hashes(self, difficulty: float) -> float:
        """Hashes (or solutions) of a share on average."""

    def greeting(self, difficulty: float) -> list[Said]:
        """Signing in, the first difficulty and the first job."""

    def job(self, *, clean: bool) -> bytes:
        """A new job of the pool."""

    def retarget(self, difficulty: float) -> bytes:
        """A new difficulty, and the job from which on it holds."""

    def share(self) -> bytes:
        """A share for the newest job."""

    def answer(self, *, accepted: bool) -> bytes:
        """What the pool says to the last share."""


def line(message: object) -> bytes:
    """Compact JSON and a line feed."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


@dataclass
class _Numbered:
    """What all protocols here share: a login, an agent, numbered requests and jobs."""

    login: str
    agent: str
    rng: random.Random
    request: int = field(default=0, init=False)
    number: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.number = self.rng.randrange(1, 1 << 20)

    def ask(self, method: str, params: object, **more: object) -> bytes:
        """A request of the miner under the next number."""
        self.request += 1
        return line({"id": self.request, "method": method, "params": params, **more})

    def tell(self, method: str, params: object) -> bytes:
        """A notification of the pool."""
        return line({"id": None, "method": method, "params": params})

    def reply(self, result: object, error: object = None) -> bytes:
        """The answer to the newest request."""
        return line({"id": self.request, "result": result, "error": error})

    def hex(self, size: int) -> str:
        """Random bytes as hexadecimal digits."""
        return self.rng.randbytes(size).hex()

    def answer(self, *, accepted: bool) -> bytes:
        """True, or an error as most pools of the Stratum family state it."""
        return self.reply(True) if accepted else self.reply(None, STALE)


@dataclass
class Stratum(_Numbered):
    """Stratum V1 as cgminer speaks it; difficulty 1 is the target 0xffff x 2^208, for scrypt 65,536 times easier. Only
    SHA-256d's machines roll the version of the header.
    """

    scale: int = 1

    @property
    def rolls(self) -> bool:
        return self.scale == 1

    def hashes(self, difficulty: float) -> float:
        return difficulty * (1 << 48) / 65_535 / self.scale

    def greeting(self, difficulty: float) -> list[Said]:
        rolling = {"version-rolling.mask": "1fffe000", "version-rolling.min-bit-count": 2}
        pairs = [["mining.set_difficulty", "1"], ["mining.notify", "1"]]
        configured = [
            (MINER, self.ask("mining.configure", [["version-rolling"], rolling])),
            (POOL, self.reply({"version-rolling": True, "version-rolling.mask": "1fffe000"})),
        ]
        return [
            *(configured if self.rolls else ()),
            (MINER, self.ask("mining.subscribe", [self.agent])),
            (POOL, self.reply([pairs, self.hex(4), 8])),
            (MINER, self.ask("mining.authorize", [self.login, "x"])),
            (POOL, self.reply(True)),
            (POOL, self.retarget(difficulty)),
        ]

    def job(self, *, clean: bool) -> bytes:
        self.number += 1
        first = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff35" + self.hex(26)
        last, branches = "ffffffff02" + self.hex(40) + "00000000", [self.hex(32) for _ in range(3)]
        parts = [f"{self.number:x}", self.hex(32), first, last, branches, "20000000", "17022f7a", "69a544a0", clean]
        return self.tell("mining.notify", parts)

    def retarget(self, difficulty: float) -> bytes:
        return self.tell("mining.set_difficulty", [difficulty]) + self.job(clean=False)

    def share(self) -> bytes:
        parts = [self.login, f"{self.number:x}", self.hex(8), "69a544a0", self.hex(4)]
        parts += ["00c36000"] if self.rolls else []
        return self.ask("mining.submit", parts)


@dataclass
class Kaspa(_Numbered):
    """The Kaspa bridge's Stratum; difficulty 1 is 2^32 hashes."""

    def hashes(self, difficulty: float) -> float:
        return difficulty * float(1 << 32)

    def greeting(self, difficulty: float) -> list[Said]:
        return [
            (MINER, self.ask("mining.subscribe", [self.agent, "EthereumStratum/1.0.0"])),
            (POOL, self.reply([True, "EthereumStratum/1.0.0"])),
            (POOL, line({"id": None, "jsonrpc": "2.0", "method": "set_extranonce", "params": [self.hex(2), 6]})),
            (MINER, self.ask("mining.authorize", [self.login, "x"])),
            (POOL, self.reply(True)),
            (POOL, self.retarget(difficulty)),
        ]

    def job(self, *, clean: bool) -> bytes:  # noqa: ARG002 (every protocol has this signature)
        self.number += 1
        parts = [self.rng.getrandbits(63) for _ in range(4)]
        return self.tell("mining.notify", [str(self.number), parts, 1_772_000_000_000 + self.number])

    def retarget(self, difficulty: float) -> bytes:
        return self.tell("mining.set_difficulty", [difficulty]) + self.job(clean=False)

    def share(self) -> bytes:
        return self.ask("mining.submit", [self.login, str(self.number), self.hex(8)])


@dataclass
class CryptoNote(_Numbered):
    """The login protocol of XMRig; the target is 8 bytes, least significant first, and 2^64 / target the hashes."""

    target: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.session = self.hex(8)

    def hashes(self, difficulty: float) -> float:
        return float(1 << 64) / int((1 << 64) / difficulty)

    def greeting(self, difficulty: float) -> list[Said]:
        self.target = _little(difficulty)
        params = {"login": self.login, "pass": "x", "agent": self.agent, "algo": ["rx/0", "cn/r"], "rigid": ""}
        answer = {"id": self.session, "job": self._fields(), "extensions": ["algo", "keepalive"], "status": "OK"}
        return [(MINER, self.ask("login", params, jsonrpc="2.0")), (POOL, self._reply(answer))]

    def job(self, *, clean: bool) -> bytes:  # noqa: ARG002 (every protocol has this signature)
        return line({"jsonrpc": "2.0", "method": "job", "params": self._fields()})

    def retarget(self, difficulty: float) -> bytes:
        self.target = _little(difficulty)
        return self.job(clean=False)

    def share(self) -> bytes:
        # The upper bytes of a result lie below the target, as those of a true share do.
        bound = int.from_bytes(bytes.fromhex(self.target), "little")
        result = self.hex(24) + self.rng.randrange(bound).to_bytes(8, "little").hex()
        params = {
            "id": self.session,
            "job_id": str(self.number),
            "nonce": self.hex(4),
            "result": result,
            "algo": "rx/0",
        }
        return self.ask("submit", params, jsonrpc="2.0")

    def answer(self, *, accepted: bool) -> bytes:
        if accepted:
            return self._reply({"status": "OK"})
        return line({"id": self.request, "jsonrpc": "2.0", "error": {"code": -1, "message": "Block expired"}})

    def _reply(self, result: object) -> bytes:
        return line({"id": self.request, "jsonrpc": "2.0", "error": None, "result": result})

    def _fields(self) -> dict[str, object]:
        self.number += 1
        seed = "b1bfbd6ea0ba6e947681566b22ad4188dfcf6d727c6d5cb2afeb03f8da364091"
        blob, height = "1010" + self.hex(74), 3_298_110 + self.number
        return {
            "blob": blob,
            "job_id": str(self.number),
            "target": self.target,
            "height": height,
            "seed_hash": seed,
            "algo": "rx/0",
        }


@dataclass
class EthProxy(_Numbered):
    """eth_submitLogin and eth_submitWork; the boundary is 2^256 / difficulty, and the difficulty the hashes."""

    boundary: str = ""
    header: str = ""

    def hashes(self, difficulty: float) -> float:
        return difficulty

    def greeting(self, difficulty: float) -> list[Said]:
        wallet, _, worker = self.login.rpartition(".")
        signed_in = self.ask("eth_submitLogin", [f"{wallet}.{worker}", "x"], jsonrpc="2.0", worker=worker)
        answer = line({"id": self.request, "jsonrpc": "2.0", "result": True})
        wanted = self.ask("eth_getWork", [], jsonrpc="2.0", worker=worker)
        return [(MINER, signed_in), (POOL, answer), (MINER, wanted), (POOL, self._work(self.request, difficulty))]

    def job(self, *, clean: bool) -> bytes:  # noqa: ARG002 (every protocol has this signature)
        return self._work(0, None)

    def retarget(self, difficulty: float) -> bytes:
        return self._work(0, difficulty)

    def share(self) -> bytes:
        worker = self.login.rpartition(".")[2]
        params = ["0x" + self.hex(8), self.header, "0x" + self.hex(32)]
        return self.ask("eth_submitWork", params, jsonrpc="2.0", worker=worker)

    def answer(self, *, accepted: bool) -> bytes:
        return line({"id": self.request, "jsonrpc": "2.0", "result": accepted})

    def _work(self, number: int, difficulty: float | None) -> bytes:
        if difficulty is not None:
            self.boundary = f"0x{int((1 << 256) / difficulty):064x}"
        self.header = "0x" + self.hex(32)
        return line({"id": number, "jsonrpc": "2.0", "result": [self.header, "0x" + "43" * 32, self.boundary, "0x1"]})


@dataclass
class Equihash(_Numbered):
    """ZIP 301: targets, jobs of eight parts, solutions of 1,344 bytes; 2^256 / target solutions a share."""

    def hashes(self, difficulty: float) -> float:
        return difficulty

    def greeting(self, difficulty: float) -> list[Said]:
        return [
            (MINER, self.ask("mining.subscribe", [self.agent, None, "pool.example", "3333"])),
            (POOL, self.reply([None, self.hex(4)])),
            (MINER, self.ask("mining.authorize", [self.login, "x"])),
            (POOL, self.reply(True)),
            (POOL, self.retarget(difficulty)),
        ]

    def job(self, *, clean: bool) -> bytes:
        self.number += 1
        hashes = [self.hex(32) for _ in range(3)]
        return self.tell("mining.notify", [f"{self.number:x}", "04000000", *hashes, "a0446569", "1b10a51e", clean])

    def retarget(self, difficulty: float) -> bytes:
        return self.tell("mining.set_target", [f"{int((1 << 256) / difficulty):064x}"]) + self.job(clean=False)

    def share(self) -> bytes:
        solution = "fd4005" + self.hex(1_344)
        return self.ask("mining.submit", [self.login, f"{self.number:x}", "a0446569", self.hex(28), solution])


def _little(difficulty: float) -> str:
    return int((1 << 64) / difficulty).to_bytes(8, "little").hex()
