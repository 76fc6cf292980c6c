"""Rows as people write them.

Each kind is taken or refused as a person would expect, and named with its line either way.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import xlsxwriter

from sensor.attribution import AttributionError, Attributor, load_books
from sensor.attribution.books.book import Book
from sensor.attribution.overlaps import overlaps
from sensor.attribution.settings import AttributionSettings
from sensor.attribution.sources.inventory import Config
from sensor.sheets.dates import moment_ns

HEAD = (
    "起始IP地址*,终止IP地址*,使用方式,使用日期*,截止日期,单位名称*,"
    "单位性质,证件类型,证件号码,单位所在省,市,县,单位详细地址,VLAN,起始端口,终止端口"
)
CODE = "91320505MADEM0002J"
PERSON = "11010519491231002X"  # the example of the standard's own Wikipedia page: a number whose check is right
NOW = moment_ns("2026-03-02", 0)[0]


def load(folder: Path, content: str | bytes, **keys: object) -> tuple[Attributor, Book]:
    path = folder / "book.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    loaded = load_books(AttributionSettings(sources=[Config(kind="inventory", path=str(path), **keys)]))  # type: ignore[arg-type]
    return loaded, loaded.books.books[0]


def line(**said: str) -> str:
    names = (
        "first",
        "last",
        "use",
        "since",
        "until",
        "name",
        "nature",
        "paper",
        "code",
        "province",
        "city",
        "county",
        "street",
        "vlan",
        "low",
        "high",
    )
    usual = {
        "first": "192.0.2.1",
        "last": "192.0.2.6",
        "use": "静态",
        "since": "2024-01-01",
        "name": "示例公司",
        "nature": "企业",
    }
    return ",".join({**usual, **said}.get(name, "") for name in names)


#: What is written, the address that is asked, who is named there (None: nobody), and what the remark on line 2 says (""
#: for none).
ROWS = {
    "plain": (line(), "192.0.2.3", "示例公司", ""),
    "full-width digits and dots": (
        line(first="１９２．０．２．１", last="１９２。０。２。６"),
        "192.0.2.6",
        "示例公司",
        "",
    ),
    "a prefix": (line(first="192.0.2.0/29", last=""), "192.0.2.7", "示例公司", ""),
    "a range in one cell": (line(first="192.0.2.1－192.0.2.6", last=""), "192.0.2.4", "示例公司", ""),
    "a short range": (line(first="192.0.2.1-6", last=""), "192.0.2.6", "示例公司", ""),
    "several in one cell": (line(first='"192.0.2.1、192.0.2.5"', last=""), "192.0.2.5", "示例公司", ""),
    "several leave the rest alone": (line(first='"192.0.2.1、192.0.2.5"', last=""), "192.0.2.3", None, ""),
    "a remark beside the address": (
        line(first="192.0.2.1（备用）", last="192.0.2.6 (网关)"),
        "192.0.2.2",
        "示例公司",
        "note: the remark (备用) (网关)",
    ),
    "spaces around everything": (
        line(first="  192.0.2.1 ", last="\t192.0.2.6", name=" 示例公司 "),
        "192.0.2.2",
        "示例公司",
        "",
    ),
    "reversed": (
        line(first="192.0.2.6", last="192.0.2.1"),
        "192.0.2.3",
        None,
        "refused: 192.0.2.6 - 192.0.2.1: the range is reversed",
    ),
    "host bits": (
        line(first="192.0.2.9/29", last=""),
        "192.0.2.9",
        None,
        "refused: 192.0.2.9/29: has bits behind its prefix length",
    ),
    "an octet too large": (
        line(first="192.0.2.300"),
        "192.0.2.3",
        None,
        "refused: 192.0.2.300 - 192.0.2.6: is no address",
    ),
    "octets with zeros before": (
        line(first="192.000.002.001"),
        "192.0.2.1",
        None,
        "refused: 192.000.002.001 - 192.0.2.6: is no address",
    ),
    "two versions": (
        line(last="2001:db8::1"),
        "192.0.2.1",
        None,
        "refused: 192.0.2.1 - 2001:db8::1: begins with one version",
    ),
    "no address": (line(first="", last=""), "192.0.2.1", None, "refused: no address"),
    "a sum at the end": (line(first="合计", last=""), "192.0.2.1", None, "refused: 合计: is no address"),
    "no organisation": (line(name="/"), "192.0.2.1", None, "refused: names no organisation"),
    "marked as free": (line(name="空闲"), "192.0.2.1", None, "refused: is marked as given to nobody"),
    "a right code": (line(code=CODE), "192.0.2.1", "示例公司", ""),
    "a right code with spaces and small letters": (line(code=" 91320505 madem0002j"), "192.0.2.1", "示例公司", ""),
    "a wrong code": (
        line(code="91320505MADEM0002K"),
        "192.0.2.1",
        "示例公司",
        "left out: column I (证件号码): the unified social credit code 91320505MADEM0002K fails",
    ),
    "a code that a spreadsheet has cut": (
        line(code="9.13205E+17"),
        "192.0.2.1",
        "示例公司",
        "left out: column I (证件号码): the certificate's number was kept as a number",
    ),
    "a code of odd length": (
        line(code="9132050"),
        "192.0.2.1",
        "示例公司",
        "left out: column I (证件号码): the certificate's number has 7 signs",
    ),
    "a wrong number of a person": (
        line(code="110105194912310020"),
        "192.0.2.1",
        None,
        "refused: the unified social credit code 11**************20 fails",
    ),
    "an old licence number": (line(code="320500000012345"), "192.0.2.1", "示例公司", ""),
    "date with dashes": (line(since="2026-03-01"), "192.0.2.1", "示例公司", ""),
    "date with slashes": (line(since="2026/3/1"), "192.0.2.1", "示例公司", ""),
    "date without signs": (line(since="20260301"), "192.0.2.1", "示例公司", ""),
    "date in Chinese": (line(since="２０２６年3月1日"), "192.0.2.1", "示例公司", ""),
    "date as a day number": (line(since="46082"), "192.0.2.1", "示例公司", ""),
    "date of the day after": (line(since="2026年3月3日"), "192.0.2.1", None, ""),
    "date with the year last": (
        line(since="03/04/2021"),
        "192.0.2.1",
        None,
        "left out: column D (使用日期*): the date 03/04/2021: the year must come first",
    ),
    "no such day": (
        line(since="2026-02-30"),
        "192.0.2.1",
        None,
        "left out: column D (使用日期*): the date 2026-02-30: is no date",
    ),
    "no date at all": (
        line(since="去年"),
        "192.0.2.1",
        None,
        "left out: column D (使用日期*): the date 去年: is no date",
    ),
    "open end": (line(until="长期"), "192.0.2.1", "示例公司", ""),
    "ends before it begins": (
        line(since="2025-01-01", until="2024-01-01"),
        "192.0.2.1",
        None,
        "refused: ends (2024-01-01) before it begins",
    ),
    "unknown division": (
        line(province="江苏省", city="苏洲市"),
        "192.0.2.1",
        "示例公司",
        "note: the division 江苏省 苏洲市 is not known",
    ),
    "unknown kind of organisation": (
        line(nature="火星"),
        "192.0.2.1",
        "示例公司",
        "note: the kind of organisation 火星 is not known",
    ),
    "VLAN out of bounds": (line(vlan="5000"), "192.0.2.1", None, "refused: the VLAN 5000 is no number from 0 to 4095"),
    "ports reversed": (line(low="2047", high="1024"), "192.0.2.1", None, "refused: the ports 2047-1024 are no range"),
    "ports in words": (line(low="全部"), "192.0.2.1", None, "refused: the ports 全部"),
    "fewer cells than headings": ("192.0.2.1,192.0.2.6,静态,2024-01-01,,示例公司", "192.0.2.1", "示例公司", ""),
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_is_taken_or_refused_as_a_person_expects_and_named(kind: str, tmp_path: Path) -> None:
    text, address, expected, remark = ROWS[kind]
    loaded, book = load(tmp_path, f"{HEAD}\n{text}\n")
    answer = loaded.answer(address, None, NOW)
    assert (answer.enterprise.name if answer.enterprise else None) == expected
    said = [
        f"{word}: {one.text}"
        for word, list_ in (("refused", book.refused), ("note", book.notes), ("left out", book.left_out))
        for one in list_
        if one.line == 2
    ]
    if remark:
        assert [text for text in said if text.startswith(remark)], said
    else:
        assert said == []
    assert book.rows + len(book.refused) >= 1


def test_blank_rows_and_titles_are_no_rows_and_the_line_of_a_mistake_is_its_own(tmp_path: Path) -> None:
    _, book = load(tmp_path, f"某市备案表\n\n{HEAD}\n,,,\n{line()}\n\n{line(first='x')}\n")
    assert (book.rows, [one.line for one in book.refused]) == (1, [7])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encoding_does_not_matter(encoding: str, tmp_path: Path) -> None:
    loaded, book = load(tmp_path, f"{HEAD}\n{line()}\n".encode(encoding))
    answer = loaded.answer("192.0.2.1", None, NOW)
    assert answer.enterprise is not None
    assert (answer.enterprise.name, book.refused) == ("示例公司", [])


def test_one_line_in_another_encoding_is_refused_and_the_rest_is_read(tmp_path: Path) -> None:
    good, bad = line(name="示例公司甲"), line(first="192.0.2.9", last="192.0.2.9", name="示例公司乙")
    loaded, book = load(tmp_path, f"{HEAD}\n{good}\n".encode() + bad.encode("gb18030") + b"\n")
    assert loaded.answer("192.0.2.1", None, NOW).result == "named"
    assert loaded.answer("192.0.2.9", None, NOW).result == "unknown"
    assert [(one.line, "no text in the encoding" in one.text) for one in book.refused] == [(3, True)]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_sign_between_cells_is_told_from_the_headings(sign: str, tmp_path: Path) -> None:
    loaded, _ = load(tmp_path, f"{HEAD}\n{line()}\n".replace(",", sign))
    assert loaded.answer("192.0.2.1", None, NOW).result == "named"


def test_a_persons_number_is_masked_everywhere_and_two_persons_of_one_name_are_two(tmp_path: Path) -> None:
    rows = [
        line(last="192.0.2.1", name="张三", nature="个人", paper="身份证", code=PERSON, street="甲小区"),
        line(first="192.0.2.2", last="192.0.2.2", name="张三", nature="个人", street="乙小区"),
        line(first="192.0.2.3", last="192.0.2.3", name=f"李四 {PERSON}", nature="个人"),
        line(first="192.0.2.4", last="192.0.2.4", name="王五", paper="身份证", code="123"),
        line(first="192.0.2.5", last="192.0.2.5", name="赵六", code=PERSON[:-1] + "0"),
        line(first=PERSON, last="", name="孙七"),
    ]
    loaded, book = load(tmp_path, "\n".join([HEAD, *rows]) + "\n")
    answers = [loaded.answer(f"192.0.2.{last}", None, NOW) for last in range(1, 5)]
    first, second = answers[0].enterprise, answers[1].enterprise
    assert first is not None
    assert second is not None
    assert first.individual
    assert first.enterprise_id != second.enterprise_id
    everything = repr([answers, book.refused, book.notes, loaded.books.holders, loaded.books.register.enterprises])
    assert PERSON[:-1] not in everything
    assert "11**************2X" in everything
    assert len(book.refused) == 2  # a number that fails its check identifies nobody; a number is no address


def test_rows_that_cannot_both_be_right_are_kept_and_told_at_the_later_line(tmp_path: Path) -> None:
    rows = [
        line(),
        line(name="另一公司"),  # the same range
        line(first="192.0.2.5", last="192.0.2.9", name="第三公司"),  # crosses both
        line(first="192.0.2.2", last="192.0.2.2", name="租户"),  # inside: handed on, no mistake
        line(name="以前的公司", since="2020-01-01", until="2020-12-31"),  # another time
        line(first="192.0.2.4", last="192.0.2.12"),  # the same holder as line 2, and around line 4
    ]
    loaded, book = load(tmp_path, "\n".join([HEAD, *rows]) + "\n")
    told = sorted((one.line, one.text.split(" of ")[1].split(" (")[0]) for one in overlaps(loaded))
    assert told == [(3, "示例公司"), (4, "另一公司"), (4, "示例公司"), (7, "另一公司")]
    assert book.rows == 6
    assert loaded.answer("192.0.2.2", None, NOW).enterprise is not None
    assert loaded.answer("192.0.2.1", None, NOW).result == "conflict"


def sheet(path: Path, *, merged: bool = False) -> None:
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("说明").write(0, 0, "填表说明")
    page = book.add_worksheet("数据")
    date = book.add_format({"num_format": "yyyy-mm-dd"})
    page.write_row(0, 0, ["起始IP地址*", "终止IP地址*", "使用日期*", "单位名称*", "VLAN", "证件号码"])
    page.write_row(1, 0, ["192.0.2.1", "192.0.2.6", "", "", 100])
    page.write_datetime(1, 2, datetime.datetime(2024, 5, 6), date)
    page.write_row(2, 0, ["192.0.2.9", "192.0.2.9", "2024/5/6", "", 100])
    page.write_row(3, 0, ["192.0.2.10", "192.0.2.10", 45418, "乙公司", 200, 9.1320505e17])
    if merged:
        page.merge_range(1, 3, 2, 3, "甲公司")
    else:
        page.write(1, 3, "甲公司")
        page.write(2, 3, "甲公司")
    book.close()


def test_a_spreadsheet_with_merged_cells_says_what_its_reader_sees(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    sheet(path, merged=True)
    loaded = load_books(AttributionSettings(sources=[Config(kind="inventory", path=str(path))]))
    (book,) = loaded.books.books
    for address in ("192.0.2.3", "192.0.2.9"):
        answer = loaded.answer(address, None, NOW, vlan=(100,))
        assert answer.enterprise is not None
        assert answer.enterprise.name == "甲公司"
    assert [(one.line, one.text) for one in book.notes] == [(3, "cells were filled from merged ones above")]
    assert [one.line for one in book.left_out] == [4]  # the code was kept as a number


def test_a_row_whose_beginning_is_no_date_holds_from_the_day_of_the_book_on(tmp_path: Path) -> None:
    loaded, _ = load(tmp_path, f"{HEAD}\n{line(since='2026-02-30')}\n", as_of="2026-03-01")
    assert loaded.answer("192.0.2.1", None, moment_ns("2026-02-28", 0)[0]).result == "unknown"
    assert loaded.answer("192.0.2.1", None, NOW).result == "named"


def test_a_row_whose_end_is_no_date_is_refused(tmp_path: Path) -> None:
    loaded, book = load(tmp_path, f"{HEAD}\n{line(until='2026-02-30')}\n")
    assert [one.line for one in book.refused] == [2]
    assert loaded.answer("192.0.2.1", None, NOW).result == "unknown"


def test_a_file_that_is_no_book_is_one_sentence(tmp_path: Path) -> None:
    for content, told in (
        (b"PK\x03\x04 no zip", "is no spreadsheet"),
        (b"a,b\n1,2\n", "no headings are found"),
        (b"", "no headings are found"),
    ):
        with pytest.raises(AttributionError) as caught:
            load(tmp_path, content)
        assert told in caught.value.problems[0]
    with pytest.raises(AttributionError) as caught:
        load(tmp_path, f"{HEAD}\n{line()}\n", columns={"first": "=1"})
    assert "no column letter" in caught.value.problems[0]


def test_columns_can_be_mapped_by_heading_and_by_letter(tmp_path: Path) -> None:
    content = "anfang;wer;wo\n192.0.2.1;Copper Ltd;Mill Lane\n"
    loaded, _ = load(tmp_path, content, columns={"first": "Anfang", "organisation": "=B", "address": "wo"})
    answer = loaded.answer("192.0.2.1", None, NOW)
    assert answer.enterprise is not None
    assert answer.site is not None
    assert (answer.enterprise.name, answer.site.address) == ("Copper Ltd", "Mill Lane")


def test_the_upload_template_is_read_by_its_letters(tmp_path: Path) -> None:
    cells = [""] * 36
    cells[2], cells[3], cells[5], cells[6], cells[11], cells[15] = (
        "192.0.2.1",
        "192.0.2.6",
        "2024-01-01",
        "示例公司",
        CODE,
        "一号路",
    )
    loaded, _ = load(tmp_path, "标题\n列名\n" + ",".join(cells) + "\n", preset="filing-upload", sheet=5)
    answer = loaded.answer("192.0.2.2", None, NOW)
    assert answer.enterprise is not None
    assert answer.enterprise.uscc == CODE


def test_a_ledger_of_leased_lines_names_the_customer_and_the_account(tmp_path: Path) -> None:
    content = (
        "产品实例标识,带宽,客户名称,单位详细地址,VLAN,IP,单位属性\nL-77,100M,示例公司,一号路,812,192.0.2.0/29,企业\n"
    )
    loaded, _ = load(tmp_path, content, preset="leased-line", vlan="ignore")
    answer = loaded.answer("192.0.2.2", None, NOW, vlan=(5,))
    assert answer.result == "named"
    assert answer.claims[0].detail["subscriber"] == "L-77"
    assert (
        load(tmp_path, content, preset="leased-line")[0].answer("192.0.2.2", None, NOW, vlan=(5,)).result == "unknown"
    )
