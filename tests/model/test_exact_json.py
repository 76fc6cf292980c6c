"""The quick way of reading and writing records gives what the exact way gives."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given

from sensor.model.condition import Condition
from sensor.model.exact_json import ExactJson
from sensor.model.finding import Finding
from sensor.model.flow import FlowSummary
from sensor.model.node import Node
from tests.ledger.made import any_of

FORMS: dict[type[Any], ExactJson[Any]] = {one: ExactJson(one) for one in (Finding, FlowSummary, Node, Condition)}


@given(any_of(Finding) | any_of(FlowSummary) | any_of(Node) | any_of(Condition))
def test_any_record_is_written_as_the_exact_way_writes_it(record: Any) -> None:
    form = FORMS[type(record)]
    text = form.dumps(record)
    assert text.isascii()
    assert json.loads(text) == json.loads(json.dumps(form.adapter.dump_python(record, warnings=False)))


@given(any_of(Finding) | any_of(FlowSummary) | any_of(Node) | any_of(Condition))
def test_any_record_is_read_as_the_exact_way_reads_it(record: Any) -> None:
    form = FORMS[type(record)]
    for text in (form.dumps(record), json.dumps(form.adapter.dump_python(record, warnings=False))):
        assert repr(form.loads(text)) == repr(form.adapter.validate_python(json.loads(text)))
        assert form.loads(text) == record


@dataclass
class _Numbers:
    one: float | None = None
    many: tuple[float, ...] = ()
    mixed: str | int | float | None = None
    anything: dict[str, object] = field(default_factory=dict)


@pytest.mark.parametrize("odd", [math.inf, -math.inf])
@pytest.mark.parametrize(
    "place",
    [lambda n: {"one": n}, lambda n: {"many": (1.0, n)}, lambda n: {"mixed": n}, lambda n: {"anything": {"x": [n]}}],
)
def test_infinity_is_never_written_as_unknown(odd: float, place: Any) -> None:
    form: ExactJson[_Numbers] = ExactJson(_Numbers)
    value = _Numbers(**place(odd))
    assert form.loads(form.dumps(value)) == value
    with pytest.raises(ValueError, match="JSON compliant"):
        form.dumps(value, allow_nan=False)


@pytest.mark.parametrize(
    "number",
    [
        "1e400",
        "-1e400",
        "123456789012345678901234567890",
        "18446744073709551616",
        "-9223372036854775809",
        "1.0",
        "-0.0",
        "1e22",
        "NaN",
    ],
)
def test_numbers_of_any_size_are_read_as_the_exact_way_reads_them(number: str) -> None:
    form: ExactJson[_Numbers] = ExactJson(_Numbers)
    for text in (
        f'{{"one":{number}}}',
        f'{{"mixed":{number}}}',
        f'{{"anything":{{"x":[{number}]}}}}',
        f'{{"many":[{number}]}}',
    ):
        assert repr(form.loads(text)) == repr(form.adapter.validate_python(json.loads(text)))
