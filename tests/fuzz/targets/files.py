"""Targets that are files of the operator: books of every kind, metered load, signatures, the configuration."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

import xlsxwriter
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from sensor.attribution import AttributionError, load_books
from sensor.attribution.settings import AttributionSettings
from sensor.daemon.configuration import load as load_configuration
from sensor.meter.readings import MeterError
from sensor.meter.readings import read as read_meters
from sensor.settings.document import ConfigError
from sensor.signatures.host_lists import read_list
from sensor.signatures.loader import parse
from sensor.signatures.model import DatedTable
from tests.fuzz.mutation import altered_cells
from tests.fuzz.targets.target import BrokenPropertyError, Target

ROOT = Path(__file__).resolve().parents[3]
CODE = "91320505MADEM0002J"
INVENTORY = (
    "单位名称,统一社会信用代码,起始IP,终止IP,装机地址,开通时间,VLAN\n"
    f"甲公司,{CODE},198.51.100.16,198.51.100.31,示例路18号,2024-01-01,12\n",
    "客户名称,IP地址,子网掩码\n甲公司,198.51.100.16,255.255.255.240\n乙公司,198.51.100.34,255.255.255.240\n",
    "台账,,,,,\n客户信息,,IP地址,,,使用时间\n名称,证照号码,起始,终止,网关,开始\n"
    f"甲公司,{CODE},198.51.100.16,198.51.100.31,198.51.100.17,2024-01-01\n",
    "Customer,Address\nCopper Ltd,198.51.100.16/28\nTin Ltd,2001:db8:2::/48\n",
    "账号,单位名称\nuser1@isp,铜公司\n02:00:00:00:00:01,网卡公司\n",
)
DETAIL = (
    'Mon Mar  2 08:00:00 2026\n\tUser-Name = "user1@isp"\n\tAcct-Status-Type = Start\n\tAcct-Session-Id = "1"\n'
    "\tFramed-IP-Address = 198.51.100.9\n\tFramed-IPv6-Prefix = 2001:db8:5::/64\n"
    '\tAlc-Nat-Port-Range = "198.51.100.9 1024-2047 router base pool1"\n\tTimestamp = 1772438400\n\n'
)
KEA = (
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n"
    "198.51.100.9,02:00:00:00:00:01,,3600,1772442000,1,0,0,host,0,,0\n"
)
ISC = (
    "lease 198.51.100.9 {\n  starts 1 2026/03/02 08:00:00;\n  ends 1 2026/03/02 09:00:00;\n"
    '  hardware ethernet 02:00:00:00:00:01;\n  option agent.circuit-id "eth1/0:12";\n}\n'
)
NAT = (
    "start,end,inside,inside_port,outside,outside_port\n"
    "2026-03-02 08:00:00,2026-03-02 09:00:00,100.64.0.9,40000,198.51.100.9,1024\n"
)
SYSLOG = "".join(
    f"<14>Mar  2 {at} bng RT_NAT: RT_SRC_NAT_PBA_{event}: Subscriber 100.64.0.9 used/maximum [1/8] blocks, "
    f"{does}s port block [1024-2047] from 198.51.100.9 in source pool P lsys_id: 0\n"
    for at, event, does in (("08:00:00", "ALLOC", "allocate"), ("09:00:00", "RELEASE", "release"))
)
DELEGATED = (
    "2|apnic|20260302|3|19830613|20260302|+1000\napnic|*|ipv4|*|1|summary\n"
    "apnic|CN|ipv4|198.51.100.0|256|20110412|allocated|A91872ED\napnic|CN|ipv6|2001:db8::|32|20110412|allocated|A9\n"
)
RPSL = (
    "inetnum: 198.51.100.0 - 198.51.100.255\nnetname: EXAMPLE\ndescr: Example\ncountry: CN\nsource: APNIC\n\n"
    "inet6num: 2001:db8::/32\nnetname: E6\n\norganisation: ORG-1\norg-name: Example\n"
)
NETBOX = (
    "Prefix,Status,Tenant,VRF,VLAN,Custom Field\n198.51.100.0/28,Active,铜公司,,,\n",
    '{"results":[{"prefix":"198.51.100.0/28","status":{"value":"active"},"tenant":{"name":"铜公司"},"vrf":null}]}\n',
)
ROUTES = ("; IP-ASN-DAT file\n198.51.100.0/24\t64496\n203.0.113.0/24\t64497\n2001:db8::/32\t64496\n",)
IP2REGION = ("198.51.100.0|198.51.100.255|中国|0|江苏省|苏州市|电信\n",)
METERS = (
    "单位名称,时间,电量(kWh)\n甲公司,2026-03-02 00:00,12.5\n甲公司,2026-03-02 01:00,13\n乙公司,2026-03-02 00:00,1\n",
    "site,time,register_kwh\na,2026-03-02T00:00:00+08:00,1000\na,2026-03-02T01:00:00+08:00,1013\n",
)
HOST_LISTS = (
    "host,operator,serves,ports\nmine.own.example,Own Ltd,stratum,3333 443\nown.example,Own Ltd,web,\n",
    "# hosts\n0.0.0.0 a.pool.example\n*.b.pool.example\n",
)
#: By the name of the target: the keys of the source, and seeds.
BOOKS: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "inventory": ({"kind": "inventory"}, INVENTORY),
    "customers": ({"kind": "inventory", "preset": "customers"}, INVENTORY[-1:]),
    "radius": ({"kind": "leases", "format": "radius-detail"}, (DETAIL, DETAIL.replace("Start", "Stop"))),
    "kea": ({"kind": "leases", "format": "kea"}, (KEA,)),
    "isc-dhcp": ({"kind": "leases", "format": "isc-dhcp"}, (ISC,)),
    "nat-csv": ({"kind": "leases", "format": "nat-csv"}, (NAT,)),
    "nat-syslog": ({"kind": "leases", "format": "nat-syslog", "year": 2026}, (SYSLOG,)),
    "delegated": ({"kind": "registry", "format": "delegated"}, (DELEGATED,)),
    "rpsl": ({"kind": "registry", "format": "rpsl"}, (RPSL,)),
    "netbox": ({"kind": "netbox"}, NETBOX),
    "routes": ({"kind": "routes"}, ROUTES),
    "ip2region": ({"kind": "geo", "format": "ip2region"}, IP2REGION),
}


@cache
def _folder() -> Path:
    """Where inputs become files."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz")
    _HELD.append(folder)
    return Path(folder.name)


