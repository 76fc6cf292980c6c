"""The licences of everything that is installed or compiled in, as the page docs/licences.md: `make licences`.

It reads what is installed in this environment and what Cargo locked; the network is not asked.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD = """# Licences

What minewatch is built of and tested with, at the versions of `requirements.lock` and `Cargo.lock`. Made by
`make licences`. minewatch itself is Apache-2.0. Packages marked `run` are installed with it; the others build and test.
Compiled modules carry the run-time library of mypyc, which is mypy's, as the core carries its crates.
"""


def run_requirements() -> set[str]:
    """The names of all that is installed with minewatch, by what is required of what."""
    found: set[str] = set()
    waiting = ["minewatch"]
    while waiting:
        name = waiting.pop()
        try:
            required = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for text in required:
            other = normal(re.split(r"[ ;<>=!~\[(]", text, maxsplit=1)[0])
            if "extra ==" not in text and other not in found:
                found.add(other)
                waiting.append(other)
    return found


def normal(name: str) -> str:
    """A name as indexes compare them."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(name: str) -> str:
    """What a package says: an expression, else its classifiers, else the first line of its field."""
    metadata = distribution(name).metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = [text.rpartition(" :: ")[2] for text in metadata.get_all("Classifier", []) if text[:7] == "License"]
    classifiers = [text for text in classifiers if text != "OSI Approved"]
    first = next(iter((metadata.get("License") or "").splitlines()), "")
    return ", ".join(classifiers) or first or "not stated"


def packages() -> Iterator[tuple[str, str, str, str]]:
    """Name, version, whether it is installed with minewatch, licence."""
    runs = run_requirements()
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        name, separator, version = line.partition("==")
        if separator and not line.startswith("#"):
            try:
                licence = licence_of(name)
            except PackageNotFoundError:
                licence = "not installed here"
            yield name, version, "run" if normal(name) in runs else "", licence


def crates() -> Iterator[tuple[str, str, str]]:
    """Name, version and licence of each locked crate."""
    words = ["cargo", "metadata", "--format-version=1", "--locked", "--all-features"]
    done = subprocess.run([*words, "--manifest-path", ROOT / "sensor/core/Cargo.toml"], capture_output=True, check=True)
    for package in sorted(
        json.loads(done.stdout)["packages"], key=lambda package: (package["name"], package["version"])
    ):
        if package["source"] is not None:
            yield package["name"], package["version"], package["license"] or "not stated"


def main() -> None:
    """Print the page."""
    print(HEAD)
    print("## Python\n\n| Package | Version | | Licence |\n|---|---|---|---|")
    for row in packages():
        print(f"| {' | '.join(row)} |".replace("|  |", "| |"))
    print("\n## Rust\n\n| Crate | Version | Licence |\n|---|---|---|")
    for row in crates():
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
