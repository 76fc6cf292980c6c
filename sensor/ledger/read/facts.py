"""What is known of sites for their class: machines, wallets, addresses, agents. SQL in, facts out;
`sensor.cases.site_class` decides."""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, exists, func, or_, select

from sensor.cases.site_class import SiteFacts
from sensor.ledger.store.schema import ADDRESSES, FINDINGS, MACHINES, MINING, SITES
from sensor.model.attribution import Enterprise
from sensor.model.summary import SECONDS_PER_HOUR, Line, machines_by_address
from sensor.model.time import SECOND_NS

#: Beginnings of the algorithms that only processors mine: what is left where no agent names the device.
CPU_ALGORITHMS = ("rx/", "cn", "argon2", "ghostrider", "gr", "verus", "yescrypt", "yespower")
#: Algorithms that practically only ASICs mine.
ASIC_ALGORITHMS = ("sha256d", "scrypt", "x11", "blake2s", "eaglesong", "kheavyhash", "handshake")
#: Of less than a day nothing follows about day and night; of fewer hours than these the first and last, which are not
#: whole, hide the power.
DAY_HOURS, WHOLE_HOURS = 24, 6


@dataclass
class PeriodFacts:
    """What findings and machines of a period show, by site."""

    devices: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    wallets: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    enterprises: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # identities, by wallet
    allocated: dict[int, int] = field(default_factory=dict)  # addresses
    aggregators: set[int] = field(default_factory=set)  # sites where a proxy speaks for many machines
    pools: set[str] = field(default_factory=set)  # addresses that others mine at


def period_facts(connection: Connection, from_ns: int, to_ns: int) -> PeriodFacts:
    """Gather them for all sites at once."""
    facts = PeriodFacts()
    _add_findings(facts, connection, from_ns, to_ns)
    _add_machines(facts, connection, from_ns, to_ns)
    for site_id, allocation in connection.execute(select(ADDRESSES.c.site_id, ADDRESSES.c.allocation).distinct()):
        facts.allocated[site_id] = facts.allocated.get(site_id, 0) + extent(allocation)
    return facts


def _add_findings(facts: PeriodFacts, connection: Connection, from_ns: int, to_ns: int) -> None:
    """Wallets and aggregators of sites, enterprises of wallets, addresses of pools."""
    within = (FINDINGS.c.last_ns >= from_ns, FINDINGS.c.first_ns < to_ns, MINING)
    columns = (FINDINGS.c.site_id, FINDINGS.c.wallet, FINDINGS.c.aggregator)
    rows = connection.execute(select(*columns).where(*within, FINDINGS.c.site_id > 0).distinct())
    for site_id, wallet, aggregator in rows:
        if wallet:
            facts.wallets[site_id].add(wallet)
        if aggregator is not None:
            facts.aggregators.add(site_id)
    paid = select(FINDINGS.c.wallet, SITES.c.enterprise_id).join(SITES, SITES.c.site_id == FINDINGS.c.site_id)
    paid = paid.where(FINDINGS.c.wallet.is_not(None), MINING)
    for wallet, enterprise_id in connection.execute(paid.distinct()):
        if enterprise_id:
            facts.enterprises[wallet].add(enterprise_id)
    facts.pools = set(connection.scalars(select(FINDINGS.c.pool_ip).where(*within).distinct()))


def _add_machines(facts: PeriodFacts, connection: Connection, from_ns: int, to_ns: int) -> None:
    """Machines of sites by their kind."""
    kind = (MACHINES.c.site_id, MACHINES.c.device_class, MACHINES.c.algorithm)
    other = MACHINES.alias()
    # A machine without a name may be one of those that have one.
    named = exists().where(other.c.miner_ip == MACHINES.c.miner_ip, other.c.name != "")
    its = or_(MACHINES.c.name != "", ~named)
    query = select(*kind, func.count()).where(MACHINES.c.last_ns >= from_ns, MACHINES.c.first_ns < to_ns, its)
    for site_id, device_class, algorithm, count in connection.execute(query.group_by(*kind)):
        facts.devices[site_id][kind_of(device_class, algorithm)] += count


def kind_of(device_class: str | None, algorithm: str | None) -> str:
    """ "asic", "gpu", "cpu" or ""."""
    kind = (device_class or "").partition("-")[0]
    if kind in ("asic", "gpu", "cpu") and device_class != "cpu-or-gpu":
        return kind
    if kind == "browser":
        return "cpu"
    if algorithm is not None and algorithm.startswith(CPU_ALGORITHMS):
        return "cpu"
    return "asic" if algorithm in ASIC_ALGORITHMS else ""


def extent(allocation: str | None) -> int:
    """How many addresses an allocation has (a prefix, or first-last); 0 if that cannot be known."""
    first, dash, last = (allocation or "").partition("-")
    try:
        if dash:
            return int(ipaddress.ip_address(last.strip())) - int(ipaddress.ip_address(first.strip())) + 1
        return ipaddress.ip_network(first.strip(), strict=False).num_addresses
    except ValueError:
        return 0


def site_facts(
    site_id: int, lines: Iterable[Line], facts: PeriodFacts, enterprise: Enterprise | None, active_hours: int
) -> SiteFacts:
    """The facts of one site with its lines; `active_hours` are those with mining."""
    its_lines = list(lines)
    machines = machines_by_address(its_lines)
    began_ns = min(line.last_ns - int(line.seconds * SECOND_NS) for line in its_lines)
    ended_ns = max(line.last_ns for line in its_lines)
    span_hours = max(1.0, (ended_ns - began_ns) / SECOND_NS / SECONDS_PER_HOUR, active_hours)
    wallets = facts.wallets[site_id]
    others = max((len(facts.enterprises[wallet]) - 1 for wallet in wallets), default=0) if enterprise else 0
    kwh = sum(line.energy_kwh.best for line in its_lines)
    devices = facts.devices[site_id]
    return SiteFacts(
        machines=sum(machines.values()),
        asics=devices["asic"],
        gpus=devices["gpu"],
        cpus=devices["cpu"],
        wallets=len(wallets),
        campaign=max(0, others),
        addresses=len(machines),
        allocated=facts.allocated.get(site_id) or None,
        active_share=min(1.0, active_hours / span_hours) if span_hours >= DAY_HOURS else 0.0,
        power_watts=1_000.0 * kwh / active_hours if kwh and active_hours >= WHOLE_HOURS else None,
        aggregator=site_id in facts.aggregators,
        carries=bool(facts.pools & machines.keys()),
        category=enterprise.category if enterprise else None,
    )
