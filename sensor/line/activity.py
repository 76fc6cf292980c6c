"""What somebody does who speaks a dialect: mines, tries to, only watches, or only looks whether a pool is there. Pure.

A session that never sends a share is a miner's only if its shares may have been missed. Shares come as a Poisson
process, so none in time t at a mean wait of w has the probability exp(-t/w). Where that is at most 0.001 for the
smallest machine sold for the algorithm in the last ten years, nothing mines there. Where the capture lost bytes of
the miner, as many shares as they have room for may have been among them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from sensor.estimate import Exposure
from sensor.line.flow_facts import FlowFacts
from sensor.model.finding import Activity
from sensor.model.gamma import gamma_cdf
from sensor.model.quantities import UNKNOWN_WAIT, ExposureRecord
from sensor.model.text import N_
from sensor.model.time import MINUTE_NS, SECOND_NS
from sensor.session.account import Account
from sensor.session.reading import Reading
from sensor.signatures.agents import AgentTable
from sensor.signatures.devices import DeviceTable
from sensor.signatures.work import UNITS

#: How often a machine that mines may look like none.
CHANCE = 0.001
#: A session without a share that is over within this only looked: machines stay, or send something before they go.
PROBE_NS = MINUTE_NS
#: No share's message is shorter than this (stratum v2: 24 bytes and a header of 6; JSON: more).
SHARE_BYTES = 30
#: The most telling first: what a finding is by its connections, and what one is by the records of several sensors.
ORDER: tuple[Activity, ...] = ("mining", "observer", "probe", "attempt")
#: Work of a block (hashes) that no network but Bitcoin's reached: it had 3.6e23 in 2026, of the others SHA-256d's next
#: has 2.5e21 (Bitcoin Cash, 4 EH/s, 600 s).
ONLY_BITCOIN = 1 << 74

REASONS: dict[Activity, str] = {
    "attempt": N_("it was not let in, or not answered: an attempt"),
    "observer": N_("it sent no share, and the smallest machine would have: an observer"),
    "probe": N_("it was answered, sent no share, and left within a minute: a probe"),
}


def reasons_with(reasons: Iterable[str], activity: Activity | None) -> tuple[str, ...]:
    """The reasons of a finding, its activity among them if that is no mining; the strongest last."""
    others = tuple(reason for reason in reasons if reason not in REASONS.values())
    return others if activity is None or activity not in REASONS else (*others, REASONS[activity])


def is_credible(account: Account, miner: int, strength: str, facts: FlowFacts) -> bool:
    """Whether shares of a login were sent to something that may be a pool: not where all was refused or not answered
    since the connection began, nor where nobody was heard at the other end."""
    if not account.shares.submitted:
        return False
    if strength not in ("refused", "unanswered") or account.shares.accepted > 0:
        return True
    return facts.opened.midstream and (facts.seen[1 - miner] > 0 or facts.acks[miner][0] > 0)


def flow_activity(reading: Reading, account: Account, strength: str, facts: FlowFacts) -> Activity:
    """What one login does in one connection; "mining" where nothing speaks against it."""
    if strength == "pool-only" and not facts.acks[1 - reading.miner][0]:
        return "attempt"  # the pool acknowledged nothing: whom it speaks to need not be there
    if strength == "quoted":
        return "attempt"
    if reading.dialect.sizes_only or strength in ("pool-only", "one-direction"):
        return "mining"
    if is_credible(account, reading.miner, strength, facts):
        return "mining"
    if reading.jobs.count == 0 and (strength in ("refused", "unanswered") or account.refused):
        return "attempt"
    if account.claimed_hps is not None:  # who claims a hashrate does not only look whether a pool is there
        return "mining"
    is_brief = (
        (facts.ended or facts.fell_silent) and not facts.opened.midstream and facts.last_ns - facts.first_ns < PROBE_NS
    )
    return "probe" if is_brief and not facts.missed[reading.miner] else "mining"


def joint_activity(of_flows: Iterable[Activity], exposures: Iterable[ExposureRecord], shares: int) -> Activity:
    """What all connections of a finding say together; `shares` are those that were submitted."""
    present = set(of_flows)
    best: Activity = next((activity for activity in ORDER if activity in present), "mining")
    if best == "attempt" or (best == "mining" and shares):
        return best
    return "observer" if would_have_shared(exposures) else best


def would_have_shared(exposures: Iterable[ExposureRecord]) -> bool:
    """Whether the smallest machine would have sent a share in the time that was watched, but for a chance of CHANCE."""
    records = list(exposures)
    expected = sum(map(expected_shares, records))
    room = sum(-(-record.missed_bytes // SHARE_BYTES) for record in records)
    # at most `room` shares of a Poisson process: the next one comes after so many mean waits
    return expected > 0.0 and 1.0 - gamma_cdf(room + 1.0, expected) <= CHANCE


def expected_shares(record: ExposureRecord) -> float:
    """How many shares the smallest machine would have sent; 0 where that is not known."""
    if not 0.0 < record.wait_seconds < UNKNOWN_WAIT:
        return 0.0
    exposure = Exposure.of(record)
    watched_ns = exposure.windows.total_ns or exposure.unrated_windows.total_ns  # the latter: see `without_work`
    return watched_ns / SECOND_NS / record.wait_seconds


def decided_after_ns(exposures: Iterable[ExposureRecord]) -> int | None:
    """How long a session must be watched without a share until nothing mines there; None where that is not known."""
    waits = [record.wait_seconds for record in exposures if 0.0 < record.wait_seconds < UNKNOWN_WAIT]
    return round(max(waits) * -math.log(CHANCE) * SECOND_NS) if waits else None


def wait_seconds(
    reading: Reading, account: Account, facts: FlowFacts, devices: DeviceTable, agents: AgentTable
) -> float:
    """How long the smallest machine that fits waits for a share on average, at the highest difficulty that was in
    force; UNKNOWN_WAIT where that is not known."""
    hardest = reading.jobs.hardest
    if hardest is None or not facts.packets[reading.miner] or reading.jobs.count == 0:
        return UNKNOWN_WAIT
    agent = agents.lookup(account.agent or reading.depth.agent)
    device = agent.device if agent is not None else None
    waits = []
    for algorithm, work in _candidates(reading, account, hardest):
        rate = devices.smallest_hps(algorithm, device)
        if rate is None:
            return UNKNOWN_WAIT
        waits.append(work / UNITS / rate)
    return max(waits, default=UNKNOWN_WAIT)


def _candidates(reading: Reading, account: Account, hardest: int) -> list[tuple[str, int]]:
    """The algorithms that may be meant, each with the work of a share; none where they cannot be listed."""
    jobs, dialect = reading.jobs, reading.dialect
    mined = jobs.mined(account)
    if mined is None and jobs.block_hashes >= ONLY_BITCOIN:
        names = {"sha256d"}
    elif mined is None:
        return []
    elif mined.basis != "assumed":
        names = {mined.name}
    elif dialect.work.by_algorithm:
        return []  # the dialect of many coins: a login says who is paid, not what is mined
    else:
        names = {mined.name, *dialect.fits}
    return [(name, jobs.work_as(hardest, account, name)) for name in sorted(names)]
