"""The tables of agents, devices and efficiencies: their own examples hold, mistakes in them are told with file and
line.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.line.power_proofs import power_failures
from sensor.model.quantities import Interval
from sensor.signatures import SignatureError, load
from sensor.signatures.devices import joules_each, per_second
from tests.session.dialogue import shipped


def test_every_example_of_the_tables_holds() -> None:
    assert len(shipped().agents.examples) >= 20
    assert len(shipped().devices.examples) >= 15
    assert shipped().agents.failures() == []
    assert power_failures(shipped().devices) == []


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


def test_every_device_lies_in_the_range_of_its_algorithm_and_class() -> None:
    tables = shipped().devices
    for row in tables.devices:
        assert row.device_class is not None, row.model
        assert tables.device_class(row.device_class), row.model
        own = tables.efficiency(row.algorithm, None, row.device_class)
        at_wall = tables.efficiency(row.algorithm, row.model)
        assert at_wall is not None
        if own is not None:
            assert own.low_joules * 0.95 <= at_wall.joules <= own.high_joules * 1.05, row.model


def sharp(rate_hps: float) -> Interval:
    return Interval(rate_hps, rate_hps, rate_hps, 0.95)


@pytest.mark.parametrize("stated", ["gpu", "gpu-nvidia", "gpu-amd", "cpu", "browser", "phone"])
def test_the_efficiency_of_an_asic_is_never_that_of_a_gpu_or_cpu(stated: str) -> None:
    tables = shipped().devices
    asics = {name for row in tables.ranges if "asic" in row.classes for name in row.algorithms}
    for algorithm in asics:
        found = tables.efficiency(algorithm, None, stated)
        assert found is None or not {"asic", "asic-hobby"} & set(found.classes), algorithm


@pytest.mark.parametrize("stated", [None, "gpu", "cpu", "cpu-or-gpu", "asic", "asic-hobby", "hobby-microcontroller"])
@pytest.mark.parametrize("exponent", range(-2, 22, 2))
def test_no_power_is_outside_of_what_the_class_draws(stated: str | None, exponent: int) -> None:
    tables = shipped().devices
    most = {row.name: row.most_watts for row in tables.classes}
    for algorithm in {name for row in tables.ranges for name in row.algorithms}:
        found, note = tables.assess(algorithm, None, stated, sharp(10.0**exponent))
        if found is None:
            assert note is not None
            assert "power unknown" in note
        else:
            watts = found.joules * 10.0**exponent
            assert watts <= max(most[name] for name in found.classes), (algorithm, found)


def test_without_a_class_the_range_covers_all_that_fit_and_says_so() -> None:
    found, note = shipped().devices.assess("ethash", None, None, sharp(1e9))
    assert found is not None
    assert found.classes == ("gpu", "asic")
    assert (found.low_joules, found.high_joules) == pytest.approx((0.1e-6, 4.7e-6 * 1.4))
    assert note == "device class not known: the power covers gpu, asic"


def test_a_dozen_machines_may_draw_a_dozen_times_as_much() -> None:
    tables = shipped().devices
    assert tables.assess("sha256d", None, "asic-sha256", sharp(5e15)).efficiency is None
    assert tables.assess("sha256d", None, "asic-sha256", sharp(5e15), 50).efficiency is not None


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


#: Of each family that a public pool saw, one string (public code index, file 51888264380).
SEEN_ON_A_BITCOIN_POOL = (
    "2022-09-27-0-26ba61b9-22.08.1-plus;bosminer-plus-am1-s9 0.9.0-26ba61b9",
    "Antminer S19e XP Hyd./Tue May 14 14:46:20 CST 2024",
    "Antminer S19k Pro|LUXminer 2026.3.30.174759-b99dff377|BHB56902|BHB56902|BHB56902|altair_tech",
    "Antminer T21",
    "bitaxe/BM1370/v2.13.1-hexos.1-dev.1-1-gf7bb94",
    "bitdsk/N5.Rex",
    "bitforge/BM1370/v1.1",
    "BitsyMinerOpen/v1.2.0",
    "bmminer/4.11.1 rwglr",
    "btc-go-miner/1.0",
    "Disruptor/BM1366/v1.0.2",
    "ESP32 TacoMiner",
    "GekkoAxe-GT/v2.13.1-gekko.2-dev.2",
    "GreenBit",
    "HAN_SOLOminer/V1.8.3",
    "HeliosMiner/v1.1.0",
    "JingleMiner",
    "LeafMiner/0.0.16",
    "LuckyMiner BM1366",
    "Magicminer/BM1370/1.0",
    "Miner/BM1366",
    "NMAxe/v3.0.11",
    "NMMiner",
    "Nerd Miner",
    "NerdAxe/BM1370/v1.0.37-rc2",
    "NerdMinerV2",
    "NerdNOS/V1.0.4",
    "NerdOCTAXE-γ/BM1370/v1.0.36-3-gbc42d4d7",
    "NerdQX/BM1370/v1.0.37-beta2",
    "Rkminer/2.0",
    "SparkMiner/v2.9.5",
    "whatsminer/v1.1",
    "xminer-1.2.6-hf3",
    "Zyber8S/BM1368/Zyber-v2.8.0-TCH",
)


@pytest.mark.parametrize("agent", SEEN_ON_A_BITCOIN_POOL)
def test_what_mines_on_a_bitcoin_pool_is_named_with_its_algorithm(agent: str) -> None:
    found = shipped().agents.lookup(agent)
    assert found is not None
    assert (found.algorithm, found.role) == ("sha256d", None)


@pytest.mark.parametrize(
    "agent",
    [
        "sm-miner v8.16.67.1 2020-09-23",
        "Sealminer",
        "FluMiner",
        "iPollo V2",
        "iBeLink",
        "Innosilicon",
        "IceRiverMiner-v1.1",
    ],
)
def test_a_name_under_which_machines_of_several_algorithms_are_sold_states_none(agent: str) -> None:
    found = shipped().agents.lookup(agent)
    assert found is not None
    assert (found.algorithm, found.algorithms) == (None, ())


def test_the_maker_of_a_row_never_contradicts_the_table_of_devices() -> None:
    """An agent row that states an algorithm for a whole maker: all of its machines in the table have that one."""
    tables = shipped()
    for row in tables.devices.devices:
        found = tables.agents.lookup(row.model)
        if found is not None and found.algorithm is not None and row.device_class in ("asic", "asic-hobby"):
            assert row.algorithm in tables.devices._names(found.algorithm), (row.model, found.software)
