"""Each format of leases and tables: what it says, from when until when, and its damaged lines by number."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from sensor.attribution import AttributionError, Attributor
from sensor.sheets.dates import moment_ns
from tests.attribution.conftest import Books

WHO = "账号,单位名称\nuser1@isp,铜公司\nuser2@isp,锡公司\n02:00:00:00:00:01,网卡公司\n"
CUSTOMERS = "kind: inventory, preset: customers, path: who.csv"


def at(text: str) -> int:
    return moment_ns(text, 0)[0]


def named(loaded: Attributor, address: str, port: int | None, when: str) -> str | None:
    answer = loaded.answer(address, port, at(when))
    return answer.enterprise.name if answer.enterprise else None


def record(kind: str, session: str, user: str, seconds: int, *more: str) -> str:
    attributes = (
        f'User-Name = "{user}"',
        f"Acct-Status-Type = {kind}",
        f'Acct-Session-Id = "{session}"',
        "NAS-IP-Address = 192.0.2.254",
    )
    lines = "".join(f"\t{one}\n" for one in (*attributes, *more, f"Timestamp = {seconds}"))
    return f"Mon Mar  2 08:00:00 2026\n{lines}\n"


def test_radius_accounting_is_a_subscriber_from_start_to_stop(books: Books) -> None:
    begin, end = at("2026-03-02 08:00:00") // 10**9, at("2026-03-02 09:00:00") // 10**9
    address = "Framed-IP-Address = 198.51.100.9"
    detail = record("Start", "1", "user1@isp", begin, address) + record(
        "Interim-Update", "1", "user1@isp", begin + 600, address
    )
    detail += record("Stop", "1", "user1@isp", end, address, "Acct-Session-Time = 3600")
    detail += record("Start", "2", "user2@isp", end + 60, address)  # never ends
    detail += record("Stop", "3", "user2@isp", end, "Framed-IPv6-Prefix = 2001:db8:5::/64", "Acct-Session-Time = 1800")
    detail += record("Start", "4", "", begin, address) + record("Start", "5", "user1@isp", begin)
    loaded = books(
        f"kind: leases, format: radius-detail, path: detail.txt\n{CUSTOMERS}", detail_txt=detail, who_csv=WHO
    )
    when = {
        "2026-03-02 07:59:59": None,
        "2026-03-02 08:00:00": "铜公司",
        "2026-03-02 08:59:59": "铜公司",
        "2026-03-02 09:00:30": None,
        "2026-03-02 09:01:00": "锡公司",
        "2026-03-03 09:00:59": "锡公司",
        "2026-03-03 09:01:00": None,  # a session without an end is believed for a day
    }
    assert {text: named(loaded, "198.51.100.9", 4000, text) for text in when} == when
    assert named(loaded, "2001:db8:5::7", None, "2026-03-02 08:45:00") == "锡公司"
    assert named(loaded, "2001:db8:5::7", None, "2026-03-02 08:15:00") is None
    assert [one.text for one in loaded.books.books[0].refused] == [
        "the record has no User-Name",
        "the record of user1@isp has no address",
    ]


def test_radius_tells_ports_of_a_translator(books: Books) -> None:
    begin = at("2026-03-02 08:00:00") // 10**9
    inside = "Framed-IP-Address = 100.64.0.9"
    detail = record(
        "Start", "1", "user1@isp", begin, inside, 'Alc-Nat-Port-Range = "198.51.100.9 1024-2047 router base pool1"'
    )
    ranges = ("IP-Port-Ext-IPv4-Addr = 198.51.100.9", "IP-Port-Range-Start = 2048", "IP-Port-Range-End = 3071")
    detail += record("Start", "2", "user2@isp", begin, "Framed-IP-Address = 100.64.0.10", *ranges)
    loaded = books(
        f"kind: leases, format: radius-detail, path: detail.txt\n{CUSTOMERS}", detail_txt=detail, who_csv=WHO
    )
    asked = [named(loaded, "198.51.100.9", port, "2026-03-02 08:10:00") for port in (1024, 2048, 3072, None)]
    assert asked == ["铜公司", "锡公司", None, None]
    assert named(loaded, "100.64.0.10", None, "2026-03-02 08:10:00") == "锡公司"


def test_kea_leases_hold_for_their_lifetime_and_the_next_holder_ends_the_one_before(books: Books) -> None:
    expire = at("2026-03-02 10:00:00") // 10**9
    kea = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,"
    kea += "hostname,state,user_context,pool_id\n"
    kea += (
        f"198.51.100.9,02:00:00:00:00:01,,3600,{expire},1,0,0,pc,0,,0\n"
        f"198.51.100.9,02:00:00:00:00:01,,3600,{expire + 1800},1,0,0,pc,0,,0\n"
    )
    kea += f"198.51.100.9,02:00:00:00:00:02,,3600,{expire + 4500},1,0,0,other,0,,0\n"
    kea += f"198.51.100.8,,,3600,{expire},1,0,0,,0,,0\n198.51.100.7,02:00:00:00:00:07,,3600,soon,1,0,0,,0,,0\n"
    kea += (
        f"198.51.100.6,02:00:00:00:00:06,,0,{expire},1,0,0,,0,,0\n"
        f"198.51.100.5,02:00:00:00:00:05,,3600,{expire},1,0,0,,1,,0\n"
    )
    loaded = books(f"kind: leases, format: kea, accounts: true, path: kea.csv\n{CUSTOMERS}", kea_csv=kea, who_csv=WHO)
    when = {
        "2026-03-02 08:59:59": None,
        "2026-03-02 09:00:00": "网卡公司",
        "2026-03-02 10:10:00": "网卡公司",
        "2026-03-02 10:15:00": None,
    }
    assert {text: named(loaded, "198.51.100.9", None, text) for text in when} == when
    book = loaded.books.books[0]
    assert (book.rows, [one.line for one in book.refused]) == (2, [5, 6])
    with pytest.raises(AttributionError, match="no lease file of Kea"):
        books("kind: leases, format: kea, path: kea.csv", kea_csv="a,b\n")


def test_isc_leases_are_read_with_their_history(books: Books) -> None:
    leases = """# The format of this file is documented in dhcpd.leases(5)
