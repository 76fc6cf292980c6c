"""Every form of a document shows the same numbers, and no name in it is taken for a formula, a script, a link or a
line of its own.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import zipfile
from collections import Counter
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import python_calamine
from hypothesis import given, settings

from exporters.forms.documents import data, numerals, page, sheets, text, workbook
from exporters.forms.documents.model import Cell, Document, DocumentTable, KeyFigures, RangeCell, ranged, rounded
from tests.documents.samples import NASTY, documents, nasty
from tests.exporters import browser

FEW = settings(max_examples=40)


def numbers(document: Document) -> Counter[float]:
    """Every number of facts and tables."""
    found: Counter[float] = Counter()
    for block in document.blocks():
        cells: list[Cell] = []
        if isinstance(block, KeyFigures):
            cells = [fact.value for fact in block.figures]
        elif isinstance(block, DocumentTable):
            cells = [cell for row in block.rows for cell in row]
        for cell in cells:
            if isinstance(cell, RangeCell):
                found.update((cell.low, cell.best, cell.high))
            elif isinstance(cell, int | float):
                found[cell] += 1
    return found


def in_json(value: object) -> Counter[float]:
    if isinstance(value, dict):
        return sum((in_json(one) for key, one in value.items() if key != "points"), Counter())
    if isinstance(value, list):
        return sum(map(in_json, value), Counter())
    return Counter([value]) if isinstance(value, int | float) else Counter()


@FEW
@given(documents())
def test_json_csv_and_workbook_have_the_numbers_of_the_document(document: Document) -> None:
    wanted = numbers(document)
    assert in_json(json.loads(data.write(document))["sections"]) == wanted
    rows = csv.DictReader(io.StringIO(sheets.write(document).decode("utf-8-sig")))
    lines = list(rows)
    texts = {
        (block.key, column.key)
        for block in document.blocks()
        if isinstance(block, DocumentTable)
        for column in block.columns
        if column.kind in ("text", "moment")
    }
    figures = [line for line in lines if (line["table"], line["column"]) not in texts]
    assert Counter(float(line[name]) for line in figures for name in ("value", "low", "high") if line[name]) == wanted
    assert in_workbook(workbook.write(document)) == wanted


def in_workbook(content: bytes) -> Counter[float]:
    """Cells that are numbers and no dates."""
    found: Counter[float] = Counter()
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    for name in book.sheet_names:
        for row in book.get_sheet_by_name(name).to_python():
            found.update(
                cell for cell in row if isinstance(cell, int | float) and not isinstance(cell, bool | datetime)
            )
    return found


@FEW
@given(documents())
def test_page_and_markdown_show_every_number(document: Document) -> None:
    shown = Text(page.write(document).decode()).text
    plain = re.sub(r"\\(.)", r"\1", text.write(document).decode())
    for block in document.blocks():
        if isinstance(block, DocumentTable):
            for row in block.rows:
                for cell, column in zip(row, block.columns, strict=True):
                    if isinstance(cell, RangeCell):
                        assert numerals.best(cell, column.kind, column.unit) in shown
                        assert numerals.bounds(cell, column.kind) in shown
                        assert numerals.shown(cell, column.kind, column.unit) in plain
                    elif isinstance(cell, int | float):
                        assert numerals.shown(cell, column.kind, column.unit) in shown
                        assert numerals.shown(cell, column.kind, column.unit) in plain


@FEW
@given(documents())
def test_what_is_shown_can_be_read_back(document: Document) -> None:
    factors = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
    for value in numbers(document):
        number, unit = numerals.figure_parts(value, "prefixed", "W")
        assert float(number.replace(",", "")) * factors[unit[:-1]] == pytest.approx(value, rel=1e-12)
        assert float(numerals.figure(value, "figure").replace(",", "")) == value


def test_rounding_keeps_four_digits_and_order() -> None:
    assert rounded(263_412.7) == 263_400
    assert rounded(0.0123456) == 0.01235
    assert rounded(0.000123456) == 0.000123
    assert rounded(float("nan")) == rounded(float("inf")) == 0
    assert ranged(1.00001, 1.00002, 1.00003) == RangeCell(1.0, 1.0, 1.0)


class Text(HTMLParser):
    """Elements, attributes and text of a page; every element must be closed in its turn."""

    VOID = frozenset({"meta", "br", "img", "rect", "line", "circle", "polygon", "polyline"})

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.text, self._open = "", list[str]()
        self.feed(content)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes.update(name for name, _ in attrs)
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_has_no_script_no_handler_and_loads_nothing() -> None:
    content = page.write(nasty()).decode()
    found = Text(content)
    assert not {"script", "img", "iframe", "object", "link", "form", "base"} & set(found.elements)
    assert not {name for name in found.attributes if name.startswith("on") or name in ("src", "srcset", "background")}
    assert not re.search(r"url\(|@import|expression\(", page.style())
    assert "49" not in content or "{{ 7*7 }}" in found.text
    for name in NASTY[:11]:
        assert " ".join(name.split()) in " ".join(found.text.split())


def test_chromium_runs_nothing_of_it(tmp_path: Path) -> None:
    content = page.write(nasty()).decode()
    assert "data-ran" not in re.sub(
        r"&[^;]*;[^<]*", "", browser.dom(content, tmp_path).partition(">")[2].partition(">")[0]
    )
    without_policy = browser.POLICY.sub("", content)
    (tmp_path / "two").mkdir()
    tree = browser.dom(without_policy, tmp_path / "two")
    assert "data-ran" not in re.search(r"<html[^>]*>", tree)[0]  # type: ignore[index]


def test_the_workbook_has_no_formula_and_no_link() -> None:
    content = workbook.write(nasty())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert not [name for name in names if "externalLink" in name or "vbaProject" in name]
        for name in names:
            if name.endswith(".rels"):
                assert "External" not in archive.read(name).decode()
            if name.startswith("xl/worksheets/sheet"):
                tree = ElementTree.fromstring(archive.read(name))
                tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
                assert not {"f", "hyperlink", "hyperlinks"} & tags
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    cells = {cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row}
    assert {"=cmd|' /C calc'!A0", "http://evil.example/", "+1+1"} <= cells


def test_no_field_of_the_csv_begins_a_formula() -> None:
    for line in csv.reader(io.StringIO(sheets.write(nasty()).decode("utf-8-sig"))):
        assert len(line) == len(sheets.HEAD)
        for cell in line:
            assert not cell.lstrip(" ").startswith(("=", "+", "@", "\t", "\r", "-", "＝", "＋"))


def test_negative_numbers_stay_numbers_in_the_csv() -> None:
    assert sheets.guarded(-0.5) == "-0.5"
    assert sheets.guarded("-0.5") == "'-0.5"


def test_markdown_rows_keep_their_columns() -> None:
    content = text.write(nasty()).decode()
    rows = [line for line in content.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {4}
    assert "<script" not in content
    assert not re.search(r"(?<!\\)\]\(", content)


def test_json_is_valid_whatever_the_names_are() -> None:
    assert json.loads(data.write(nasty()))["sections"]


def test_the_same_document_gives_the_same_bytes() -> None:
    for form in (page, workbook, sheets, data, text):
        assert form.write(nasty("zh")) == form.write(nasty("zh"))


def test_the_keyboard_goes_down_the_page() -> None:
    content = page.write(nasty()).decode()
    assert "tabindex" not in content
    assert content.index('class="skip" href="#content"') < content.index('<main id="content">')


def test_long_names_push_nothing_off_a_telephone(tmp_path: Path) -> None:
    from tests.bulletin.made import document

    content = html.escape(browser.POLICY.sub("", page.write(document("zh", "W" * 300 + "名" * 100)).decode()))
    inner = "document.querySelector('iframe').contentDocument.documentElement"
    measure = f"document.documentElement.setAttribute('data-wide', {inner}.scrollWidth)"
    frame = f'<!DOCTYPE html><body><iframe style="width:390px;border:0" srcdoc="{content}" onload="{measure}"></iframe>'
    found = re.search(r'data-wide="(\d+)"', browser.dom(frame, tmp_path))
    assert found is not None
    assert 300 < int(found[1]) <= 390


@pytest.mark.parametrize("flags", [(), browser.DARK], ids=("light", "dark"))
@pytest.mark.parametrize("width", [1280, 500])
def test_nothing_is_against_the_page_for_those_who_see_or_hear_it(
    flags: tuple[str, ...], width: int, tmp_path: Path
) -> None:
    from tests.bulletin.made import document

    assert browser.violations(page.write(document("zh")).decode(), tmp_path, *flags, width=width) == []
