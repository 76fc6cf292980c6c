"""Transcripts of public sources come out right, except for those that say why they do not."""

from __future__ import annotations

import re

import pytest

from tests.cases.transcripts.table import PAGE, Transcript, outcome, transcripts, written


@pytest.mark.parametrize("case", transcripts(), ids=lambda case: case.name)
def test_a_transcript_comes_out_right_or_says_why_not(case: Transcript) -> None:
    verdict, differs = outcome(case)
    if case.still:
        assert verdict != "right", "it is right now: take `still` away"
    else:
        assert verdict == "right", differs


def test_a_transcript_that_is_not_right_accuses_nobody_who_does_not_mine() -> None:
    assert all(outcome(case)[0] == "right" for case in transcripts() if case.right is None)


def test_every_transcript_has_a_source_and_what_came_out_first() -> None:
    cases = transcripts()
    assert len(cases) >= 30
    assert len({case.name for case in cases}) == len(cases)
    for case in cases:
        assert re.match(r"https://[\w.-]+/", case.source), case.name
        assert case.first_verdict in ("right", "half", "wrong")
        assert bool(case.first) == (case.first_verdict != "right"), case.name
        assert case.dialogue


def test_the_table_in_the_documentation_is_fresh() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page, "python -m tests.cases.transcripts.table --write"
