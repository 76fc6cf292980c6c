"""A small province, read in every way once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.province.build import Province, build
from tests.province.judged import Judged
from tests.province.ways import HOURS_1, WRONG_AMONG, begin, ways

DAYS, MACHINES, SEED, PACE = 3, 10, "small", 5.0
#: Most of what a daemon does here is to wait for the next look at its folder.
AT_ONCE = 4


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    """Three days of ten machines."""
    return build(tmp_path_factory.mktemp("province") / "small", days=DAYS, count=MACHINES, seed=SEED, pace=PACE)


@pytest.fixture(scope="session")
def judged(province: Province) -> Iterator[Judged]:
    """The ledgers of the ways, read while the tests wait for the first of them. Left out is what takes the daemon too
    long for a test, and what differs from another way by the order of files alone."""
    chosen = {name: way for name, way in ways(province, hours=6).items() if name not in (HOURS_1, WRONG_AMONG)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield Judged(province, begin(chosen, pool))