lease 198.51.100.9 {
  starts 1 2026/03/02 08:00:00;
  ends 1 2026/03/02 09:00:00;
  binding state free;
  hardware ethernet 02:00:00:00:00:01;
  client-hostname "pc";
}
lease 198.51.100.9 {
  starts 1 2026/03/02 09:30:00;
  ends never;
  binding state active;
  hardware ethernet 02:00:00:00:00:02;
}
lease 198.51.100.x {
  starts epoch 1772438400; # an address that is none
  ends epoch 1772442000;
  hardware ethernet 02:00:00:00:00:03;
}
lease 198.51.100.8 {
  binding state active;
}
"""
    loaded = books(
        f"kind: leases, format: isc-dhcp, accounts: true, path: d.leases\n{CUSTOMERS}", d_leases=leases, who_csv=WHO
    )
    assert [named(loaded, "198.51.100.9", None, f"2026-03-02 {time}") for time in ("08:30:00", "09:10:00")] == [
        "网卡公司",
        None,
    ]
    late = loaded.answer("198.51.100.9", None, at("2027-01-01"))
    assert late.claims[0].subscriber == "02:00:00:00:00:02"
    assert [one.line for one in loaded.books.books[0].refused] == [15, 20]


def test_a_translators_syslog_is_read_by_pattern(books: Books) -> None:
    block = "[1024-2047] {} 198.51.100.9 in source pool P lsys_id: 0"
    alloc = (
        "<14>Mar  2 {} bng RT_NAT: RT_SRC_NAT_PBA_ALLOC: Subscriber {} used/maximum [1/8] blocks, allocates port block "
        + block.format("from")
    )
    release = (
        "<14>Mar  2 {} bng RT_NAT: RT_SRC_NAT_PBA_RELEASE: Subscriber {} used/maximum [0/8] "
        "blocks, releases port block "
    )
    log = [alloc.format("08:00:00", "100.64.0.9"), "<14>Mar  2 08:30:00 bng something else"]
    log += [(release + block.format("in")).format("09:00:00", "100.64.0.9"), alloc.format("09:10:00", "100.64.0.x")]
    book = "first,last,organisation\n100.64.0.9,,铜公司\n"
    source = "kind: leases, format: nat-syslog, year: 2026, utc_offset: '+00:00', path: nat.log"
    loaded = books(f"{source}\nkind: inventory, path: book.csv", nat_log="\n".join(log), book_csv=book)
    assert [
        named(loaded, "198.51.100.9", 1500, f"2026-03-02 {time}") for time in ("07:00:00", "08:59:59", "09:00:00")
    ] == [
        None,
        "铜公司",
        None,
    ]
    assert [one.line for one in loaded.books.books[0].refused] == [4]
    assert "1 of 4 lines" in loaded.books.books[0].notes[0].text
    own = r"patterns: ['(?P<time>\S+) (?P<event>add|free) (?P<outside>\S+):(?P<first_port>\d+) (?P<inside>\S+)']"
    loaded = books(
        f"kind: leases, format: nat-syslog, {own}, path: own.log\nkind: inventory, path: book.csv",
        own_log="2026-03-02T08:00:00Z add 198.51.100.9:4000 100.64.0.9\n"
        "2026-03-02T09:00:00Z free 198.51.100.9:4000 100.64.0.9\n",
        book_csv=book,
    )
    assert [named(loaded, "198.51.100.9", 4000, f"2026-03-02 {time}") for time in ("08:30:00", "09:30:00")] == [
        "铜公司",
        None,
    ]


def test_rows_of_a_translators_table_that_cannot_be_used_are_named(books: Books) -> None:
    nat = (
        "公网IP,起始端口,终止端口,私网IP,开始时间,结束时间\n198.51.100.9,2,1,10.0.0.1,2026-03-02,2026-03-03\n"
        ",1,2,10.0.0.1,2026-03-02,\n"
    )
    nat += "198.51.100.9,1,2,10.0.0.1,2026-03-02 08:00:00,2026-03-02 07:00:00\n198.51.100.9,1,2,,2026-03-02,\n"
    loaded = books("kind: leases, format: nat-csv, path: nat.csv", nat_csv=nat)
    assert ([one.line for one in loaded.books.books[0].refused], loaded.books.books[0].rows) == ([2, 3, 4, 5], 0)
    with pytest.raises(AttributionError, match="no heading for outside"):
        books("kind: leases, format: nat-csv, path: nat.csv", nat_csv="a,b\n1,2\n")


@pytest.mark.parametrize("heading", ["port_first", "ports", "外网端口段"])
def test_a_translators_table_whose_ports_are_not_understood_is_refused(books: Books, heading: str) -> None:
    nat = f"公网IP,{heading},私网IP,开始时间,结束时间\n198.51.100.9,1024,10.0.0.1,2026-03-02,2026-03-03\n"
    with pytest.raises(AttributionError, match="is not known: the first port stands under first_port"):
        books("kind: leases, format: nat-csv, path: nat.csv", nat_csv=nat)


def test_a_translators_table_without_ports_is_of_whole_addresses(books: Books) -> None:
    nat = "公网IP,私网IP,内网端口,开始时间,结束时间\n198.51.100.9,10.0.0.1,7,2026-03-02,2026-03-03\n"
    assert books("kind: leases, format: nat-csv, path: nat.csv", nat_csv=nat).books.books[0].rows == 1


def test_registries_say_whose_block_it_is(books: Books) -> None:
    stats = (
        "2|apnic|20260301|3|19830613|20260301|+1000\napnic|*|ipv4|*|2|summary\n"
        "apnic|CN|asn|64496|1|20110811|allocated|A1|e-stats\n"
    )
    stats += "apnic|CN|ipv4|198.51.100.0|192|20110811|assigned|A1\napnic|CN|ipv6|2001:db8::|32|20150112|allocated|A2\n"
    stats += "apnic|CN|ipv4|bad|256|x|y\n"
    dump = (
        "% comment\n\ninetnum:        198.51.100.0 - 198.51.100.127\nnetname:        EXAMPLE-NET\n"
        "descr:          Example Carrier\n"
    )
    dump += "+               Suzhou\ncountry:        CN\norg:            ORG-EX1\n\ninetnum: x - y\n\n"
    dump += "organisation:   ORG-EX1\norg-name:       Example Org\n"
    loaded = books(
        "kind: registry, format: delegated, path: stats.txt\nkind: registry, format: rpsl, path: db.gz",
        stats_txt=stats,
        db_gz=gzip.compress(dump.encode()),
    )
    rpsl, delegated = loaded.answer("198.51.100.9", None, 0, vrf="any").claims
    assert rpsl.detail == {"netname": "EXAMPLE-NET", "country": "CN", "org": "ORG-EX1", "registrant": "Example Org"}
    assert delegated.detail["registrant_id"] == "A1"
    assert delegated.allocation == "198.51.100.0-198.51.100.191"
    assert len(loaded.answer("2001:db8::1", None, 0).claims) == 1
    assert loaded.answer("198.51.100.192", None, 0).claims == ()
    assert [[one.line for one in book.refused] for book in loaded.books.books] == [[6], [10]]


def test_routes_name_the_origin_and_several_of_them(books: Books) -> None:
    table = (
        "; a comment\n198.51.100.0/24\t64496\n192.0.2.0/24\t{64497,64498}\n2001:db8::/32\t64499\nx\t1\n"
        "203.0.113.0/24\tnone\n"
    )
    loaded = books(
        "kind: routes, names: names.csv, path: rib.dat", rib_dat=table, names_csv="AS64496,Example\n64497 Other Net\n"
    )
    assert loaded.answer("198.51.100.1", None, 0).claims[0].detail == {"asn": "AS64496", "as_name": "Example"}
    assert loaded.answer("192.0.2.1", None, 0).claims[0].detail["origins"] == "{64497,64498}"
    assert loaded.answer("2001:db8::1", None, 0).claims[0].detail == {"asn": "AS64499"}
    assert [one.line for one in loaded.books.books[0].refused] == [5, 6]


def test_places_are_the_weakest_claim_and_name_nobody(books: Books, tmp_path: Path) -> None:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    place = {
        "country": {"iso_code": "CN", "names": {"zh-CN": "中国"}},
        "city": {"names": {"zh-CN": "苏州"}},
        "isp": "Example",
    }
    writer.insert_network(IPSet(["198.51.100.0/24"]), place)
    writer.to_db_file(str(tmp_path / "geo.mmdb"))
    text = "198.51.100.0|198.51.100.255|中国|0|江苏省|苏州市|电信\nbad\n"
    loaded = books("kind: geo, path: geo.mmdb\nkind: geo, format: ip2region, path: ip.txt", ip_txt=text)
    answer = loaded.answer("198.51.100.9", None, 0)
    assert (answer.result, answer.enterprise) == ("unknown", None)
    said, stored = answer.claims
    assert said.detail == {"country": "中国", "province": "江苏省", "city": "苏州市", "isp": "电信"}
    assert stored.detail == {"country": "中国", "city": "苏州", "isp": "Example"}
    assert (stored.strength, stored.allocation) == (0.1, "198.51.100.0/24")
    assert loaded.answer("192.0.2.1", None, 0).claims == ()
    with pytest.raises(AttributionError, match="no MaxMind DB"):
        books("kind: geo, path: geo.mmdb", geo_mmdb="nothing")


def test_netbox_names_tenants_of_active_prefixes(books: Books) -> None:
    def prefix(network: str, tenant: str | None, **more: object) -> dict[str, object]:
        return {
            "prefix": network,
            "tenant": tenant and {"name": tenant},
            "status": {"value": "active"},
            "vrf": None,
            "vlan": None,
            **more,
        }

    export = [
        prefix("198.51.100.0/28", "铜公司", custom_fields={"uscc": "91320505MADEM0002J", "address": "一号路"}),
        prefix("198.51.100.0/24", None, status={"value": "container"}),
        prefix("10.0.0.0/24", "锡公司", vrf={"name": "red"}, vlan={"vid": 7}),
        prefix("198.51.100.16/28", "坏公司", custom_fields={"uscc": "91320505MADEM0002K"}),
        prefix("198.51.100.32/28", None),
        {},
    ]
    loaded = books("kind: netbox, path: nb.json", nb_json=json.dumps({"results": export}))
    answer = loaded.answer("198.51.100.3", None, 0)
    assert answer.enterprise is not None
    assert answer.site is not None
    assert (answer.enterprise.uscc, answer.site.address) == ("91320505MADEM0002J", "一号路")
    red = loaded.answer("10.0.0.9", None, 0, vrf="red", vlan=(7,))
    assert red.result == "named"
    assert loaded.answer("10.0.0.9", None, 0).result == "unknown"
    book = loaded.books.books[0]
    assert ([one.line for one in book.refused], [one.line for one in book.notes]) == ([4, 6], [2, 5])
    csv = "Prefix,Status,Tenant,VRF,VLAN,Custom Field\n198.51.100.0/28,Active,铜公司,,,\n"
    assert books("kind: netbox, path: nb.csv", nb_csv=csv).answer("198.51.100.3", None, 0).result == "named"
    for damaged in ("[", "{}", "a,b\n1,2\n"):
        with pytest.raises(AttributionError):
            books("kind: netbox, path: nb.json", nb_json=damaged)
