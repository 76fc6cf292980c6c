"""What is known of sites for their class: machines, payees, addresses, what the books file their ranges for. SQL in,
facts out; `sensor.cases.site_class` decides."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass, field

from sqlalchemy import Connection, exists, func, or_, select

from sensor.attribution.formats.services import range_service
from sensor.cases.site_class import DATA_CENTRES, SiteFacts
from sensor.ledger.read.payees import Payment, extent, payee_groups, tenant_groups
from sensor.ledger.read.selection import ALL, Selection
from sensor.ledger.store.records import answer_details, load_enterprise
from sensor.ledger.store.schema import (
    ADDRESSES,
    COUNTED,
    COUNTED_SERIES,
    ENTERPRISES,
    FINDINGS,
    MACHINES,
    SERIES,
    SITES,
)
from sensor.model.attribution import Enterprise, Service
from sensor.model.summary import SECONDS_PER_HOUR, Line, machines_by_address
from sensor.model.time import SECOND_NS

#: Beginnings of the algorithms that only processors mine: what is left where no agent names the device. Groestl, which
#: ASICs mine, begins with another name of GhostRider.
CPU_ALGORITHMS = ("rx/", "randomx", "cn", "cryptonight", "argon2", "ghostrider", "verus", "yescrypt", "yespower")
GHOSTRIDER = "gr"
#: Algorithms that practically only ASICs mine.
ASIC_ALGORITHMS = ("sha256d", "scrypt", "x11", "blake2s", "eaglesong", "kheavyhash", "handshake")
#: Of less than a day nothing follows about day and night; of fewer hours than these the first and last, which are not
#: whole, hide the power.
DAY_HOURS, WHOLE_HOURS = 24, 6

#: Strangers at a site's address from which it carries for others.
LEAST_STRANGERS = 2


@dataclass
class PeriodFacts:
    """What findings and machines of a period show, by site."""

    devices: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    payments: dict[int, set[Payment]] = field(default_factory=lambda: defaultdict(set))
    nameless: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # addresses whose payee is unknown
    enterprises: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # identities, by wallet
    services: dict[int, Counter[Service]] = field(default_factory=lambda: defaultdict(Counter))  # addresses
    allocations: dict[str, str] = field(default_factory=dict)  # by address
    allocated: dict[int, int] = field(default_factory=dict)  # addresses
    aggregators: set[int] = field(default_factory=set)  # sites where a proxy speaks for many machines
    #: Sites and addresses that mine at an address, by it.
    clients: dict[str, set[tuple[int, str]]] = field(default_factory=lambda: defaultdict(set))


def period_facts(connection: Connection, from_ns: int, to_ns: int, chosen: Selection = ALL) -> PeriodFacts:
    """Gather them for all sites at once, of what is chosen: what a wallet does elsewhere is nobody's there."""
    facts = PeriodFacts()
    _add_machines(facts, connection, from_ns, to_ns, chosen)
    _add_ranges(facts, connection, chosen)
    _add_findings(facts, connection, from_ns, to_ns, chosen)
    _add_campaigns(facts, connection, chosen)
    return facts


def _add_ranges(facts: PeriodFacts, connection: Connection, chosen: Selection) -> None:
    """The ranges of sites at which addresses mined, and what they are filed for."""
    columns = (ADDRESSES.c.site_id, ADDRESSES.c.address, ADDRESSES.c.allocation, ADDRESSES.c.record)
    ranges: set[tuple[int, str | None]] = set()
    its = (SERIES.c.miner_ip == ADDRESSES.c.address, SERIES.c.site_id == ADDRESSES.c.site_id, COUNTED_SERIES)
    for site_id, address, allocation, record in connection.execute(
        select(*columns).where(exists().where(*its), chosen.sites(ADDRESSES.c.site_id))
    ):
        ranges.add((site_id, allocation))
        if site_id and allocation:
            facts.allocations[address] = allocation
        if site_id and record and ('"service"' in record or '"use"' in record):
            for detail in answer_details(record)[:1]:
                facts.services[site_id].update(filter(None, (range_service(detail),)))
    for site_id, allocation in ranges:
        facts.allocated[site_id] = facts.allocated.get(site_id, 0) + extent(allocation)


def _add_findings(facts: PeriodFacts, connection: Connection, from_ns: int, to_ns: int, chosen: Selection) -> None:
    """Payments and aggregators of sites, addresses of pools."""
    within = (FINDINGS.c.last_ns >= from_ns, FINDINGS.c.first_ns < to_ns, COUNTED, chosen.findings)
    columns = (FINDINGS.c.site_id, FINDINGS.c.miner_ip, FINDINGS.c.wallet, FINDINGS.c.algorithm, FINDINGS.c.aggregator)
    rows = connection.execute(select(*columns, FINDINGS.c.machines).where(*within, FINDINGS.c.site_id > 0).distinct())
    for site_id, address, wallet, algorithm, aggregator, machines in rows:
        if wallet and machines != 0:  # a program's own donation pays its author, who is no tenant
            facts.payments[site_id].add(Payment(wallet, address, algorithm or ""))
        elif not wallet:
            facts.nameless[site_id].add(address)
        if aggregator is not None:
            facts.aggregators.add(site_id)
    served = select(FINDINGS.c.pool_ip, FINDINGS.c.site_id, FINDINGS.c.miner_ip).where(*within)
    for pool_ip, site_id, address in connection.execute(served.distinct()):
        facts.clients[pool_ip].add((site_id or 0, address))


