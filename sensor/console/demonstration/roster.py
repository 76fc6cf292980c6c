"""Who mines in the demonstration: invented holders at real divisions, with machines as their makers state them.

Names are samples (示例), codes were given to nobody, addresses are of the ranges for documentation (RFC 5737, RFC
3849).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stdnum.cn import uscc

from sensor.model.attribution import Enterprise, Site

#: The weeks of it.
WEEKS = 12


@dataclass(frozen=True)
class Machine:
    """A kind of machine: algorithm, rate, joules a hash (makers' data sheets), how it names itself."""

    dialect: str
    algorithm: str
    coin: str
    rate_hps: float
    joules_per_hash: float
    agent: str
    device: str | None
    device_class: str | None


S21 = Machine("stratum-v1", "sha256d", "BTC", 200e12, 17.5e-12, "Antminer S21/1.0", "Antminer S21", "asic")
S19 = Machine("stratum-v1", "sha256d", "BTC", 110e12, 29.5e-12, "Antminer S19 Pro/1.0", "Antminer S19 Pro", "asic")
L7 = Machine("stratum-v1", "scrypt", "LTC", 9.5e9, 360e-9, "Antminer L7/1.0", "Antminer L7", "asic")
XMRIG = Machine("cryptonote", "rx/0", "XMR", 8e3, 11e-3, "XMRig/6.22.2", None, "cpu")
RIG = Machine("ethproxy", "etchash", "ETC", 447e6, 2.2e-6, "lolMiner 1.88", None, "gpu")


@dataclass(frozen=True)
class InventedHolder:
    """Who holds addresses, and where."""

    number: int
    name: str
    category: str
    division: str
    division_name: str
    street: str
    service: str | None = None

    @property
    def enterprise(self) -> Enterprise:
        """As a book names it. The codes' checks are right; persons have none."""
        if self.category == "individual":
            return Enterprise(f"name:{self.number:016x}", self.name, None, "individual")
        stem = f"91{self.division}MADEM{self.number:04d}"
        code = stem + uscc.calc_check_digit(stem)
        return Enterprise(code, self.name, code, self.category, None, "code")

    @property
    def site(self) -> Site:
        """The premises."""
        return Site(self.street, self.division, self.division_name)


@dataclass(frozen=True)
class MinerPlan:
    """Machines behind an address: which, how many, for whom, and in which weeks (0 is the first)."""

    holder: InventedHolder | None  # None: no book knows
    address: str
    machine: Machine
    count: int
    weeks: tuple[int, int]  # first, and before the end
    pool: tuple[str, str, str, int]  # name, host, address, port
    login: str
    hours: Literal["all", "night", "office"] = "all"


FOUNDRY = InventedHolder(1, "苏州示例铸造有限公司", "enterprise", "320505", "虎丘区", "示例路18号3号厂房")
HALL = InventedHolder(
    2, "徐州示例数据中心有限公司", "data-centre", "320312", "铜山区", "云龙示例大道7号", "data-centre"
)
SCHOOL = InventedHolder(3, "南京示例职业技术学院", "university", "320115", "江宁区", "示例学府路1号")
CAFE = InventedHolder(4, "昆山示例网吧", "sole-trader", "320583", "昆山市", "前进示例路66号")
OFFICE = InventedHolder(5, "常熟示例市民服务中心", "government", "320581", "常熟市", "示例广场2号")
CHARGING = InventedHolder(6, "吴江示例充电站有限公司", "enterprise", "320509", "吴江区", "示例高速出口东侧")
CLINIC = InventedHolder(7, "南京示例医院", "institution", "320106", "鼓楼区", "示例街12号")
WAREHOUSE = InventedHolder(8, "徐州示例冷链物流有限公司", "enterprise", "320311", "泉山区", "示例物流园4号库")
PERSONS = (
    InventedHolder(21, "张三", "individual", "320506", "吴中区", "示例新村3幢501室"),
    InventedHolder(22, "李四", "individual", "320583", "昆山市", "示例花园8幢1102室"),
    InventedHolder(23, "王五", "individual", "320106", "鼓楼区", "示例里9号"),
)
BTC_POOL = ("Example Pool", "stratum.pool.example", "203.0.113.40", 3333)
LTC_POOL = ("Example Pool", "ltc.pool.example", "203.0.113.41", 3433)
XMR_POOL = ("Monero Example", "xmr.example.net", "203.0.113.88", 10128)
ETC_POOL = ("", "etc.example.org", "203.0.113.61", 1010)
BTC_WALLET = "bc1qexample0000000000000000000000000000demo"
XMR_WALLET = "4Example" + "0" * 40 + "Demo"

PLANS = (
    *(MinerPlan(HALL, f"198.51.100.{n}", S21, 24, (2, 12), BTC_POOL, f"tenant{n % 3}.rack{n}") for n in range(40, 52)),
    *(MinerPlan(FOUNDRY, f"198.51.100.{n}", S19, 8, (0, 12), BTC_POOL, f"{BTC_WALLET}.hall{n}") for n in range(16, 20)),
    MinerPlan(FOUNDRY, "198.51.100.20", L7, 6, (3, 12), LTC_POOL, "foundry.l7"),
    *(MinerPlan(CHARGING, f"198.51.100.{n}", S19, 10, (7, 12), BTC_POOL, f"charge.{n}") for n in range(70, 73)),
    MinerPlan(WAREHOUSE, "198.51.100.90", S21, 12, (0, 7), BTC_POOL, "coldstore.1"),
    MinerPlan(SCHOOL, "198.51.100.130", RIG, 4, (5, 12), ETC_POOL, "0xexample.lab", "night"),
    MinerPlan(SCHOOL, "198.51.100.131", XMRIG, 9, (8, 12), XMR_POOL, XMR_WALLET, "office"),
    MinerPlan(CAFE, "198.51.100.150", RIG, 14, (4, 12), ETC_POOL, "0xexample.cafe", "night"),
    MinerPlan(OFFICE, "198.51.100.170", XMRIG, 3, (9, 12), XMR_POOL, XMR_WALLET, "office"),
    MinerPlan(CLINIC, "198.51.100.175", XMRIG, 5, (6, 12), XMR_POOL, XMR_WALLET, "office"),
    MinerPlan(PERSONS[0], "198.51.100.200", S19, 1, (1, 12), BTC_POOL, "home.a"),
    MinerPlan(PERSONS[1], "198.51.100.201", RIG, 1, (6, 12), ETC_POOL, "0xexample.home", "night"),
    MinerPlan(PERSONS[2], "2001:db8:23::5", XMRIG, 1, (10, 12), XMR_POOL, XMR_WALLET, "night"),
    MinerPlan(None, "192.0.2.77", S19, 2, (8, 12), BTC_POOL, "unknown.rig"),
    MinerPlan(None, "2001:db8:77::9", RIG, 1, (11, 12), ETC_POOL, "0xexample.someone"),
)
