"""What is to be checked stands in a section of its own, in every form and language, and in no figure: bulletins of
ledgers with and without it have equal figures."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from exporters.forms import mining_list
from exporters.forms.documents import data, page, sheets, text, workbook
from exporters.forms.documents.bulletin import document
from sensor.bulletin.aggregate import figures
from sensor.cli.main import main
from sensor.ledger import Ledger
from sensor.line.suppress import Suppression, lacks_grade
from sensor.model.attribution import Enterprise, Site
from sensor.model.evidence import Grade
from sensor.model.figures import Figures
from sensor.model.finding import Finding
from sensor.model.unproven import Unlisted, Unproven
from sensor.settings.sections import AllowEntry, FindingsSettings
from tests.bulletin.made import PERIOD, frame, line, site, summary
from tests.ledger.mining import DAY, HOUR, MONDAY, mined, owned
from tests.ledger.test_unspoken import BEHAVED, TODAY

WEEKS = ("2023-W47", "2023-W48")
WEEK = 7 * DAY
FORMS = (page, workbook, sheets, data, text)
TITLE = {"en": "To be checked", "zh": "待核查"}
MORE = {"en": "3 more were seen with weaker evidence than", "zh": "另有3条发现的证据弱于"}


@dataclass(frozen=True)
class Miner:
    """Who mines when, whose the address is, and what of it is certain."""

    address: int
    week: int
    hour: int
    hours: int
    shares: int
    owner: int  # 0: nobody is named
    kind: str  # "certain", "one-sided", "encrypted"


miners = st.builds(
    Miner, st.integers(1, 4), st.integers(0, 1), st.integers(0, 60), st.integers(1, 100), st.integers(0, 400),
    st.integers(0, 3), st.sampled_from(("certain", "one-sided", "encrypted")),
)  # fmt: skip


def found(number: int, miner: Miner) -> Finding:
    """The finding of a miner, each with a login of its own."""
    start = MONDAY + miner.week * WEEK + miner.hour * HOUR
    end = start + miner.hours * HOUR
    address, owner = f"192.0.2.{miner.address}", owned(miner.owner) if miner.owner else None
    if miner.kind == "encrypted":
        changes = {"finding_id": f"finding-{number}", "miner_ip": address, "first_ns": start, "last_ns": end}
        return dataclasses.replace(BEHAVED, **changes, attribution=owner)
    grade = Grade.ACCEPTED if miner.kind == "certain" else Grade.BEHAVES
    more: dict[str, Any] = {"grade": grade, "login": f"wallet{number}.rig", "workers": (f"rig{number}",)}
    return mined(number, start, end, miner.shares, miner=address, attribution=owner, **more)


def filled(folder: Path, name: str, findings: list[Finding], least_grade: str) -> str:
    """A ledger of them."""
    url = f"sqlite:///{folder / name}.db"
    ledger = Ledger.open(url, sensor_id="edge")
    suppression = Suppression(FindingsSettings(least_grade=least_grade))
    ledger.record(findings, MONDAY, suppression.reasons(findings, TODAY))
    ledger.add_coverage(MONDAY, MONDAY + 2 * WEEK)
    ledger.close()
    return url


def bulletins(folder: Path, url: str) -> list[dict[str, Any]]:
    """Of both weeks, as programs read them."""
    documents = []
    for week in WEEKS:
        assert (
            main(["bulletin", "--week", week, "--ledger", url, "--lang", "en", "--format", "json", "-o", str(folder)])
            == 0
        )
        whole = json.loads((folder / f"bulletin-{week}.en.json").read_text(encoding="utf-8"))
        documents.append({key: value for key, value in whole.items() if key != "meta"})
    return documents


def without_section(bulletin: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A bulletin without what is to be checked, and that."""
    rest = [section for section in bulletin["sections"] if section["key"] != "to_check"]
    its = [block for section in bulletin["sections"] if section["key"] == "to_check" for block in section["blocks"]]
    return {**bulletin, "sections": rest}, its


