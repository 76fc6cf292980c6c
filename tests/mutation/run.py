"""Whether the tests of a part notice changes of it: each change runs in a process of its own.

    python -m tests.mutation.run PART MUTANTS.jsonl [--at-most N] [--seconds S] [--from I] [--step K]

No file of the tree is changed: a process is forked that has the libraries loaded already, and imports the changed
module in place of the real one. Only tests that run the changed statement are tried, the quickest first; tests that
start programs do not see the change. With `--from I --step K` every K-th change from the I-th on is tried, so that K
processes share the work. What survived is printed, with the reason that `reasons` knows. The exit code is 0 unless the
tests fail without a change.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pickle
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

from tests.mutation.covering import Covering, Observer
from tests.mutation.reasons import excerpt, reasons

PARTS = Path(__file__).with_name("parts.toml")
#: What nearly every test imports first. Nothing of ours, for that is what is changed.
LIBRARIES = ("pytest", "hypothesis", "numpy", "pydantic", "sqlalchemy", "yaml", "jinja2", "rich", "urllib3", "dpkt")
#: A change that makes the tests need so much more processor time than before is noticed: it does not end. The first
#: figure is for what pytest takes to begin.
LOADING_SECONDS, PATIENCE = 5, 3
#: So many tests are tried first; most changes are noticed by one of them, and the others need not be read.
AT_FIRST = 12
#: A change that makes the tests need more memory than this is noticed, too.
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


def outcome(tests: Sequence[str], change: dict[str, Any], seconds: float) -> int:
    """Exit code of the tests with a change, or minus the signal that ended them."""
    with tempfile.TemporaryFile() as sink:
        child = os.fork()
        if child == 0:
            os.dup2(sink.fileno(), 1)
            os.dup2(sink.fileno(), 2)
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
            sys.meta_path.insert(0, Finder(change["module"], change["source"]))  # type: ignore[arg-type]
            os._exit(_tested(tests))
        return os.waitstatus_to_exitcode(os.wait4(child, 0)[1])


def observed(tests: Sequence[str], modules: Sequence[Path]) -> Covering | None:
    """What the tests run without a change; None if they fail."""
    with tempfile.TemporaryFile() as result:
        child = os.fork()
        if child == 0:
            with Path(os.devnull).open("w", encoding="utf-8") as sink:
                os.dup2(sink.fileno(), 1)
            observer = Observer(modules)
            code = _tested(tests, observer)
            with open(result.fileno(), "wb", closefd=False) as out:
                pickle.dump(dict(observer.covering.runs), out)
                pickle.dump(observer.covering.seconds, out)
            os._exit(code)
        if os.waitstatus_to_exitcode(os.wait4(child, 0)[1]):
            return None
        result.seek(0)
        runs = pickle.load(result)
        return Covering(pickle.load(result), runs)


def _tested(tests: Sequence[str], *plugins: object) -> int:
    import pytest
    from hypothesis import Phase, settings

    # A failure is all that is asked for, not the smallest; and a busy machine is no failure.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("noticing", database=None, derandomize=True, deadline=None, phases=phases)
    os.environ["HYPOTHESIS_PROFILE"] = "noticing"
    settings.load_profile("noticing")
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    without = [word for name in NOT_ONE_AT_A_TIME for word in ("-p", f"no:{name}")]
    return int(pytest.main(["-x", "-q", "--tb=no", *without, "-o", "timeout=0", "-W", "ignore", *tests], plugins))


def noticed(covering: Covering, change: dict[str, Any]) -> tuple[bool, int]:
    """(Whether a test fails with the change, how many tests run what is changed)."""
    tests = covering.tests(change["module"], change["line"])
    for part in (tests[:AT_FIRST], tests[AT_FIRST:]):
        seconds = LOADING_SECONDS + PATIENCE * sum(covering.seconds[test] for test in part)
        if part and outcome(part, change, seconds):
            return True, len(tests)
    return False, len(tests)


def main() -> int:
    """Try each change, and print what survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part")
    parser.add_argument("mutants", type=Path)
    parser.add_argument("--at-most", type=int, default=sys.maxsize)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--step", type=int, default=1)
    options = parser.parse_args()
    for library in LIBRARIES:
        importlib.import_module(library)
    tests = tomllib.loads(PARTS.read_text(encoding="utf-8"))[options.part]["tests"]
    found = [json.loads(line) for line in options.mutants.read_text(encoding="utf-8").splitlines()]
    began = time.monotonic()
    modules = sorted({Path(change["module"]) for change in found})
    covering = observed(tests, modules)
    as_it_is = {"module": str(modules[0]), "source": modules[0].read_text(encoding="utf-8")}
    if covering is None or outcome(sorted(covering.seconds), as_it_is, 3600):
        print(f"{options.part}: the tests fail without a change", file=sys.stderr)
        return 1
    why = reasons(options.part)
    tried, survivors, without = 0, 0, 0
    for change in found[options.first : options.at_most : options.step]:
        if time.monotonic() - began > options.seconds:
            break
        tried += 1
        seen, running = noticed(covering, change)
        if not seen:
            survivors += 1
            key = f"{change['module']}: {excerpt(Path(change['module']).read_text(encoding='utf-8'), change['source'])}"
            without += key not in why
            print(f"{change['name']}: {why.get(key, 'no reason')} ({running} tests)\n    {key}", flush=True)
    print(
        f"{options.part}: {survivors} of {tried} changes survived, {without} of them without a reason; "
        f"there are {len(found)}; {time.monotonic() - began:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
