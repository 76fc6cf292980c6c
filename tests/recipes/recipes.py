"""What an addition touches, as data: the lists of CONTRIBUTING.md, and what the test adds to a copy of the tree.

Whole files lie in `added/<name>/`, at the places they are put at. Lines that go into files which are there are edits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
#: Written by `make docs-reference`, whatever is added.
GENERATED = frozenset(
    f"docs/{name}.md" for name in ("answers", "command-line", "configuration", "estimates", "events", "metrics")
)
#: Whatever is added, documents have to be fresh.
FRESH = ("tests/docs/test_form.py::test_the_generated_parts_are_not_stale",)


@dataclass(frozen=True)
class Edit:
    """Text put into a file before the first place where `before` stands; at the end without it."""

    file: str
    text: str
    before: str = ""

    def applied(self, text: str) -> str:
        """The file's text with the addition. Raises ValueError where its place is not found."""
        if not self.before:
            return text + self.text
        if self.before not in text:
            raise ValueError(f"{self.file} has no {self.before!r}")
        return text.replace(self.before, self.text + self.before, 1)


@dataclass(frozen=True)
class Recipe:
    """One kind of addition."""

    name: str  # of its folder in `added`
    title: str  # of its section in CONTRIBUTING.md
    names: tuple[str, ...]  # the files as CONTRIBUTING.md names them, `<...>` standing for a new name
    new: Mapping[str, str]  # the new names
    edits: tuple[Edit, ...] = ()
    tests: tuple[str, ...] = ()  # what would notice that something is missing, the most telling first
    commands: tuple[tuple[str, ...], ...] = ()  # the same, as commands after `python`
    crate_tests: str | None = None  # tests of the Rust core that are run, by a part of their names

    @property
    def files(self) -> frozenset[str]:
        """The files with the new names in their places."""
        return frozenset(re.sub(r"<([^>]*)>", lambda place: self.new[place[1]], name) for name in self.names)


DIALECT = Recipe(
    name="dialect",
    title="A mining dialect",
    names=("signatures/dialects/<name>.yaml",),
    new={"name": "brook"},
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
    new={"kind": "pigeon"},
    edits=(
        Edit(
            "exporters/README.md",
            "  # One file an event.\n  pigeon:\n    name: null\n    redact: false\n"
            "    # The folder.\n    loft: /srv/loft\n    letters: false\n\n",
            before="  # EVE JSON, one event a line",
        ),
        Edit(
            "deploy/minewatch.yaml",
            "#:  # One file an event.\n#:  pigeon:\n"
            "#:    # Tells several apart.\n#:    name: null\n"
            "#:    # true: nothing internal.\n#:    redact: false\n"
            "#:    # The folder.\n#:    loft: /srv/loft\n"
            "#:    # true: addressed by hand.\n#:    letters: false\n#:\n",
            before="#:  # EVE JSON, one event a line",
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
    new={"kind": "parish"},
    edits=(
        Edit(
            "sensor/attribution/README.md",
            "\n## parish\n\n`address,holder` lines: `{kind: parish, path: register.csv}`; `ink: false` for chalk.\n",
        ),
    ),
    tests=("tests/attribution/test_reload.py", *FRESH),
)

FRAMING = Recipe(
    name="framing",
    title="A framing",
    names=(
        "sensor/dialects/readers/<name>.py",
        "signatures/framings/<name>.yaml",
        "signatures/dialects/<dialect>.yaml",
        "signatures/README.md",
    ),
    new={"name": "scroll", "dialect": "scrollmill"},
    edits=(Edit("signatures/README.md", "\n`scroll`: the object of a scroll.\n"),),
    tests=("tests/docs/test_form.py::test_every_framing_is_described", *FRESH),
    commands=(("-m", "sensor.cli", "signatures", "test"),),
)

CAPTURE = Recipe(
    name="capture",
    title="A capture format",
    names=(
        "sensor/core/src/capture/<format>.rs",
        "sensor/core/src/capture/mod.rs",
        "sensor/core/src/capture/file.rs",
        "sensor/reference/capture/<format>.py",
        "sensor/reference/capture/capture_file.py",
        "docs/border.md",
    ),
    new={"format": "snoop"},
    edits=(
        Edit("sensor/core/src/capture/mod.rs", "mod snoop;\n", before="mod pcap;\n"),
        Edit("sensor/core/src/capture/file.rs", "use crate::capture::snoop;\n", before="use crate::capture::{"),
        Edit("sensor/core/src/capture/file.rs", "    Snoop(snoop::Snoop),\n", before="    Pcapng(pcapng::Pcapng),\n"),
        Edit(
            "sensor/core/src/capture/file.rs",
            "if snoop::is_magic(&head) {\n            Format::Snoop(snoop::Snoop)\n        } else ",
            before="if pcapng::is_magic(&head)",
        ),
        Edit(
            "sensor/core/src/capture/file.rs",
            "if matches!(format, Format::Snoop(_)) { snoop::FILE_HEADER } else ",
            before="if matches!(format, Format::Pcap(_))",
        ),
        Edit(
            "sensor/core/src/capture/file.rs",
            "            Format::Snoop(snoop) => snoop.parse(&block.bytes[..filled], &mut block.packets),\n",
            before="            Format::Pcap(pcap) =>",
        ),
        Edit(
            "sensor/reference/capture/capture_file.py",
            "from sensor.reference.capture.snoop import Snoop\n",
            before="\n#: The formats",
        ),
        Edit("sensor/reference/capture/capture_file.py", "Snoop, ", before="Pcap, Pcapng)"),
        Edit("docs/border.md", "* snoop: RFC 1761, version 2, Ethernet.\n", before="* pcapng:"),
    ),
    tests=FRESH,
    commands=(("tests/recipes/read_snoop.py",),),
    crate_tests="snoop",
)

EVIDENCE = Recipe(
    name="evidence",
    title="A kind of evidence",
    names=("signatures/weights/<name>.yaml", "sensor/model/observation.py", "exporters/forms/eve.schema.json"),
    new={"name": "metered"},
    edits=(
        Edit("sensor/model/observation.py", '"metered", ', before='"named", "behaved"]'),
        Edit("sensor/model/observation.py", '"metered", ', before='"behaved", "named")'),
        Edit(
            "sensor/model/observation.py",
            '\n\nclass Metered(Hint):\n    """Electricity that rose when a connection began."""\n\n'
            '    kind: ClassVar[ObservationKind] = "metered"\n',
        ),
        Edit("exporters/forms/eve.schema.json", '"metered",\n     ', before='"behaved"\n'),
    ),
    tests=(
        *("tests/signatures/test_pools.py", "tests/exporters/test_unspoken.py", "tests/line/test_combine.py"),
        *("tests/line/test_unspoken.py", *FRESH),
    ),
    commands=(("-m", "sensor.cli", "signatures", "test"), ("tests/recipes/observe_metered.py",)),
)

RECIPES = (DIALECT, EXPORTER, SOURCE, FRAMING, CAPTURE, EVIDENCE)
