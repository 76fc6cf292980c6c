"""Which tests run which lines of the modules that are changed, and how long each test takes."""

from __future__ import annotations

import ast
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

#: A line of a module: its path as the parts name it, and its number.
Line = tuple[str, int]


@dataclass(slots=True)
class Covering:
    """What the tests of a part run of its modules."""

    #: Processor seconds of each test, by its name for pytest.
    seconds: dict[str, float] = field(default_factory=dict)
    #: The tests that run a line; a name of a file stands for all tests in it.
    runs: dict[Line, set[str]] = field(default_factory=lambda: defaultdict(set))

    def tests(self, module: str, line: int) -> list[str]:
        """The tests that run the statement at a line, the quickest first.

        What is run when the module is imported (a constant, a field, a default) is held to be run by all tests: those
        of the module come first, for nothing tells who reads it.
        """
        source = Path(module).read_text(encoding="utf-8")
        within = _lines_in_functions(source, line)
        if within is None:
            own = self._of(key for key in self.runs if key[0] == module)
            return self._quickest_first(own) + self._quickest_first(set(self.seconds) - own)
        return self._quickest_first(self._of((module, number) for number in within))

    def _of(self, lines: Iterable[Line]) -> set[str]:
        named = {name for key in lines for name in self.runs.get(key, ())}
        return {test for test in self.seconds if test in named or test.partition("::")[0] in named}

    def _quickest_first(self, tests: set[str]) -> list[str]:
        return sorted(tests, key=lambda test: (self.seconds[test], test))


def _lines_in_functions(source: str, line: int) -> range | None:
    """The lines of the smallest statement at a line, inside a function's body; None if it is outside of all."""
    best: range | None = None
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for statement in (node for top in function.body for node in ast.walk(top) if isinstance(node, ast.stmt)):
            lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
            if line in lines and (best is None or len(lines) < len(best)):
                best = lines
    return best


class Observer:
    """Plugin of pytest that follows the modules while tests run."""

    def __init__(self, modules: Iterable[Path]) -> None:
        self.covering = Covering()
        self._modules = {str(path.resolve()): path.as_posix() for path in modules}
        self._reader = ""

    def _frame(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        return self._line if frame.f_code.co_filename in self._modules else None

    def _line(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line" and self._reader:
            self.covering.runs[self._modules[frame.f_code.co_filename], frame.f_lineno].add(self._reader)
        return self._line

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Generator[None]:
        """While a file of tests is read, lines count for all its tests."""
        self._follow(collector.nodeid.partition("::")[0])
        yield
        self._leave()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        """What is made for a test may serve others of its file, too."""
        self._follow(item.nodeid.partition("::")[0])
        yield
        self._leave()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """The test alone."""
        began = time.process_time()
        self._follow(item.nodeid)
        yield
        self._leave()
        self.covering.seconds[item.nodeid] = time.process_time() - began

    def _follow(self, reader: str) -> None:
        self._reader = reader
        sys.settrace(self._frame)

    def _leave(self) -> None:
        sys.settrace(None)
        self._reader = ""
