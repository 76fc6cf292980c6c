"""Peer-to-peer node protocols: checks the first bytes of each direction against one protocol's header. Finds a node or
nothing, never mining.

Knows the headers of Bitcoin's v1 transport, Monero's Levin, P2Pool, Ethereum's RLPx and discovery v4; which networks
and commands count is data.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from sensor.signatures.model import NodeSignature

#: Enough for a Bitcoin version message and a Levin handshake's network id.
HEAD_BYTES = 2_048
#: Larger than any message of these protocols (Bitcoin: 32 MiB of blocks in the 2011 code; Levin: 100 MB packet limit).
MAX_BODY_BYTES = 100_000_000
#: Message ids of P2Pool's peers; one follows the solution.
MAX_P2POOL_ID = 12
#: EIP-8 auth and ack: sealed body of 65 + 16 + 32 bytes around 194 (or 96) bytes and 100 to 300 bytes of padding, with
#: room.
RLPX_SIZES = range(0x0080, 0x0600)


class StreamHead:
    """The first bytes of one direction, how many came before the other side answered, and how many in all."""

    __slots__ = ("data", "flight", "total")

    def __init__(self) -> None:
        self.data = bytearray()
        self.flight: int | None = None  # total when the other side first spoke after this one
        self.total = 0

    def add(self, data: bytes) -> None:
        self.total += len(data)
        if len(self.data) < HEAD_BYTES:
            self.data += data[: HEAD_BYTES - len(self.data)]


class StreamHeads:
    """The first bytes of both directions, for as long as a flow may still prove to be a node's."""

    __slots__ = ("_speaker", "pair")

    def __init__(self) -> None:
        self.pair = (StreamHead(), StreamHead())
        self._speaker: int | None = None

    def add(self, direction: int, data: bytes) -> None:
        """Bytes of one direction, in the order they came."""
        if data and self._speaker != direction:
            other = self.pair[1 - direction]
            if other.total and other.flight is None:
                other.flight = other.total
            self._speaker = direction
        self.pair[direction].add(data)


class NodeSeen(NamedTuple):
    """What the heads of a flow show."""

    network: str | None
    coin: str | None
    agent: str | None
    confidence: float
    reason: str
    directions: tuple[int, ...]  # those whose bytes fit


def read_tcp(signature: NodeSignature, heads: tuple[StreamHead, StreamHead]) -> NodeSeen | None:
    """The node protocol of a TCP flow, if it is this one."""
    if signature.reader == "rlpx":
        return _rlpx(signature, heads)
    if signature.reader == "p2pool":
        return _p2pool(signature, heads)
    check = {"bitcoin": _bitcoin, "levin": _levin}.get(signature.reader)
    if check is None:
        return None
    seen = [check(signature, bytes(head.data)) for head in heads]
    fits = tuple(index for index, identity in enumerate(seen) if identity is not None)
    if not fits or any(head.total and identity is None for head, identity in zip(heads, seen, strict=True)):
        return None
    network, coin, agent = seen[fits[0]] or (None, None, None)
    for identity in seen:
        if identity is not None:
            network, coin, agent = network or identity[0], coin or identity[1], agent or identity[2]
    both = len(fits) == 2
    reason = "valid headers in both directions" if both else "valid header in one direction, the other said nothing"
    return NodeSeen(network, coin, agent, 0.99 if both else 0.9, reason, fits)


_Identity = tuple[str | None, str | None, str | None]


def _bitcoin(signature: NodeSignature, data: bytes) -> _Identity | None:
    """Magic, a known command padded with NUL, a sane length. The checksum is not checked: `version` had none before
    2012.
    """
    for network in signature.networks:
        if data.startswith(network.magic):
            break
    else:
        return None
    name = data[4:16].rstrip(b"\0")
    length = int.from_bytes(data[16:20], "little")
    if len(data) < 20 or not re.fullmatch(rb"[a-z0-9]+", name) or length > MAX_BODY_BYTES:
        return None
    if name.decode() not in signature.commands:
        return None
    return network.network, network.coin, _user_agent(data) if name == b"version" else None


