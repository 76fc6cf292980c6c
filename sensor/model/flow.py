"""One connection: its key as evidence names it, its machine's clock, and what it contributed. Plain data.

Addresses are text; times are nanoseconds of the packet clock since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sensor.model.quantities import Shares
from sensor.model.trace import FlowTrace


@dataclass(slots=True, frozen=True)
class FlowKey:
    """One connection as evidence names it, the miner's side first."""

    src_ip: str
    src_port: int
    dest_ip: str
    dest_port: int
    proto: Literal["TCP", "UDP"]
    flow_id: int  # stable over replays: a hash of the addresses and the first packet's time, below 2^53
    community_id: str  # Community ID v1, seed 0


@dataclass(slots=True, frozen=True)
class MachineClock:
    """A TCP timestamp clock (RFC 7323) of one end of a connection."""

    first_ns: int  # its first and its last sample
    last_ns: int
    hertz: int
    zero_ns: int  # the instant at which it stood at 0, within one turn of its 2^32 ticks


@dataclass(slots=True)
class FlowSummary:
    """One connection of a finding with its own share counts."""

    key: FlowKey
    first_ns: int
    last_ns: int
    dialect: str
    login: str | None
    worker: str | None
    agent: str | None
    shares: Shares
    vlans: tuple[int, ...]
    midstream: bool
    basis: str
    source: str
    transport: str = "tcp"  # wrappings that were read past, outermost first, joined by +
    framing: str = "json-lines"
    pool_host: str | None = None  # host:port of the pool as the proxy was asked for it
    proxy: str | None = None  # address:port of the end that carries for others
    client: str | None = None  # address:port that a PROXY header names as the miner's
    clock: MachineClock | None = None  # of the miner's end; None where another host's, or where it is not certain
    vrf: str = ""  # of the observation point, as configured; "": the global table
    trace: FlowTrace | None = None  # by which the same connection is known again; None: no sequence number was seen
    seen_by: tuple[str, ...] = ()  # the sensors that saw it; empty before a ledger has it


def flow_order(flow: FlowSummary) -> tuple[int, int, int]:
    """The order of a finding's connections: by first packet, then last packet, then number."""
    return flow.first_ns, flow.last_ns, flow.key.flow_id
