"""One desk, and one copy of it, for all tests: each takes copies of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.copies.back_up import back_up_desk
from tests.copies.desks import MadeDesk, make_desk
from tests.people.desk import NOW


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> MadeDesk:
    """It is only read."""
    return make_desk(tmp_path_factory.mktemp("desk") / "model")


@pytest.fixture(scope="session")
def backed_up(model: MadeDesk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it."""
    target = tmp_path_factory.mktemp("copies") / "copy"
    back_up_desk(model.places, target, NOW)
    return target


@pytest.fixture
def desk(model: MadeDesk, tmp_path: Path) -> MadeDesk:
    """The same desk, of the test's own."""
    return model.copied(tmp_path / "desk")


@pytest.fixture
def copy(backed_up: Path, tmp_path: Path) -> Path:
    """The same copy, of the test's own."""
    import shutil

    shutil.copytree(backed_up, tmp_path / "copy")
    return tmp_path / "copy"
