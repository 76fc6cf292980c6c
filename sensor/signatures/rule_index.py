"""Which rules a message may fit at all: by the method they ask for, and by the members they need. Knows no dialects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
#: Sets of members that are remembered with their rules: shipped dialects meet some two hundred.
MAX_REMEMBERED = 1_024


class Indexed(Protocol):
    """What is asked of a rule."""

    @property
    def methods(self) -> tuple[str, ...]: ...
    @property
    def needs(self) -> tuple[frozenset[str], ...]: ...


class RuleIndex(Generic[Item]):
    """Rules in their order, each with what is given for it."""

    __slots__ = ("_by_method", "_members", "_remembered")

    def __init__(self, rules: Sequence[tuple[Indexed, Item]]) -> None:
        methods: set[str | None] = {None, *(method for rule, _ in rules for method in rule.methods)}
        self._by_method = {
            method: tuple((rule, item) for rule, item in rules if not rule.methods or method in rule.methods)
            for method in methods
        }
        self._members = frozenset(name for rule, _ in rules for need in rule.needs for name in need)
        self._remembered: dict[tuple[str | None, frozenset[str]], tuple[Item, ...]] = {}

    def candidates(self, value: Mapping[str, object]) -> tuple[Item, ...]:
        """The items of the rules that a message may fit."""
        method = value.get("method")
        if not isinstance(method, str) or method not in self._by_method:
            method = None
        key = (method, self._members.intersection(value))
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            rules = self._by_method[method]
            found = tuple(item for rule, item in rules if any(need <= key[1] for need in rule.needs))
            self._remembered[key] = found
        return found
