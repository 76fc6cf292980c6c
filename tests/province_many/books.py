"""The centre's books: the filing of fixed addresses, subscribers, their leases; and enterprises that do not mine."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sensor.model.time import SECOND_NS
from tests.province.books import CUSTOMERS, FILING, LEASES
from tests.province.roster import ZONE
from tests.province_many.roster import PROVINCE, Roster

POOL = (
    "198.19.0.0",
    "198.19.255.255",
    "动态地址池",
    "2023-01-01",
    "示例宽带运营商",
    "企业",
    PROVINCE,
    "南京市",
    "示例大道1号",
)


def write(roster: Roster, folder: Path) -> dict[str, object]:
    """Write them; the configuration's section `attribution` that reads them."""
    filed, customers, leases = set[tuple[object, ...]](), set[tuple[object, ...]](), set[tuple[object, ...]]()
    for machine in roster.machines:
        place, holder = machine.premises, machine.premises.holder
        if holder is None:
            continue
        whose = (holder.name, holder.category, PROVINCE, place.city, place.text)
        if holder.account is None:
            filed |= {(stay.address, stay.address, "静态", "2024-05-06", *whose) for stay in machine.stays}
            continue
        customers.add((holder.account, *whose))
        leases |= {
            (stay.address, 1, 65_535, holder.account, _text(stay.span[0]), _text(stay.span[1]))
            for stay in machine.stays
        }
    folder.mkdir(parents=True, exist_ok=True)
    _table(folder / "filing.csv", FILING, [*sorted(filed, key=repr), POOL])
    _table(folder / "customers.csv", CUSTOMERS, sorted(customers, key=repr))
    _table(folder / "leases.csv", LEASES, sorted(leases, key=repr))
    return {
        "sources": [
            {"kind": "inventory", "path": str(folder / "filing.csv"), "preset": "filing", "as_of": "2026-02-28"},
            {"kind": "inventory", "path": str(folder / "customers.csv"), "preset": "customers", "as_of": "2026-02-28"},
            {"kind": "leases", "path": str(folder / "leases.csv"), "format": "nat-csv", "as_of": "2026-03-02"},
        ]
    }


def _text(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // SECOND_NS, ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _table(path: Path, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        writer.writerows(rows)
