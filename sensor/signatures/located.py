"""YAML with its line numbers, and checked access to it: every complaint names file and line, and all of them are
collected.

Knows nothing of what a signature means; it only says "unknown key", "must be text", and where.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

import yaml

#: Far above any real signature; a file with aliases of aliases must not grow without end.
MAX_NODES = 200_000

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Problems:
    """The mistakes of one file so far."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.sentences: list[str] = []

    def add(self, line: int, text: str) -> None:
        self.sentences.append(f"{self.file}:{line}: {text}")


class YamlEntry:
    """One value of a file: a scalar, a list of entries, or a map of text to entries."""

    __slots__ = ("items", "keys", "line", "name", "problems", "scalar", "shape")

    def __init__(self, problems: Problems, line: int, name: str) -> None:
        self.problems = problems
        self.line = line
        self.name = name  # dotted place within the file, for sentences
        self.shape = "scalar"
        self.scalar: object = None
        self.items: list[YamlEntry] = []
        self.keys: dict[str, YamlEntry] = {}

    def fail(self, text: str) -> None:
        """Record a mistake at this value."""
        self.problems.add(self.line, f"{self.name}: {text}" if self.name else text)

    def only(self, allowed: Iterable[str]) -> None:
        """Refuse keys that are not known, with the nearest one that is."""
        names = list(allowed)
        for key, entry in self.keys.items():
            if key not in names:
                near = difflib.get_close_matches(key, names, 1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(names)}"
                entry.fail(f"unknown key{hint}")

    def is_map(self) -> bool:
        """True if this is a map; otherwise that is a mistake."""
        if self.shape != "map":
            self.fail("must be a map")
        return self.shape == "map"

    def each(self) -> Iterator[YamlEntry]:
        """The items of a list; a single scalar or map counts as a list of one."""
        return iter(self.items if self.shape == "list" else [self])

    def text(self, key: str, default: str | None = None, *, least: int = 1) -> str:
        """The text under `key`; a mistake if missing without default, or shorter than `least`."""
        entry = self.keys.get(key)
        if entry is None or (entry.shape == "scalar" and entry.scalar is None):
            if default is None:
                self.fail(f"{key} is missing")
            return default or ""
        if not isinstance(entry.scalar, str):
            entry.fail("must be text (quote it if it looks like a number)")
            return default or ""
        if len(entry.scalar.strip()) < least:
            entry.fail("must not be empty")
        return entry.scalar.strip()

    def optional(self, key: str) -> str | None:
        """The text under `key`, or None."""
        return self.text(key, "") or None

    def number(self, key: str, default: int | None, low: int, high: int) -> int:
        """The whole number under `key`, within [low, high]."""
        entry = self.keys.get(key)
        if entry is None:
            if default is None:
                self.fail(f"{key} is missing")
            return default if default is not None else low
        if isinstance(entry.scalar, bool) or not isinstance(entry.scalar, int) or not low <= entry.scalar <= high:
            entry.fail(f"must be a whole number from {low} to {high}")
            return default if default is not None else low
        return entry.scalar

    def texts(self, key: str) -> tuple[str, ...]:
        """The list of texts under `key`, empty if it is missing."""
        entry = self.keys.get(key)
        if entry is None:
            return ()
        found = []
        for item in entry.each():
            if isinstance(item.scalar, str) and item.scalar:
                found.append(item.scalar)
            else:
                item.fail("must be text")
        return tuple(found)

    def choice(self, key: str, options: tuple[str, ...], default: str | None = None) -> str:
        """The text under `key`, which must be one of `options`."""
        value = self.text(key, default)
        if value and value not in options:
            near = difflib.get_close_matches(value, options, 1)
            self.keys.get(key, self).fail(
                f"must be one of {', '.join(options)}" + (f"; did you mean {near[0]!r}?" if near else "")
            )
            return default or options[0]
        return value or default or options[0]


def read(text: str, file: str, problems: Problems) -> YamlEntry | None:
    """The document in `text`, or None with the mistake recorded."""
    try:
        loader = Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                problems.add(1, "the file is empty")
                return None
            return _entry(loader, node, "", problems, [MAX_NODES])
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}")
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problems.add(1, f"{PurePath(file).name} is not readable YAML: {error}")
    return None


def _entry(loader: Any, node: yaml.Node, name: str, problems: Problems, budget: list[int]) -> YamlEntry:
    budget[0] -= 1
    if budget[0] < 0:
        raise ValueError("too many values")
    entry = YamlEntry(problems, node.start_mark.line + 1, name)
    if isinstance(node, yaml.MappingNode):
        entry.shape = "map"
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                problems.add(key_node.start_mark.line + 1, "a key must be text")
                continue
            if key in entry.keys:
                problems.add(key_node.start_mark.line + 1, f"{key} is given twice")
            child = _entry(loader, value_node, f"{name}.{key}" if name else key, problems, budget)
            child.line = key_node.start_mark.line + 1
            entry.keys[key] = child
    elif isinstance(node, yaml.SequenceNode):
        entry.shape = "list"
        entry.items = [
            _entry(loader, item, f"{name}[{index}]", problems, budget) for index, item in enumerate(node.value)
        ]
    else:
        entry.scalar = loader.construct_object(node)
    return entry
