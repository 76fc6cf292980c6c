"""Two weeks of a province like Jiangsu's in 2021, written into a real ledger: who truly mines, with which machines, at
what cost is known.

Owners of every kind hold from one to a few hundred addresses; coins, cities and machines are mixed; some begin in the
second week, some end with the first, some cases were closed and relapse. Shares fall by chance at the machines' true
rate, and each machine's true efficiency lies anywhere in its algorithm's range. Beside them stand clean enterprises, of
which something was recorded that is muted.
"""

from __future__ import annotations

import dataclasses
import math
import random
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

from sensor import signatures
from sensor.bulletin.period import Period, week_of
from sensor.estimate import PUE, energy_kwh, watts
from sensor.estimate.interval import rate
from sensor.estimate.tally import Tally
from sensor.ledger import Ledger
from sensor.model.attribution import Attribution, Claim, Enterprise, Site
from sensor.model.evidence import Grade
from sensor.model.finding import Finding, Pool
from sensor.model.quantities import ExposureRecord, Interval, Shares, WatchedStretch
from sensor.signatures.devices import Efficiency
from sensor.signatures.work import UNITS
from tests.ledger.made import finding, flow

SECOND = 1_000_000_000
ZONE = ZoneInfo("Asia/Shanghai")
WEEK = "2026-W10"
#: Coin, algorithm, unit, dialect, pool, weight, median hashrate of an address, hashes behind a share (one share every
#: ten seconds or so).
COINS = (
    ("ETC", "etchash", "hashes", "ethproxy", "etc.pool.example", 45, 4e8),
    ("BTC", "sha256d", "hashes", "stratum-v1", "btc.pool.example", 25, 1e14),
    ("XMR", "rx/0", "hashes", "cryptonote", "xmr.pool.example", 18, 8e3),
    ("RVN", "kawpow", "hashes", "kawpow", "rvn.pool.example", 8, 1.5e8),
    ("ZEC", "equihash/200,9", "solutions", "equihash", "zec.pool.example", 4, 1.4e5),
)
CITIES = (
    "320505",
    "320506",
    "320508",
    "320302",
    "320303",
    "320102",
    "320104",
    "320205",
    "320402",
    "320602",
    "320902",
    "321002",
)
OWNERS = (
    ("enterprise", 44),
    ("individual", 20),
    ("institution", 8),
    ("university", 8),
    ("government", 5),
    ("data-centre", 6),
    ("sole-trader", 9),
)
SHARE_S = 20.0
MOST_MACHINES = 20  # behind an address


@dataclass
class Truth:
    """What is so, whatever was seen of it."""

    addresses: set[str] = field(default_factory=set)  # that mine in the week
    enterprises: dict[str, str] = field(default_factory=dict)  # names by identity, of those that mine in the week
    persons: set[str] = field(default_factory=set)  # names that nobody may read
    clean: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    kwh: float = 0.0
    kwh_by_algorithm: dict[str, float] = field(default_factory=dict)
    hashes_by_algorithm: dict[str, float] = field(default_factory=dict)
    shares: int = 0
    work_hashes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Miner:
    """One address with its owner and its machines."""

    number: int
    address: str
    owner: tuple[Enterprise, Site] | None
    coin: int
    hashrate_hps: float
    joules: float
    duty: float  # part of the time that it mines


@cache
def table():  # type: ignore[no-untyped-def]
    """Joules a hash by algorithm, as shipped."""
    return signatures.load([]).devices


def week() -> Period:
    """The week the simulation is about."""
    return week_of(WEEK, ZONE, date(2026, 3, 10))


def simulate(ledger: Ledger, addresses: int, seed: int = 1) -> Truth:
    """Fill a ledger; the truth about it."""
    chance = random.Random(seed)
    truth, period = Truth(), week()
    miners = _miners(chance, addresses)
    fates = chance.choices(("both", "new", "gone"), (75, 18, 7), k=len(miners) + len(miners))
    ledger.add_coverage(period.before.from_ns, period.to_ns)
    before, now = [], []
    mining = 0
    for miner, fate in zip([*miners, *_miners(chance, addresses, first=len(miners))], fates, strict=True):
        if mining == addresses:
            break
        if fate != "new":
            before.append(_week(chance, miner, period.before, None, 0))
        if fate == "gone":
            truth.gone.add(miner.address)
            continue
        now.append(_week(chance, miner, period, truth, 1))
        mining += 1
        if fate == "new":
            truth.new.add(miner.address)
    _record(ledger, before, period.from_ns)
    _relapses(ledger, period, chance)
    _record(ledger, [*now, *_clean(truth, period, chance)], period.to_ns)
    return truth


