"""The first words of a mining session are enough, however they are spelled; the first words of others are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sensor.model.evidence import Grade
from tests.session.dialogue import findings, shipped

OPENINGS: dict[str, list[dict[str, Any]]] = yaml.safe_load((Path(__file__).parent / "openings.yaml").read_text())
FAMILY = {"stratum": "stratum"} | {one.name: one.family for one in shipped().dialects}


def test_there_are_as_many_as_the_survey_had() -> None:
    assert len(OPENINGS["mining"]) >= 21
    assert len(OPENINGS["benign"]) >= 6


@pytest.mark.parametrize("case", OPENINGS["mining"], ids=lambda one: one["name"])
def test_an_opening_is_found(case: dict[str, Any]) -> None:
    found = findings(case["said"], midstream=case.get("midstream", False))
    assert [one.dialect for one in found] == [case["dialect"]]
    if "\nS " in case["said"]:
        assert found[0].grade >= Grade.SPEAKS


@pytest.mark.parametrize("case", OPENINGS["mining"], ids=lambda one: one["name"])
def test_the_miners_words_alone_are_an_attempt(case: dict[str, Any]) -> None:
    words = "\n".join(line for line in case["said"].splitlines() if line.startswith("C "))
    found = findings(words, midstream=case.get("midstream", False))
    if case.get("alone") == "nothing":
        assert found == []
        return
    assert len(found) == 1
    assert FAMILY[found[0].dialect] == FAMILY[case["dialect"]]
    assert found[0].dialect == case["dialect"] or case.get("alone") == "family"
    assert (found[0].grade, found[0].activity) == (Grade.CONTACTED, "attempt"), "nobody answered"


@pytest.mark.parametrize("case", OPENINGS["benign"], ids=lambda one: one["name"])
def test_the_opening_of_another_program_is_not(case: dict[str, Any]) -> None:
    assert findings(case["said"]) == []
