"""Commands to a case: what is refused before anything is written, and what fields of forms are taken for. Pure."""

from __future__ import annotations

import contextlib
import io
import itertools
import zipfile
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.cases import commands, file_kinds, states, steps, typed, vocabulary
from sensor.cases.commands import AssignCase, CaseStand, ConcludeCase, MoveCase, NoteCase, RemoveFile, SetDue
from sensor.cases.states import CaseError
from sensor.model.casework import CONCLUSIONS, MACHINE_KINDS, MEASURES, CaseWork, FieldResult, FoundMachines
from sensor.model.summary import Change
from sensor.model.time import DAY_NS
from tests.ledger.mining import MONDAY

ZONE = ZoneInfo("Asia/Shanghai")
STAND = CaseStand("notified", 3, "li", None)


def allowed(command: commands.CaseCommand, stand: CaseStand = STAND) -> bool:
    try:
        commands.check(command, stand, MONDAY)
    except CaseError:
        return False
    return True


def test_a_case_goes_where_the_table_says_and_nowhere_else() -> None:
    for before, after in itertools.product(states.STATES, states.STATES):
        stand = CaseStand(before, 1, None, None)
        assert allowed(MoveCase(after, "x"), stand) == (after in states.FOLLOWS[before])
        assert not allowed(MoveCase(after, " \u200b\n"), stand)


def test_what_must_say_why_says_it_and_text_is_bounded_and_prints() -> None:
    assert not allowed(NoteCase(""))
    assert not allowed(RemoveFile(1, "wrong"))
    assert allowed(NoteCase("y" * commands.MAX_REASON_CHARACTERS))
    assert not allowed(NoteCase("y" * (commands.MAX_REASON_CHARACTERS + 1)))
    assert not allowed(NoteCase("a\x1b[2J"))
    assert not allowed(NoteCase("a\u202eb"))
    assert not allowed(NoteCase("a\0b"))
    assert commands.reason_text(" 已\u3000通报\r\n\t见附件\ufeff ") == "已 通报 见附件"


def test_a_due_date_lies_ahead_and_not_too_far_and_only_where_something_is_awaited() -> None:
    assert allowed(SetDue(MONDAY + 1))
    assert not allowed(SetDue(MONDAY))
    assert not allowed(SetDue(MONDAY + commands.FURTHEST_NS + 1))
    assert not allowed(SetDue(None))
    assert allowed(SetDue(None), CaseStand("new", 1, None, MONDAY))
    assert not allowed(SetDue(MONDAY + 1), CaseStand("closed", 1, None, None))


def test_a_case_is_assigned_to_a_login_that_it_has_not() -> None:
    assert allowed(AssignCase("wang"))
    assert not allowed(AssignCase("li"))
    assert allowed(AssignCase(None))
    assert not allowed(AssignCase(None), CaseStand("new", 1, None, None))
    for text in ("", "Li", "li\n", "-li", "l" * 65, "li wang"):
        assert not allowed(AssignCase(text)), text


def test_a_full_history_takes_no_more() -> None:
    assert not allowed(NoteCase("x"), CaseStand("new", commands.MOST_STEPS, None, None))


def field(**counts: int | None) -> FieldResult:
    return FieldResult(tuple(FoundMachines(kind, counts.get(kind)) for kind in MACHINE_KINDS if kind in counts))


@pytest.mark.parametrize(
    "found",
    [
        field(asic=-1),
        field(asic=commands.MOST_MACHINES + 1),
        FieldResult(hours=-0.1),
        FieldResult(hours=float("nan")),
        FieldResult(kwh=float("inf")),
        FieldResult(kwh=commands.MOST_KWH * 2),
        FieldResult((FoundMachines("asic", 1), FoundMachines("asic", 2))),
        FieldResult((FoundMachines("asic", 1, "S19\x1b"),)),
        FieldResult((FoundMachines("asic", 1, "S" * 61),)),
        FieldResult(),
    ],
)
def test_absurd_results_are_refused(found: FieldResult) -> None:
    assert not allowed(ConcludeCase(field_result=found))


def test_what_is_not_known_is_not_nought() -> None:
    for text in ("", "  "):
        assert typed.number(text) is typed.count(text) is typed.due_ns(text, ZONE) is None
    assert typed.number("0") == typed.count("0") == 0
    unknown, none = typed.field_result({}, "", ""), typed.field_result({"asic": ("0", "")}, "0", "0")
    assert unknown.is_empty
    assert not none.is_empty
    assert (unknown.machines_counted, none.machines_counted) == (None, 0)
    assert (unknown.kwh, none.kwh, none.kilowatts) == (None, 0.0, None)
    assert allowed(ConcludeCase(field_result=none))
    named = typed.field_result({"gpu": ("", "RTX 3090")}, "", "")
    assert (named.machines_counted, named.machines[0].count) == (None, None)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,300", 1300), ("370000.5", 370_000.5), ("１，３００", 1300), ("12,345,678", 12_345_678), ("007", 7)],
)
def test_numbers_are_taken_as_reports_write_them(text: str, value: float) -> None:
    assert typed.number(text) == value


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    for take in (typed.number, typed.count, lambda its: typed.due_ns(its, ZONE)):
        try:
            value = take(text)
        except CaseError:
            continue
        assert value is None or value >= 0
        assert value is not None or not text.strip()


