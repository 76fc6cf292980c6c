"""What the tests of attribution share: books written as text, loaded, and asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sensor.attribution import Attributor, load_books
from sensor.daemon.configuration import load

Books = Callable[..., Attributor]


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """Load books given as texts: file name to content, and the lines of their sources."""

    def make(sources: str, previous: Attributor | None = None, **contents: str | bytes) -> Attributor:
        for name, content in contents.items():
            target = tmp_path / name.replace("_", ".")
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        lines = "".join(f"    - {{{line.strip()}}}\n" for line in sources.strip().splitlines())
        path = tmp_path / "minewatch.yaml"
        path.write_text(f"attribution:\n  sources:\n{lines}", encoding="utf-8")
        return load_books(load(path).attribution, previous)

    return make
