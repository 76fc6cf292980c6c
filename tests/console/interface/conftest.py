"""One desk with its accounts for all tests of the interface; what a test changes, it makes for itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sensor.console.desk import Desk
from tests.console.interface.programs import Programs, programs_of


@pytest.fixture(scope="session")
def programs(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Accounts beside the province."""
    with programs_of(desk, tmp_path_factory.mktemp("programs")) as found:
        yield found
