"""What the desk reads in Chinese has no English sentence in it: the page of a replay, `explain`, `ledger list` and
`ledger show`, and the console's pages, of the demo and of every case in `tests/cases`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from exporters.forms.documents.languages import REPORT, language_of
from exporters.forms.documents.recorded_sentences import recorded
from exporters.forms.report.page import PageContent, write
from sensor.cases.site_class import site_class
from sensor.cli import explain, explain_owner
from sensor.cli.language import locale_language
from sensor.cli.main import main
from sensor.intake import engine
from sensor.ledger import StoredFinding
from sensor.line.replay import ReplayResult
from sensor.model.finding import Finding
from sensor.signatures import load
from tests.cases.sites.matrix import site_cases
from tests.cases.test_cases import CASES, outcome
from tests.demo.miners import Counts
from tests.documents.english_left import english, page_text

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "tests/demo/minewatch.yaml"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> list[ReplayResult]:
    """Every case, replayed."""
    folder = tmp_path_factory.mktemp("cases")
    name: engine.Name = "compiled" if engine.load("auto").name == "compiled" else "reference"
    return [outcome(case, name, folder / f"{case.name}.pcap") for case in CASES]


@pytest.fixture(scope="module")
def ledger(demo: tuple[Path, dict[str, Counts]], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The ledger of the demo, and its page."""
    folder = tmp_path_factory.mktemp("ledger")
    url, page = f"sqlite:///{folder}/ledger.db", folder / "page.html"
    words = ("replay", "-q", "-c", CONFIG, demo[0], "--ledger", url, "--report", page, "--language", "zh")
    assert main(list(map(str, words))) == 0
    return url, page.read_text(encoding="utf-8")


def findings(played: list[ReplayResult]) -> Iterator[Finding]:
    for done in played:
        yield from done.findings


def test_the_page_of_the_demo_is_chinese(ledger: tuple[str, str]) -> None:
    page = ledger[1]
    assert '<html lang="zh-Hans-CN">' in page
    assert english(page_text(page)) == []
    assert "个份额中有" in page


def test_the_page_of_every_case_is_chinese(played: list[ReplayResult]) -> None:
    for done in played:
        content = PageContent(
            done.findings, done.nodes, [], [], done.counters, done.lines, 0.01, "minewatch", language="zh"
        )
        assert english(page_text("".join(write(content)))) == []


def test_explain_of_every_case_is_chinese(played: list[ReplayResult], capsys: pytest.CaptureFixture[str]) -> None:
    chinese = language_of("zh", REPORT, "sensor.cli")
    count = 0
    for finding in findings(played):
        for address in filter(None, (finding.miner_ip, finding.pool_ip)):
            explain.show_finding(StoredFinding(finding, None, 0), address, False, chinese)
            count += 1
    assert count >= 20
    assert english(capsys.readouterr().out) == []


def test_explain_and_ledger_of_the_demo_are_chinese(
    ledger: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answers = []
    for words in (
        *(("explain", f"198.51.100.{host}", "--at", "2026-03-02") for host in (23, 77, 130, 142, 171, 9)),
        *(("ledger", "list"), ("ledger", "list", "--activity", "probe")),
        *(("ledger", "show", str(case)) for case in range(1, 6)),
        *(("ledger", "show", f"198.51.100.{host}") for host in (23, 171)),
    ):
        assert main([*words, "-c", str(CONFIG), "--ledger", ledger[0], "--language", "zh"]) == 0
        answers.append(capsys.readouterr().out)
    assert english("".join(answers)) == []
    assert "使用人" in answers[0]


def test_the_language_is_chosen_by_option_setting_and_locale(
    ledger: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(*words: str) -> str:
        assert main(["ledger", "list", "--ledger", ledger[0], *words]) == 0
        return capsys.readouterr().out

    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert "cases" in listed()
    assert "案件" in listed("--set", "output.language=zh")
    assert "cases" in listed("--set", "output.language=zh", "--language", "en")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "案件" in listed()
    assert "cases" in listed("--set", "output.language=en")
    assert locale_language({}) == locale_language({"LANG": "zu_ZA"}) == "en"
    assert locale_language({"LC_ALL": "", "LANG": "zh"}) == locale_language({"LANG": "zh-TW.UTF-8"}) == "zh"
    assert locale_language({"LC_MESSAGES": "de_DE", "LANG": "zh_CN"}) == "en"


def test_what_programs_read_is_the_same_in_every_language(
    ledger: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(*words: str) -> str:
        assert main([*words, "-c", str(CONFIG), "--ledger", ledger[0]]) == 0
        return capsys.readouterr().out

    for words in (
        ("ledger", "show", "1", "--json"),
        ("ledger", "export"),
        ("explain", "198.51.100.23", "--json", "--at", "2026-03-02"),
    ):
        assert answer(*words, "--language", "zh") == answer(*words, "--language", "en")


def test_every_reason_of_a_kind_of_site_is_chinese() -> None:
    weights, chinese = load().sites, recorded("zh")
    reasons = {
        reason
        for name in ("public", "described", "blind")
        for case in site_cases(name)
        for reason in site_class(case.facts, weights).reasons
    }
    assert len(reasons) > 100
    assert [reason for reason in reasons if re.search("[a-z]{4}", chinese(reason).replace("kWh", ""))] == []


def test_words_of_answers_are_chinese() -> None:
    chinese = language_of("zh", REPORT, "sensor.cli")
    for code in explain_owner.RESULTS:
        assert chinese.label(code, explain_owner.RESULTS) != code
