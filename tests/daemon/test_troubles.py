"""Troubles are said once when they begin and once when they are over, whatever their numbers do meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporters.forms.series import CORE, EVIDENCE, LEDGER, LINE
from sensor.daemon.troubles import CALM_S, LAG_S, RISING, STALL_S, TroubleWatch
from sensor.model.status import OutboxStatus, Status
from sensor.model.time import DAY_NS, SECOND_NS
from tests.exporters.statuses import quiet


class Speaker:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.over: list[str] = []

    def warning(self, sentence: str) -> None:
        self.begun.append(sentence)

    def notice(self, sentence: str) -> None:
        self.over.append(sentence)


def well() -> Status:
    """Nothing is wrong, and nothing beats but what is asked for."""
    return replace(quiet(), heartbeats_ns={})


@pytest.mark.parametrize(("part", "counter"), [(part, name) for part, names in RISING.items() for name in names])
def test_a_count_that_goes_on_rising_is_said_once_and_is_over_when_it_rests(part: str, counter: str) -> None:
    speaker = Speaker()
    watch = TroubleWatch(speaker)
    status, now_ns = well(), DAY_NS
    assert watch.step(status, now_ns) == ()
    for second in range(1, 100):
        status = replace(status, **{part: {**getattr(status, part), counter: second * 7}})
        assert len(watch.step(status, now_ns + second * SECOND_NS)) == 1
    assert len(speaker.begun) == 1
    for second in range(100, 101 + CALM_S):
        now = watch.step(status, now_ns + second * SECOND_NS)
    assert now == ()
    assert len(speaker.begun) == len(speaker.over) == 1
    assert "693 since the start" in speaker.over[0]


@pytest.mark.parametrize(
    ("wrong", "part_of_sentence"),
    [
        ({"unready": ("mirror0 is down",)}, "mirror0 is down"),
        ({"lag_seconds": LAG_S + 1}, "11 s behind"),
        ({"heartbeats_ns": {"line": DAY_NS - (STALL_S + 1) * SECOND_NS}}, "line has not moved for"),
        ({"certificate_until_ns": 4 * DAY_NS}, "ends in 3 days"),
        ({"certificate_until_ns": DAY_NS // 2}, "certificate of the metrics is over"),
    ],
)
def test_each_trouble_begins_and_ends_once(wrong: dict[str, object], part_of_sentence: str) -> None:
    speaker = Speaker()
    watch = TroubleWatch(speaker)
    troubled = replace(well(), **wrong)  # type: ignore[arg-type]
    for _ in range(3):
        (sentence,) = watch.step(troubled, DAY_NS)
        assert part_of_sentence in sentence
    assert watch.step(well(), DAY_NS + 90 * SECOND_NS) == ()
    assert speaker.begun == [sentence]
    assert speaker.over == [f"over after 1 min 30 s: {sentence}"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"unready": ("ledger: disk is full",), "ledger_trouble": "ledger: disk is full"}, "ledger: disk is full"),
        ({"outboxes": {"webhook": OutboxStatus(trouble="no \x1b[31mred")}}, "exporter webhook: no ·[31mred"),
    ],
)
def test_ledger_and_deliveries_say_their_own_troubles_and_stand_in_the_status(
    wrong: dict[str, object], sentence: str
) -> None:
    speaker = Speaker()
    watch = TroubleWatch(speaker)
    assert watch.step(replace(well(), **wrong), DAY_NS) == (sentence,)  # type: ignore[arg-type]
    assert watch.step(well(), DAY_NS + SECOND_NS) == ()
    assert speaker.begun == speaker.over == []


def test_other_numbers_of_the_same_trouble_are_not_said_again() -> None:
    speaker = Speaker()
    watch = TroubleWatch(speaker)
    for number in range(5):
        assert len(watch.step(replace(well(), lag_seconds=LAG_S + 1 + number), DAY_NS + number * SECOND_NS)) == 1
    assert len(speaker.begun) == 1


def test_events_given_up_before_this_run_are_no_trouble_of_it() -> None:
    speaker = Speaker()
    watch = TroubleWatch(speaker)
    lost = {"webhook": OutboxStatus(dropped=9)}
    assert watch.step(replace(well(), outboxes=lost), DAY_NS) == ()
    more = {"webhook": OutboxStatus(dropped=10)}
    assert len(watch.step(replace(well(), outboxes=more), DAY_NS + SECOND_NS)) == 1


def test_the_counts_that_are_followed_exist() -> None:
    series = {"core": CORE, "line": LINE, "ledger": LEDGER, "evidence": EVIDENCE}
    for part, rows in series.items():
        assert set(RISING[part]) <= set(rows)
