"""What is known of sites for their class: machines, wallets, addresses, agents. SQL in, `Facts` out; the class is `site_class`'s to say."""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from sensor.cases.site_class import Facts
from sensor.ledger.schema import ADDRESSES, FINDINGS, MACHINES, SITES
from sensor.model.attribution import Enterprise
from sensor.model.summary import NS, SECONDS_PER_HOUR, Line

#: Algorithms that only processors mine, by their beginnings: what is left where no agent names the device.
BY_PROCESSOR = ("rx/", "cn", "argon2", "ghostrider", "gr", "verus", "yescrypt", "yespower")
#: Algorithms that practically only ASICs mine.
BY_ASIC = ("sha256d", "scrypt", "x11", "blake2s", "eaglesong", "kheavyhash", "handshake")

#: Less than a day says nothing of day and night; of fewer hours than these the first and last, which are not whole, hide the power.
DAY_HOURS, WHOLE_HOURS = 24, 6


@dataclass
class Seen:
    """What findings and machines of a period say, by site."""

    devices: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    wallets: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    spread: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # enterprises by wallet
    allocated: dict[int, int] = field(default_factory=dict)
    aggregators: set[int] = field(default_factory=set)
    pools: set[str] = field(default_factory=set)  # addresses that others mine at


def seen(connection: Connection, from_ns: int, to_ns: int) -> Seen:
    """Gather them for all sites at once."""
    made = Seen()
    within = (FINDINGS.c.last_ns >= from_ns, FINDINGS.c.first_ns < to_ns, FINDINGS.c.muted.is_(None))
    columns = (FINDINGS.c.site_id, FINDINGS.c.wallet, FINDINGS.c.aggregator)
    for site, wallet, aggregator in connection.execute(
        select(*columns).where(*within, FINDINGS.c.site_id > 0).distinct()
    ):
        if wallet:
            made.wallets[site].add(wallet)
        if aggregator is not None:
            made.aggregators.add(site)
    joined = select(FINDINGS.c.wallet, SITES.c.enterprise_id).join(SITES, SITES.c.site_id == FINDINGS.c.site_id)
    for wallet, enterprise in connection.execute(
        joined.where(FINDINGS.c.wallet.is_not(None), FINDINGS.c.muted.is_(None)).distinct()
    ):
        if enterprise:
            made.spread[wallet].add(enterprise)
    made.pools = set(connection.scalars(select(FINDINGS.c.pool_ip).where(*within).distinct()))
    rigs = select(MACHINES.c.site_id, MACHINES.c.device_class, MACHINES.c.algorithm, func.count())
    rigs = rigs.where(MACHINES.c.last_ns >= from_ns, MACHINES.c.first_ns < to_ns)
    for site, device_class, algorithm, count in connection.execute(
        rigs.group_by(MACHINES.c.site_id, MACHINES.c.device_class, MACHINES.c.algorithm)
    ):
        made.devices[site][kind_of(device_class, algorithm)] += count
    for site, allocation in connection.execute(select(ADDRESSES.c.site_id, ADDRESSES.c.allocation).distinct()):
        made.allocated[site] = made.allocated.get(site, 0) + extent(allocation)
    return made


def kind_of(device_class: str | None, algorithm: str | None) -> str:
    """ "asic", "gpu", "cpu" or ""."""
    named = (device_class or "").partition("-")[0]
    if named in ("asic", "gpu", "cpu") and device_class != "cpu-or-gpu":
        return named
    if named == "browser":
        return "cpu"
    if algorithm is not None and algorithm.startswith(BY_PROCESSOR):
        return "cpu"
    return "asic" if algorithm in BY_ASIC else ""


def extent(allocation: str | None) -> int:
    """How many addresses an allocation has (a prefix, or first-last); 0 if that cannot be told."""
    first, dash, last = (allocation or "").partition("-")
    try:
        if dash:
            return int(ipaddress.ip_address(last.strip())) - int(ipaddress.ip_address(first.strip())) + 1
        return ipaddress.ip_network(first.strip(), strict=False).num_addresses
    except ValueError:
        return 0


def facts(
    site_id: int, lines: Iterable[Line], known: Seen, enterprise: Enterprise | None, hours: Mapping[int, int]
) -> Facts:
    """The facts of one site; `hours` are those with mining, by site."""
    mine = list(lines)
    machines: dict[str, int] = {}
    for line in mine:
        machines[line.address] = max(machines.get(line.address, 0), line.machines)
    span_h = max(
        1.0,
        (max(one.last_ns for one in mine) - min(one.last_ns - int(one.seconds * NS) for one in mine))
        / NS
        / SECONDS_PER_HOUR,
    )
    active_h = hours.get(site_id, 0)
    span_h = max(span_h, active_h)
    others = max((len(known.spread[wallet]) - 1 for wallet in known.wallets[site_id]), default=0) if enterprise else 0
    energy = sum(line.energy_kwh.best for line in mine)
    devices = known.devices[site_id]
    return Facts(
        machines=sum(machines.values()),
        asics=devices["asic"],
        gpus=devices["gpu"],
        cpus=devices["cpu"],
        wallets=len(known.wallets[site_id]),
        campaign=max(0, others),
        addresses=len(machines),
        allocated=known.allocated.get(site_id) or None,
        active_share=min(1.0, active_h / span_h) if span_h >= DAY_HOURS else 0.0,
        power_watts=1_000.0 * energy / active_h if energy and active_h >= WHOLE_HOURS else None,
        aggregator=site_id in known.aggregators,
        carries=bool(known.pools & machines.keys()),
        category=enterprise.category if enterprise else None,
    )
