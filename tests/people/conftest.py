"""A door to accounts that are beside a ledger of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sensor.people.door import PeopleDoor
from tests.people.desk import opened


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def door(url: str) -> Iterator[PeopleDoor]:
    with opened(url) as opened_door:
        yield opened_door