def _user_agent(data: bytes) -> str | None:
    """The sub-version string, 80 bytes into the payload after a 24-byte header (BIP 14)."""
    if len(data) < 106 or not 1 <= data[104] < 0xFD:
        return None
    text = data[105 : 105 + data[104]]
    return text.decode("ascii") if len(text) == data[104] and re.fullmatch(rb"/[\x20-\x7e]+/", text) else None


def _levin(signature: NodeSignature, data: bytes) -> _Identity | None:
    """The whole 33-byte header: signature, length, expects-response, command, return code, flags, version 1."""
    if len(data) < 33 or not data.startswith(bytes.fromhex("0121010101010101")):
        return None
    length = int.from_bytes(data[8:16], "little")
    command = int.from_bytes(data[17:21], "little")
    flags = int.from_bytes(data[25:29], "little")
    version = int.from_bytes(data[29:33], "little")
    if (
        length > MAX_BODY_BYTES
        or data[16] > 1
        or flags > 0x0F
        or version != 1
        or str(command) not in signature.commands
    ):
        return None
    for network in signature.networks:
        if network.magic in data:
            return network.network, network.coin, None
    return None, signature.coin, None


def _rlpx(signature: NodeSignature, heads: tuple[StreamHead, StreamHead]) -> NodeSeen | None:
    """EIP-8: a two-byte size, then a sealed body that starts with the 04 of a public key; the size is that of the
    whole flight.
    """
    fits = []
    for index, head in enumerate(heads):
        size = int.from_bytes(head.data[:2], "big")
        flight = head.flight if head.flight is not None else head.total
        if len(head.data) >= 3 and head.data[2] == 4 and size in RLPX_SIZES and size + 2 <= head.total:
            fits.append((index, flight == size + 2))
    if len(fits) == 2 and any(exact for _, exact in fits):
        return NodeSeen(
            None,
            signature.coin,
            None,
            0.95,
            "both first flights have the size they state and a key's first byte",
            (0, 1),
        )
    if len(fits) == 1 and fits[0][1] and heads[1 - fits[0][0]].total == 0:
        return NodeSeen(
            None,
            signature.coin,
            None,
            0.5,
            "one flight has the size it states; the other side said nothing",
            (fits[0][0],),
        )
    return None


def _p2pool(signature: NodeSignature, heads: tuple[StreamHead, StreamHead]) -> NodeSeen | None:
    """A challenge of 17 bytes with id 0, alone; the other side's solution of 41 with id 1, after its own challenge
    if it sends one.
    """
    for index, head in enumerate(heads):
        other = heads[1 - index]
        answer = other.data[17:] if other.data[:1] == b"\0" else other.data
        flight = (other.flight if other.flight is not None else other.total) - len(other.data) + len(answer)
        challenged = head.data[:1] == b"\0" and head.flight == 17
        if (
            challenged
            and answer[:1] == b"\x01"
            and (flight == 41 or (len(answer) > 41 and answer[41] <= MAX_P2POOL_ID))
        ):
            return NodeSeen(
                None,
                signature.coin,
                None,
                0.8,
                "a challenge of 17 bytes was answered by a solution of 41",
                (index, 1 - index),
            )
    return None


def read_datagram(signature: NodeSignature, data: bytes) -> NodeSeen | None:
    """Discovery v4: the first 32 bytes are the Keccak-256 of all the others; byte 97 is the packet type."""
    if signature.reader != "discv4" or len(data) < 99 or len(data) > 1_280 or not 1 <= data[97] <= 6:
        return None
    from Crypto.Hash import keccak  # few runs meet a discovery packet

    if keccak.new(digest_bits=256, data=data[32:]).digest() != data[:32]:
        return None
    return NodeSeen(None, signature.coin, None, 0.99, "the packet's Keccak-256 is right", ())
