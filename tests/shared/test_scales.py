"""Scales against real shares: each accepted hash, recomputed here, meets the target that was sent, and their largest
lies so close below it that no other scale fits.

What the scales of the dialects' files say of these sessions is `2^256 / (target + 1)` hashes a share.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dpkt
import pytest
from Crypto.Hash import keccak

pytestmark = pytest.mark.shared

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "mining"
#: The largest of so many uniform hashes lies below this part of the target once in a million times: part**n = 1e-6.
CHANCE = 1e-6
Message = tuple[bool, dict[str, Any]]  # whether the pool sent it


def messages(name: str, pool_port: int) -> Iterator[Message]:
    """The lines of a capture with a pool's port, in the order in which they ended."""
    with (CAPTURES / name).open("rb") as file:
        reader = dpkt.pcapng.Reader(file) if name.endswith("ng") else dpkt.pcap.Reader(file)
        segments: dict[Any, dict[int, tuple[int, bytes]]] = defaultdict(dict)
        for number, (_, frame) in enumerate(reader):
            packet = dpkt.ethernet.Ethernet(frame).data if reader.datalink() == 1 else dpkt.ip.IP(frame)
            tcp = packet.data if isinstance(packet, dpkt.ip.IP) else None
            if isinstance(tcp, dpkt.tcp.TCP) and tcp.data and pool_port in (tcp.sport, tcp.dport):
                segments[packet.src, tcp.sport, packet.dst].setdefault(tcp.seq, (number, tcp.data))
    lines = []
    for (_, port, _), parts in segments.items():
        rest = b""
        for number, data in (parts[seq] for seq in sorted(parts)):
            *whole, rest = (rest + data).split(b"\n")
            lines += [(number, port == pool_port, json.loads(line)) for line in whole if line.strip()]
    for _, from_pool, message in sorted(lines, key=lambda line: line[0]):
        yield from_pool, message


def equihash(name: str, port: int) -> Iterator[tuple[int, int]]:
    """Hash and target of each share at Zcash (ZIP 301): the header with its solution, twice SHA-256."""
    target, extranonce, jobs = 0, b"", {}
    for from_pool, message in messages(name, port):
        params = message.get("params")
        if message.get("id") == 1 and from_pool:
            extranonce = bytes.fromhex(message["result"][1])
        elif message.get("method") == "mining.set_target":
            target = int(params[0], 16)
        elif message.get("method") == "mining.notify":
            jobs[params[0]] = params
        elif message.get("method") == "mining.submit":
            _, job_id, time, nonce, solution = params
            _, version, previous, root, reserved, _, bits, *_ = jobs[job_id]
            header = bytes.fromhex(version + previous + root + reserved + time + bits)
            whole = header + extranonce + bytes.fromhex(nonce) + bytes.fromhex(solution)
            digest = hashlib.sha256(hashlib.sha256(whole).digest()).digest()
            yield int.from_bytes(digest, "little"), target


def ethash(name: str, port: int) -> Iterator[tuple[int, int]]:
    """Hash and target of each share at Ethereum: Keccak of the seed and the mix that the miner sends."""
    targets = {}
    for from_pool, message in messages(name, port):
        result = message.get("result")
        if from_pool and isinstance(result, list):
            targets[result[0]] = int(result[2], 16)
        elif message.get("method") == "eth_submitWork" and message["params"][1] in targets:
            nonce, header, mix = (bytes.fromhex(text[2:].rjust(16, "0")) for text in message["params"])
            seed = keccak.new(digest_bits=512, data=header + nonce[::-1]).digest()
            digest = keccak.new(digest_bits=256, data=seed + mix).digest()
            yield int.from_bytes(digest, "big"), targets[message["params"][1]]


def cryptonote(name: str, port: int) -> Iterator[tuple[int, int]]:
    """Hash, which the miner sends, and target of each share at Monero: the pool's 4 bytes are the hash's last ones."""
    targets = {}
    for _, message in messages(name, port):
        job = (message.get("result") or {}).get("job") or (message if message.get("method") == "job" else {})
        job = job.get("params", job)
        if "target" in job:
            short = int.from_bytes(bytes.fromhex(job["target"]), "little")
            targets[job["job_id"]] = (1 << 256) // ((1 << 32) // short)
        elif message.get("method") == "submit":
            digest = bytes.fromhex(message["params"]["result"])
            yield int.from_bytes(digest, "little"), targets[message["params"]["job_id"]]


@pytest.mark.parametrize(
    ("shares", "name", "port", "least"),
    [
        (equihash, "nesfit__zec-eu.suprnova.cc.pcapng", 2142, 11),
        (ethash, "peafowl__ethereum.pcap", 4444, 9),
        (ethash, "nicehash__dwarf_s.pcapng", 8008, 4),
        (cryptonote, "nesfit__xmr.suprnova.cc.pcapng", 5222, 5),
    ],
)
def test_hashes_of_real_shares_lie_below_the_target_and_close_to_it(
    shares: Any, name: str, port: int, least: int
) -> None:
    parts = [digest / target for digest, target in shares(name, port)]
    assert len(parts) >= least
    assert max(parts) <= 1.0
    assert max(parts) > CHANCE ** (1 / len(parts))
