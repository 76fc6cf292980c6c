"""What an addition touches, as data: the lists of CONTRIBUTING.md, and what the test adds to a copy of the tree.

Whole files lie in `added/<name>/`, at the places they are put at. Lines that go into files which are there are edits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
#: Written by `make docs-reference`, whatever is added.
GENERATED = frozenset({"docs/command-line.md", "docs/configuration.md", "docs/events.md", "docs/metrics.md"})
#: Whatever is added, documents have to be fresh.
FRESH = ("tests/docs/test_form.py::test_the_generated_parts_are_not_stale",)


@dataclass(frozen=True)
class Edit:
    """Lines put into a file after the first line that begins with `after`; at the end without it."""

    file: str
    text: str
    after: str | None = None

    def applied(self, text: str) -> str:
        """The file's text with the lines. Raises ValueError where their place is not found."""
        if self.after is None:
            return text + self.text
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if line.startswith(self.after):
                return "".join([*lines[: number + 1], self.text, *lines[number + 1 :]])
        raise ValueError(f"{self.file}: no line begins with {self.after!r}")


@dataclass(frozen=True)
class Recipe:
    """One kind of addition."""

    name: str  # of its folder in `added`
    title: str  # of its section in CONTRIBUTING.md
    names: tuple[str, ...]  # the files as CONTRIBUTING.md names them, `<...>` standing for the new name
    new: str  # the new name
    edits: tuple[Edit, ...] = ()
    tests: tuple[str, ...] = ()  # what would notice that something is missing, the most telling first
    commands: tuple[tuple[str, ...], ...] = ()  # the same, as commands after `python`
    needs_cargo: bool = False

    @property
    def files(self) -> frozenset[str]:
        """The files with the new name in its place."""
        return frozenset(re.sub(r"<[^>]*>", self.new, name) for name in self.names)


DIALECT = Recipe(
    name="dialect",
    title="A mining dialect",
    names=("signatures/dialects/<name>.yaml",),
    new="brook",
    tests=FRESH,
    commands=(
        ("-m", "sensor.cli", "signatures", "test"),
        ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/dialects/test_vectors.py", "-k", "brook or every"),
    ),
)

EXPORTER = Recipe(
    name="exporter",
    title="An exporter",
    names=("exporters/kinds/<kind>.py", "exporters/README.md", "deploy/minewatch.yaml"),
    new="pigeon",
    edits=(
        Edit(
            "exporters/README.md",
            "  # One file an event.\n  pigeon:\n    name: null\n    redact: false\n"
            "    # The folder.\n    loft: /srv/loft\n    letters: false\n\n",
            after="exporters:",
        ),
        Edit(
            "deploy/minewatch.yaml",
            "#:  # One file an event.\n#:  pigeon:\n"
            "#:    # Tells several apart.\n#:    name: null\n"
            "#:    # true: nothing internal.\n#:    redact: false\n"
            "#:    # The folder.\n#:    loft: /srv/loft\n"
            "#:    # true: addressed by hand.\n#:    letters: false\n#:\n",
            after="exporters: {}",
        ),
    ),
    tests=(
        "tests/exporters/test_readme.py",
        "tests/settings/test_exporters.py",
        "tests/deploy/test_package.py::test_the_example_shows_every_exporter_as_it_can_be_used",
        *FRESH,
    ),
)

SOURCE = Recipe(
    name="source",
    title="An attribution source",
    names=("sensor/attribution/sources/<kind>.py", "sensor/attribution/README.md"),
    new="parish",
    edits=(
        Edit(
            "sensor/attribution/README.md",
            "\n## parish\n\n`address,holder` lines: `{kind: parish, path: register.csv}`; `ink: false` for chalk.\n",
        ),
    ),
    tests=("tests/attribution/test_reload.py", *FRESH),
)

RECIPES = (DIALECT, EXPORTER, SOURCE)
