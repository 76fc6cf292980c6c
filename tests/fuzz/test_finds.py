"""What fuzzing has found, each find by the property that it broke."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sensor.attribution import AttributionError, Attributor, load_books
from sensor.attribution.books.divisions import Divisions
from sensor.attribution.canonical import rows_of
from sensor.attribution.formats.looks import cell_looks
from sensor.attribution.settings import AttributionSettings
from sensor.daemon.configuration import load as load_configuration
from sensor.meter.readings import read as read_meters
from sensor.serve.access import ServeError
from sensor.serve.access import read as read_access
from sensor.settings.document import ConfigError
from sensor.sheets.sheet import LONGEST_CELL
from sensor.sheets.text import LONGEST_HEADING, heading_of
from tests.fuzz.targets.files import BOOKS, DETAIL, ISC, KEA, places

NOW_NS = 1_772_440_000_000_000_000


def loaded(folder: Path, target: str, content: bytes | str) -> Attributor:
    path = folder / "book"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    keys = {"kind": "geo"} if target == "mmdb" else BOOKS[target][0]
    return load_books(AttributionSettings.model_validate({"sources": [{**keys, "path": str(path)}]}))


@pytest.mark.parametrize("begin", ["0024-01-01", "1600-01-01", "2999-12-31", "9999-12-31"])
def test_a_day_outside_of_64_bits_of_nanoseconds_is_stored_as_the_nearest(begin: str, tmp_path: Path) -> None:
    book = f"单位名称,IP地址,开通时间,停用时间\n甲公司,198.51.100.16/28,{begin},9999-12-31\n"
    found = loaded(tmp_path, "inventory", book)
    assert (found.books.books[0].rows, found.books.books[0].refused) == (1, [])
    answer = found.answer("198.51.100.20", None, NOW_NS)
    assert (answer.enterprise is not None) == (begin < "2026")


def test_a_session_of_thousands_of_years_is_a_row(tmp_path: Path) -> None:
    detail = DETAIL.replace("Start", "Stop").replace("\tTimestamp", "\tAcct-Session-Time = 99999999999999\n\tTimestamp")
    assert loaded(tmp_path, "radius", detail).books.books[0].rows
    assert loaded(tmp_path, "kea", KEA.replace(",3600,", ",999999999999999999,")).books.books[0].rows == 1


def test_a_lease_file_that_is_no_table_is_refused_and_a_line_that_is_no_row_costs_that_row(tmp_path: Path) -> None:
    with pytest.raises(AttributionError, match="first line must name"):
        loaded(tmp_path, "kea", "address,\rexpire\n")
    head, lease = KEA.splitlines()
    for wrong in (lease.replace("host", "a\rb"), lease.replace("host", "x" * 140_000)):
        book = loaded(tmp_path, "kea", f"{head}\n{wrong}\n{lease.replace('.9,', '.10,')}\n").books.books[0]
        assert (book.rows, [remark.line for remark in book.refused]) == (1, [2])


def test_an_epoch_without_its_number_costs_that_lease(tmp_path: Path) -> None:
    book = loaded(tmp_path, "isc-dhcp", ISC.replace("starts 1 2026/03/02 08:00:00", "starts epoch ") + ISC).books.books[
        0
    ]
    assert (book.rows, [remark.line for remark in book.refused]) == (1, [1])


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        (b"node_count", b"node_cou\xffx"),
        (b"record_size", b"record_sixe"),
        (b"binary_format", b"\0" * 13),
    ],
    ids=["no text", "no such name", "zeros"],
)
def test_a_damaged_table_of_places_is_refused_with_its_file(part: bytes, instead: bytes, tmp_path: Path) -> None:
    content = places()
    assert part in content
    with pytest.raises(AttributionError, match="book: is no MaxMind DB"):
        loaded(tmp_path, "mmdb", content.replace(part, instead))


def test_divisions_that_are_no_table_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "divisions.csv"
    path.write_bytes(b"320505,a\n" + b"3" * 140_000 + b",b\n")
    with pytest.raises(ValueError, match="divisions"):
        Divisions(path)


def test_rows_of_a_damaged_book_are_counted_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_bytes(b"first,last\n1.2.3.4,\n" + b"3" * 140_000 + b",b\n")
    assert rows_of(path) == 1


def test_a_meters_time_outside_of_the_calendar_costs_that_row(tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text(
        "单位名称,时间,电量\n甲,0001-01-01 00:00,1\n甲,9999-12-31 23:59,1\n甲,2026-03-02 00:00,1\n", encoding="utf-8"
    )
    problems = read_meters(path, ZoneInfo("Asia/Shanghai")).problems
    assert any("meters.csv:2: the time 0001-01-01 00:00 is outside of the calendar" in text for text in problems)


def test_of_a_cell_or_heading_without_end_only_the_beginning_is_compared(tmp_path: Path) -> None:
    assert cell_looks("198.51.100.1" + " " * LONGEST_CELL) == "addresses"
    assert cell_looks("9" * LONGEST_CELL) == "numbers"
    assert heading_of("(" * LONGEST_CELL) == "(" * LONGEST_HEADING
    book = f"单位名称,IP地址\n甲公司,198.51.100.16/28\n{'(' * (LONGEST_CELL + 1)},198.51.100.32/28\n"
    found = loaded(tmp_path, "inventory", book).books.books[0]
    assert (found.rows, [remark.line for remark in found.refused]) == (1, [3])


def test_a_date_that_is_none_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "minewatch.yaml"
    path.write_text("sensor: {id: a}\nledger: {keep: 2026-13-01}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"minewatch\.yaml: not valid YAML: month must be in 1\.\.12"):
        load_configuration(path)
    with pytest.raises(ConfigError, match="the value is not valid YAML"):
        load_configuration(None, ["ledger.keep=2026-02-30"])


@pytest.mark.parametrize("content", ["basic_auth_users: {a: 2026-13-01}\n", "[" * 5_000], ids=["date", "nesting"])
def test_a_web_configuration_that_cannot_be_read_is_refused_with_its_file(content: str, tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ServeError, match=r"web\.yaml: not valid YAML"):
        read_access(path)