def _record(ledger: Ledger, findings: list[Finding], now_ns: int) -> None:
    for start in range(0, len(findings), 500):
        page = findings[start : start + 500]
        ledger.record(page, now_ns, {one.finding_id: "weak" for one in page if one.finding_id.startswith("muted")})


def _relapses(ledger: Ledger, period: Period, chance: random.Random) -> None:
    """A part of the cases was worked on before the week, and some were closed, too early."""

    for case in ledger.reader.summary(period.before.from_ns, period.from_ns).cases:
        for state in chance.choice(((), ("notified",), ("notified", "under-check"), ("notified", "closed"))):
            ledger.set_case(case.case_id, state, period.from_ns - 3_600 * SECOND, who="desk", why="as ordered")


def _miners(chance: random.Random, addresses: int, first: int = 0) -> list[Miner]:
    miners: list[Miner] = []
    owner = first
    while len(miners) < addresses:
        owner += 1
        whose, size = _owner(chance, owner, first)
        coin = chance.choices(range(len(COINS)), [one[5] for one in COINS])[0]
        for _ in range(min(size, addresses - len(miners))):
            number = first + len(miners) + 1
            miners.append(
                _miner(chance, number, whose, coin if chance.random() < 0.9 else chance.randrange(len(COINS)))
            )
    return miners


def _owner(chance: random.Random, number: int, first: int) -> tuple[tuple[Enterprise, Site] | None, int]:
    """An owner and how many addresses it has: most have few, a few have very many. Every tenth address belongs to
    nobody known."""
    if chance.random() < 0.1:
        return None, 1
    category = chance.choices([kind for kind, _ in OWNERS], [weight for _, weight in OWNERS])[0]
    name = f"自然人{first}-{number}" if category == "individual" else f"模拟单位{first}-{number}"
    whose = Enterprise(f"name:{first}-{number}", name, None, category)
    size = 1 if category in ("individual", "sole-trader") else min(400, int(chance.paretovariate(0.9)))
    return (whose, Site(f"模拟路{number}号", chance.choice(CITIES), None)), size


def _miner(chance: random.Random, number: int, owner: tuple[Enterprise, Site] | None, coin: int) -> Miner:
    hashrate_hps = COINS[coin][6] * chance.lognormvariate(0, 0.8)
    efficiency = _efficiency(coin, hashrate_hps)
    # Between low and typical, or typical and high, evenly in logarithms: the true machine is anywhere in the range.
    ends = (
        (efficiency.low_joules, efficiency.joules)
        if chance.random() < 0.5
        else (efficiency.joules, efficiency.high_joules)
    )
    joules = math.exp(chance.uniform(math.log(ends[0]), math.log(ends[1])))
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return Miner(
        number,
        address,
        owner,
        coin,
        hashrate_hps,
        joules,
        chance.choice((1.0, 1.0, 0.6, 0.2)),
    )


def _efficiency(coin: int, hashrate_hps: float) -> Efficiency:
    """Joules a hash of the classes of machines that some of this hashrate can be of."""
    its = Interval(hashrate_hps, hashrate_hps, hashrate_hps, 1.0)
    found = table().assess(COINS[coin][1], rate=its, machines=MOST_MACHINES).efficiency
    assert found is not None
    return found


