"""What a book files a range for is a fact of the range; what is not understood is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sensor.attribution import Attributor
from sensor.attribution.formats.services import range_service, service
from sensor.sheets.dates import moment_ns

HEADINGS = ["应用服务类型", "业务类型", "IP用途", "产品类型", "Service Type", "Usage"]
NOW_NS, _ = moment_ns("2026-03-02", 0)


@pytest.mark.parametrize(("text", "meant"), [
    ("IDC服务类", "data-centre"), ("7", "data-centre"), ("７", "data-centre"), ("idc", "data-centre"),
    ("IDC托管", "data-centre"), ("数据中心", "data-centre"), ("服务器托管", "data-centre"),
    ("Colocation", "data-centre"),
    ("Data Center", "data-centre"), ("web hosting", "data-centre"), ("虚拟主机托管", "data-centre"),
    ("企事业单位专线接入", "leased-line"), ("1", "leased-line"), ("互联网专线", "leased-line"), ("DIA", "leased-line"),
    ("leased line", "leased-line"), ("政企专线", "leased-line"),
    ("政务外网专线", "government-line"), ("党政专线", "government-line"),
    ("个人专线接入", "personal-line"), ("网站专线接入", "website-line"),
    ("固定宽带接入", "broadband"), ("企业宽带", "broadband"), ("PPPoE拨号", "broadband"),
    ("宽带动态地址池", "broadband"), ("移动网接入", "mobile"), ("CGNAT pool", "shared-pool"), ("NAT444", "shared-pool"),
    ("网络设备", "network-equipment"), ("物联网", "internet-of-things"),
])  # fmt: skip
def test_services_as_books_write_them(text: str, meant: str) -> None:
    assert service(text) == meant


@pytest.mark.parametrize("text", [
    "", "其他", "9", "非IDC", "not IDC", "IDC专线", "数据中心/宽带", "拟建数据中心", "idcard office", "综合业务", "70",
])  # fmt: skip
def test_text_that_means_nothing_or_two_things_is_no_fact(text: str) -> None:
    assert service(text) is None


def test_the_manner_of_use_counts_where_the_service_is_not_filed_and_its_numbers_do_not() -> None:
    assert range_service({"use": "IDC托管"}) == "data-centre"
    assert range_service({"use": "7"}) is None
    assert range_service({"use": "IDC托管", "service": "其他"}) is None
    assert range_service({}) is None


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_service_of_a_row_stands_in_the_claim_under_any_heading(
    books: Callable[..., Attributor], heading: str
) -> None:
    content = f"起始IP地址,终止IP地址,单位名称,{heading}\n198.51.100.0,198.51.100.63,铜公司,IDC服务类\n"
    loaded = books("kind: inventory, path: book.csv", book_csv=content)
    claim = loaded.answer("198.51.100.9", None, NOW_NS).claims[0]
    assert claim.allocation == "198.51.100.0/26"
    assert range_service(claim.detail) == "data-centre"


def test_a_service_that_is_not_known_stays_as_text_and_is_noted(books: Callable[..., Attributor]) -> None:
    content = "IP地址,单位名称,应用服务类型\n198.51.100.9,铜公司,综合业务\n"
    loaded = books("kind: inventory, path: book.csv", book_csv=content)
    claim = loaded.answer("198.51.100.9", None, NOW_NS).claims[0]
    assert claim.detail["service"] == "综合业务"
    assert range_service(claim.detail) is None
    assert any("综合业务" in str(note) for note in loaded.books.books[0].notes)


def test_the_role_of_a_netbox_prefix_is_its_manner_of_use(books: Callable[..., Attributor]) -> None:
    content = "prefix,tenant,status,role\n198.51.100.0/26,Copper,active,Data Center\n198.51.100.64/26,Tin,active,\n"
    loaded = books("kind: netbox, path: prefixes.csv", prefixes_csv=content)
    first, second = (loaded.answer(f"198.51.100.{host}", None, NOW_NS).claims[0] for host in (9, 70))
    assert range_service(first.detail) == "data-centre"
    assert "use" not in second.detail
