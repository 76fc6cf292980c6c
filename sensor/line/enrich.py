"""What a finding's shares are worth: its hashrate, its power and energy, and the machine its agent names. Sans-IO;
judges no grade.

The last step before a record leaves. A figure that cannot be had stays None.
"""

from __future__ import annotations

import math

from sensor.estimate import DISPUTED, Assumptions, energy_kwh, estimate, unknown_time, watts
from sensor.line.join import Joined
from sensor.line.machines import carrier
from sensor.line.unspoken import Unspoken
from sensor.model.finding import Finding, Pool
from sensor.model.quantities import Interval
from sensor.model.text import N_
from sensor.model.time import SECOND_NS
from sensor.signatures.agents import Agent
from sensor.signatures.devices import Efficiency
from sensor.signatures.model import Dialect, SignatureSet

#: A proxy or a farm's agent speaks for at most so many machines; the largest halls have some thousands on one.
MOST_BEHIND_ONE = 5_000


def enrich(joined: Joined | Unspoken, identity: str, signatures: SignatureSet, assumptions: Assumptions) -> Finding:
    """The final record with everything the tables and the shares say about it."""
    finding = joined.finding(identity, signatures.weights.prior)
    if isinstance(joined, Unspoken):
        finding.pool = _catalogued(joined.host, finding.pool_ip, signatures)
        return finding
    _name_machine(finding, joined, signatures)
    finding.pool = _pool(joined, signatures)
    finding.aggregator = carrier(finding.agent_role, finding.software, joined.crowd)
    what = joined.what
    finding.work_unit = "solutions" if what.dialect.work.unit == "solutions" else "hashes"
    finding.work_unit = None if what.spoken_as.is_open else finding.work_unit
    exposure = joined.exposure
    finding.watched_seconds = exposure.windows.total_ns / SECOND_NS
    found = estimate(exposure, assumptions.level)
    finding.unknown_shares = exposure.unknown_shares
    finding.assumed_seconds, finding.unknown_seconds = unknown_time(exposure, found is not None)
    if found is None:
        return finding
    finding.hashrate_hps, finding.spent_hashrate_hps, finding.estimate_notes = found.hashrate, found.spent, found.notes
    if what.dialect.work.disputed(finding.algorithm):
        finding.estimate_notes = (*found.notes, DISPUTED.format(algorithm=finding.algorithm))
    efficiency, note = _efficiency(finding, what.dialect, signatures, found.spent)
    if note is not None:
        finding.estimate_notes = (*finding.estimate_notes, note)
    if efficiency is not None:
        finding.power_watts = watts(found.spent, efficiency, assumptions.pue)
        finding.joules_per_hash = watts(Interval(1.0, 1.0, 1.0, assumptions.level), efficiency, assumptions.pue)
        finding.energy_kwh = energy_kwh(finding.power_watts, finding.watched_seconds, finding.assumed_seconds)
    return finding


def _efficiency(
    finding: Finding, dialect: Dialect, signatures: SignatureSet, spent: Interval
) -> tuple[Efficiency | None, str | None]:
    """Joules a hash, and what is to be said of it. Where the algorithm is only a habit it is the range over all that
    fit, if each of them has one; where only a wallet says it, none. A device named beside it is no proof of what is
    mined.
    """
    most = _most_machines(finding)
    if finding.algorithm_basis != "assumed":
        return signatures.devices.assess(finding.algorithm, finding.device, finding.device_class, spent, most)
    nothing = N_("the algorithm {algorithm} is assumed: no power is given").format(algorithm=finding.algorithm)
    if finding.algorithm != dialect.algorithm:
        return None, nothing
    assessed = [signatures.devices.assess(name, None, finding.device_class, spent, most)[0] for name in dialect.fits]
    its = [row for row in assessed if row is not None]
    if not its or len(its) < len(assessed):
        return None, nothing
    low, high = min(row.low_joules for row in its), max(row.high_joules for row in its)
    note = N_("the algorithm {algorithm} is assumed: power is the range over {algorithms}").format(
        algorithm=finding.algorithm, algorithms=", ".join(dialect.fits)
    )
    return Efficiency(None, low, math.sqrt(low * high), high, its[0].source, "low"), note


def _most_machines(finding: Finding) -> int:
    """How many machines the shares may be of; an aggregator does not say."""
    return MOST_BEHIND_ONE if finding.aggregator else max(1, finding.machines_seen, finding.worker_count)


def _pool(joined: Joined, signatures: SignatureSet) -> Pool:
    """The host the miner asked for, else the one it names; and the catalogue's entry for that name or the address."""
    host = joined.lead.flow.pool_host or (joined.endpoint[1] if joined.endpoint else None)
    return _catalogued(host, joined.lead.pool_ip, signatures)


def _catalogued(host: str | None, address: str | None, signatures: SignatureSet) -> Pool:
    named = _name(host) if host else address
    entry = signatures.pools.lookup(named) if named is not None else None
    if host is None and entry is None:
        return Pool()
    return Pool(host, entry.name if entry else None, entry.operator if entry else None, entry is not None)


def _name(host: str) -> str:
    """The name of host:port, or the address of [address]:port."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def _name_machine(finding: Finding, joined: Joined, signatures: SignatureSet) -> None:
    """Software of the latest agent; a device and its class only if all agents seen agree on them."""
    latest = signatures.agents.lookup(finding.agent)
    if latest is None:
        return
    finding.software, finding.software_version, finding.agent_role = latest.software, latest.version, latest.role
    agents = [agent for agent in map(signatures.agents.lookup, joined.agents) if agent is not None]
    if len({agent.device for agent in agents}) == 1:
        finding.device, finding.nominal_hashrate_hps = latest.device, _nominal(agents)
    if len({agent.device_class for agent in agents}) == 1:
        finding.device_class = latest.device_class


def _nominal(agents: list[Agent]) -> float | None:
    stated = {agent.nominal_hps for agent in agents}
    return stated.pop() if len(stated) == 1 else None
