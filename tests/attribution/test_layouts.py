"""Sheets as customers' tables look: which column is taken for what, what is not used, and what is only suggested."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.attribution import AttributionError, Attributor, load_books
from sensor.attribution.books.book import Book
from sensor.attribution.settings import AttributionSettings
from sensor.attribution.sources.inventory import Config
from sensor.sheets.dates import moment_ns

NOW = moment_ns("2027-03-02", 0)[0]
CODE = "91320505MADEM0002J"


def load(folder: Path, content: str | bytes, **keys: object) -> tuple[Attributor, Book]:
    path = folder / "book.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    loaded = load_books(AttributionSettings(sources=[Config(kind="inventory", path=str(path), **keys)]))  # type: ignore[arg-type]
    return loaded, loaded.books.books[0]


def named(loaded: Attributor, address: str) -> str | None:
    answer = loaded.answer(address, None, NOW)
    return answer.enterprise.name if answer.enterprise else None


#: A sheet, who has each address (None: nobody), and the code of whoever has the first.
SHEETS: dict[str, tuple[str, dict[str, str | None], str | None]] = {
    "unusual headings": (
        f"单位,公网IP段,统一信用代码,地址\n甲公司,198.51.100.16/28,{CODE},示例路18号\n",
        {"198.51.100.31": "甲公司", "198.51.100.32": None},
        CODE,
    ),
    "address and mask apart": (
        "客户名称,IP地址,子网掩码\n甲公司,198.51.100.16,255.255.255.240\n乙公司,198.51.100.34,255.255.255.240\n",
        {"198.51.100.16": "甲公司", "198.51.100.31": "甲公司", "198.51.100.32": None, "198.51.100.34": "乙公司"},
        None,
    ),
    "two heading rows with groups": (
        f"台账,,,,,\n客户信息,,IP地址,,,使用时间\n名称,证照号码,起始,终止,网关,开始\n"
        f"甲公司,{CODE},198.51.100.16,198.51.100.31,198.51.100.17,2024-01-01\n",
        {"198.51.100.16": "甲公司", "198.51.100.31": "甲公司", "198.51.100.32": None},
        CODE,
    ),
    "a group beside plain headings": (
        "序号,客户名称,IP地址,,装机地址\n,,地址,掩码,\n1,甲公司,198.51.100.16,255.255.255.240,示例路\n",
        {"198.51.100.16": "甲公司", "198.51.100.31": "甲公司"},
        None,
    ),
    "English": (
        f"No.,Customer Name,Customer Type,Credit Code,Start IP,End IP,Circuit ID,Service Start Date,Remarks\n"
        f"1,Copper Ltd,Enterprise,{CODE},198.51.100.16,198.51.100.31,C-1,6 May 2023,\n",
        {"198.51.100.20": "Copper Ltd"},
        CODE,
    ),
    "an English column of addresses that is no premises": (
        "Customer,Address\nCopper Ltd,198.51.100.16/28\n",
        {"198.51.100.20": "Copper Ltd"},
        None,
    ),
    "first address and count": (
        "起始IP,IP数量,单位名称\n198.51.100.16,16,甲公司\n",
        {"198.51.100.31": "甲公司", "198.51.100.32": None},
        None,
    ),
    "network, gateway and broadcast": (
        "客户名称,网络地址,网关,广播地址\n甲公司,198.51.100.16,198.51.100.17,198.51.100.31\n",
        {"198.51.100.16": "甲公司", "198.51.100.31": "甲公司"},
        None,
    ),
    "both versions": (
        "客户名称,IPv4地址,IPv6地址\n甲公司,198.51.100.16/28,2001:db8:1::/48\n乙公司,-,2001:db8:2::/48\n",
        {"198.51.100.16": "甲公司", "2001:db8:1::9": "甲公司", "2001:db8:2::9": "乙公司"},
        None,
    ),
    "brackets that tell first from last": (
        "单位名称,IP地址（起始）,IP地址（终止）\n甲公司,198.51.100.16,198.51.100.31\n",
        {"198.51.100.31": "甲公司", "198.51.100.32": None},
        None,
    ),
    "inside addresses beside public ones": (
        "客户名称,IP地址（内网）,公网IP\n甲公司,10.0.0.9,198.51.100.16\n",
        {"10.0.0.9": None, "198.51.100.16": "甲公司"},
        None,
    ),
    "a state": (
        "客户名称,IP地址,状态\n甲公司,198.51.100.1,在网\n乙公司,198.51.100.2,已拆机\n丙公司,198.51.100.3,预占\n丁公司,198.51.100.4,停机\n",
        {"198.51.100.1": "甲公司", "198.51.100.2": None, "198.51.100.3": None, "198.51.100.4": "丁公司"},
        None,
    ),
    "a remark that says who is gone": (
        "客户名称,IP地址,备注\n甲公司,198.51.100.1,未拆机\n乙公司,198.51.100.2,2024年已退网\n退网-旧客户,198.51.100.3,\n",
        {"198.51.100.1": "甲公司", "198.51.100.2": None, "198.51.100.3": None},
        None,
    ),
    "two columns of holders": (
        "客户名称,最终用户,IP地址\n代理公司,甲公司,198.51.100.1\n乙公司,乙公司,198.51.100.2\n丙公司,,198.51.100.3\n",
        {"198.51.100.1": None, "198.51.100.2": "乙公司", "198.51.100.3": "丙公司"},
        None,
    ),
    "a column of units that is no column of names": ("IP地址,单位\n198.51.100.1,M\n", {"198.51.100.1": None}, None),
    "text that a spreadsheet keeps as a formula": (
        f'客户名称,IP地址,证照号码\n甲公司,="198.51.100.1","=""{CODE}"""\n',
        {"198.51.100.1": "甲公司"},
        CODE,
    ),
    "a title above a table of another sign": (
        "专线台账（甲，乙，丙）\n客户名称;IP地址\n甲公司;198.51.100.1,198.51.100.2\n乙公司;198.51.100.3\n",
        {"198.51.100.2": "甲公司", "198.51.100.3": "乙公司"},
        None,
    ),
    "months and serial days": (
        "客户名称,IP地址,开通日期,拆机日期\n甲公司,198.51.100.1,2023年5月,\n乙公司,198.51.100.2,44927,2027-02\n"
        "丙公司,198.51.100.3,2023-05,2027-03\n",
        {"198.51.100.1": "甲公司", "198.51.100.2": None, "198.51.100.3": "丙公司"},
        None,
    ),
    "a VLAN in letters": ("客户名称,IP地址,VLAN\n甲公司,198.51.100.1,Vlan812\n", {"198.51.100.1": "甲公司"}, None),
    "sums, blank columns and headings again": (
        "客户名称,,IP地址,\n甲公司,,198.51.100.1,\n合计,,,1\n客户名称,,IP地址,\n乙公司,,198.51.100.2,\n,,,\n总计：,,,2\n",
        {"198.51.100.1": "甲公司", "198.51.100.2": "乙公司"},
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHEETS)
def test_a_sheet_gives_each_address_its_holder_and_no_other(kind: str, tmp_path: Path) -> None:
    content, holders, code = SHEETS[kind]
    loaded, book = load(tmp_path, content)
    assert {address: named(loaded, address) for address in holders} == holders, (book.layout, book.refused)
    first = next(iter(holders))
    if code is not None:
        enterprise = loaded.answer(first, None, NOW).enterprise
        assert enterprise is not None
        assert enterprise.uscc == code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
