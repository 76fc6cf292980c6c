"""Private persons have no name, street or identity on any page or in any export, and are found by none of them."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

from sensor.answers.case_object import case_object, history_object
from sensor.answers.casework_text import work_texts
from sensor.cases.commands import ConcludeCase
from sensor.console.desk import Desk
from sensor.ledger import Ledger
from sensor.ledger.casework import CaseClerk
from sensor.model.casework import FieldResult, FoundMachines
from tests.console.province import PERSON, PERSONS_NAME, PERSONS_STREET, client, desk_of, fill, miner, paths, viewer
from tests.ledger.mining import MONDAY

STREET = f"Street-{PERSON}- 1"
LISTS = ("enterprises", "sites", "addresses", "findings", "cases", "pools")


def persons_pages(ledger: Ledger) -> list[str]:
    """What there is of the person."""
    finding = next(entry.finding for entry in ledger.reader.findings() if entry.finding.miner_ip == f"10.0.{PERSON}.1")
    case = next(case for case in ledger.reader.cases() if case.enterprise and case.enterprise.individual)
    return [f"/findings/{finding.finding_id}", f"/addresses/{finding.miner_ip}", f"/cases/{case.case_id}",
            f"/sites/{case.site_id}"]  # fmt: skip


def test_no_page_and_no_export_names_a_person(desk: Desk, province: Ledger) -> None:
    browser = client(desk, viewer("lead", language="en"))
    exports = [f"/{name}?format={form}" for name in LISTS for form in ("csv", "json")]
    for path in [*paths(province), *persons_pages(province), *exports]:
        answer = browser.get(path)
        assert answer.status_code == 200, path
        for secret in (PERSONS_NAME, PERSONS_NAME[:2], STREET, f"name:{PERSON}", PERSONS_STREET):
            assert secret not in answer.text, path


def test_a_person_has_a_site_and_no_page_of_an_enterprise(desk: Desk, province: Ledger) -> None:
    browser = client(desk, viewer("lead", language="en"))
    assert "a private person" in browser.get(persons_pages(province)[3]).text
    assert browser.get(f"/enterprises/name:{PERSON}").status_code == 404
    assert "a private person" not in browser.get("/enterprises").text


def test_nobody_is_found_by_a_persons_name_or_street(desk: Desk) -> None:
    browser = client(desk, viewer("lead", language="en"))
    for text in (PERSONS_NAME, PERSONS_NAME[:2], STREET, f"name:{PERSON}"):
        for path, name in (("/search", "text"), ("/sites", "name"), ("/addresses", "name"), ("/cases", "name")):
            answer = browser.get(path, params={name: text})
            assert f"10.0.{PERSON}.1" not in answer.text, (path, text)
            assert "a private person" not in answer.text, (path, text)


def test_what_officers_wrote_into_a_case_is_without_the_name(tmp_path: Path) -> None:
    writer = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    fill(writer, (PERSON,))
    case = writer.reader.cases()[0]
    writer.note_case(case.case_id, MONDAY, who="officer", why=f"visited {PERSONS_NAME} at {STREET}")
    text = client(desk_of(writer), viewer("lead", language="en")).get(f"/cases/{case.case_id}").text
    assert "visited (a person) at (a person)" in text
    assert PERSONS_NAME not in text
    clerk = CaseClerk(writer.engine)
    found = FieldResult((FoundMachines("asic", 2, f"of {PERSONS_NAME}"),), 10.0, 65.0)
    clerk.command(case.case_id, [ConcludeCase("household", (), found)], "officer", MONDAY)
    browser = client(desk_of(writer), viewer("lead", language="en"))
    case = writer.reader.cases()[0]
    shown = {
        "page": browser.get(f"/cases/{case.case_id}").text,
        "list": browser.get("/cases").text,
        "object": json.dumps([case_object(case, MONDAY, persons=False), history_object(case, persons=False)]),
        "terminal": "\n".join(work_texts(case, (), UTC, persons=False)),
    }
    expected = dict.fromkeys(shown, (True, False))
    assert {place: ("of (a person)" in text, PERSONS_NAME in text) for place, text in shown.items()} == expected
    assert f"of {PERSONS_NAME}" in "".join(work_texts(case, (), UTC, persons=True))
    writer.close()


def test_the_reason_why_a_finding_is_suppressed_is_without_the_name(tmp_path: Path) -> None:
    writer = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    found = miner(PERSON)
    writer.record([found], MONDAY, {found.finding_id: f"allowed for {PERSONS_NAME}"})
    browser = client(desk_of(writer), viewer("lead", language="en"))
    for path in ("/findings", "/findings?format=csv", f"/findings/{found.finding_id}"):
        text = browser.get(path).text
        assert "allowed for (a person)" in text
        assert PERSONS_NAME not in text
    writer.close()
