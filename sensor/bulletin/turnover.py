"""What became of addresses and holders since the period before: new, back, gone, not observed. Pure.

The counts add up by construction: whoever was there before is there now, gone, or not observed; whoever is there now
was there before, is new, or is back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from sensor.model.figures import Turnover
from sensor.model.summary import Line, Summary

Key = Callable[[Line], str | None]


def groups(lines: Iterable[Line], key_of: Key) -> dict[str, list[Line]]:
    """Lines by whose they are; those of nobody are left out."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        key = key_of(line)
        if key is not None:
            found.setdefault(key, []).append(line)
    return found


def turnover(
    now: Mapping[str, Sequence[Line]], before: Mapping[str, Sequence[Line]], is_new: Callable[[Line], bool], of: Summary
) -> Turnover:
    """The counts of a period, from the lines of each address or holder in it and in the one before."""
    come = now.keys() - before.keys()
    new = sum(all(is_new(line) for line in now[key]) for key in come)
    left = before.keys() - now.keys()
    gone = sum(is_gone(before[key], of) for key in left)
    return Turnover(len(before), new, len(come) - new, gone, len(left) - gone, len(now))


def is_gone(lines: Iterable[Line], of: Summary) -> bool:
    """Whether all that mined in the period before fell silent within hearing."""
    silent = {line.place for line in of.gone}
    return all(line.place in silent for line in lines)


def address_of(line: Line) -> str:
    """Addresses count as addresses, whoever holds them."""
    return line.address
