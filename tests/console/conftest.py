"""One ledger of the whole province for all tests that only read it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sensor.console.desk import Desk
from sensor.ledger import Ledger
from tests.console.province import desk_of, made_ledger


@pytest.fixture(scope="session")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """All miners."""
    with made_ledger(tmp_path_factory.mktemp("province"), 0, 1, 2, 3, 4, 5, 200) as ledger:
        yield ledger


@pytest.fixture(scope="session")
def desk(province: Ledger) -> Desk:
    """Its desk."""
    return desk_of(province)
