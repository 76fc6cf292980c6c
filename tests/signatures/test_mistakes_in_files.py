"""Mistakes in signature files: each is refused with file and line, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.signatures import SignatureError, load

GOOD = """\
kind: dialect
name: fine
id: 9500
rev: 1
title: fine
description: fine
framing: json-lines
messages:
  submit:
    from: miner
    kind: submit
    when: {method: fine.submit}
examples:
  - name: one
    dialogue: |
      C {"id":1,"method":"fine.submit"}
    expect: {submitted: 1}
counterexamples:
  - name: none
    dialogue: |
      C {"id":1,"method":"other"}
"""


def problems(tmp_path: Path, *texts: str) -> list[str]:
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / f"own{number}.yaml")
        files[-1].write_text(text)
    with pytest.raises(SignatureError) as caught:
        load(files)
    return caught.value.problems


def test_a_good_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(GOOD)
    assert "fine" in [one.name for one in load([tmp_path]).dialects]
    assert "fine" in [one.name for one in load([tmp_path / "own.yaml"]).dialects]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("title: fine", "titel: fine", 5, "did you mean 'title'"),
        ("rev: 1", "rev: x", 4, "must be a whole number"),
        ("id: 9500", "id: 1001", 1, "id 1001 is already taken by signatures/dialects/stratum-v1.yaml"),
        ("name: fine", "name: ethproxy", 1, "is already taken"),
        ("name: fine", "name: Fine Name", 2, "lower-case"),
        ("framing: json-lines", "framing: json-line", 1, "framing 'json-line' is not known"),
        ("kind: dialect", "kind: dialekt", 1, "did you mean 'dialect'"),
        ("from: miner", "from: client", 10, "must be one of miner, pool"),
        ("kind: submit", "kind: share", 11, "must be one of"),
        ("kind: submit", "kind: login", 9, "secrets"),
        ("when: {method: fine.submit}", "when: {method: {matchs: x}}", 12, "did you mean 'matches'"),
        ("when: {method: fine.submit}", "when: {method: {matches: '('}}", 12, "not a regular expression"),
        ("when: {method: fine.submit}", "when: {method: {is: textual}}", 12, "must be one of text"),
        ("when: {method: fine.submit}", "when: {method: {hex: [3, 1]}}", 12, "least and the most"),
        ("when: {method: fine.submit}", "when: {}", 12, "must not be empty"),
        ("when: {method: fine.submit}", "take: {logn: a}", 12, "did you mean 'login'"),
        ("when: {method: fine.submit}", "answers: [submit]\n    when: {method: a}", 9, "kind: answer"),
        ("framing: json-lines", "framing: json-lines\ngate: {literals: [abc]}", 8, "4 to 16 bytes"),
        ("framing: json-lines", "framing: json-lines\ngate: {openings: [{bytes: '0g'}]}", 8, "is not a byte"),
        ("framing: json-lines", "framing: json-lines\ngate: {openings: [{bytes: '00', at: 16}]}", 8, "first 16 bytes"),
        ("framing: json-lines", "framing: json-lines\ngate: {openings: [{bytes: '00,0g'}]}", 8, "is not a byte"),
        ("framing: json-lines", "framing: json-lines\ngate: {openings: [{bytes: '00 03-01'}]}", 8, "downwards"),
        (
            "framing: json-lines",
            "framing: json-lines\ngate: {openings: [{bytes: '" + " ".join(["01,02"] * 16) + "'}]}",
            8,
            "stands for 65536",
        ),
        (
            "framing: json-lines",
            "framing: json-lines\ngate: {openings: [{bytes: '00 01', most_bytes: 1}]}",
            8,
            "at least 2",
        ),
        ("framing: json-lines", "framing: json-lines\ngate: {openings: [{text: a, answer: [{}]}]}", 8, "in quotes"),
        ("framing: json-lines", "framing: json-lines\ngate: {openings: [{text: a, answer: ['']}]}", 8, "1 to 16 bytes"),
        ("framing: json-lines", "framing: json-lines\ngate: {openings: [{text: a, unless: abc}]}", 8, "4 to 255 bytes"),
        (
            "framing: json-lines",
            "framing: json-lines\ngate: {openings: [{text: a, proto: udp, unless: abcd}]}",
            8,
            "only an opening of TCP",
        ),
        (
            "framing: json-lines",
            "framing: json-lines\nwork: {rules: [{use: target, form: halved}]}",
            8,
            "must be one of scaled",
        ),
        (
            "framing: json-lines",
            "framing: json-lines\nwork: {rules: [{use: target, form: scaled, factor: 1/0}]}",
            8,
            "divides by zero",
        ),
        ("expect: {submitted: 1}", "expect: {submited: 1}", 17, "did you mean 'submitted'"),
        ("expect: {submitted: 1}", "expect: {submitted: one}", 17, "must be a number"),
        ('C {"id":1,"method":"other"}', 'X {"id":1}', 19, "starts with 'C ' or 'S '"),
        ("rev: 1", "rev: 1\nrev: 2", 5, "given twice"),
        ("rev: 1", "rev: [1", 5, "not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    found = problems(tmp_path, GOOD.replace(old, new, 1))
    assert any(f"own0.yaml:{line}: " in one and words in one for one in found), found


@pytest.mark.parametrize("key", ["examples", "counterexamples"])
def test_a_file_without_its_proof_is_refused(tmp_path: Path, key: str) -> None:
    text = GOOD[: GOOD.index("examples:")] if key == "examples" else GOOD[: GOOD.index("counterexamples:")]
    assert any(f"{key} are missing" in one for one in problems(tmp_path, text))


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        GOOD.replace("rev: 1", "rev: x").replace("title", "titel"),
        GOOD.replace("from: miner", "from: x"),
        "- a list",
    )
    assert {one.split(":")[0].rsplit("/", 1)[1] for one in found} == {"own0.yaml", "own1.yaml", "own2.yaml"}
    assert len(found) >= 4


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(SignatureError, match="not UTF-8"):
        load([tmp_path / "latin.yaml"])
    with pytest.raises(SignatureError, match="cannot be read"):
        load([tmp_path / "absent.yaml"])


def test_aliases_of_aliases_do_not_grow_without_end(tmp_path: Path) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    for here, before in zip("bcdefgh", "abcdefg", strict=True):
        bomb += f"{here}: &{here} [{','.join([f'*{before}'] * 10)}]\n"
    assert any("too many values" in one for one in problems(tmp_path, bomb))
