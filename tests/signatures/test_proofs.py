"""Every signature proves itself: each example gives what it says, each counterexample gives nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from sensor.line.examples import check, prove
from sensor.model.gate_opening import GateOpening
from sensor.signatures import SignatureSet, load
from sensor.signatures.model import Example

ADDED = Path(__file__).parent / "added"
SHIPPED = load()
WITH_ADDED = load([ADDED])


def cases(signatures: SignatureSet) -> list[tuple[str | None, Example]]:
    named: list[tuple[str | None, Example]] = [
        (one.name, example) for one in signatures.dialects for example in one.header.examples
    ]
    others: list[tuple[str | None, Example]] = [
        (None, example)
        for group in (signatures.framings, signatures.nodes)
        for one in group
        for example in one.header.examples
    ]
    return named + others


@pytest.mark.parametrize(("dialect", "example"), [pytest.param(d, e, id=f"{d}-{e.name}") for d, e in cases(SHIPPED)])
def test_a_shipped_example_holds(dialect: str | None, example: Example) -> None:
    assert check(SHIPPED, example, dialect) == []


def test_dialects_not_shipped_are_added_by_a_file_alone() -> None:
    assert len(WITH_ADDED.dialects) == len(SHIPPED.dialects) + len(list(ADDED.glob("*.yaml")))
    assert [str(one) for one in prove(WITH_ADDED)] == []


def test_an_example_that_does_not_hold_is_told_with_file_and_figure() -> None:
    dialect = SHIPPED.dialects[0]
    example = dialect.header.examples[0]
    wrong = dataclasses.replace(example, expects=({"submitted": 7, "grade": "speaks"},))
    assert check(SHIPPED, wrong, "stratum-v1") == [
        "submitted is 1, expected 7",
        "grade is 'accepted', expected 'speaks'",
    ]
    assert "must not be found" in check(SHIPPED, dataclasses.replace(example, counter=True), None)[0]
    assert (
        "was not found" in check(SHIPPED, dataclasses.replace(example, expects=({"login": "nobody"},)), "stratum-v1")[0]
    )


def test_an_example_no_gate_lets_through_does_not_hold() -> None:
    blind = SignatureSet(SHIPPED.dialects, SHIPPED.nodes, (), weights=SHIPPED.weights)
    example = next(one for one in SHIPPED.dialects[1].header.examples if "nobody answers" in one.name)
    assert check(blind, example, "cryptonote") == ["no literal and no opening lets it through the prefilter"]


def test_every_opening_and_literal_is_within_the_bounds_of_the_tables() -> None:
    assert all(4 <= len(literal) <= 16 for literal in SHIPPED.literals)
    assert len(set(SHIPPED.literals)) == len(SHIPPED.literals)
    assert GateOpening(6, 0, ((0x7B, 0x7B), (0x22, 0x22)), 16384) in SHIPPED.openings
    assert (
        GateOpening(17, 97, ((3, 3), (0xF8, 0xF8), (0x47, 0xFF), (0xB8, 0xB8), (0x40, 0x40)), 4096) in SHIPPED.openings
    )
    for opening in SHIPPED.openings:
        assert 1 <= len(opening.pattern) <= 16
        assert opening.proto == 17 or opening.at + len(opening.pattern) <= 16
        assert opening.budget_bytes > 0
        assert opening.proto == 6 or not opening.waits


def test_an_opening_that_waits_comes_behind_those_that_open_at_once() -> None:
    waits = [opening.waits for opening in SHIPPED.openings if opening.proto == 6]
    assert waits == sorted(waits)
    assert any(waits)


EVERY_JOB = """\
kind: dialect
name: retarget
id: 9600
rev: 1
title: retarget
description: a target that holds for jobs already given
framing: json-lines
messages:
  submit: {from: miner, kind: submit, when: {method: r.submit}, take: {job: params.0}}
  job: {from: pool, kind: job, when: {method: r.job}, take: {job: params.0}}
  target: {from: pool, kind: target, scope: SCOPE, when: {method: r.target}, take: {difficulty: params.0}}
work: {rules: [{use: difficulty, form: scaled}]}
examples:
  - name: target after the job
    dialogue: |
      S {"method":"r.target","params":[5]}
      S {"method":"r.job","params":["a"]}
      S {"method":"r.target","params":[9]}
      C {"id":1,"method":"r.submit","params":["a"]}
      S {"id":1,"result":true}
    expect: {accepted: 1, hashes_per_share: EXPECTED, work_hashes: EXPECTED}
counterexamples:
  - name: none
    dialogue: |
      C {"id":1,"method":"r.other"}
"""


@pytest.mark.parametrize(("scope", "expected"), [("next-job", 5), ("every-job", 9)])
def test_a_target_holds_for_the_jobs_its_scope_says(tmp_path: Path, scope: str, expected: int) -> None:
    (tmp_path / "own.yaml").write_text(EVERY_JOB.replace("SCOPE", scope).replace("EXPECTED", str(expected)))
    signatures = load([tmp_path])
    dialect = signatures.dialects[-1]
    assert check(signatures, dialect.header.examples[0], dialect.name) == []
