"""Each dialect's examples satisfy the grammar that is made from them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import sensor.behaviour.proof
from sensor.behaviour.dialect_lengths import DialectLengths, LengthRange, lengths_of
from sensor.behaviour.proof import grammar_failures, without_grammar
from sensor.behaviour.spans import STYLES, id_digits, size_of, text_of
from sensor.behaviour.templates import Template, templates_of
from sensor.signatures import SignatureSet, load

NAMES = [dialect.name for dialect in load().dialects]
#: Dialects whose messages are not JSON in a framing of fixed overhead, or whose examples show no share with its answer.
WITHOUT = {
    "kadena",  # its example shows no job
    "cryptonote-daemon",  # HTTP
    "btcagent",  # shares are binary
    "dero",  # shares are answered by jobs
    "stratum-v2",
    "stratum-v2-noise",
    "datum",
    "duinocoin",  # no JSON
    "ethereum-getwork",  # HTTP
}


def of_name(signatures: SignatureSet, name: str) -> tuple[tuple[Template, ...], tuple[DialectLengths, ...]]:
    dialect = next(dialect for dialect in signatures.dialects if dialect.name == name)
    return templates_of(dialect, signatures), lengths_of(dialect, signatures)


@pytest.mark.parametrize("name", NAMES)
def test_a_message_of_an_example_has_a_length_of_its_own_template(name: str, signatures: SignatureSet) -> None:
    for template in of_name(signatures, name)[0]:
        for style in STYLES:
            span = template.spans[style]
            length = size_of(template.value, style) - template.digits
            assert span.low <= length <= span.high, (template.rule, style)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT])
def test_examples_satisfy_the_grammar_of_their_dialect(name: str, signatures: SignatureSet) -> None:
    dialect = next(dialect for dialect in signatures.dialects if dialect.name == name)
    assert without_grammar(dialect, signatures) is None
    assert [*grammar_failures(dialect, signatures)] == []


def test_a_grammar_that_does_not_allow_an_example_is_said(
    signatures: SignatureSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialect = next(dialect for dialect in signatures.dialects if dialect.name == "cryptonote")
    narrow = [replace(variant, submits=(LengthRange(1, 2),)) for variant in lengths_of(dialect, signatures)]
    monkeypatch.setattr(sensor.behaviour.proof, "lengths_of", lambda *_: narrow)
    assert any("submit has" in what for *_, what in grammar_failures(dialect, signatures))


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_what_has_no_grammar_is_named(name: str, signatures: SignatureSet) -> None:
    assert not of_name(signatures, name)[1]
    dialect = next(dialect for dialect in signatures.dialects if dialect.name == name)
    assert without_grammar(dialect, signatures)


def test_lines_of_examples_are_of_one_of_the_two_styles(signatures: SignatureSet) -> None:
    strange = total = 0
    for dialect in signatures.dialects:
        for example in dialect.header.examples:
            for line in example.dialogue:
                try:
                    value = json.loads(line.data)
                except ValueError:
                    continue
                if isinstance(value, dict):
                    total += 1
                    strange += len(line.data.decode().strip()) not in {len(text_of(value, style)) for style in STYLES}
    assert total > 500
    assert strange <= 0.06 * total


def test_an_id_counts_with_its_digits() -> None:
    assert [id_digits({"id": some}) for some in (7, 12, "abc", None)] == [1, 2, 3, 4]
    assert id_digits({"method": "login"}) == 0


def test_a_list_of_branches_is_found_where_the_rule_allows_more_of_them(signatures: SignatureSet) -> None:
    _, variants = of_name(signatures, "stratum-v1")
    assert {variant.step for variant in variants} == {67, 68}


def test_the_answer_to_a_login_is_a_job_and_an_envelope(signatures: SignatureSet) -> None:
    """Real servers add 112 and 118 bytes (a public data set of XMRig sessions)."""
    _, variants = of_name(signatures, "cryptonote")
    compact = next(variant for variant in variants if variant.style == "compact")
    assert any(opening.envelope and 112 in opening.envelope and 118 in opening.envelope for opening in compact.openings)
