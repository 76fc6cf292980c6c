"""Hashrate to watts to kilowatt-hours, through the whole line; what is not known stays unknown."""

from __future__ import annotations

import random

import jsonschema
import pytest

from exporters.forms.amounts import quantity
from exporters.forms.event import encode
from sensor.estimate import Assumptions, energy_kwh, watts
from sensor.line.pipeline import Pipeline
from sensor.model.finding import Finding
from sensor.model.quantities import Interval
from sensor.signatures.devices import Efficiency
from tests.estimate.farm import HASHES_AT_ONE, Farm, captured, conversation
from tests.exporters.test_eve import SCHEMA
from tests.session.dialogue import shipped, unseen


def found(farm: Farm, *, assumptions: Assumptions | None = None, miner_only: bool = False) -> Finding:
    rng = random.Random(11)
    events = captured(conversation(farm, rng), rng)
    pipeline = Pipeline(shipped(), assumptions=assumptions or Assumptions())
    pipeline.step(unseen(events, 1) if miner_only else events)
    (record,) = pipeline.finish()
    assert isinstance(record, Finding)
    jsonschema.validate(encode(record), SCHEMA)
    return record


S9 = Farm(rate_hps=14e12, difficulty=14e12 * 5 / HASHES_AT_ONE, agent="bmminer/2.0.0/Antminer S9/14000")


def test_watts_are_rate_times_joules_times_pue() -> None:
    power = watts(Interval(80e12, 100e12, 120e12, 0.95), Efficiency(None, 11e-12, 25e-12, 100e-12, "s", "high"), 1.2)
    assert (power.low, power.best, power.high, power.basis) == pytest.approx((1056.0, 3000.0, 14400.0, "algorithm"))
    assert energy_kwh(power, 7200.0).best == pytest.approx(6.0)


def test_a_known_device_gives_its_own_efficiency() -> None:
    record = found(S9)
    assert (record.software, record.software_version, record.device, record.device_class) == (
        "bmminer",
        "2.0.0",
        "Antminer S9",
        "asic-sha256",
    )
    assert record.nominal_hashrate_hps == 14e12
    assert record.claimed_hashrate_hps is None
    assert record.power_watts is not None
    assert record.hashrate_hps is not None
    assert record.energy_kwh is not None
    assert record.power_watts.basis == "device"
    assert record.power_watts.best == pytest.approx(record.hashrate_hps.best * 1323 / 13.5e12 * 1.10)
    assert record.energy_kwh.best == pytest.approx(record.power_watts.best * 600 / 3.6e6, rel=0.02)


def test_without_a_device_the_range_of_the_algorithm_is_used() -> None:
    record = found(S9._replace(agent="whatsminer/v1.1.0"))
    assert (record.device, record.algorithm, record.algorithm_basis) == (None, "sha256d", "stated")
    assert record.power_watts is not None
    assert record.hashrate_hps is not None
    assert record.power_watts.basis == "algorithm"
    assert record.power_watts.low == pytest.approx(record.hashrate_hps.low * 8.9e-12 * 1.1)
    assert record.power_watts.high == pytest.approx(record.hashrate_hps.high * 100e-12 * 1.05 * 1.1)


def test_an_unknown_algorithm_has_no_power() -> None:
    record = found(S9._replace(agent="cgminer/4.9.2", login="acct.rig1"))
    assert record.algorithm is None
    assert record.power_watts is None
    assert record.energy_kwh is None
    unknown = found(S9._replace(agent="something of their own", login="acct.rig1"))
    assert (unknown.software, unknown.device, unknown.device_class, unknown.agent_role) == (None, None, None, None)


def test_a_machine_that_works_on_one_algorithm_says_which() -> None:
    record = found(
        Farm(
            rate_hps=9e9, difficulty=9e9 * 5 / HASHES_AT_ONE * 65536, agent="Antminer L7/Tue Jan  9", login="acct.rig1"
        )
    )
    assert (record.algorithm, record.device) == ("scrypt", "Antminer L7")
    assert record.hashes_per_share == pytest.approx(9e9 * 5, rel=1e-4)


def test_a_proxy_is_no_machine() -> None:
    record = found(S9._replace(agent="btccom-agent/2.0.0-mu"))
    assert (record.agent_role, record.device, record.device_class) == ("aggregator", None, None)


def test_the_operator_sets_pue_and_level() -> None:
    usual, other = found(S9), found(S9, assumptions=Assumptions(pue=1.5, level=0.8))
    assert usual.power_watts is not None
    assert other.power_watts is not None
    assert other.hashrate_hps is not None
    assert usual.hashrate_hps is not None
    assert other.power_watts.best == pytest.approx(usual.power_watts.best * 1.5 / 1.1)
    assert other.hashrate_hps.level == 0.8
    assert other.hashrate_hps.low > usual.hashrate_hps.low


def test_rejected_shares_count_for_power_only() -> None:
    record = found(S9._replace(rejected=0.3))
    assert record.shares.rejected > 10
    assert record.hashrate_hps is not None
    assert record.spent_hashrate_hps is not None
    assert record.power_watts is not None
    assert record.hashrate_hps.best < 0.85 * record.spent_hashrate_hps.best
    assert record.power_watts.best == pytest.approx(record.spent_hashrate_hps.best * 1323 / 13.5e12 * 1.10)


def test_with_the_pool_unseen_the_difficulty_is_unknown_and_so_is_the_rate() -> None:
    record = found(S9, miner_only=True)
    assert record.shares.submitted > 50
    assert record.hashrate_hps is None
    assert record.power_watts is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (95.04e12, "95 TH/s"),
        (0.0, "0 H/s"),
        (999.6e3, "1 MH/s"),
        (212e3, "212 kH/s"),
        (1.5, "1.5 H/s"),
        (2e21, "2 ZH/s"),
    ],
)
def test_amounts_are_short(amount: float, text: str) -> None:
    assert quantity(amount, "H/s") == text
