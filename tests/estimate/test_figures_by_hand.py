"""Each figure of an estimate, reckoned by hand: assumed time, energy, what is open beside it, notes, sums."""

from __future__ import annotations

import dataclasses

import pytest

from sensor.estimate.assumed import UnknownTime, energy_kwh, unknown_time
from sensor.estimate.exposure import Exposure
from sensor.estimate.hashrate import estimate
from sensor.estimate.interval import rate, widened
from sensor.estimate.power import watts
from sensor.estimate.tally import Tally
from sensor.estimate.target import Guess, target_factors
from sensor.estimate.windows import MAX_STRETCHES, Windows
from sensor.model.quantities import UNKNOWN_WAIT, Interval, Power, WatchedStretch
from sensor.signatures.devices import Efficiency
from sensor.signatures.work import UNITS

S = 1_000_000_000
WORK = 7 * UNITS


def windows(*stretches: tuple[int, int]) -> Windows:
    found = Windows()
    for start_s, end_s in stretches:
        found.put(start_s * S, end_s * S)
    return found


def tally(*works: int) -> Tally:
    found = Tally()
    for work in works:
        found.put(work)
    return found


def exposure(**changes: object) -> Exposure:
    """A hundred seconds with ten equal shares, nothing lost."""
    shares = tally(*[WORK] * 10)
    usual = Exposure(windows((0, 100)), shares.copy(), shares.copy(), submitted=10, seen_bytes=900, rated_ns=100 * S)
    return dataclasses.replace(usual, **changes)


