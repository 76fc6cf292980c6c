"""Who mines in the province: machines with their devices, habits and addresses, drawn up by a seed.

Ten templates show what service meets: several machines behind one address, IPv6, subscribers behind a translator, night
shifts, an exit, a relapse, a lossy line, an address in no book. More machines are further copies at other addresses.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from tests.province import talk
from tests.province.talk import Talk

ZONE = timezone(timedelta(hours=8))
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
#: Monday, 2 March 2026 in the province's zone: the first midnight. The capture begins a little later.
MIDNIGHT_US = int(datetime(2026, 3, 2, tzinfo=ZONE).timestamp()) * SECOND_US
LATE_US = (7 * 60 + 31) * SECOND_US
#: What was already running when the capture began did so since then.
EARLIER_US = 4 * HOUR_US
NAT_ADDRESS = "198.51.100.130"
BLOCK_PORTS = 1_024
USUAL_LOSS = 0.002


@dataclass(frozen=True)
class Device:
    """A machine as its maker states it. `named` is whether its agent tells the model, from which its power follows."""

    model: str
    algorithm: str  # as the ledger writes it
    agent: str
    rate_hps: float
    watts: float
    named: bool = True


S21 = Device("Antminer S21", "sha256d", "Antminer S21/Mon Mar  3 01:02:03 CST 2025", 200e12, 3_500)
S19_PRO = Device("Antminer S19 Pro", "sha256d", "Antminer S19 Pro/Tue Mar 11 09:12:44 CST 2025", 110e12, 3_250)
S19_XP = Device("Antminer S19 XP", "sha256d", "Antminer S19 XP/Tue Mar 11 09:12:44 CST 2025", 140e12, 3_010)
M50S = Device("Whatsminer M50S", "sha256d", "whatsminer/v1.1.0", 126e12, 3_276, named=False)
L7 = Device("Antminer L7", "scrypt", "Antminer L7/Fri Jan 10 01:02:03 CST 2025", 9.5e9, 3_425)
KS5M = Device("IceRiver KS5M", "kheavyhash", "iceriverminer-v1.1", 15e12, 3_400, named=False)
Z15 = Device("Antminer Z15", "equihash/200,9", "Antminer Z15/Mon Jan  6 01:02:03 CST 2025", 420e3, 1_510)
#: 11 J/kH and 2.2 J/MH, the usual figures of a desktop processor and of a tuned graphics card.
DESKTOP = Device("desktop", "rx/0", "XMRig/6.22.2 (Linux x86_64) libuv/1.48.0 gcc/13.2.0", 8_000, 88, named=False)
GPU_RIG = Device("six graphics cards", "ethash", "", 500e6, 1_100, named=False)


@dataclass(frozen=True)
class Pool:
    """Where a pool stands, and how it chooses difficulties."""

    address: str
    address6: str
    port: int
    interval_s: float = 90.0  # seconds between two shares that it steers to
    start: float = 1 / 16  # the starting difficulty as a part of that which suits the machine
    job_s: float = 300.0


POOLS = {
    "sha256d": Pool("203.0.113.40", "2001:db8:f::40", 3_333),
    "scrypt": Pool("203.0.113.41", "2001:db8:f::41", 3_433, start=1 / 8),
    "kheavyhash": Pool("203.0.113.42", "2001:db8:f::42", 5_555, start=1 / 4),
    "rx/0": Pool("203.0.113.88", "2001:db8:f::88", 10_128, start=1 / 8),
    "ethash": Pool("192.0.2.61", "2001:db8:f::61", 1_010, start=1 / 2),
    "equihash/200,9": Pool("192.0.2.62", "2001:db8:f::62", 6_633, start=1 / 4),
}


@dataclass(frozen=True)
class Span:
    """A stretch of time in microseconds, the end not included."""

    begin_us: int
    end_us: int


@dataclass(frozen=True)
class Lease:
    """A block of ports of the translator that an account had for a time."""

    account: str
    first_port: int
    span: Span


@dataclass(frozen=True)
class Machine:
    """One machine: whose, where, what, when."""

    name: str
    owner: str | None  # the enterprise in the books; None: the address stands in none
    address: str
    device: Device
    pool: Pool
    login: str
    spans: tuple[Span, ...]  # when it is switched on
    loss: float = USUAL_LOSS  # how much of its traffic the capture drops
    leases: tuple[Lease, ...] = ()  # behind the translator

    def talk(self, rng: random.Random) -> Talk:
        """A new conversation in the machine's protocol."""
        return TALKS[self.device.algorithm](self.login, self.device.agent, rng)


