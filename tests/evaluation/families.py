"""All families of sessions by name, and the two halves that they are split into.

Whoever tunes the judge may look at the tuning half. The judging half is for figures alone: who looked at one of its
families, and changed something for it, moves it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

from tests.evaluation import (
    mining_bitcoin,
    mining_cards,
    mining_examples,
    mining_randomx,
    ordinary_machines,
    ordinary_people,
    ordinary_queues,
    ordinary_rpc,
    ordinary_wallets,
)
from tests.evaluation.talk import Talk

Half = Literal["tuning", "judging"]


class Family(NamedTuple):
    """A kind of session."""

    name: str
    mining: bool
    play: Callable[[Talk], None]
    origin: str  # hand, or examples (of a dialect's file)
    clocked: bool  # its coin's blocks are handed to the sensor
    raw: bool = False  # no TLS around it

    @property
    def half(self) -> Half:
        """By its name alone."""
        return "judging" if hashlib.sha256(self.name.encode()).digest()[0] & 1 else "tuning"


_BY_HAND: dict[str, tuple[Callable[[Talk], None], bool]] = {
    "xmrig at a pool": (mining_randomx.nodejs_pool, True),
    "xmrig behind xmrig-proxy": (mining_randomx.xmrig_proxy, True),
    "xmrig at NiceHash": (mining_randomx.nicehash, True),
    "xmrig at P2Pool": (mining_randomx.p2pool, True),
    "a miner in a browser": (mining_randomx.in_browser, True),
    "Bitcoin at a ckpool": (mining_bitcoin.ckpool, True),
    "Bitcoin at a large pool": (mining_bitcoin.large_pool, True),
    "Bitcoin at NiceHash": (mining_bitcoin.nicehash, True),
    "Scrypt, merged": (mining_bitcoin.scrypt, True),
    "Ethash, eth-proxy": (mining_cards.eth_proxy, True),
    "Ethash, EthereumStratum": (mining_cards.ethereum_stratum, True),
    "KawPow": (mining_cards.kawpow, True),
    "Equihash": (mining_cards.equihash, True),
    "Kaspa": (mining_cards.kaspa, False),
}

_ORDINARY: dict[str, Callable[[Talk], None]] = {
    "Electrum wallet": ordinary_wallets.electrum,
    "block explorer": ordinary_wallets.explorer,
    "Ethereum subscription": ordinary_wallets.ethereum_heads,
    "Bitcoin node in a tunnel": ordinary_wallets.node_in_tunnel,
    "Monero wallet": ordinary_wallets.wallet_service,
    "exchange ticker": ordinary_wallets.ticker,
    "exchange orders": ordinary_wallets.orders,
    "custodian's feed (adversary)": ordinary_wallets.depositary,
    "Redis channels": ordinary_queues.redis_channel,
    "MySQL replica": ordinary_queues.mysql_replica,
    "RELP logs": ordinary_queues.relp,
    "AMQP jobs": ordinary_queues.amqp_jobs,
    "render farm (adversary)": ordinary_queues.work_queue,
    "Kafka consumer": ordinary_queues.kafka,
    "NATS": ordinary_queues.nats,
    "PostgreSQL listener": ordinary_queues.postgres_listener,
    "Jupyter kernel": ordinary_people.jupyter,
    "remote desktop, idle": ordinary_people.desktop_idle,
    "company chat": ordinary_people.chat,
    "push service": ordinary_people.push_service,
    "SIP telephone": ordinary_people.sip,
    "IMAP idle": ordinary_people.imap,
    "XMPP": ordinary_people.xmpp,
    "game": ordinary_people.game,
    "language server": ordinary_people.editor,
    "MCP over SSE": ordinary_people.model_context,
    "OPC UA": ordinary_machines.opc_ua,
    "MQTT sensor": ordinary_machines.sensor_readings,
    "smart meter": ordinary_machines.smart_meter,
    "monitoring agent": ordinary_machines.monitoring_agent,
    "CI runner": ordinary_machines.ci_runner,
    "FIX session": ordinary_machines.fix_session,
    "cluster watch": ordinary_machines.watch_of_cluster,
    "gRPC telemetry": ordinary_machines.traces,
    "random JSON-RPC poller (adversary)": ordinary_machines.random_poller,
    "auctions": ordinary_machines.auctions,
    "other JSON-RPC (adversary)": ordinary_rpc.other_rpc,
    "tile farm (adversary)": ordinary_rpc.tile_farm,
    "work units, volunteers (adversary)": ordinary_rpc.volunteers,
    "build agent (adversary)": ordinary_rpc.build_agent,
    "counter poller (adversary)": ordinary_rpc.counter_poller,
    "node's wallet": ordinary_rpc.node_wallet,
    "tools of a model": ordinary_rpc.tools_of_model,
    "code assistant": ordinary_rpc.code_assistant,
    "heating of a house": ordinary_rpc.house,
    "charge point": ordinary_rpc.charge_point,
}


@lru_cache(1)
def mining() -> tuple[Family, ...]:
    """Mining inside TLS: by hand, and from the examples of every dialect that can be played."""
    by_hand = [Family(name, True, play, "hand", clocked) for name, (play, clocked) in _BY_HAND.items()]
    played = [
        Family(f"dialect {name}", True, mining_examples.player(name), "examples", bool(mining_examples.coin_of(name)))
        for name in mining_examples.examples()
    ]
    return (*by_hand, *played)


@lru_cache(1)
def ordinary() -> tuple[Family, ...]:
    """Everything else inside TLS."""
    return tuple(Family(name, False, play, "hand", False) for name, play in _ORDINARY.items())


def noise() -> tuple[Family, ...]:
    """What opens as Noise does: Stratum V2, and what is not."""
    return (
        Family("Stratum V2, in turn", True, mining_bitcoin.noise_in_turn, "hand", True, raw=True),
        Family("Stratum V2, pipelined", True, mining_bitcoin.noise_pipelined, "hand", True, raw=True),
        Family("BIP 324", False, ordinary_machines.bip324, "hand", False, raw=True),
        Family("64-byte openings", False, ordinary_machines.openings_of_64, "hand", False, raw=True),
    )