_HELD: list[tempfile.TemporaryDirectory[str]] = []  # until the process ends


def as_file(name: str, data: bytes) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


def workbook() -> bytes:
    """A book as XLSX, with merged cells and a number for a date."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet("台账")
        for at, row in enumerate(INVENTORY[0].splitlines()):
            sheet.write_row(at, 0, row.split(","))
        sheet.merge_range(2, 0, 3, 0, "乙公司")
        sheet.write_row(2, 2, ["198.51.100.32", "198.51.100.40", "x", 45_000.5])
        sheet.write_row(3, 2, ["198.51.100.48", "198.51.100.50", 7, True])
    return content.getvalue()


def places() -> bytes:
    """A table of places in the format of MaxMind."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True)
    place = {
        "country": {"iso_code": "CN", "names": {"zh-CN": "中国"}},
        "city": {"names": {"zh-CN": "苏州"}},
        "isp": "E",
    }
    writer.insert_network(IPSet(["198.51.100.0/24", "203.0.113.0/25"]), place)
    path = as_file("places", b"")
    writer.to_db_file(str(path))
    return path.read_bytes()


def _feed_book(keys: dict[str, object], data: bytes) -> None:
    path = as_file("book", data)
    settings = AttributionSettings.model_validate({"sources": [{**keys, "path": str(path)}]})
    try:
        loaded = load_books(settings)
    except AttributionError as error:
        if not error.problems or not all(str(path) in problem for problem in error.problems):
            raise BrokenPropertyError(f"a refusal without its file: {error.problems}") from None
        return
    for book in loaded.books.books:
        repr((book.rows, book.refused))
    for address in ("198.51.100.20", "2001:db8:2::9", "0.0.0.0"):
        loaded.answer(address, 1_024, 1_772_438_500_000_000_000)


def _feed_meters(data: bytes) -> None:
    try:
        read_meters(as_file("meters", data), ZoneInfo("Asia/Shanghai"))
    except MeterError:
        return


def _feed_signature(data: bytes) -> None:
    problems: list[str] = []
    tables: list[DatedTable] = []
    found = parse(data.decode("utf-8", "replace"), "given.yaml", problems, tables)
    if found is None and not problems:
        raise BrokenPropertyError("refused without a reason")


def _feed_host_list(data: bytes) -> None:
    found = read_list(as_file("hosts", data))
    if not found.rows and not found.problems:
        raise BrokenPropertyError("a list that says nothing and has no mistake")
    if any(not problem.startswith(str(_folder() / "hosts")) for problem in found.problems):
        raise BrokenPropertyError(f"a mistake without its file: {found.problems}")


def _feed_configuration(data: bytes) -> None:
    try:
        load_configuration(as_file("minewatch.yaml", data))
    except ConfigError as error:
        if not error.problems:
            raise BrokenPropertyError("refused without a reason") from None


def _texts(texts: tuple[str, ...]) -> Callable[[], list[bytes]]:
    return lambda: [
        *(text.encode() for text in texts),
        *(text.encode("gb18030", "replace") for text in texts[:1]),
        *(text.encode("utf-16") for text in texts[:1]),
    ]


def _signature_files() -> list[bytes]:
    """Of each folder a few of the smaller ones, for YAML is slow."""
    found = []
    for folder in sorted((ROOT / "signatures").iterdir()):
        texts = sorted((path.read_bytes() for path in folder.glob("*.yaml")), key=len) if folder.is_dir() else []
        found += [text for text in texts[:8] if len(text) < 20_000]
    return found


def targets() -> Iterator[Target]:
    for name, (keys, texts) in BOOKS.items():
        yield Target(f"books-{name}", partial(_feed_book, keys), _texts(texts), 60, altered_cells)
    yield Target("books-xlsx", partial(_feed_book, {"kind": "inventory"}), lambda: [workbook()], 30)
    yield Target("books-mmdb", partial(_feed_book, {"kind": "geo", "format": "mmdb"}), lambda: [places()], 60)
    yield Target("meters", _feed_meters, lambda: [*_texts(METERS)(), workbook()], 120, altered_cells)
    yield Target("host-lists", _feed_host_list, _texts(HOST_LISTS), 120, altered_cells)
    yield Target("signature-files", _feed_signature, _signature_files, 12)
    yield Target(
        "configuration",
        _feed_configuration,
        lambda: [(ROOT / name).read_bytes() for name in ("tests/demo/minewatch.yaml", "deploy/minewatch.yaml")],
        12,
    )
