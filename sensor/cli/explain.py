"""The part of `explain` that the ledger answers: what was found about an address, why, and why it was or was not told.

It reads a ledger that is there and makes none. Knows nothing of whose the address is.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from sensor.daemon.configuration import Configuration
from sensor.ledger import Ledger, LedgerError, StoredFinding
from sensor.ledger.store.database import exists
from sensor.line.suppress import Suppression
from sensor.model.finding import Finding
from sensor.model.node import Node

#: Findings and nodes shown in full; all are counted.
MOST = 20
NS = 1_000_000_000


def show(chosen: Configuration, address: str, today: date) -> None:
    """Print what the ledger of the configuration knows of an address, as miner, as pool or as node."""
    url = chosen.ledger.url
    if not exists(url):
        print(f"\nFindings\n  not known: there is no ledger at {url} (ledger.url)")
        return
    try:
        ledger = Ledger.open(url)
        try:
            entries, nodes = ledger.reader.findings(address), ledger.reader.nodes(address)
        finally:
            ledger.close()
    except LedgerError as error:
        print(f"\nFindings\n  not known: {error}")
        return
    print(f"\nFindings ({len(entries)})")
    for entry in entries[:MOST]:
        _finding(entry, address)
    if len(entries) > MOST:
        print(f"  and {len(entries) - MOST} older ones")
    if not entries:
        print("  none: nothing that this address said or was told was recognised as mining")
    for node in nodes[:MOST]:
        _node(node)
    for one in Suppression(chosen.findings).entries(address):
        expired = one.until is not None and today > one.until
        print(
            f"\nAllow-list\n  {one.network}: {one.reason}"
            + (f", {'expired' if expired else 'until'} {one.until}" if one.until else "")
        )


def _finding(entry: StoredFinding, address: str) -> None:
    one = entry.finding
    whom = (
        f"mines at {one.pool_ip} port {one.pool_port}" if one.miner_ip == address else f"is the pool of {one.miner_ip}"
    )
    print(f"  {whom}: {one.grade.label}, {one.confidence:.0%} sure, {one.state}")
    print(
        f"    {one.dialect}"
        + "".join(f", {text}" for text in (one.coin, one.login and f"login {one.login}", one.pool.host) if text)
    )
    print(f"    {_moment(one.first_ns)} to {_moment(one.last_ns)} UTC, {_shares(one)}")
    for reason in one.reasons:
        print(f"    because {reason}")
    told = "not told: " + entry.suppressed if entry.suppressed is not None else "told"
    print(f"    {told}")


def _shares(one: Finding) -> str:
    rate = f", {one.hashrate_hps.best:.3g} hashes/s" if one.hashrate_hps is not None else ""
    return f"{one.shares.submitted} shares sent, {one.shares.accepted} accepted{rate}"


def _node(node: Node) -> None:
    ends = f"{node.key.src_ip} and {node.key.dest_ip} port {node.key.dest_port}"
    print(f"\nNode\n  {node.protocol}, not mining: {ends}, {_moment(node.last_ns)} UTC")


def _moment(ns: int) -> str:
    return datetime.fromtimestamp(ns // NS, UTC).strftime("%Y-%m-%d %H:%M:%S")
