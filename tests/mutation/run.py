"""Whether the tests of a part notice changes of it: each change runs in a process of its own.

    python -m tests.mutation.run PART MUTANTS.jsonl [--at-most N] [--seconds S]

No file of the tree is changed: a process is forked that has the libraries loaded already, and imports the changed
module in place of the real one. Tests that start programs do not see the change. The exit code is always 0; what
survived is printed, a line each.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

PARTS = Path(__file__).with_name("parts.toml")
#: What nearly every test imports first. Nothing of ours, for that is what is changed.
LIBRARIES = ("pytest", "hypothesis", "numpy", "pydantic", "sqlalchemy", "yaml", "jinja2", "rich", "urllib3", "dpkt")
#: A change that makes the tests need so much more processor time than before is noticed: it does not end.
PATIENCE, LEAST_SECONDS = 4, 20
#: One that makes them need more memory than this is noticed, too.
MOST_BYTES = 4 << 30
NOT_ONE_AT_A_TIME = ("xdist", "cacheprovider", "timeout")


class Changed(SourceFileLoader):
    """A module with other text than its file's."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the importer's own
        """Its code, never from a cache."""
        return compile(self._source, self.path, "exec", dont_inherit=True)


class Finder:
    """Finds the changed module before anyone else does."""

    def __init__(self, module: str, source: str) -> None:
        path = Path(module)
        parts = path.with_suffix("").parts
        self._name = ".".join(parts[:-1] if path.name == "__init__.py" else parts)
        self._path, self._source = str(path.resolve()), source

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: object = None) -> ModuleSpec | None:
        """Its specification, if it is asked for."""
        if name != self._name:
            return None
        return spec_from_file_location(name, self._path, loader=Changed(name, self._path, self._source))


def outcome(tests: Sequence[str], change: dict[str, Any] | None, seconds: float | None) -> tuple[int, float]:
    """(exit code or minus the signal, seconds of processor time) of the tests with a change."""
    with tempfile.TemporaryFile() as sink:
        child = os.fork()
        if child == 0:
            os.dup2(sink.fileno(), 1)
            os.dup2(sink.fileno(), 2)
            os._exit(_tested(tests, change, seconds))
        _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code, usage.ru_utime + usage.ru_stime


def _tested(tests: Sequence[str], change: dict[str, Any] | None, seconds: float | None) -> int:
    import pytest
    from hypothesis import Phase, settings

    # A failure is all that is asked for, not the smallest.
    settings.register_profile("noticing", database=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
    settings.load_profile("noticing")
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    if seconds is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    if change is not None:
        sys.meta_path.insert(0, Finder(change["module"], change["source"]))  # type: ignore[arg-type]
    plugins = [word for name in NOT_ONE_AT_A_TIME for word in ("-p", f"no:{name}")]
    return int(pytest.main(["-x", "-q", "--tb=no", *plugins, "-o", "timeout=0", "-W", "ignore", *tests]))


def main() -> int:
    """Try each change, and print what survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part")
    parser.add_argument("mutants", type=Path)
    parser.add_argument("--at-most", type=int, default=sys.maxsize)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    options = parser.parse_args()
    for library in LIBRARIES:
        importlib.import_module(library)
    tests = tomllib.loads(PARTS.read_text(encoding="utf-8"))[options.part]["tests"]
    found = [json.loads(line) for line in options.mutants.read_text(encoding="utf-8").splitlines()]
    began = time.monotonic()
    code, usual = outcome(tests, None, None)
    if code:
        print(f"{options.part}: the tests fail without a change (exit code {code})", file=sys.stderr)
        return 1
    limit = max(LEAST_SECONDS, PATIENCE * usual)
    tried, survivors = 0, 0
    for change in found[: options.at_most]:
        if time.monotonic() - began > options.seconds:
            break
        tried += 1
        if outcome(tests, change, limit)[0] == 0:
            survivors += 1
            text = change["source"].splitlines()[change["line"] - 1].strip()
            print(f"{change['name']}: {text}", flush=True)
    places = sum(change["round"] == 1 for change in found)
    print(
        f"{options.part}: {survivors} of {tried} changes survived; there are {len(found)} at {places} places; "
        f"the tests alone take {usual:.1f} s of processor time"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