def _week(chance: random.Random, miner: Miner, period: Period, truth: Truth | None, part: int) -> Finding:
    """One week of a miner: its shares by chance, the estimate that follows from them, and the truth."""
    coin, algorithm, unit, dialect, pool, _, _ = COINS[miner.coin]
    length_s = (period.to_ns - period.from_ns) / SECOND
    seconds = int(length_s * miner.duty)
    start_ns = period.from_ns + int(chance.uniform(0, length_s - seconds)) * SECOND
    per_share = miner.hashrate_hps * SHARE_S
    work = max(1, int(per_share * UNITS))
    count = _poisson(chance, seconds / SHARE_S)
    tally = Tally()
    tally.put(work, count)
    efficiency = _efficiency(miner.coin, miner.hashrate_hps)
    interval = rate(tally, seconds, next_work=work)
    assert interval is not None
    power = watts(interval, efficiency)
    if truth is not None:
        _know(truth, miner, seconds, work * count / UNITS, count)
    number = miner.number * 2 + part
    one = flow(number, miner=miner.address)
    one.first_ns, one.last_ns, one.shares, one.dialect = (
        start_ns,
        start_ns + seconds * SECOND,
        Shares(count, count, 0, 0, 0),
        dialect,
    )
    made = finding(
        number, (one,), work_hashes=work * count / UNITS, stream_bytes=count * 400, coin=coin, algorithm=algorithm
    )
    claims: tuple[Claim, ...] = ()
    attribution = miner.owner and Attribution(
        miner.address, None, start_ns, "named", *miner.owner, claims, ("the login was refused",)
    )
    return dataclasses.replace(
        made, work_unit=unit, dialect=dialect, attribution=attribution, pool=Pool(host=pool), pool_host=pool,
        grade=Grade.ACCEPTED, active_seconds=float(seconds), watched_seconds=float(seconds),
        hashrate_hps=interval, spent_hashrate_hps=interval, power_watts=power,
        energy_kwh=energy_kwh(power, seconds), state="closed", login=f"wallet{miner.number}",
        joules_per_hash=watts(Interval(1.0, 1.0, 1.0, interval.level), efficiency),
        exposures=(ExposureRecord(
            algorithm, (WatchedStretch(start_ns, start_ns + seconds * SECOND, 0),), tally.record(), tally.record(),
            submitted=count, seen_bytes=1, next_work=(start_ns, work),
        ),),
    )  # fmt: skip


def _know(truth: Truth, miner: Miner, seconds: float, work_hashes: float, count: int) -> None:
    algorithm = COINS[miner.coin][1]
    kwh = miner.hashrate_hps * miner.joules * PUE * seconds / 3.6e6
    truth.addresses.add(miner.address)
    truth.kwh += kwh
    truth.kwh_by_algorithm[algorithm] = truth.kwh_by_algorithm.get(algorithm, 0.0) + kwh
    truth.hashes_by_algorithm[algorithm] = truth.hashes_by_algorithm.get(algorithm, 0.0) + miner.hashrate_hps * seconds
    truth.work_hashes[algorithm] = truth.work_hashes.get(algorithm, 0.0) + work_hashes
    truth.shares += count
    if miner.owner and miner.owner[0].individual:
        truth.persons.add(miner.owner[0].name)
    elif miner.owner:
        truth.enterprises[miner.owner[0].enterprise_id] = miner.owner[0].name


def _clean(truth: Truth, period: Period, chance: random.Random) -> list[Finding]:
    """Enterprises that do not mine: an attempt that was refused, a name that was looked up; recorded, and muted."""
    made = []
    for number in range(900_001, 900_026):
        whose = Enterprise(f"name:clean{number}", f"清白单位{number}", None, "enterprise")
        site = Site(f"清白路{number}号", chance.choice(CITIES), None)
        truth.clean.add(whose.name)
        one = flow(number, miner=f"172.16.0.{number - 900_000}")
        one.first_ns, one.last_ns = period.from_ns + SECOND, period.from_ns + 60 * SECOND
        attribution = Attribution(
            one.key.src_ip, None, one.first_ns, "named", whose, site, (), ("the login was refused",)
        )
        weak = finding(number, (one,), finding_id=f"muted-{number}", grade=Grade.NAMED, attribution=attribution)
        made.append(weak)
    return made


def _poisson(chance: random.Random, mean: float) -> int:
    """A count of mean `mean`: by its gaps where that is small, else by the normal law (within a thousandth above
    1,000)."""
    if mean > 1_000:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    count, spent = -1, 0.0
    while spent < mean:
        spent += chance.expovariate(1.0)
        count += 1
    return count