@pytest.mark.parametrize("text", ["-1", "+1", "1e9", "1,30", "0x10", "1.2345", "１e3", "²", "1" * 20, "NaN", "1 000"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(CaseError, match="is no number"):
        typed.number(text)


@pytest.mark.parametrize("text", ["2026-02-30", "20260301", "2026-W10-1", "9999-12-31", "1999-01-01", "2026-3-1", "x"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(CaseError, match="is no date"):
        typed.due_ns(text, ZONE)


def test_words_are_fixed_and_known_by_both_languages() -> None:
    assert set(vocabulary.CONCLUSION_NAMES) == set(CONCLUSIONS)
    assert set(vocabulary.MEASURE_NAMES) == set(MEASURES)
    for key, names in vocabulary.CONCLUSION_NAMES.items():
        assert {vocabulary.parse_conclusion(text) for text in (key, *names, f" {names[1].upper()} ")} == {key}
    assert vocabulary.parse_measures(["查封断电", "confiscated", "power-cut"]) == ("confiscated", "power-cut")
    for wrong in (["none", "warning"], ["fined"], [""]):
        with pytest.raises(CaseError):
            vocabulary.parse_measures(wrong)


def test_each_kind_of_command_has_its_step_and_its_sentence() -> None:
    assert set(commands.KINDS) == set(get_args(commands.CaseCommand))
    sentences = [getattr(module, name) for module in (commands, typed, vocabulary, file_kinds) for name in dir(module)]
    templates = [text for text in sentences if isinstance(text, str) and "{" in text and " " in text]
    for text in templates:
        assert text.count("{") == text.count("}")


def change(at: int, state: states.State, kind: str = "move", **details: object) -> Change:
    return Change(MONDAY + at, state, "li", "", kind, details or None)  # type: ignore[arg-type]


def test_a_new_round_begins_with_a_relapse_and_keeps_whose_case_it_is() -> None:
    concluded = {"conclusion": "mine", "measures": ["power-cut"], "machines": [["asic", 540, ""]], "hours": 1300.0}
    history = [
        change(0, "new"),
        change(1, "new", "assign", assignee="li"),
        change(2, "new", "due", due_ns=MONDAY + DAY_NS),
    ]
    assert steps.work_of(history) == CaseWork("li", MONDAY + DAY_NS)
    history += [change(3, "notified"), change(4, "notified", "conclude", **concluded, kwh=None), change(5, "closed")]
    work = steps.work_of(history)
    assert (work.assignee, work.own_due_ns, work.conclusion, work.measures) == ("li", None, "mine", ("power-cut",))
    assert work.field_result == FieldResult((FoundMachines("asic", 540),), 1300.0)
    assert steps.work_of([*history, change(6, "relapsed")]) == CaseWork("li")
    assert steps.work_of([*history, change(6, "re-check")]).conclusion == "mine"


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


WORKBOOK = ("[Content_Types].xml", "xl/workbook.xml")
GOOD = [
    (b"%PDF-1.7\n%", "a.pdf", "pdf"),
    (b"\x89PNG\r\n\x1a\n\0\0", "a.html", "png"),
    (b"\xff\xd8\xff\xe0", "a", "jpeg"),
    (bytes.fromhex("d4c3b2a1020004"), "a.pcap", "pcap"),
    (bytes.fromhex("0a0d0d0a1c000000"), "a", "pcapng"),
    (zipped(*WORKBOOK), "a.xlsx", "xlsx"),
    ("地址,功率\n10.0.0.1,3\n".encode(), "表.CSV", "csv"),
    ("已通报".encode("gb18030"), "a.csv.exe", "text"),
    (b"\xef\xbb\xbfplain", "..", "text"),
]
BAD = [
    b"<html><script>alert(1)</script>",
    b"\xef\xbb\xbf \r\n<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    b"<?xml version='1.0'?><svg/>",
    b"hello <script>alert(1)</script>",
    b"GIF89a/*<script>*/",
    b"text with a NUL\0",
    b"\x7fELF\x02\x01",
    b"MZ\x90\0",
    b"%!PS-Adobe",
    b" %PDF-1.7\0",
    b"PK\x03\x04 and nothing else\0",
    zipped("word/document.xml", "[Content_Types].xml"),
    zipped(*WORKBOOK, "xl/vbaProject.bin"),
    b"\xff\xfe<\0h\0t\0m\0l\0>\0",
    b"\x80\xff\xff",
]


@pytest.mark.parametrize(("content", "name", "kind"), GOOD)
def test_the_content_says_what_a_file_is(content: bytes, name: str, kind: str) -> None:
    assert file_kinds.kind_of(content, name) == kind
    served = file_kinds.served_name(file_kinds.stored_name(name), kind)
    assert served.lower().endswith(tuple(file_kinds.FILE_KINDS.values()))


@pytest.mark.parametrize("content", BAD)
@pytest.mark.parametrize("name", ["a.pdf", "a.csv", "a.html"])
def test_pages_programs_and_what_is_unclear_are_refused(content: bytes, name: str) -> None:
    with pytest.raises(CaseError, match="none of these"):
        file_kinds.kind_of(content, name)


def test_the_bound_is_a_bound() -> None:
    assert file_kinds.kind_of(b"a" * file_kinds.MOST_FILE_BYTES, "") == "text"
    for content in (b"", b"a" * (file_kinds.MOST_FILE_BYTES + 1)):
        with pytest.raises(CaseError):
            file_kinds.kind_of(content, "")


@given(st.text(max_size=300))
def test_no_name_is_a_path_or_steers_a_screen(name: str) -> None:
    kept = file_kinds.stored_name(name)
    assert kept
    assert kept.isprintable()
    assert not set(kept) & set("/\\\0")
    assert kept not in (".", "..")
    assert len(kept) <= file_kinds.MOST_NAME_CHARACTERS
    assert file_kinds.served_name(kept, "text").endswith(".txt")


@given(st.binary(max_size=200))
def test_any_bytes_are_of_a_kind_or_refused(content: bytes) -> None:
    with contextlib.suppress(CaseError):
        assert file_kinds.kind_of(content, "x") in file_kinds.FILE_KINDS
