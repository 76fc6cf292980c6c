"""Published blocks as Stratum sessions: the coinbase cut at an extranonce, the other transactions as branches.

Nothing here needs to be believed: the tests prove the bytes by their published hashes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

NO_INPUT = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff"
GENESIS_KEY = (
    "41040184710fa689ad5023690c80f3a49c8f13f8d45b8c857fbcbc8bc4a8e4d3eb4b10f4d4604fa08dce601aaf"
    "0f470216fe1b51850b4acf21b179c45070ac7b03a9ac"
)


@dataclass(frozen=True)
class Block:
    """The bytes of a block that its header depends on; `others` are transaction ids as they are printed."""

    name: str
    coinbase: str
    others: tuple[str, ...]
    version: int
    prevhash: str
    time: int
    bits: int
    nonce: int
    published_hash: str
    difficulty: float  # of shares, the block's own or lower
    extranonce_at: int = 42  # byte of the coinbase where eight bytes of extranonce are cut out


def genesis_coinbase(message: bytes, amount: int) -> str:
    """Litecoin's form, which Dogecoin kept."""
    script = bytes.fromhex("04ffff001d0104") + bytes([len(message)]) + message
    return (
        f"{NO_INPUT}{len(script):02x}{script.hex()}ffffffff01{amount.to_bytes(8, 'little').hex()}43"
        f"{GENESIS_KEY}00000000"
    )


BITCOIN_0 = Block(
    "bitcoin 0",
    NO_INPUT + "4d04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e20"
    "6272696e6b206f662073656"
    "36f6e64206261696c6f75"
    "7420666f722062616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6"
    "a828e03909a67962e0ea1f61d"
    "eb649f6bc3f4cef38c4f35504e51"
    "ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000",
    (),
    1,
    "00" * 32,
    1231006505,
    0x1D00FFFF,
    2083236893,
    "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    1,
)
BITCOIN_1 = Block(
    "bitcoin 1",
    NO_INPUT + "0704ffff001d0104ffffffff0100f2052a0100000043410496b538e853519c726a2c91e61ec11600ae1390813a"
    "627c66fb8be7947be63c52d"
    "a7589379515d4e0a604f8"
    "141781e62294721166bf621e73a82cbf2342c858eeac00000000",
    (),
    1,
    BITCOIN_0.published_hash,
    1231469665,
    0x1D00FFFF,
    2573394689,
    "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048",
    1,
)
BITCOIN_170 = Block(
    "bitcoin 170, the first payment",
    NO_INPUT + "0704ffff001d0102ffffffff0100f2052a01000000434104d46c4968bde02899d2aa0963367c7a6ce34eec332b"
    "32e42e5f3407e052d64ac62"
    "5da6f0718e7b302140434"
    "bd725706957c092db53805b821a85b23a7ac61725bac00000000",
    ("f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16",),
    1,
    "000000002a22cfee1f2c846adbd12b3e183d4f97683f85dad08a79780a84bd55",
    1231731025,
    0x1D00FFFF,
    1889418792,
    "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee",
    1,
)
BITCOIN_100000 = Block(
    "bitcoin 100000",
    NO_INPUT + "08044c86041b020602ffffffff0100f2052a010000004341041b0e8c2567c12536aa13357b79a073dc4444acb8"
    "3c4ec7a0e2f99dd7457516c"
    "5817242da796924ca4e999"
    "47d087fedf9ce467cb9f7c6287078f801df276fdf84ac00000000",
    (
        "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
        "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
        "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
    ),
    1,
    "000000000002d01c1fccc21636b607dfd930d31d01c3a62104612a1719011250",
    1293623863,
    0x1B04864C,
    274148111,
    "000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506",
    14484.1623612254,
)
LITECOIN_0 = Block(
    "litecoin 0",
    genesis_coinbase("NY Times 05/Oct/2011 Steve Jobs, Apple’s Visionary, Dies at 56".encode(), 50 * 10**8),
    (),
    1,
    "00" * 32,
    1317972665,
    0x1E0FFFF0,
    2084524493,
    "12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2",
    32,
)
DOGECOIN_0 = Block(
    "dogecoin 0",
    genesis_coinbase(b"Nintondo", 88 * 10**8),
    (),
    1,
    "00" * 32,
    1386325540,
    0x1E0FFFF0,
    99943,
    "1a91e3dace36e2be3bf030a65679fe821aa1d6ef92e7c9902eb318182c355691",
    64,
)
SHA256D = (BITCOIN_0, BITCOIN_1, BITCOIN_170, BITCOIN_100000)
SCRYPT = (LITECOIN_0, DOGECOIN_0)


