"""The centre's books: the filing of fixed addresses, subscribers, their leases; and enterprises that do not mine."""

from __future__ import annotations

from pathlib import Path

from sensor.model.time import SECOND_NS
from tests.province.books import moment_text, write_books
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
    filing = [*sorted(filed, key=repr), POOL]
    return write_books(folder, filing, sorted(customers, key=repr), sorted(leases, key=repr))


def _text(at_ns: int) -> str:
    return moment_text(at_ns // SECOND_NS)
