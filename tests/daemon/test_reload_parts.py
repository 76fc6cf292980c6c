"""A refused reload names the parts that were wrong; the others count as sound."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from sensor.daemon.reload import Reloader
from sensor.daemon.setup import ConfigurationSource, load_setup
from sensor.model.status import RELOAD_KINDS

BOOK = "ip,name\n"


def write(folder: Path, **more: object) -> Path:
    path = folder / "minewatch.yaml"
    path.write_text(yaml.safe_dump({"ledger": {"url": "sqlite:///l.db"}, **more}))
    return path


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"nonsense": 1}, {"config"}),
        ({"signatures": {"files": ["missing.yaml"]}}, {"signatures"}),
        ({"attribution": {"sources": [{"kind": "inventory", "path": "missing.csv"}]}}, {"books"}),
        (
            {
                "signatures": {"files": ["missing.yaml"]},
                "attribution": {"sources": [{"kind": "inventory", "path": "missing.csv"}]},
            },
            {"signatures", "books"},
        ),
        ({"workers": 2}, {"config"}),
        ({}, set()),
    ],
)
def test_each_part_has_its_own_gauge(more: dict[str, object], wrong: set[str], tmp_path: Path) -> None:
    source = ConfigurationSource(write(tmp_path))
    setup = load_setup(source)
    write(tmp_path, **more)
    reloader = Reloader(source, 1)
    reloader.request("all")
    while (result := reloader.step(setup)) is None:
        time.sleep(0.01)
    reloader.count("all", (result.parts or frozenset(("config",))) if result.problems else None)
    assert {kind for kind in RELOAD_KINDS if not reloader.statuses[kind].last_succeeded} == wrong
    assert {kind for kind in RELOAD_KINDS if reloader.statuses[kind].refused} == wrong
