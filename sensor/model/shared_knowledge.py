"""What one sensor's link taught, for all sensors: addresses of pools, and when blocks became known. Plain data, and its
exact and versioned form as JSON. It names no miner.

    {"v": 1, "sensor_id": "edge-1", "sent_ns": 0, "addresses": [["192.0.2.7", [3333], first_ns, last_ns]],
     "blocks": [["XMR", "0123456789abcdef", seen_ns]]}

A message replaces the one before it of the same sensor. Times are the true ones, as far as the sensor knows its clock.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Any

from sensor.model.message import MOST_INTEGER, NewerWireError, WireError
from sensor.model.sensor import SENSOR_ID

VERSION = 1
#: Rows of one sensor, the newest; ports of an address; and bytes of a message, which are more than those rows take.
MOST_ADDRESSES, MOST_PORTS, MOST_BLOCKS = 64, 16, 512
MESSAGE_BYTES = 131_072
COIN = re.compile(r"[A-Za-z0-9_-]{1,32}")
BLOCK = re.compile(r"[0-9a-f]{16}")
#: Another host in every network that uses them: private addresses (RFC 1918, RFC 4193), those of carriers' translators
#: (RFC 6598), and of a single link (RFC 3927, RFC 4291).
OF_ONE_NETWORK = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10"),
    )
)


@dataclass(frozen=True, slots=True)
class SharedAddress:
    """Where shares of several miners were accepted in clear."""

    address: str
    ports: tuple[int, ...]
    first_ns: int
    last_ns: int


@dataclass(frozen=True, slots=True)
class SharedBlock:
    """When a sensor first heard of a block."""

    coin: str
    block: str  # a digest of its name
    seen_ns: int


@dataclass(frozen=True, slots=True)
class SharedKnowledge:
    """All that one sensor shares."""

    sensor_id: str
    sent_ns: int
    addresses: tuple[SharedAddress, ...] = ()
    blocks: tuple[SharedBlock, ...] = ()


def block_digest(coin: str, block: str) -> str:
    """By which sensors know that they speak of the same block."""
    return sha256(f"{coin}/{block}".encode("utf-8", "backslashreplace")).hexdigest()[:16]


def can_be_shared(address: str) -> bool:
    """Whether it is an address, in its one form, at which a pool of many can be, and which is the same host
    everywhere."""
    return _is_of_a_pool(address) and not _is_of_one_network(address)


def _is_of_a_pool(address: str) -> bool:
    try:
        its = ip_address(address)
    except ValueError:
        return False
    return str(its) == address and not (its.is_multicast or its.is_unspecified or its.is_loopback)


def _is_of_one_network(address: str) -> bool:
    its = ip_address(address)
    return any(its in network for network in OF_ONE_NETWORK if network.version == its.version)


def dumps(knowledge: SharedKnowledge) -> bytes:
    """As a message."""
    addresses = [[its.address, list(its.ports), its.first_ns, its.last_ns] for its in knowledge.addresses]
    blocks = [[its.coin, its.block, its.seen_ns] for its in knowledge.blocks]
    head = {"v": VERSION, "sensor_id": knowledge.sensor_id, "sent_ns": knowledge.sent_ns}
    return json.dumps({**head, "addresses": addresses, "blocks": blocks}, separators=(",", ":")).encode()


def loads(body: bytes) -> SharedKnowledge:
    """The knowledge of a message. Raises WireError and nothing else."""
    if len(body) > MESSAGE_BYTES:
        raise WireError(f"{len(body):,} bytes; {MESSAGE_BYTES:,} are the most")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise WireError("not JSON") from None
    if not isinstance(message, dict) or not _is_number(message.get("v"), 1):
        raise WireError("v: the version is missing")
    if message["v"] > VERSION:
        raise NewerWireError(f"v: version {message['v']} was made by a newer minewatch")
    sensor_id = message.get("sensor_id")
    if not isinstance(sensor_id, str) or SENSOR_ID.fullmatch(sensor_id) is None:
        raise WireError("sensor_id: must name a sensor")
    if not _is_number(message.get("sent_ns"), 0):
        raise WireError("sent_ns: must be a number of 64 bits")
    addresses = map(_address, _rows(message, "addresses", MOST_ADDRESSES))
    blocks = tuple(map(_block, _rows(message, "blocks", MOST_BLOCKS)))
    everywhere = tuple(its for its in addresses if not _is_of_one_network(its.address))
    return SharedKnowledge(sensor_id, message["sent_ns"], everywhere, blocks)


def _rows(message: dict[str, Any], name: str, most: int) -> list[Any]:
    rows = message.get(name, [])
    if not isinstance(rows, list) or len(rows) > most:
        raise WireError(f"{name}: must be a list of at most {most}")
    return rows


def _address(row: object) -> SharedAddress:
    if isinstance(row, list) and len(row) == 4 and isinstance(row[0], str) and isinstance(row[1], list):
        name, ports, first_ns, last_ns = row
        whole = len(name) <= 45 and 1 <= len(ports) <= MOST_PORTS and all(_is_number(port, 1, 65_535) for port in ports)
        if whole and _is_number(first_ns, 0) and _is_number(last_ns, first_ns) and _is_of_a_pool(name):
            return SharedAddress(name, tuple(ports), first_ns, last_ns)
    raise WireError("addresses: must be [address, [ports], first_ns, last_ns]")


def _block(row: object) -> SharedBlock:
    if isinstance(row, list) and len(row) == 3 and isinstance(row[0], str) and isinstance(row[1], str):
        coin, block, seen_ns = row
        if COIN.fullmatch(coin) and BLOCK.fullmatch(block) and _is_number(seen_ns, 0):
            return SharedBlock(coin, block, seen_ns)
    raise WireError("blocks: must be [coin, digest, seen_ns]")


def _is_number(value: object, least: int, most: int = MOST_INTEGER) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