def test_masks_and_ranges_are_read_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    text = (
        "客户名称\tIP地址\t子网掩码\n甲公司\t１９８．５１．１００．１６\t255.255.255.240\n乙公司\t198.51.100.64～95\t\n"
    )
    if encoding.startswith("utf-16-"):
        text = "IP\t客户名称\t子网掩码\n198.51.100.16\t甲公司\t255.255.255.240\n198.51.100.64～95\t乙公司\t\n"
    loaded, _ = load(tmp_path, text.encode(encoding))
    assert (named(loaded, "198.51.100.31"), named(loaded, "198.51.100.95")) == ("甲公司", "乙公司")


@pytest.mark.parametrize(
    ("heading", "cell", "looks"),
    [("办证", CODE, "codes"), ("内网网段", "10.0.0.0/24", "addresses"), ("备用二", "255.255.255.240", "masks")],
)
def test_a_column_that_looks_like_something_and_is_not_used_is_a_warning(
    heading: str, cell: str, looks: str, tmp_path: Path
) -> None:
    _, book = load(tmp_path, f"客户名称,IP地址,{heading}\n甲公司,198.51.100.16,{cell}\n")
    assert book.layout is not None
    column = book.layout.columns[2]
    assert (column.field, column.warning) == (None, f"looks like {looks} and is not used")


def test_an_unknown_heading_gets_a_suggestion_and_is_not_taken(tmp_path: Path) -> None:
    _, book = load(tmp_path, f"客户名称,IP地址,证照编码,用户分类名\n甲公司,198.51.100.16,{CODE},x\n")
    assert book.layout is not None
    assert (book.layout.columns[2].field, book.layout.columns[2].suggestion) == (None, "certificate")


def test_a_sheet_without_headings_says_what_was_found_and_how_to_map_it(tmp_path: Path) -> None:
    with pytest.raises(AttributionError) as caught:
        load(tmp_path, "甲,198.51.100.16/28,示例路\n")
    (problem,) = caught.value.problems
    assert "no headings are found" in problem
    assert 'columns: {first: "=B"}' in problem
    loaded, _ = load(tmp_path, "甲公司,198.51.100.16/28,示例路\n", columns={"first": "=B", "organisation": "=A"})
    assert named(loaded, "198.51.100.16") == "甲公司"


def test_addresses_under_an_unknown_heading_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    with pytest.raises(AttributionError) as caught:
        load(tmp_path, "客户名称,专线号,资源池\n甲公司,Z-1,198.51.100.16/28\n")
    assert 'first: "资源池"' in caught.value.problems[0]


def test_a_mapped_heading_that_is_not_there_is_a_mistake_and_a_field_can_be_absent(tmp_path: Path) -> None:
    content = "客户名称,IP地址,VLAN\n甲公司,198.51.100.16,x\n"
    with pytest.raises(AttributionError, match="there is no heading 客户"):
        load(tmp_path, content, columns={"organisation": "客户"})
    loaded, book = load(tmp_path, content, columns={"vlan": "-"})
    assert (named(loaded, "198.51.100.16"), book.refused) == ("甲公司", [])


def test_a_page_under_the_name_of_a_table_is_named_as_one(tmp_path: Path) -> None:
    with pytest.raises(AttributionError, match="is a web page"):
        load(tmp_path, "<html><table><tr><td>IP</td></tr></table>")