def _add_campaigns(facts: PeriodFacts, connection: Connection, chosen: Selection) -> None:
    """The enterprises that each wallet mines at, without those where something else explains it: tenants of a data
    centre mine where they rent, and an ASIC was bought."""
    columns = (FINDINGS.c.wallet, FINDINGS.c.site_id, SITES.c.enterprise_id, ENTERPRISES.c.record)
    paid = select(*columns).join(SITES, SITES.c.site_id == FINDINGS.c.site_id)
    paid = paid.join(ENTERPRISES, ENTERPRISES.c.enterprise_id == SITES.c.enterprise_id)
    rented: dict[str, bool] = {}
    its = (FINDINGS.c.wallet.is_not(None), FINDINGS.c.machines.is_distinct_from(0), COUNTED, chosen.findings)
    for wallet, site_id, enterprise_id, record in connection.execute(paid.where(*its).distinct()):
        if enterprise_id not in rented:
            rented[enterprise_id] = load_enterprise(record).category in DATA_CENTRES
        service, devices = _service(site_id, facts), facts.devices.get(site_id, Counter())
        in_data_centre = rented[enterprise_id] if service is None else service == "data-centre"
        if not in_data_centre and devices["asic"] <= 0.5 * devices.total():
            facts.enterprises[wallet].add(enterprise_id)


def _add_machines(facts: PeriodFacts, connection: Connection, from_ns: int, to_ns: int, chosen: Selection) -> None:
    """Machines of sites by their kind."""
    kind = (MACHINES.c.site_id, MACHINES.c.device_class, MACHINES.c.algorithm)
    other = MACHINES.alias()
    # A machine without a name may be one of those that have one.
    named = exists().where(other.c.miner_ip == MACHINES.c.miner_ip, other.c.name != "")
    its = or_(MACHINES.c.name != "", ~named)
    within = (MACHINES.c.last_ns >= from_ns, MACHINES.c.first_ns < to_ns, its, chosen.machines)
    query = select(*kind, func.count()).where(*within)
    for site_id, device_class, algorithm, count in connection.execute(query.group_by(*kind)):
        facts.devices[site_id][kind_of(device_class, algorithm)] += count


def kind_of(device_class: str | None, algorithm: str | None) -> str:
    """ "asic", "gpu", "cpu" or ""."""
    kind = (device_class or "").partition("-")[0]
    if kind in ("asic", "gpu", "cpu") and device_class != "cpu-or-gpu":
        return kind
    if kind == "browser":
        return "cpu"
    if algorithm is not None and (algorithm == GHOSTRIDER or algorithm.startswith(CPU_ALGORITHMS)):
        return "cpu"
    return "asic" if algorithm in ASIC_ALGORITHMS else ""


def site_facts(
    site_id: int, lines: Iterable[Line], facts: PeriodFacts, enterprise: Enterprise | None, active_hours: int
) -> SiteFacts:
    """The facts of one site with its lines; `active_hours` are those with mining."""
    its_lines = list(lines)
    machines = machines_by_address(its_lines)
    count = sum(machines.values())
    began_ns = min(line.last_ns - int(line.seconds * SECOND_NS) for line in its_lines)
    ended_ns = max(line.last_ns for line in its_lines)
    span_hours = max(1.0, (ended_ns - began_ns) / SECOND_NS / SECONDS_PER_HOUR, active_hours)
    payments = facts.payments.get(site_id, set())
    kwh = sum(line.energy_kwh.best for line in its_lines)
    devices = facts.devices[site_id]
    return SiteFacts(
        machines=count,
        asics=devices["asic"],
        gpus=devices["gpu"],
        cpus=devices["cpu"],
        payees=min(len(payee_groups(payments)), max(1, count)),
        tenants=min(len(tenant_groups(payments, facts.allocations)), max(1, count)),
        unknown_payees=len(facts.nameless.get(site_id, set()) - {payment.address for payment in payments}),
        campaign=_campaign(payments, facts, enterprise),
        addresses=len(machines),
        allocated=facts.allocated.get(site_id) or None,
        active_share=min(1.0, active_hours / span_hours) if span_hours >= DAY_HOURS else 0.0,
        power_watts=1_000.0 * kwh / active_hours if kwh and active_hours >= WHOLE_HOURS else None,
        aggregator=site_id in facts.aggregators,
        carries=_carries(site_id, machines, facts),
        category=enterprise.category if enterprise else None,
        service=_service(site_id, facts),
    )


def _service(site_id: int, facts: PeriodFacts) -> Service | None:
    """What the ranges of most of its addresses are filed for; None where no more than half of them agree."""
    services = facts.services.get(site_id, Counter())
    service, count = services.most_common(1)[0] if services else (None, 0)
    return service if 2 * count > services.total() else None


def _carries(site_id: int, addresses: Iterable[str], facts: PeriodFacts) -> bool:
    """Whether strangers mine at an address of the site. Its own machines behind its own proxy are none, and a single
    stranger, who may have connected on purpose, makes nobody a proxy."""
    clients = {client for address in addresses for client in facts.clients.get(address, ())}
    return len({address for its_site, address in clients if its_site != site_id}) >= LEAST_STRANGERS


def _campaign(payments: Set[Payment], facts: PeriodFacts, enterprise: Enterprise | None) -> int:
    """At how many other enterprises the wallet mines that most of the site's mining addresses pay. Whoever mines to a
    stranger's wallet on a corner of a site does not make it a campaign's."""
    if enterprise is None:
        return 0
    addresses = {payment.address for payment in payments}
    most = 0
    for wallet in {payment.wallet for payment in payments}:
        paying = {payment.address for payment in payments if payment.wallet == wallet}
        if 2 * len(paying) >= len(addresses):
            most = max(most, len(facts.enterprises.get(wallet, set()) - {enterprise.enterprise_id}))
    return most