TALKS: dict[str, Callable[..., Talk]] = {
    "sha256d": talk.Stratum,
    "scrypt": lambda login, agent, rng: talk.Stratum(login, agent, rng, scale=65_536),
    "kheavyhash": talk.Kaspa,
    "rx/0": talk.CryptoNote,
    "ethash": talk.EthProxy,
    "equihash/200,9": talk.Equihash,
}


@dataclass(frozen=True)
class Period:
    """The days of a province, and the stretch of them that was captured."""

    days: int
    midnight_us: int = MIDNIGHT_US
    captured: Span = field(init=False)

    def __post_init__(self) -> None:
        span = Span(self.midnight_us + LATE_US, self.midnight_us + self.days * DAY_US)
        object.__setattr__(self, "captured", span)

    def at(self, part: float) -> int:
        """The moment at which this part of the days is over."""
        return self.midnight_us + int(part * self.days * DAY_US)

    def all(self) -> tuple[Span, ...]:
        """Switched on long before, and beyond the end."""
        return (Span(self.midnight_us - EARLIER_US, self.captured.end_us),)

    def nights(self) -> tuple[Span, ...]:
        """Eleven in the evening to seven in the morning."""
        midnights = [self.midnight_us + day * DAY_US for day in range(self.days + 1)]
        return tuple(Span(midnight - HOUR_US, midnight + 7 * HOUR_US) for midnight in midnights)

    def until(self, part: float) -> tuple[Span, ...]:
        """From before the beginning to the exit."""
        return (Span(self.midnight_us - EARLIER_US, self.at(part)),)

    def away(self, leaves: float, returns: float) -> tuple[Span, ...]:
        """An exit, and mining again after it."""
        return (*self.until(leaves), Span(self.at(returns), self.captured.end_us))


def machines(period: Period, count: int) -> list[Machine]:
    """So many machines: the templates in their order, then copies of them at other addresses."""
    return [_machine(period, number % 10, number // 10) for number in range(count)]


def _machine(period: Period, template: int, copy: int) -> Machine:
    """One machine of a template; the first copy is the template itself."""
    suffix = f"c{copy}" if copy else ""
    network = f"198.18.{copy}" if copy else "198.51.100"

    def build(
        name: str,
        owner: str | None,
        address: str,
        device: Device,
        login: str,
        *,
        spans: tuple[Span, ...] | None = None,
        loss: float = USUAL_LOSS,
        leases: tuple[Lease, ...] = (),
    ) -> Machine:
        whose, who = owner and f"{owner}{copy or ''}", f"{name}{suffix}"
        pool = POOLS[device.algorithm]
        return Machine(who, whose, address, device, pool, f"{login}.{who}", spans or period.all(), loss, leases)

    match template:
        case 0:
            return build("rack1", "苏州示例铸造有限公司", f"{network}.20", S21, talk.BTC)
        case 1:
            return build("rack2", "苏州示例铸造有限公司", f"{network}.20", S19_PRO, talk.BTC)
        case 2:
            return build("hall6", "苏州示例数据中心有限公司", f"2001:db8:5:{copy:x}::21", L7, talk.LTC)
        case 3:
            lease = Lease(f"kd-{4_100 + copy}", BLOCK_PORTS * (45 + copy), period.all()[0])
            return build("desk", "示例便利店", NAT_ADDRESS, DESKTOP, talk.XMR, leases=(lease,))
        case 4:
            return build(
                "shelf", "南京示例网络科技有限公司", NAT_ADDRESS, GPU_RIG, talk.ETC, leases=_moved(period, copy)
            )
        case 5:
            return build("lab", "示例理工大学", f"{network}.25", KS5M, talk.KAS, spans=period.nights())
        case 6:
            return build("leaver", "示例包装厂", f"{network}.26", Z15, talk.ZEC, spans=period.until(0.31))
        case 7:
            return build("returner", "示例冷库", f"{network}.27", S19_XP, talk.BTC, spans=period.away(0.15, 0.8))
        case 8:
            return build("far", "示例水电站", f"{network}.28", M50S, talk.BTC, loss=0.03)
        case _:
            return build("nobody", None, f"{network}.29", GPU_RIG, talk.ETC)


def _moved(period: Period, copy: int) -> tuple[Lease, ...]:
    """A block of ports, and from the middle of the period on another one."""
    whole, account, first_port = period.all()[0], f"kd-{1_100 + copy}", BLOCK_PORTS * (20 + copy)
    middle_us = period.at(0.5) + 11 * 60 * SECOND_US
    before, after = Span(whole.begin_us, middle_us), Span(middle_us, whole.end_us)
    return Lease(account, first_port, before), Lease(account, first_port + 10 * BLOCK_PORTS, after)
