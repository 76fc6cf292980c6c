"""What people are told of findings: each once, none that is not reported, no flood, no person."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from sensor.daemon.journal import Journal
from sensor.daemon.news import MOST_LINES, News
from sensor.intake.engine import load as load_engine
from sensor.line.replay import replay
from sensor.model.attribution import Attribution, Enterprise
from sensor.model.finding import Finding
from sensor.model.record import Record
from sensor.model.status import Status
from sensor.model.time import MINUTE_NS
from sensor.signatures import load


@pytest.fixture(scope="module")
def finding(demo: Path) -> Finding:
    """One finding of the demo."""
    outcome = replay([str(demo)], load(), load_engine("reference"), {"workers": 1})
    return next(found for found in outcome.findings if found.login)


class Eye:
    def __init__(self) -> None:
        self.shown: list[Record] = []
        self.statuses = self.ends = 0

    def show(self, record: Record) -> None:
        self.shown.append(record)

    def status(self, status: Status) -> None:  # noqa: ARG002 (a viewer has it)
        self.statuses += 1

    def end(self, status: Status) -> None:  # noqa: ARG002 (a viewer has it)
        self.ends += 1


def told(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_a_mine_is_told_once_however_often_it_changes(finding: Finding) -> None:
    stream = io.StringIO()
    news = News(Journal("info", stream, {}), None, name_persons=False)
    for at in range(5):
        news.report([replace(finding, state="updated" if at else "opened")], {}, at * MINUTE_NS)
    assert len(told(stream)) == 1
    assert finding.miner_ip in stream.getvalue()


def test_what_is_not_reported_is_not_told(finding: Finding) -> None:
    stream = io.StringIO()
    news = News(Journal("info", stream, {}), None, name_persons=False)
    news.report([finding], {finding.finding_id: "our own farm"}, MINUTE_NS)
    assert told(stream) == []


def test_a_flood_of_findings_is_a_bounded_number_of_lines_and_a_count(finding: Finding) -> None:
    stream = io.StringIO()
    news = News(Journal("info", stream, {}), None, name_persons=False)
    for number in range(1_000):
        news.report([replace(finding, finding_id=f"finding-{number}")], {}, 5 * MINUTE_NS + number)
    assert len(told(stream)) == MOST_LINES
    news.report([], {}, 6 * MINUTE_NS)
    assert told(stream)[-1].endswith(f"{1_000 - MOST_LINES} more findings within a minute; the ledger has them")


def test_a_part_that_became_a_told_finding_is_not_told_again(finding: Finding) -> None:
    stream = io.StringIO()
    news = News(Journal("info", stream, {}), None, name_persons=False)
    news.report([replace(finding, finding_id="nameless", login=None)], {}, MINUTE_NS)
    news.report([replace(finding, finding_id="nameless", merged_into=finding.finding_id), finding], {}, MINUTE_NS)
    assert len(told(stream)) == 1


def test_persons_are_not_named_unless_asked_for(finding: Finding) -> None:
    holder = Enterprise("name:1", "王小明", None, "individual")
    answer = Attribution(finding.miner_ip, None, finding.first_ns, "named", holder, None, (), ())
    private = replace(finding, attribution=answer)
    for name_persons in (False, True):
        stream = io.StringIO()
        News(Journal("info", stream, {}), None, name_persons=name_persons).report([private], {}, MINUTE_NS)
        assert ("王小明" in stream.getvalue()) is name_persons


def test_hostile_text_steers_no_terminal(finding: Finding) -> None:
    stream = io.StringIO()
    hostile = replace(finding, login="a\x1b]0;owned\x07\nminewatch: nothing is wrong")
    News(Journal("info", stream, {}), None, name_persons=False).report([hostile], {}, MINUTE_NS)
    assert len(told(stream)) == 1
    assert stream.getvalue().rstrip("\n").isprintable()


def test_who_watches_sees_every_change_and_the_journal_does_not_say_it_too(finding: Finding) -> None:
    stream, eye = io.StringIO(), Eye()
    news = News(Journal("info", stream, {}), eye, name_persons=False)
    for _ in range(3):
        news.report([finding], {}, MINUTE_NS)
    assert len(eye.shown) == 3
    assert told(stream) == []
