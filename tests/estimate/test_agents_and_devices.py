"""The tables of agents, devices and efficiencies: their own examples hold, mistakes in them are told with file and
line.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.signatures import SignatureError, load
from sensor.signatures.devices import joules_each, per_second
from tests.session.dialogue import shipped


def test_every_example_of_the_tables_holds() -> None:
    assert len(shipped().agents.examples) >= 20
    assert len(shipped().devices.examples) >= 15
    assert shipped().agents.failures() == []
    assert shipped().devices.failures() == []


def test_every_row_says_where_it_comes_from() -> None:
    tables = shipped()
    assert len(tables.agents.rules) >= 97
    assert len(tables.devices.devices) >= 126
    assert all(rule.source and rule.confidence for rule in tables.agents.rules)
    assert all(row.source and row.confidence and row.maker for row in tables.devices.devices)
    assert all(row.efficiency.source for row in tables.devices.ranges)


def test_every_device_an_agent_row_names_outright_is_in_the_table() -> None:
    models = {row.model for row in shipped().devices.devices}
    assert {rule.device for rule in shipped().agents.rules if rule.device} <= models


def test_every_device_lies_in_the_range_of_its_algorithm() -> None:
    tables = shipped().devices
    for row in tables.devices:
        widest = [one.efficiency for one in tables.ranges if row.algorithm in one.algorithms and not one.classes]
        joules = row.power_watts / row.hashrate_hps
        if widest and not row.model.startswith("NerdMiner"):
            assert widest[0].low_joules * 0.95 <= joules <= widest[0].high_joules * 1.05, row.model


def test_the_rate_an_agent_states_is_taken_from_it() -> None:
    found = shipped().agents.lookup("bmminer/2.0.0/Antminer S9/14000")
    assert found is not None
    assert (found.nominal_hps, found.device, found.version) == (14e12, "Antminer S9", "2.0.0")
    assert shipped().agents.lookup(None) is None
    assert shipped().agents.lookup("Mozilla/5.0") is None


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=300) | st.from_regex(r"(Antminer S1{0,200}|bmminer/1|xmrig|bitaxe/)[ -~]{0,200}", fullmatch=True)
)
def test_any_agent_is_read(text: str) -> None:
    found = shipped().agents.lookup(text)
    assert found is None or found.software


@pytest.mark.parametrize(
    ("unit", "scale"), [("TH/s", 1e12), ("kSol/s", 1e3), ("H/s", 1.0), ("G/s", 1e9), ("Sol/s", 1.0)]
)
def test_units_of_rate(unit: str, scale: float) -> None:
    assert per_second(unit) == scale


def test_units_of_efficiency() -> None:
    assert joules_each("J/TH") == pytest.approx(1e-12)
    assert joules_each("J/kSol") == pytest.approx(1e-3)
    assert joules_each("W/TH") is None
    assert per_second("MB/s") is None


MISTAKES = [
    (
        "kind: agents\nagents:\n  - {match: '(', software: x, source: y, confidence: low}\nexamples: [{agent: a}]\n",
        ":3: agents[0].match",
    ),
    (
        "kind: agents\nagents:\n  - {match: a, software: x, source: y, confidence: sure}\nexamples: [{agent: a}]\n",
        "must be one of high",
    ),
    (
        "kind: agents\nagents:\n  - {match: a, softwear: x, source: y, confidence: low}\nexamples: [{agent: a}]\n",
        "did you mean 'software'",
    ),
    ("kind: agents\nagents:\n  - {match: a, software: x, source: y, confidence: low}\n", "examples is missing"),
    (
        "kind: agents\nagents:\n  - {match: a, software: x, extract: '(?P<foo>b)', source: y, confidence: low}\n"
        "examples: [{agent: a}]\n",
        "group 'foo'",
    ),
    (
        "kind: devices\ndevices:\n"
        "  - {model: a, maker: b, algorithm: c, hashrate: 1, unit: TB/s, power_watts: 5, source: s}\n",
        "must be a unit",
    ),
    (
        "kind: devices\ndevices:\n"
        "  - {model: a, maker: b, algorithm: c, hashrate: 0, unit: TH/s, power_watts: 5, source: s}\n",
        "above 0",
    ),
    (
        "kind: efficiencies\nefficiencies:\n"
        "  - {algorithms: [x], low: 3, typical: 2, high: 4, unit: J/TH, source: s, confidence: low}\n",
        "in this order",
    ),
]


@pytest.mark.parametrize(("text", "sentence"), MISTAKES)
def test_a_mistake_is_told_with_its_place(text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(text)
    with pytest.raises(SignatureError) as caught:
        load([file])
    assert sentence in str(caught.value)
    assert all(problem.startswith(f"{file}:") for problem in caught.value.problems)


def test_a_users_row_comes_before_the_shipped_ones(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        "kind: agents\nagents: [{match: ^cgminer, software: our build, source: us, confidence: high}]\n"
        "examples: [{agent: cgminer/9, software: our build}]\n"
    )
    tables = load([file])
    found = tables.agents.lookup("cgminer/4.11.1")
    assert found is not None
    assert found.software == "our build"
    assert tables.agents.failures() == []