def test_unknown_time_is_assumed_where_nothing_known_ran_beside_it() -> None:
    mixed = Exposure(windows((0, 100)), unrated_windows=windows((80, 150), (160, 170)))
    assert unknown_time(mixed, rate_is_known=True) == UnknownTime(60.0, 20.0)
    assert unknown_time(mixed, rate_is_known=False) == UnknownTime(0.0, 80.0)
    half = Windows()
    half.put(0, S + S // 2)
    apart = Exposure(windows((10, 60)), unrated_windows=half)
    assert unknown_time(apart, rate_is_known=False) == UnknownTime(0.0, 1.5)
    assert unknown_time(apart, rate_is_known=True) == UnknownTime(1.5, 0.0)
    half.put(20 * S, 20 * S + S // 2)
    assert unknown_time(apart, rate_is_known=True) == UnknownTime(1.5, 0.5)
    longer = Exposure(windows((0, 50)), unrated_windows=windows((40, 150)))
    assert unknown_time(longer, rate_is_known=True) == UnknownTime(100.0, 10.0)
    beside = Exposure(windows((0, 100)), unrated_windows=windows((10, 20)))
    assert unknown_time(beside, rate_is_known=True) == UnknownTime(0.0, 10.0)


def test_energy_is_power_over_the_time_and_the_assumed_part_give_or_take_half() -> None:
    power = Power(1_000.0, 2_000.0, 3_000.0, "device")
    for assumed_seconds, wanted in (
        (0.0, (1.0, 2.0, 3.0)),
        (1_800.0, (4 / 3, 3.0, 5.25)),
        (1_000.0, (64 / 54, 46 / 18, 4.25)),
    ):
        found = energy_kwh(power, 3_600.0, assumed_seconds)
        assert (found.low, found.best, found.high) == pytest.approx(wanted)
        assert found.basis == "device"
    assert energy_kwh(power, 3_600.0).best == pytest.approx(2.0)


def test_watts_are_rate_by_joules_by_the_sites_overhead() -> None:
    for device, basis in (("S21", "device"), (None, "algorithm")):
        found = watts(Interval(10.0, 20.0, 30.0, 0.95), Efficiency(device, 1.5, 2.0, 3.0, "maker", "stated"), 1.2)
        assert (found.low, found.best, found.high) == pytest.approx((18.0, 48.0, 108.0))
        assert found.basis == basis
    usual = watts(Interval(10.0, 20.0, 30.0, 0.95), Efficiency(None, 1.5, 2.0, 3.0, "maker", "stated"))
    assert usual.best == pytest.approx(44.0)


def test_the_rate_is_the_work_over_the_time() -> None:
    found = estimate(exposure())
    assert found is not None
    assert found.hashrate.best == pytest.approx(0.7)
    assert found.hashrate == found.spent == rate(tally(*[WORK] * 10), 100.0)
    assert found.notes == ("hashrate from 10 shares in 100 s",)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_note_says_from_how_many_shares(count: int) -> None:
    shares = tally(*[WORK] * count)
    one = exposure(credited=shares, spent=shares, submitted=count, next_work=(5, WORK))
    found = estimate(one)
    assert found is not None
    words = {0: "no share", 1: "1 share", 2: "2 shares"}[count]
    assert found.notes == (f"hashrate from {words} in 100 s",)
    assert found.hashrate == rate(shares, 100.0, next_work=WORK)


def test_connections_of_unknown_work_beside_raise_the_high_end_alone() -> None:
    plain, beside = estimate(exposure()), exposure(unrated_windows=windows((0, 50)), unrated_ns=50 * S, unrated=3)
    assert beside.beside == 0.5
    found = estimate(beside)
    assert plain is not None
    assert found is not None
    assert (found.hashrate.low, found.hashrate.best) == (plain.hashrate.low, plain.hashrate.best)
    assert found.hashrate.high == pytest.approx(plain.hashrate.high * 1.75)
    assert found.notes[1] == "3 shares of unknown difficulty and 50 s are left out"
    assert found.notes[2].startswith("connections of unknown difficulty ran beside")


@pytest.mark.parametrize(("seconds", "said"), [(0.999, False), (1.0, True), (1.4, True)])
def test_time_of_unknown_work_is_said_from_a_second_on(seconds: float, said: bool) -> None:
    unrated = Windows()
    unrated.put(200 * S, 200 * S + int(seconds * S))
    found = estimate(exposure(unrated_windows=unrated, unrated_ns=unrated.total_ns))
    assert found is not None
    assert ("0 shares of unknown difficulty and 1 s are left out" in found.notes) is said
    one = estimate(exposure(unrated=1))
    assert one is not None
    assert "1 share of unknown difficulty and 0 s are left out" in one.notes


@pytest.mark.parametrize(
    "changes",
    [
        {"windows": windows((0, 0))},
        {"seen_bytes": 0},
        {"missed_bytes": 8_101},
        {"credited": Tally(), "spent": Tally()},
        {"credited": Tally()},
        {"credited": Tally(), "spent": Tally(), "submitted": 0},
    ],
)
def test_what_says_too_little_has_no_figure(changes: dict[str, object]) -> None:
    assert estimate(exposure(**changes)) is None


def test_a_second_is_enough_and_nine_tenths_may_be_missing() -> None:
    assert estimate(exposure(windows=windows((0, 1)))) is not None
    assert estimate(exposure(missed_bytes=8_100)) is not None


def test_loss_is_made_up_for_and_half_of_it_is_open() -> None:
    found = estimate(exposure(missed_bytes=300, seen_bytes=900))
    plain = rate(tally(*[WORK] * 10), 100.0, seen=0.75)
    assert found is not None
    assert plain is not None
    assert found.hashrate == widened(plain, 0.75**0.5, 0.75**-0.5)
    assert found.notes[1] == "25.0% of the miner's bytes were not captured; the hashrate is corrected for them"


def test_shares_whose_answers_were_lost_are_like_the_others() -> None:
    found = estimate(exposure(submitted=20, unknown=10))
    assert found is not None
    assert found.hashrate.best == pytest.approx(1.4)
    assert found.notes[1] == "10 shares of unknown difficulty are taken to be like the others"


def test_a_target_by_hashes_widens_by_its_part_of_the_work() -> None:
    guess = Guess(tally(*[WORK] * 5), 4, 8)
    plain, found = estimate(exposure()), estimate(exposure(guess=guess))
    assert plain is not None
    assert found is not None
    low, high = target_factors(8, 0.95)
    power = 0.5 / 2.0
    assert found.hashrate == widened(plain.hashrate, low**power, high**power)
    assert found.notes[1].startswith("the difficulty of 5 shares was not seen")
    heavy = estimate(exposure(guess=Guess(tally(*[5 * WORK] * 5), 4, 8)))
    assert heavy is not None
    assert heavy.hashrate == widened(plain.hashrate, low**0.5, high**0.5)
    one = estimate(exposure(guess=Guess(tally(WORK), 1, 1)))
    assert one is not None
    assert one.notes[1].startswith("the difficulty of 1 share was not seen")


def test_a_guess_of_more_shares_than_are_known_stands_alone() -> None:
    guess = Guess(tally(*[WORK] * 40), 4, 16)
    found = estimate(
        exposure(guess=guess, submitted=40, credited=tally(WORK), spent=tally(WORK), next_work=(0, 99 * WORK))
    )
    plain = rate(tally(*[WORK] * 40), 100.0)
    assert found is not None
    assert plain is not None
    assert found.hashrate == found.spent == guess.applied(plain)
    assert found.notes[1].startswith("the share target was not seen")


def test_two_exposures_add_up_and_time_seen_twice_counts_once() -> None:
    one, other = exposure(next_work=(5, WORK), wait_seconds=3.0), exposure(next_work=(9, 2), wait_seconds=2.0)
    other.windows = windows((50, 150))
    other.unrated, other.unrated_ns, other.unknown, other.missed_bytes = 2, 4, 3, 5
    one.add(other)
    assert (one.submitted, one.unrated, one.unrated_ns, one.unknown, one.missed_bytes) == (20, 2, 4, 3, 5)
    assert (one.seen_bytes, one.rated_ns, one.next_work, one.wait_seconds) == (1_800, 200 * S, (9, 2), 3.0)
    assert one.windows.total_ns == 150 * S
    assert (one.spent.count, one.credited.count) == (20, 20)
    assert Exposure.of(one.record("sha256d")).record("sha256d") == one.record("sha256d")


def test_without_work_all_time_and_all_shares_are_unknown() -> None:
    one = exposure(unrated_windows=windows((100, 120)), unrated=4, wait_seconds=2.0, missed_bytes=7)
    found = one.without_work()
    assert (found.unrated, found.unrated_windows.total_ns, found.wait_seconds) == (14, 120 * S, UNKNOWN_WAIT)
    assert (found.missed_bytes, found.seen_bytes, found.submitted, found.spent.count) == (7, 900, 0, 0)
    assert exposure(wait_seconds=2.0).without_work().wait_seconds == 2.0


def test_unknown_shares_are_those_in_no_figure() -> None:
    assert exposure(unrated=2, unknown=3).unknown_shares == 5
    assert exposure(unrated=2, unknown=3, guess=Guess(tally(*[WORK] * 11), 1, 11)).unknown_shares == 2
    assert not exposure(guess=Guess(tally(*[WORK] * 10), 1, 10)).guess_alone
    assert exposure().loss == 0.0 == Exposure().loss
    assert (Exposure().seen_bytes, Exposure().wait_seconds, Exposure().rated_ns) == (0, 0.0, 0)
    apart = exposure(unrated_windows=windows((200, 300)), unrated_ns=50 * S)
    assert apart.beside == 0.0
    assert Exposure(unrated_ns=5).beside == 0.0


def test_the_two_nearest_stretches_become_one_with_both_their_pauses() -> None:
    held = Windows.of(WatchedStretch(100 * at, 100 * at + 50, at % 7) for at in range(MAX_STRETCHES))
    watched_ns = held.total_ns
    held.add(Windows.of([WatchedStretch(100 * 500 + 55, 100 * 500 + 90, 2)]))
    record = held.record()
    assert (len(record), held.total_ns) == (MAX_STRETCHES, watched_ns + 33)
    assert record[500] == WatchedStretch(50_000, 50_090, 500 % 7 + 5 + 2)
