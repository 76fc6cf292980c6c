"""A small province: the central ledger of five sensors says who mines, where and how much, and of days in which nobody
listened it says that.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ledger.servers import postgresql
from tests.province_many.judged import lines_of_misses
from tests.province_many.province import ProvinceFound, find

#: Sensors, addresses, days; from the ninth to the twelfth day no sensor listens at all.
SMALL, DARK = (5, 50, 14), (9, 12)


@pytest.fixture(scope="module", params=["1", "2"])
def province(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvinceFound]:
    folder = tmp_path_factory.mktemp("province")
    if request.param == "1":
        with postgresql() as url:
            yield find(url, folder, SMALL, request.param)
    else:
        yield find(f"sqlite:///{folder}/central.db", folder, SMALL, request.param, dark_days=DARK)


def test_everybody_who_mines_is_named_and_nobody_else_and_all_of_it_is_right(province: ProvinceFound) -> None:
    assert not province.judgement.misses, "\n".join(lines_of_misses(province.judgement))
    assert len(province.roster.addresses) >= 50
    assert province.judgement.right["lines"] > 100


def test_the_stated_intervals_hold_the_truth_as_often_as_they_say(province: ProvinceFound) -> None:
    found = province.judgement
    for proportion in (found.rates, found.lines, found.energies, found.totals):
        assert proportion.trials > 20
        assert proportion.may_be_level, str(proportion)


def test_what_several_sensors_saw_counts_once(province: ProvinceFound) -> None:
    several = [one for one in province.roster.of_kind("mining") if len(one.premises.sensors) > 1]
    assert len(several) > 5  # else the sums above say nothing of it
    restarted = [plan for plan in province.roster.sensors if len(plan.up) > 1]
    assert len(restarted) == 5
