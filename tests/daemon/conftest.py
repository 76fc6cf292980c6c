"""Namespaces of the live tests, and a capture to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.make_demo import make
from tests.live.conftest import namespaces, net

__all__ = ["namespaces", "net"]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's capture."""
    path = tmp_path_factory.mktemp("demo") / "demo.pcap"
    make(path)
    return path
