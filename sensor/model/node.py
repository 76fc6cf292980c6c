"""A node of a peer-to-peer network: reported as what it is, never as mining. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

from sensor.model.evidence import Evidence
from sensor.model.flow import FlowKey


@dataclass(slots=True)
class Node:
    """A cryptocurrency peer-to-peer node: reported as what it is, never as mining."""

    node_id: str
    protocol: str  # "bitcoin-p2p", "monero-levin", "devp2p-rlpx", "devp2p-discv4"
    network: str | None  # "mainnet", "testnet3", ...
    coin: str | None
    key: FlowKey  # originator first
    agent: str | None
    signature_id: int
    signature_rev: int
    signature: str
    first_ns: int
    last_ns: int
    confidence: float
    evidence: list[Evidence]
    vlans: tuple[int, ...]
    source: str
    transport: str = "tcp"  # wrappings that were read past, as of a finding's flow
    host: str | None = None  # host:port of the peer as a proxy was asked for it
    proxy: str | None = None  # address:port of that proxy
