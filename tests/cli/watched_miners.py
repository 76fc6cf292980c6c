"""Miners as the line would tell a ledger of them, over any pieces of time: of known and unknown work, priced or not,
seen by one sensor or two, told at once or as they grow."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from sensor.estimate import energy_kwh, estimate, unknown_time, watts
from sensor.estimate.exposure import Exposure
from sensor.estimate.tally import Tally
from sensor.ledger import Ledger
from sensor.model.attribution import Attribution
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.quantities import ExposureRecord, Interval, Shares, WatchedStretch
from sensor.signatures.devices import Efficiency
from sensor.signatures.work import UNITS
from tests.ledger.made import SECOND, finding, flow
from tests.ledger.mining import HOUR, MONDAY, owned

LEVEL = 0.95
#: Hashes behind a share, and joules a hash.
WORTH = {"sha256d": 2**45, "scrypt": 2**28, None: 0}
PRICES = {"sha256d": (20e-12, 30e-12, 90e-12), "scrypt": (3e-7, 4e-7, 9e-7)}


@dataclass(frozen=True)
class Piece:
    """A connection: how long after the one before it began, how long it was watched, what was sent."""

    gap_h: float
    hours: float
    shares: int
    rated: bool  # whether its shares' work is known


@dataclass(frozen=True)
class Mining:
    """A login at a pool."""

    start_h: float
    pieces: tuple[Piece, ...]
    algorithm: str | None
    priced: bool
    records: int  # the ledger is told so many times


@dataclass(frozen=True)
class MinerPlan:
    """An address."""

    minings: tuple[Mining, ...]
    owned: bool
    sensors: int


@dataclass(frozen=True)
class LedgerPlan:
    """A ledger, and the part of its week that was watched."""

    miners: tuple[MinerPlan, ...]
    watched: float


pieces = st.builds(
    Piece, st.sampled_from((0.0, 0.5, 7.0)), st.sampled_from((0.1, 1.7, 12.0)), st.integers(0, 900), st.booleans()
)
minings = st.builds(
    Mining,
    st.floats(0, 20),
    st.lists(pieces, min_size=1, max_size=3).map(tuple),
    st.sampled_from((*WORTH, "sha256d")),
    st.sampled_from((True, True, False)),
    st.integers(1, 3),
)
miner_plans = st.builds(
    MinerPlan, st.lists(minings, min_size=1, max_size=3).map(tuple), st.booleans(), st.integers(1, 2)
)
ledger_plans = st.builds(
    LedgerPlan, st.lists(miner_plans, min_size=1, max_size=2).map(tuple), st.sampled_from((0.0, 0.6, 0.9, 1.0))
)


def stretches_of(mining: Mining) -> list[WatchedStretch]:
    """When each piece was watched."""
    at, found = MONDAY + int(mining.start_h * HOUR), []
    for piece in mining.pieces:
        start = at + int(piece.gap_h * HOUR)
        at = start + int(piece.hours * HOUR)
        found.append(WatchedStretch(start, at, 0))
    return found


def reported(number: int, address: str, mining: Mining, chosen: Sequence[int], owner: Attribution | None) -> Finding:
    """The finding of some pieces of a login, with the estimates that the line makes."""
    stretches, work = stretches_of(mining), WORTH[mining.algorithm] * UNITS
    tally, flows = Tally(), []
    rated = [at for at in chosen if mining.pieces[at].rated and work]
    unrated = [at for at in chosen if at not in rated]
    for at in rated:
        tally.put(work, mining.pieces[at].shares)
    for at in chosen:
        flows.append(connection(number, at, address, stretches[at], mining.pieces[at].shares))
    record = ExposureRecord(
        mining.algorithm, tuple(stretches[at] for at in rated), tally.record(), tally.record(),
        submitted=tally.count, seen_bytes=1, next_work=(stretches[chosen[0]].start_ns, work) if rated else None,
        unrated=sum(mining.pieces[at].shares for at in unrated),
        unrated_stretches=tuple(stretches[at] for at in unrated),
        rated_ns=sum(stretches[at].end_ns - stretches[at].start_ns for at in rated),
        unrated_ns=sum(stretches[at].end_ns - stretches[at].start_ns for at in unrated),
    )  # fmt: skip
    bare = finding(
        number, tuple(flows), algorithm=mining.algorithm, pool_ip=f"198.51.100.{number}", login=f"wallet{number}",
        miner_ip=address, exposures=(record,), attribution=owner, work_hashes=tally.work / UNITS or None,
        hashes_per_share=None, work_unit="hashes", machines_seen=1, activity="mining",
        coin="BTC" if mining.algorithm == "sha256d" else None,
        stream_bytes=100 * sum(one.shares.submitted for one in flows),
    )  # fmt: skip
    return with_estimates(bare, Exposure.of(record), PRICES.get(mining.algorithm or "") if mining.priced else None)


def connection(number: int, at: int, address: str, watched: WatchedStretch, shares: int) -> FlowSummary:
    """A connection of its own."""
    return dataclasses.replace(
        flow(number * 10 + at, miner=address),
        first_ns=watched.start_ns,
        last_ns=watched.end_ns,
        shares=Shares(shares, shares, 0, 0, 0),
    )


def with_estimates(bare: Finding, exposure: Exposure, price: tuple[float, float, float] | None) -> Finding:
    """As the line enriches it."""
    found = estimate(exposure, LEVEL)
    assumed, unknown = unknown_time(exposure, found is not None)
    seconds = exposure.windows.total_ns / SECOND
    counted = dataclasses.replace(
        bare, watched_seconds=seconds, unknown_shares=exposure.unknown_shares, assumed_seconds=assumed,
        unknown_seconds=unknown,
    )  # fmt: skip
    if found is None:
        return counted
    rated = dataclasses.replace(
        counted, hashrate_hps=found.hashrate, spent_hashrate_hps=found.spent, estimate_notes=found.notes
    )
    if price is None:
        return rated
    efficiency = Efficiency(None, *price, "a test", "high")
    power = watts(found.spent, efficiency)
    joules = watts(Interval(1.0, 1.0, 1.0, LEVEL), efficiency)
    energy = energy_kwh(power, seconds, assumed)
    return dataclasses.replace(rated, power_watts=power, joules_per_hash=joules, energy_kwh=energy)


def tell(url: str, plan: LedgerPlan) -> None:
    """A ledger of it; sensors see different pieces of a miner's connections."""
    for sensor in (1, 2):
        ledger = Ledger.open(url, sensor_id=f"sensor-{sensor}", run_id=f"run-{sensor}")
        try:
            ledger.record(list(records(plan, sensor)), MONDAY)
            if plan.watched:
                ledger.add_coverage(MONDAY, MONDAY + int(plan.watched * 168 * HOUR))
        finally:
            ledger.close()


def records(plan: LedgerPlan, sensor: int) -> Iterator[Finding]:
    """What one sensor tells, each finding as often as it is to be told."""
    number = 0
    for at, miner in enumerate(plan.miners, 1):
        for mining in miner.minings:
            number += 1
            its = [
                place
                for place in range(len(mining.pieces))
                if (place % 2 == sensor - 1 if miner.sensors == 2 else sensor == 1)
            ]
            owner = owned(at) if miner.owned else None
            for told in sorted({max(1, len(its) * part // mining.records) for part in range(1, mining.records + 1)}):
                if its:
                    yield reported(number, f"192.0.2.{at}", mining, its[:told], owner)