def beside(url: str) -> object:
    """What other outputs say of the first week, and of the cases."""
    ledger = Ledger.open(url)
    try:
        ledger.review_cases(MONDAY + 2 * WEEK)
        days = [ledger.reader.energy_by_place(MONDAY + day * DAY, MONDAY + (day + 1) * DAY) for day in range(14)]
        energy = [
            sorted((place.address, place.algorithm, kwh.low, kwh.best, kwh.high) for place, kwh in day.items())
            for day in days
        ]
        cases = [
            (case.address, case.enterprise, case.state, case.first_ns, case.last_ns, case.changes)
            for case in ledger.reader.cases()
        ]
        listed = [dict(row) for row in mining_list.rows(ledger.reader.summary(MONDAY, MONDAY + WEEK), UTC)]
        return energy, cases, listed, ledger.reader.newest_ns()
    finally:
        ledger.close()


@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(miners, min_size=1, max_size=8))
def test_no_figure_rests_on_what_is_to_be_checked_and_the_counts_add_up(plan: list[Miner]) -> None:
    # The certain ones first: sites are numbered as they come, and cases show that number.
    ordered = sorted(enumerate(plan, 1), key=lambda each: each[1].kind != "certain")
    findings = [found(number, miner) for number, miner in ordered]
    certain = [finding for finding in findings if finding.grade >= Grade.SPEAKS]
    weak = [finding for finding in findings if finding.grade < Grade.SPEAKS]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        urls = {
            "without": filled(folder, "without", certain, "behaves"),
            "reported": filled(folder, "reported", [*certain, *weak], "behaves"),
            "suppressed": filled(folder, "suppressed", [*certain, *weak], "speaks"),
        }
        split = {name: list(map(without_section, bulletins(folder, url))) for name, url in urls.items()}
        assert all(not blocks for _, blocks in split["without"])
        for name in ("reported", "suppressed"):
            assert [rest for rest, _ in split[name]] == [rest for rest, _ in split["without"]]
            assert beside(urls[name]) == beside(urls["without"])
            for at, (_, blocks) in enumerate(split[name]):
                start = MONDAY + at * WEEK
                seen = sum(one.last_ns >= start and one.first_ns < start + WEEK for one in weak)
                listed = sum(len(block["rows"]) for block in blocks if block["type"] == "table")
                more = [sentence for block in blocks if block["type"] == "sentences" for sentence in block["sentences"]]
                assert (listed, len(more)) == ((seen, 0) if name == "reported" else (0, min(seen, 1)))
                assert not more or more[0].startswith(f"{seen} more were seen")


def given_figures(listed: int = 2, more: int = 3, name_persons: bool = False, region: str | None = None) -> Figures:
    """A bulletin with an enterprise's and a person's finding to be checked."""
    one, other = Site("某路7号", "320505", None), Site("某路8号", "320302", None)
    checks = (
        Unproven(
            "192.0.2.7", Enterprise("name:7", "某单位7", None, "enterprise"), one, "198.51.100.9:443", "pool.example",
            None, 0.97, 3.4e-9, PERIOD.from_ns, PERIOD.from_ns + HOUR,
        ),
        Unproven(
            "192.0.2.8", Enterprise("name:8", "张三", None, "individual"), other, None, None,
            "stratum-v1", 0.6, None, PERIOD.from_ns, PERIOD.to_ns,
        ),
    )  # fmt: skip
    unlisted = (Unlisted(one, more - 1), Unlisted(None, 1)) if more else ()
    now = dataclasses.replace(summary([line(1)], [site(1)]), to_check=checks[:listed], unlisted=unlisted)
    return figures(now, summary([], [], before=True), (), frame(region, name_persons))


