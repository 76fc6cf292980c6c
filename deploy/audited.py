"""What pip-audit came to. An index that has no advisories must not pass for packages that have no faults."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def summary(report: dict[str, Any]) -> tuple[list[str], bool]:
    """The lines of a report, and whether a fault is known."""
    asked = [package for package in report["dependencies"] if "skip_reason" not in package]
    faulty = [package for package in asked if package["vulns"]]
    lines = [
        f"{package['name']} {package['version']}: {', '.join(fault['id'] for fault in package['vulns'])}"
        for package in faulty
    ]
    lines.append(f"{len(asked)} packages asked about, {len(faulty)} with known faults")
    if left := len(report["dependencies"]) - len(asked):
        lines.append(f"NOT ASKED: {left} packages: the index has no advisories for them")
    return lines, bool(faulty)


def main(path: Path) -> int:
    """Print it; 1 if a fault is known."""
    try:
        lines, failed = summary(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError):
        lines, failed = [f"NOT ASKED: the database of advisories for Python cannot be reached ({path})"], False
    print("\n".join(lines))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