def sha256d(data: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def branches(block: Block) -> list[bytes]:
    """What must be folded with the coinbase's hash, level by level."""
    found, level = [], [b"", *(bytes.fromhex(one)[::-1] for one in block.others)]
    while len(level) > 1:
        level += level[-1:] * (len(level) % 2)
        found.append(level[1])
        level = [b"", *(sha256d(level[at] + level[at + 1]) for at in range(2, len(level), 2))]
    return found


def words(data: bytes) -> bytes:
    return b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))


@dataclass(frozen=True)
class Told:
    """The same as it stands in Stratum messages, all in hex."""

    extranonce1: str
    extranonce2: str
    coinb1: str
    coinb2: str
    prevhash: str
    branches: tuple[str, ...]
    version: str
    nbits: str
    ntime: str
    nonce: str
    difficulty: float
    version_bits: str | None = None

    def dialogue(self, *, job: str = "j1", first: bool = True, login: str = "acct.rig", mask: str | None = None) -> str:
        """Subscribe to share, or with `first` false another job and share of the same session."""
        opening: list[tuple[str, object]] = [
            *(
                [
                    ("C", call("mining.configure", [["version-rolling"], {}], 9)),
                    ("S", reply({"version-rolling.mask": mask}, 9)),
                ]
                if mask
                else []
            ),
            ("C", call("mining.subscribe", ["cgminer/4.11.1"], 1)),
            ("S", reply([[["mining.notify", "s"]], self.extranonce1, len(self.extranonce2) // 2], 1)),
            ("C", call("mining.authorize", [login, "x"], 2)),
            ("S", reply(True, 2)),
        ]
        again: list[tuple[str, object]] = [
            ("S", call("mining.set_extranonce", [self.extranonce1, len(self.extranonce2) // 2], None))
        ]
        notify = [
            job,
            self.prevhash,
            self.coinb1,
            self.coinb2,
            list(self.branches),
            self.version,
            self.nbits,
            self.ntime,
            True,
        ]
        rolled = [] if self.version_bits is None else [self.version_bits]
        submit = [login, job, self.extranonce2, self.ntime, self.nonce, *rolled]
        lines = [
            *(opening if first else again),
            ("S", call("mining.set_difficulty", [self.difficulty], None)),
            ("S", call("mining.notify", notify, None)),
            ("C", call("mining.submit", submit, f"share {job}")),
            ("S", reply(True, f"share {job}")),
        ]
        return "\n".join(f"{side} {json.dumps(value)}" for side, value in lines)


def call(method: str, params: list[object], number: object) -> dict[str, object]:
    return {"id": number, "method": method, "params": params}


def reply(result: object, number: object) -> dict[str, object]:
    return {"id": number, "result": result, "error": None}


def told(block: Block) -> Told:
    """A block as a pool and a miner would have said it, four bytes of extranonce each."""
    at = 2 * block.extranonce_at
    return Told(
        extranonce1=block.coinbase[at : at + 8],
        extranonce2=block.coinbase[at + 8 : at + 16],
        coinb1=block.coinbase[:at],
        coinb2=block.coinbase[at + 16 :],
        prevhash=words(bytes.fromhex(block.prevhash)[::-1]).hex(),
        branches=tuple(one.hex() for one in branches(block)),
        version=f"{block.version:08x}",
        nbits=f"{block.bits:08x}",
        ntime=f"{block.time:08x}",
        nonce=f"{block.nonce:08x}",
        difficulty=block.difficulty,
    )


def flipped(text: str, bit: int) -> str:
    """Hex with one bit changed."""
    data = bytearray.fromhex(text)
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    return data.hex()


#: The share of Stratum's first description (https://en.bitcoin.it/wiki/Stratum_mining_protocol, from Slush's pool,
#: September 2012).
SLUSH = Told(
    extranonce1="08000002",
    extranonce2="00000001",
    coinb1=NO_INPUT + "20020862062f503253482f04b8864e5008",
    coinb2="072f736c7573682f000000000100f2052a010000001976a914d23fcdf86f7e756a64a7a9688ef9903327048ed988ac00000000",
    prevhash="4d16b6f85af6e2198f44ae2a6de67f78487ae5611b77c6c0440b921e00000000",
    branches=(),
    version="00000002",
    nbits="1c2ac4af",
    ntime="504e86ed",
    nonce="b2957c02",
    difficulty=1,
)

__all__ = ["BITCOIN_100000", "SCRYPT", "SHA256D", "SLUSH", "Block", "Told", "flipped", "replace", "told"]
