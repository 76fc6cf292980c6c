"""What is looked up sooner is what trying every rule in its order gives."""

from __future__ import annotations

import functools
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.signatures import SignatureSet, load
from sensor.signatures.language import compile_when
from sensor.signatures.located import Problems, YamlEntry, read
from sensor.signatures.model import Match
from sensor.signatures.rule_index import MAX_REMEMBERED, RuleIndex


@functools.cache
def shipped() -> SignatureSet:
    return load()


@functools.cache
def messages() -> list[dict[str, object]]:
    """Every object of JSON in the examples of all signatures."""
    found = []
    for header in shipped().headers:
        for example in header.examples:
            for line in example.dialogue:
                try:
                    value = json.loads(line.data)
                except ValueError:
                    continue
                if isinstance(value, dict):
                    found.append(value)
    return found


def tried(signatures: SignatureSet, value: dict[str, object], framing: str) -> list[Match]:
    """For each dialect of the framing its first rule that holds, by trying all."""
    found = []
    for dialect in signatures.dialects:
        rule = next((rule for rule in dialect.messages if rule.when(value)), None)
        if rule is not None and framing in dialect.framings:
            found.append((dialect, rule))
    return found


SCALARS = st.sampled_from([None, True, False, 0, 1, 1.0, -1, 2**70, "", "00", "0x1f", "mining.submit", "login", "zz"])
NAMES = st.sampled_from(["id", "method", "params", "result", "error", "command", "type", "job", "status", "0", "code"])
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))


@st.composite
def changed(draw: st.DrawFn) -> dict[str, object]:
    """A message of an example with some members taken away, put in or changed, on either level."""
    value = json.loads(json.dumps(draw(st.sampled_from(messages()))))
    for _ in range(draw(st.integers(0, 3))):
        name = draw(NAMES | st.sampled_from(sorted(value) or ["id"]))
        inner = value.get(name)
        if draw(st.booleans()):
            value.pop(name, None)
        elif isinstance(inner, list) and inner:
            inner[draw(st.integers(0, len(inner) - 1))] = draw(JSON)
        else:
            value[name] = draw(JSON)
    return dict(value)


def check(value: dict[str, object], framing: str) -> None:
    signatures = shipped()
    expected = tried(signatures, value, framing)
    assert [(dialect.name, rule.name) for dialect, rule in signatures.match(value, framing)] == [
        (dialect.name, rule.name) for dialect, rule in expected
    ]
    of_dialects = {dialect.name: rule for dialect, rule in expected}
    for dialect in signatures.dialects:
        assert dialect.rule_of(value, framing) is of_dialects.get(dialect.name)
    is_share = any(
        rule.kind == "submit" and framing in dialect.framings and rule.when(value)
        for dialect in signatures.dialects
        for rule in dialect.messages
    )
    assert signatures.is_share(value, framing) is is_share


def test_every_message_of_the_examples_is_matched_as_by_trying_all_rules() -> None:
    assert len(messages()) > 500
    for value in messages():
        check(value, "json-lines")


@settings(max_examples=300, deadline=None)
@given(changed(), st.sampled_from(["json-lines", "websocket", "http", "no framing"]))
def test_any_message_is_matched_as_by_trying_all_rules(value: dict[str, object], framing: str) -> None:
    check(value, framing)


def test_what_is_remembered_is_bounded() -> None:
    class Rule:
        methods = ()
        needs = tuple(frozenset({str(number)}) for number in range(12))

    index = RuleIndex([(Rule(), "rule")])
    for bits in range(1 << 12):
        value = {str(number): 1 for number in range(12) if bits >> number & 1}
        assert index.candidates(value) == (("rule",) if bits else ())
    assert len(index._remembered) <= MAX_REMEMBERED


def entry(text: str) -> YamlEntry:
    problems = Problems("test")
    found = read(text, "test", problems)
    assert found is not None
    assert not problems.sentences
    return found


#: Tests of a `when`, each at a path of its own.
TESTS = (
    *('method: "mining.submit"', "method: {one_of: [login, mining.submit, 1]}", "params: {is: list, length: [1, 3]}"),
    *("params.0: {is: text}", "params.-1: {is: absent}", "params.5: {is: absent}", "params.job: {is: scalar}"),
    *("result: {one_of: [true, null]}", "result.status: {is: present}", "error.code: {one_of: [-1, 1]}", "error: null"),
    *("result.job.target: {is: absent}", ".: {is: map}", 'id: {is: scalar, not: "00"}', "id: {least: 0}"),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(TESTS), min_size=1, max_size=5, unique_by=lambda text: text.split(":")[0]), JSON)
def test_a_when_holds_if_each_of_its_tests_does(tests: list[str], value: object) -> None:
    whole = compile_when(entry("\n".join(tests)))
    assert whole(value) is all(compile_when(entry(test))(value) for test in tests)
