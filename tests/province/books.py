"""The operator's books about the province: the IP filing, customers by account, and the translator's leases."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tests.province.roster import BLOCK_PORTS, NAT_ADDRESS, SECOND_US, ZONE, Machine

FILING = (
    "起始IP地址",
    "终止IP地址",
    "使用方式",
    "使用日期",
    "单位名称",
    "单位性质",
    "单位所在省",
    "市",
    "单位详细地址",
)
CUSTOMERS = ("用户账号", "单位名称", "单位性质", "所在省", "所在市", "装机地址")
LEASES = ("公网IP", "起始端口", "终止端口", "用户账号", "开始时间", "结束时间")
PLACE = ("江苏省", "苏州市")
BookRows = Sequence[Sequence[object]]


def write(machines: Sequence[Machine], folder: Path) -> dict[str, object]:
    """Write the books and give the configuration's section `attribution` that reads them."""
    lines = {machine.address: machine for machine in machines if machine.owner and not machine.leases}
    filed = [
        (address, address, "静态", "2024-05-06", machine.owner, "企业", *PLACE, f"{machine.owner}厂区")
        for address, machine in sorted(lines.items())
    ]
    shared = (NAT_ADDRESS, NAT_ADDRESS, "NAT地址池", "2023-01-01", "示例宽带运营商", "企业", *PLACE, "示例大道100号")
    accounts = {lease.account: machine.owner for machine in machines for lease in machine.leases}
    customers = [(account, owner, "企业", *PLACE, f"{owner}门店") for account, owner in sorted(accounts.items())]
    leases = [
        (
            NAT_ADDRESS,
            lease.first_port,
            lease.first_port + BLOCK_PORTS - 1,
            lease.account,
            moment_text(lease.span.begin_us // SECOND_US),
            moment_text(lease.span.end_us // SECOND_US),
        )
        for machine in machines
        for lease in machine.leases
    ]
    return write_books(folder, [*filed, shared], customers, leases)


def write_books(folder: Path, filed: BookRows, customers: BookRows, leases: BookRows) -> dict[str, object]:
    """Write the filing, the customers and the leases, and give the configuration's section that reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    _table(folder / "filing.csv", FILING, filed)
    _table(folder / "customers.csv", CUSTOMERS, customers)
    _table(folder / "leases.csv", LEASES, leases)
    return {
        "sources": [
            {"kind": "inventory", "path": str(folder / "filing.csv"), "preset": "filing", "as_of": "2026-02-28"},
            {"kind": "inventory", "path": str(folder / "customers.csv"), "preset": "customers", "as_of": "2026-02-28"},
            {"kind": "leases", "path": str(folder / "leases.csv"), "format": "nat-csv", "as_of": "2026-03-02"},
        ]
    }


def moment_text(at_s: int) -> str:
    """A moment as the leases have it, in the province's own time."""
    return datetime.fromtimestamp(at_s, ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _table(path: Path, heads: Sequence[str], rows: BookRows) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows(rows)
