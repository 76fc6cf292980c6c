"""Every event of many captures in a form that can be compared: one line a capture, keys sorted, nothing of clock or
folder in it.

python -m tests.dump.dump FOLDER|FILE... [--engine NAME] [-o FILE]     the dump, to compare with one of another commit
python -m tests.dump.dump --store FOLDER|FILE...                        the digests beside this file, as of now

What is stored is a SHA-256 of each capture's events. A change of meaning changes a digest and needs a line in
CHANGELOG.md.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from exporters.forms.event import dumps, encode
from sensor import signatures
from sensor.intake import engine
from sensor.line.replay import replay
from tests.demo.make_demo import make
from tests.demo.wire import Wire

HERE = Path(__file__).parent
STORED = HERE / "digests.json"
CASES = HERE.parent / "cases"
CAPTURES = (".pcap", ".pcapng", ".cap")
LIMITS = {"workers": 1, "flows": 65_536}


class Dumper:
    """Replays captures with one engine and the shipped signatures."""

    def __init__(self, name: engine.Name) -> None:
        self._engine = engine.load(name)
        self._signatures = signatures.load()

    def events(self, capture: Path) -> list[str]:
        """The events of one capture, one JSON text each, keys sorted, in the order of the replay."""
        outcome = replay([str(capture)], self._signatures, self._engine, LIMITS)
        return [json.dumps(json.loads(dumps(encode(record))), sort_keys=True) for record in outcome.records]


def own_captures(folder: Path) -> dict[str, Path]:
    """The project's own captures by name: every case and the demo, made in `folder`."""
    captures = {}
    for case in sorted(path.parent for path in CASES.glob("*/make.py")):
        spec = importlib.util.spec_from_file_location(f"dumped_{case.name.replace('-', '_')}", case / "make.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        wire = Wire()
        module.make(wire)
        captures[f"cases/{case.name}"] = folder / f"{case.name}.pcap"
        wire.write(captures[f"cases/{case.name}"])
    captures["demo"] = folder / "demo.pcap"
    make(captures["demo"])
    return captures


def captures_below(paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Captures of files and folders by a name that does not tell where they lie: folder and file."""
    for path in paths:
        for capture in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if capture.suffix in CAPTURES:
                yield f"{capture.parent.name}/{capture.name}", capture


def digest(events: list[str]) -> str:
    """What is stored of a capture's events."""
    return hashlib.sha256("\n".join(events).encode()).hexdigest()


def main() -> int:
    """Write the dump, or store the digests."""
    parser = argparse.ArgumentParser(description="Every event of captures, to be compared.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--engine", choices=("compiled", "reference"), default="compiled")
    parser.add_argument("--store", action="store_true", help="store the digests instead of printing the events")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE")
    options = parser.parse_args()
    dumper = Dumper(options.engine)
    with tempfile.TemporaryDirectory() as folder:
        own = own_captures(Path(folder))
        found = {name: dumper.events(path) for name, path in (*own.items(), *captures_below(options.paths))}
    if options.store:
        silent = sum(not events for events in found.values())
        stored = {name: digest(events) for name, events in sorted(found.items()) if events}
        STORED.write_text(json.dumps(stored, indent=1) + "\n")
        print(f"{len(stored)} captures with events stored, {silent} silent ones left out", file=sys.stderr)
        return 0
    lines = "".join(
        json.dumps([name, *map(json.loads, events)], sort_keys=True) + "\n" for name, events in sorted(found.items())
    )
    if options.output:
        options.output.write_text(lines)
    else:
        sys.stdout.write(lines)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