def written(form: Any, given: Figures, language: str) -> str:
    """A form's text, whatever it is packed in."""
    content: bytes = form.write(document(given, language, "0"))
    if form is not workbook:
        return content.decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.SUFFIX)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_form_has_the_section(form: Any, language: str) -> None:
    content = written(form, given_figures(), language)
    if form is not sheets:  # there sections stand by their keys
        assert TITLE[language] in content
    session = {"en": "lengths of an encrypted session", "zh": "加密会话的长度特征"}[language]
    for part in (session, "192.0.2.7", "192.0.2.8", "198.51.100.9:443", "pool.example", "某单位7", "3.4e-09"):
        assert part in content.replace("\\", "")
    assert MORE[language] in content
    assert "张三" not in content
    assert "某路8号" not in content


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.SUFFIX)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_section_is_left_out_where_there_is_nothing(form: Any, language: str) -> None:
    content = written(form, given_figures(0, 0), language)
    assert TITLE[language] not in content
    assert "to_check" not in content


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_sentence_stands_alone_where_all_are_suppressed(language: str) -> None:
    whole = json.loads(written(data, given_figures(0), language))
    (section,) = [section for section in whole["sections"] if section["key"] == "to_check"]
    (block,) = section["blocks"]
    assert block["sentences"][0].startswith(MORE[language])


def test_a_row_has_no_energy_and_no_hashrate() -> None:
    rows = list(csv.DictReader(io.StringIO(written(sheets, given_figures(), "en"))))
    its = {row["column"] for row in rows if row["table"] == "to_check"}
    assert its == {
        *("address", "name", "city", "pool_end", "pool_name", "dialect", "confidence", "p", "first_seen", "last_seen")
    }
    assert not {row["unit"] for row in rows if row["table"] == "to_check"} - {""}


def test_a_region_has_its_own_and_a_person_is_named_where_that_was_asked_for() -> None:
    assert [check.address for check in given_figures(region="320500").to_check] == ["192.0.2.7"]
    assert (given_figures(region="320500").unlisted, given_figures(region="320300").unlisted) == (2, 0)
    shown = [
        [check.owner and check.owner.name for check in given_figures(name_persons=name).to_check]
        for name in (False, True)
    ]
    assert shown == [["某单位7", None], ["某单位7", "张三"]]


def test_only_what_least_grade_suppresses_is_counted(tmp_path: Path) -> None:
    start = MONDAY + HOUR
    weak = [mined(number, start, start + HOUR, 9, grade=Grade.BEHAVES) for number in range(1, 8)]
    reasons = {
        "finding-1": "its grade behaves is below speaks",
        "finding-2": "nothing was spoken, and least_grade is speaks",
        "finding-3": "allowed: its grade is known",
        "finding-4": "its confidence 0.2 is below 0.5",
    }
    weak[4] = dataclasses.replace(weak[4], activity="attempt")
    weak[5] = dataclasses.replace(weak[5], state="closed", merged_into="finding-9")
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    ledger.record(weak, MONDAY, reasons)
    found = ledger.reader.summary(MONDAY, MONDAY + WEEK)
    assert [check.address for check in found.to_check] == ["10.0.7.1"]
    assert sum(each.count for each in found.unlisted) == 2
    ledger.close()


def test_a_false_alarm_is_not_to_be_checked(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/ledger.db")
    ledger.record([mined(1, MONDAY, MONDAY + HOUR, 9, attribution=owned(1))], MONDAY)
    ledger.record([mined(2, MONDAY, MONDAY + HOUR, 9, grade=Grade.BEHAVES, attribution=owned(1))], MONDAY)
    assert len(ledger.reader.summary(MONDAY, MONDAY + WEEK).to_check) == 1
    ledger.set_case(1, "false-alarm", MONDAY + DAY, who="Li", why="an exhibit")
    assert ledger.reader.summary(MONDAY, MONDAY + WEEK).to_check == ()
    ledger.close()


def test_reasons_of_the_grade_are_told_from_all_others() -> None:
    one_sided = mined(1, MONDAY, MONDAY + HOUR, 9, grade=Grade.BEHAVES, confidence=0.1)
    by_grade = Suppression(FindingsSettings(least_grade="speaks"))
    other = (
        Suppression(FindingsSettings(least_grade="behaves", least_confidence=0.5)),
        Suppression(FindingsSettings(allow=[AllowEntry(network="10.0.0.0/8", reason="its grade is low")])),
    )
    for finding in (one_sided, BEHAVED):
        assert lacks_grade(by_grade.reason(finding, TODAY) or "")
    for suppression in other:
        reason = suppression.reason(one_sided, TODAY)
        assert reason is not None
        assert not lacks_grade(reason)
