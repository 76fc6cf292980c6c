"""Every book takes addresses in any spelling, and IPv4 within IPv6 as IPv4; whoever asks may spell as they like."""

from __future__ import annotations

import json

import pytest

from sensor.attribution import Attributor
from sensor.sheets.dates import moment_ns
from tests.attribution.conftest import Books

SIX = ("2001:db8:5:1::17", "2001:DB8:5:1:0:0:0:17", "2001:0DB8:0005:0001:0000:0000:0000:0017", "[2001:db8:5:1::17]")
FOUR = ("192.0.2.1", "::ffff:192.0.2.1", "::FFFF:C000:201")
NOON = moment_ns("2026-03-02 12:00", 0)[0]
WHO = "账号,单位名称\nuser1@isp,铜公司\n02:00:00:00:00:01,铜公司\n"
CUSTOMERS = "kind: inventory, preset: customers, path: who.csv"


def inventory(books: Books, address: str) -> Attributor:
    return books("kind: inventory, path: a.csv", a_csv=f"起始IP,终止IP,单位名称\n{address},{address},铜公司\n")


def prefixes(books: Books, address: str) -> Attributor:
    bits = 128 if ":" in address else 32
    return books("kind: inventory, path: a.csv", a_csv=f"起始IP,单位名称\n{address.strip('[]')}/{bits},铜公司\n")


def netbox(books: Books, address: str) -> Attributor:
    listed = [{"prefix": f"{address.strip('[]')}/{128 if ':' in address else 32}", "tenant": {"name": "铜公司"}}]
    return books("kind: netbox, path: n.json", n_json=json.dumps({"results": listed}))


def radius(books: Books, address: str) -> Attributor:
    name = "Framed-IPv6-Address" if ":" in address else "Framed-IP-Address"
    attributes = ('User-Name = "user1@isp"', "Acct-Status-Type = Start", 'Acct-Session-Id = "1"', f"{name} = {address}")
    body = "".join(f"\t{one}\n" for one in (*attributes, f"Timestamp = {NOON // 10**9 - 60}"))
    detail = f"Mon Mar  2 08:00:00 2026\n{body}\n"
    return books(f"kind: leases, format: radius-detail, path: d.txt\n{CUSTOMERS}", d_txt=detail, who_csv=WHO)


def kea(books: Books, address: str) -> Attributor:
    head = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n"
    row = f"{address},02:00:00:00:00:01,,7200,{NOON // 10**9 + 3600},1,0,0,host,0\n"
    sources = f"kind: leases, format: kea, accounts: true, path: k.csv\n{CUSTOMERS}"
    return books(sources, k_csv=head + row, who_csv=WHO)


@pytest.mark.parametrize("book", [inventory, prefixes, netbox, radius, kea])
@pytest.mark.parametrize("spelled", [SIX, FOUR])
def test_one_address_however_it_is_spelled(books: Books, book: object, spelled: tuple[str, ...]) -> None:
    for written in spelled:
        loaded = book(books, written)  # type: ignore[operator]
        for asked in spelled:
            answer = loaded.answer(asked, None, NOON)
            assert answer.enterprise is not None, (written, asked)
            assert answer.enterprise.name == "铜公司"


def test_a_network_of_ipv4_within_ipv6_is_one_of_ipv4(books: Books) -> None:
    loaded = books("kind: inventory, path: a.csv", a_csv="起始IP,单位名称\n::ffff:192.0.2.0/120,铜公司\n")
    for address, holder in (("192.0.2.0", True), ("192.0.2.255", True), ("192.0.3.0", False), ("::1", False)):
        assert (loaded.answer(address, None, NOON).enterprise is not None) == holder
