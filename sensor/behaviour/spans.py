"""How long a JSON message can be: the bytes that are always there, the unknown parts with their ranges, and what may
change from one message of a session to the next.

Which parts are unknown is asked of the rule that recognised the message: a part that the rule still accepts when it is
longer may be longer. Knows rules and values; knows no sessions.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sensor.signatures.member_tests import Predicate
from sensor.signatures.paths import Parts
from sensor.signatures.take import TakeRules

Style = Literal["compact", "spaced"]
STYLES: tuple[Style, ...] = ("compact", "spaced")

#: Lengths of what a rule takes. Wallets have up to 106 characters (an integrated Monero address) and a worker's name
#: behind them; agents of XMRig have up to 100; job and session ids are counters up to UUIDs with a prefix.
TAKEN_LENGTHS: dict[str, tuple[int, int]] = {
    "login": (3, 130),
    "account": (3, 130),
    "worker": (0, 32),
    "agent": (0, 120),
    "session": (1, 40),
    "job": (1, 40),
    "algorithm": (2, 24),
    "coin": (2, 8),
    "hashrate": (3, 66),
}
SECRET_LENGTHS = (0, 40)
#: A number of up to this many digits may be a counter of any size up to it; a longer one is drawn from all its range.
COUNTER_DIGITS = 8
#: Hexadecimal parts of no fixed length are at most so many times as long as in the example, and as much shorter.
HEX_FACTOR = 2
#: A branch of a merkle tree: 64 hex digits, two quotes, a comma, and in spaced style a space.
BRANCH_STEPS: dict[Style, int] = {"compact": 67, "spaced": 68}
#: A list of the algorithms that a miner knows, with their speeds (XMRig writes 28 names, 1,000 bytes of speeds).
LIST_GROWTH = 1_500
#: Members that an example need not show, such as "algo":"rx/0" or "worker":"x" beside a share.
UNSEEN_MEMBERS = 24
LONGER = (2, 8, 32, 64, 128, 256, 512, 1_024, 2_048)
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{2,}\Z")


@dataclass(frozen=True, slots=True)
class Span:
    """Lengths of a message in one style, the digits of its id and the end of the line not counted."""

    low: int
    high: int
    slack: int  # bytes by which two messages of one session may differ, besides the id's digits
    step: int | None  # its list of branches grows in these steps
    usual: int = 0  # as in the example


def text_of(value: object, style: Style) -> str:
    """The value as a line of this style, without the end of the line."""
    if style == "compact":
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


def size_of(value: object, style: Style) -> int:
    """Bytes of the value in this style. A text that cannot be encoded counts with what it would be replaced by."""
    return len(text_of(value, style).encode(errors="replace"))


def id_digits(value: dict[str, object]) -> int:
    """Bytes of the message's id, quotes not counted: 0 without one."""
    own = value.get("id")
    if isinstance(own, str):
        return len(own)
    return len(json.dumps(own)) if "id" in value and not isinstance(own, list | dict) else 0


