"""How pools and miners of eight dialects write what a session needs: an opening, targets, jobs, shares and answers.

A share's worth is a number of hashes (of solutions for Equihash); each dialect writes it in its own unit, and `worth`
rounds to what that unit can say. Written from the dialects' descriptions; shares no code with the sensor.
"""

from __future__ import annotations

import base64
import json
import random
import struct

HASH = "abfac2575f41817930781732753dba0c11b288f00bbdfb41f064825c1cecc2bf"
Sent = tuple[int, bytes]  # side (0 the miner) and bytes


def line(**message: object) -> bytes:
    """Compact JSON and a line feed."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class Speech:
    """Bitcoin-style Stratum with SHA-256d; the others change what differs."""

    name = "stratum-v1 sha256d"
    login = "bc1q42muwdd8qnsmvkl0zvqlrp8jv2txksr5kxnccr.rig1"
    agent = "whatsminer/v1.1.0"
    unit = 2**48 / 65535  # hashes of a share of difficulty 1
    usual = 1e15  # hashes of a usual share
    jobs_have_targets = False
    polls = False  # each job is asked for

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def worth(self, hashes: float) -> float:
        """The nearest worth that can be written."""
        return max(1.0, round(hashes / self.unit)) * self.unit

    def opening(self) -> list[Sent]:
        """Subscribe and sign in, with the answers."""
        return [
            (0, line(id=1, method="mining.subscribe", params=[self.agent])),
            (1, line(id=1, result=[[["mining.notify", "a"]], "f1b0dee5", 4], error=None)),
            (0, line(id=2, method="mining.authorize", params=[self.login, "x"])),
            (1, line(id=2, result=True, error=None)),
        ]

    def target(self, worth: float) -> bytes | None:
        """The message that sets the worth of shares of the jobs after it; None where each job has its own."""
        return line(id=None, method="mining.set_difficulty", params=[round(worth / self.unit)])

    def job(self, number: int, worth: float) -> bytes:  # noqa: ARG002
        """A job."""
        params = [f"{number:x}", HASH, "01", "02", [], "20000000", "1a0ffff0", "689c3000", True]
        return line(id=None, method="mining.notify", params=params)

    def share(self, number: int, job: int, worth: float) -> bytes:  # noqa: ARG002
        """A share of a job."""
        params = [self.login, f"{job:x}", f"{number:08x}", "689c3007", f"{self.rng.getrandbits(32):08x}"]
        return line(id=number, method="mining.submit", params=params)

    def answer(self, number: int, worth: float) -> bytes:  # noqa: ARG002
        """The pool takes a share."""
        return line(id=number, result=True, error=None)


class Scrypt(Speech):
    name = "stratum-v1 scrypt"
    login = "LandHxL6EZWG1C1iHfLj4o5Gmv5Mi3jgMk.w1"
    agent = "Antminer L7/Tue Jan  9"
    unit = 2**48 / 65535 / 65536
    usual = 4e10


class EthereumStratum(Speech):
    name = "ethereum-stratum ethash"
    login = "0xb24901A70d3572a4ef2Fb968E84d483e6047Df4D.w9"
    usual = 4e9

    def worth(self, hashes: float) -> float:
        return max(0.01, round(hashes / self.unit, 4)) * self.unit

    def opening(self) -> list[Sent]:
        return [
            (0, line(id=1, method="mining.subscribe", params=["GMiner/2.09", "EthereumStratum/1.0.0"])),
            (1, line(id=1, result=[["mining.notify", "9f11", "EthereumStratum/1.0.0"], "080c"], error=None)),
            (0, line(id=3, method="mining.authorize", params=[self.login, "x"])),
            (1, line(id=3, result=True, error=None)),
        ]

    def target(self, worth: float) -> bytes | None:
        return line(id=None, method="mining.set_difficulty", params=[round(worth / self.unit, 4)])

    def job(self, number: int, worth: float) -> bytes:  # noqa: ARG002
        return line(id=None, method="mining.notify", params=[f"{number:04x}", HASH, HASH[::-1], True])

    def share(self, number: int, job: int, worth: float) -> bytes:  # noqa: ARG002
        nonce = f"{self.rng.getrandbits(48):012x}"
        return line(id=number, method="mining.submit", params=[self.login, f"{job:04x}", nonce])


class Kaspa(Speech):
    name = "kaspa kheavyhash"
    login = "kaspa:qprgnpts6z9u7csk63th22ktsk0acvewluyapp6wwz29xnttyfahy7u9udahf.pool1"
    unit = 2.0**32
    usual = 1e13

    def opening(self) -> list[Sent]:
        return [
            (0, line(id=1, method="mining.subscribe", params=["BzMiner/21.0.5", "EthereumStratum/1.0.0"])),
            (1, line(id=1, jsonrpc="2.0", result=[True, "EthereumStratum/1.0.0"], error=None)),
            (0, line(id=2, method="mining.authorize", params=[self.login, "x"])),
            (1, line(id=2, jsonrpc="2.0", result=True, error=None)),
        ]

    def target(self, worth: float) -> bytes | None:
        return line(id=None, jsonrpc="2.0", method="mining.set_difficulty", params=[round(worth / self.unit)])

    def job(self, number: int, worth: float) -> bytes:  # noqa: ARG002
        words = [self.rng.getrandbits(63) for _ in range(4)]
        return line(id=None, jsonrpc="2.0", method="mining.notify", params=[str(number), words, 1754600123456])

    def share(self, number: int, job: int, worth: float) -> bytes:  # noqa: ARG002
        nonce = f"{self.rng.getrandbits(64):016x}"
        return line(id=number, method="mining.submit", params=[self.login, str(job), nonce])

    def answer(self, number: int, worth: float) -> bytes:  # noqa: ARG002
        return line(id=number, jsonrpc="2.0", result=True, error=None)


class Equihash(Speech):
    name = "equihash zcash"
    login = "t1ZSH35SQ8E3oM2NT3xAYvb7RpMuAHag2ZE.miner1"
    usual = 1e6

    def worth(self, hashes: float) -> float:
        return 2.0**256 / (int(2.0**256 / max(2.0, hashes)) + 1)

    def opening(self) -> list[Sent]:
        return [
            (0, line(id=1, method="mining.subscribe", params=["nheqminer/0.5c", None, "pool.example", "3333"])),
            (1, line(id=1, result=["s1", "0000000a"], error=None)),
            (0, line(id=2, method="mining.authorize", params=[self.login, "x"])),
            (1, line(id=2, result=True, error=None)),
        ]

    def target(self, worth: float) -> bytes | None:
        return line(id=None, method="mining.set_target", params=[f"{int(2.0**256 / worth):064x}"])

    def job(self, number: int, worth: float) -> bytes:  # noqa: ARG002
        params = [f"j{number}", "04000000", HASH, HASH, HASH, "3a4e9c68", "1f07ffff", True]
        return line(id=None, method="mining.notify", params=params)

    def share(self, number: int, job: int, worth: float) -> bytes:  # noqa: ARG002
        solution = "fd4005" + self.rng.randbytes(64).hex()
        params = [self.login, f"j{job}", "3a4e9c68", self.rng.randbytes(28).hex(), solution]
        return line(id=number, method="mining.submit", params=params)


class CryptoNote(Speech):
    name = "cryptonote login"
    login = "43ofb6jnX1wWwtE8dgLizJRPFVHQkfhaEXYNeCVfyb3d4hxttHRjSKEGZx6hZfuYcYP3UhK2kTdN7LuvXtqx4vxP5bBg4pz"
    usual = 5e5
    jobs_have_targets = True

    def worth(self, hashes: float) -> float:
        return float(round(hashes))

    def opening(self) -> list[Sent]:
        params = {"login": self.login, "pass": "x", "agent": "XMRig/6.22.2", "algo": ["rx/0"]}
        first = self._job(0, self.first)
        return [
            (0, line(id=1, jsonrpc="2.0", method="login", params=params)),
            (1, line(id=1, jsonrpc="2.0", error=None, result={"id": "q", "job": first, "status": "OK"})),
        ]

    first = 1.0  # the worth in the login's answer

    def target(self, worth: float) -> bytes | None:  # noqa: ARG002
        return None

    def _job(self, number: int, worth: float) -> dict[str, object]:
        target = int(2**64 / worth).to_bytes(8, "little").hex()
        return {"blob": "1010" + "ab" * 74, "job_id": f"{number:08x}", "target": target, "algo": "rx/0"}

    def job(self, number: int, worth: float) -> bytes:
        return line(jsonrpc="2.0", method="job", params=self._job(number, worth))

    def share(self, number: int, job: int, worth: float) -> bytes:
        value = self.rng.randrange(1, int(2**64 / worth))
        result = self.rng.randbytes(24).hex() + value.to_bytes(8, "little").hex()
        share = {"id": "q", "job_id": f"{job:08x}", "nonce": f"{number:08x}", "result": result}
        return line(id=number, jsonrpc="2.0", method="submit", params=share)

    def answer(self, number: int, worth: float) -> bytes:  # noqa: ARG002
        return line(id=number, jsonrpc="2.0", error=None, result={"status": "OK"})


class StratumV2(Speech):
    name = "stratum-v2"
    unit = 2.0**32
    usual = 1e15

    def worth(self, hashes: float) -> float:
        return 2.0**256 / (int(2.0**256 / hashes) + 1)

    @staticmethod
    def frame(kind: int, payload: bytes, *, channel: bool = False) -> bytes:
        """A message with its header."""
        head = struct.pack("<HB", 0x8000 if channel else 0, kind)
        return head + len(payload).to_bytes(3, "little") + payload

    first = 1.0

    def opening(self) -> list[Sent]:
        names = b"".join(bytes([len(text)]) + text for text in (b"ExampleCo", b"EX-9", b"fw-1.0", b"sn0001"))
        setup = struct.pack("<BHHI", 0, 2, 2, 1) + b"\x04pool" + struct.pack("<H", 34254) + names
        user = b"wallet.rig1"
        asked = struct.pack("<I", 1) + bytes([len(user)]) + user + struct.pack("<f", 2e14) + b"\xff" * 32
        granted = struct.pack("<II", 1, 7) + self._target(self.first) + b"\x04\xde\xad\xbe\xef" + struct.pack("<I", 0)
        return [
            (0, self.frame(0x00, setup)),
            (1, self.frame(0x01, struct.pack("<HI", 2, 0))),
            (0, self.frame(0x10, asked)),
            (1, self.frame(0x11, granted)),
        ]

    @staticmethod
    def _target(worth: float) -> bytes:
        return int(2.0**256 / worth).to_bytes(32, "little")

    def target(self, worth: float) -> bytes | None:
        return self.frame(0x21, struct.pack("<I", 7) + self._target(worth), channel=True)

    def job(self, number: int, worth: float) -> bytes:  # noqa: ARG002
        payload = struct.pack("<II", 7, number) + b"\x01" + struct.pack("<II", 0x68951240, 0x20000000) + b"\xab" * 32
        return self.frame(0x15, payload, channel=True)

    def share(self, number: int, job: int, worth: float) -> bytes:  # noqa: ARG002
        fields = (7, number, job, self.rng.getrandbits(32), 0x68951240, 0x20000000)
        return self.frame(0x1A, struct.pack("<IIIIII", *fields), channel=True)

    def answer(self, number: int, worth: float) -> bytes:
        return self.frame(0x1C, struct.pack("<IIIQ", 7, number, 1, round(worth / self.unit)), channel=True)


class Getwork(Speech):
    name = "getwork over http"
    polls = True
    jobs_have_targets = True
    usual = 1e15

    def worth(self, hashes: float) -> float:
        return 2.0**256 / (int(2.0**256 / hashes) + 1)

    def opening(self) -> list[Sent]:
        return []

    def target(self, worth: float) -> bytes | None:  # noqa: ARG002
        return None

    def _data(self, job: int, nonce: int) -> str:
        return f"00000002{HASH}{job:064x}504e86ed1c2ac4af{nonce:08x}" + "00000080" + "0" * 80 + "80020000"

    def _post(self, **message: object) -> bytes:
        body = json.dumps(message).encode()
        user = base64.b64encode(f"{self.login}:x".encode()).decode()
        head = (
            "POST / HTTP/1.1\r\nHost: pool.example.test:8332\r\nUser-Agent: cgminer/4.11.1\r\n"
            f"Authorization: Basic {user}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    @staticmethod
    def _ok(**message: object) -> bytes:
        body = json.dumps(message).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def ask(self) -> bytes:
        """The miner asks for work."""
        return self._post(method="getwork", params=[], id=0)

    def job(self, number: int, worth: float) -> bytes:
        target = int(2.0**256 / worth).to_bytes(32, "little").hex()
        return self._ok(result={"data": self._data(number, 0), "target": target}, error=None, id=0)

    def share(self, number: int, job: int, worth: float) -> bytes:  # noqa: ARG002
        return self._post(method="getwork", params=[self._data(job, self.rng.getrandbits(32))], id=0)

    def answer(self, number: int, worth: float) -> bytes:  # noqa: ARG002
        return self._ok(result=True, error=None, id=0)


SPEECHES: tuple[type[Speech], ...] = (
    Speech,
    Scrypt,
    EthereumStratum,
    Kaspa,
    CryptoNote,
    Equihash,
    StratumV2,
    Getwork,
)