def leaves(value: object, parts: Parts = ()) -> Iterator[tuple[Parts, object]]:
    """Every scalar with its path; a list of scalars of one type and three or more is one leaf."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*parts, name))
    elif isinstance(value, list) and value and not _is_series(value):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*parts, index))
    else:
        yield parts, value


def _is_series(value: list[object]) -> bool:
    if all(isinstance(item, str) and len(item) == 64 and _HEX.match(item) for item in value):
        return True
    return len(value) >= 8 and len({type(item) for item in value}) == 1


def changed(value: object, parts: Parts, new: object) -> object:
    """The value with another part at this path; None in the place of `new` puts a null there."""
    if not parts:
        return new
    first, rest = parts[0], parts[1:]
    if isinstance(value, dict):
        return {name: changed(inner, rest, new) if name == first else inner for name, inner in value.items()}
    if isinstance(value, list):
        return [changed(inner, rest, new) if index == first else inner for index, inner in enumerate(value)]
    return value


def _lists_names(params: object) -> bool:
    """Whether one of the named parts is a list of texts."""
    lists = params.values() if isinstance(params, dict) else ()
    return any(isinstance(part, list) and part and all(isinstance(name, str) for name in part) for part in lists)


class SpanMeter:
    """Measures one message against the rule that recognised it."""

    def __init__(
        self,
        when: Predicate,
        take: TakeRules,
        secrets: tuple[Parts, ...] = (),
        kind: str = "",
        shared: frozenset[str] = frozenset(),
    ) -> None:
        self._when, self._secrets, self._kind = when, secrets, kind
        self._shared = shared  # texts that stand in another message, too, so that they are not unknown beside it
        self._taken = {source.parts: name for name, sources in take.sources for source in sources}

    def measure(self, value: dict[str, object], style: Style) -> Span:
        """The span of messages like this one."""
        fixed = size_of(value, style) - id_digits(value)
        low, high, slack, step = fixed, fixed, 0, None
        for parts, leaf in leaves(value):
            if parts in (("id",), ("method",), ("jsonrpc",)):
                continue
            shortest, longest, wavers = self._part(value, parts, leaf)
            low, high, slack = low + shortest, high + longest, slack + wavers
            if self._is_branches(value, parts, leaf):
                step = BRANCH_STEPS[style]
        low -= self._optional(value, style)
        high += UNSEEN_MEMBERS if self._kind in ("submit", "login", "job") else 0
        high += LIST_GROWTH if self._kind == "login" and _lists_names(value.get("params")) else 0
        return Span(max(2, low), high, slack, step, fixed)

    def _part(self, value: dict[str, object], parts: Parts, leaf: object) -> tuple[int, int, int]:
        """How much shorter and longer this part may be, and how much it changes within a session."""
        name = self._taken.get(parts)
        if isinstance(leaf, list):
            return self._series(value, parts, leaf)
        if isinstance(leaf, bool):
            return (0, 0, 1) if self._kind == "job" else (0, 0, 0)
        if isinstance(leaf, int | float):
            digits = len(json.dumps(leaf))
            if digits > COUNTER_DIGITS:
                return -3, 2, 2
            return 1 - digits, COUNTER_DIGITS - digits, 1
        if not isinstance(leaf, str):
            return 0, 0, 0
        size = len(leaf)
        if leaf in self._shared:
            return 0, 0, 0
        if parts in self._secrets:
            return -size, max(0, SECRET_LENGTHS[1] - size), 0
        if name in TAKEN_LENGTHS:
            shortest, longest = TAKEN_LENGTHS[name]
            return min(0, shortest - size), max(0, longest - size), 1 if name == "job" else 0
        return self._text(value, parts, leaf)

    def _text(self, value: dict[str, object], parts: Parts, leaf: str) -> tuple[int, int, int]:
        size = len(leaf)
        # The rule does not look at it, or takes any text.
        if self._when(changed(value, parts, None)) or self._when(changed(value, parts, leaf + "~")):
            if self._kind in ("login", "subscribe", "other"):
                return -size, 64, 0
            return -min(size // 2, 16), 16, 0
        if not _HEX.match(leaf):
            return 0, 0, 0
        digits = leaf.removeprefix("0x")
        mark = leaf[: size - len(digits)]
        shorter = [n for n in (0, 2, 4, 8, 16, 32, 64) if n < len(digits) and self._takes(value, parts, mark, n)]
        longer = [n for n in LONGER if n > len(digits) and self._takes(value, parts, mark, n)]
        low = max(min([*shorter, len(digits)]), len(digits) // HEX_FACTOR)
        high = min(max([*longer, len(digits)]), HEX_FACTOR * max(len(digits), 8))
        return min(low, len(digits)) - len(digits), high - len(digits), 0

    def _takes(self, value: dict[str, object], parts: Parts, mark: str, digits: int) -> bool:
        return self._when(changed(value, parts, mark + "a" * digits))

    def _series(self, value: dict[str, object], parts: Parts, leaf: list[object]) -> tuple[int, int, int]:
        if not leaf:
            return (0, 40 * 67, 0) if self._is_branches(value, parts, leaf) else (0, 0, 0)
        if self._is_branches(value, parts, leaf):
            return -67 * len(leaf), 40 * 67, 0
        if all(isinstance(item, int | float) for item in leaf):
            wavers = math.ceil(3 * math.sqrt(len(leaf)))  # three standard errors of digits, each side
            return -2 * len(leaf), 2 * len(leaf), wavers
        return (-len(json.dumps(leaf)) + 2 if self._kind == "login" else 0), 0, 0

    def _is_branches(self, value: dict[str, object], parts: Parts, leaf: object) -> bool:
        """Whether this is a list to which the rule lets us add a branch, and would not let us add a number."""
        if self._kind != "job" or not isinstance(leaf, list):
            return False
        if leaf and not all(isinstance(item, str) and len(item) == 64 for item in leaf):
            return False
        more, wrong = [*leaf, "ab" * 32], [*leaf, 7]
        return self._when(changed(value, parts, more)) and not self._when(changed(value, parts, wrong))

    def _optional(self, value: dict[str, object], style: Style) -> int:
        """Bytes of the members that the rule does not ask for."""
        total = 0
        for holder in (value, value.get("params")):
            if not isinstance(holder, dict):
                continue
            for name, inner in holder.items():
                if holder is value and name in ("id", "method", "params"):
                    continue
                rest = {key: other for key, other in holder.items() if key != name}
                optional = rest and self._when(rest if holder is value else {**value, "params": rest})
                if optional and (name == "jsonrpc" or self._kind != "submit"):
                    total += size_of({name: inner}, style) - 1
        return total
