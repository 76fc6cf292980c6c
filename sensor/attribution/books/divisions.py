"""Administrative divisions of China (GB/T 2260): code to name and names to code, as they were in a year.

The table is python-stdnum's; a local file of `code,name` lines goes before it. Knows no addresses of streets.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TextIO

from stdnum import numdb

from sensor.model.text import N_

#: So many of several divisions of one name are named.
MOST_NAMED = 6
_YEARS = re.compile(r"\[(\d*)-(\d*)\](.*)")
#: Endings that people leave out.
_ENDINGS = (
    "特别行政区",
    "维吾尔自治区",
    "壮族自治区",
    "回族自治区",
    "自治区",
    "自治州",
    "地区",
    "省",
    "市",
    "区",
    "县",
    "盟",
    "旗",
)


class DivisionError(ValueError):
    """There is no such division; one sentence."""


@dataclass(frozen=True)
class Division:
    """One division that was asked for by code or name."""

    code: str  # six digits
    name: str  # as it is, or as it was last
    abolished: int | None = None  # the year; None: it is there
    successors: tuple[tuple[str, str], ...] = ()  # code and name of what it became, where that is certain

    @property
    def codes(self) -> tuple[str, ...]:
        """Its code and those of its successors."""
        return (self.code, *(code for code, _ in self.successors))

    @property
    def note(self) -> str | None:
        """What whoever asked for an abolished one should know; None for one that is there."""
        if self.abolished is None:
            return None
        gone = f"{self.code} {self.name} was abolished in {self.abolished}"
        if self.successors:
            return f"{gone}; {', '.join(map(' '.join, self.successors))} is taken with it"
        return f"{gone}; none followed it for certain, so only its own code is taken"


class Divisions:
    """The table, with local additions; a missing or unreadable local file raises OSError or ValueError."""

    def __init__(self, local: Path | None = None) -> None:
        self._local = dict(_read(local)) if local else {}

    def name(self, code: str, year: int) -> str | None:
        """`江苏省苏州市` for 320500; None if there was no such division that year."""
        if code in self._local:
            return self._local[code]
        parts = [_then(code[:2] + "0000", year), _then(code[:4] + "00", year), _then(code, year)]
        if parts[2] is None:
            return None
        return "".join(dict.fromkeys(part for part in parts if part and part not in ("市辖区", "市区", "县")))

    def find(self, province: str, city: str, county: str, year: int) -> str | None:
        """The code that these names mean; the empty ones are not known.

        None if the names are, or do not fit into each other.
        """
        wanted = [part.strip() for part in (province, city, county)]
        code = ""
        for depth, part in enumerate(wanted):
            if not part or (depth == 1 and part in ("市辖区", "县", "省直辖县级行政区划", wanted[0])):
                continue
            inner = _child(code, part, year, depth) or self._find_local(part, code)
            if inner is None:
                return None
            code = inner
        return code or None

    def division(self, text: str, year: int) -> Division:
        """The division of a code (2, 4 or 6 digits) or a name, as of a year; an abolished one with its successors.

        Raises DivisionError for one that never was, and for a name that several have.
        """
        wanted = text.strip()
        if not re.fullmatch(r"[0-9]+", wanted):
            return self._named(wanted, year)
        code = wanted.ljust(6, "0")
        if len(wanted) not in (2, 4, 6):
            no_code = N_("{text} is no code of a division: it has 2, 4 or 6 digits (GB/T 2260)")
            raise DivisionError(no_code.format(text=wanted))
        if (name := self.name(code, year)) is not None:
            return Division(code, name)
        if code not in _table():
            raise DivisionError(self._none(wanted, code, year))
        last, name = max((last, name) for _, last, name in _table()[code])
        return Division(code, self.name(code, last) or name, last, self._successors(code, year))

    def heirs(self, code: str) -> frozenset[str]:
        """The codes that an abolished division has today beyond doubt: of its province, begun when it ended, and the
        only one of its very name, or else of its name without the ending. Again of those that ended, too."""
        found: set[str] = set()
        ahead = [code]
        while ahead:
            heir = _heir(ahead.pop())
            if heir is not None and heir not in found:
                found.add(heir)
                ahead.append(heir)
        return frozenset(found)

    def forebears(self, stem: str) -> frozenset[str]:
        """The abolished codes, elsewhere, whose heirs are in the division whose codes begin so."""
        return frozenset(code for code, heir in _heirs().items() if heir.startswith(stem) and code[: len(stem)] != stem)

    def _named(self, name: str, year: int) -> Division:
        current = [code for code in _names().get(_stem(name), ()) if _matches(_then(code, year), name)]
        found = [code for code in current if name in (_then(code, year), self.name(code, year))] or current
        found = found or [code for code, local in self._local.items() if local.endswith(name) and name]
        if len(found) == 1:
            return Division(found[0], self.name(found[0], year) or name)
        if not found:
            nothing = N_("there is no division {text} (GB/T 2260): give its code, or its name as it is today")
            raise DivisionError(nothing.format(text=repr(name)))
        some = ", ".join(f"{code} {self.name(code, year)}" for code in sorted(found)[:MOST_NAMED])
        form = (
            N_("{count} divisions are called {text}: give the code of one: {some} and {most} more")
            if len(found) > MOST_NAMED
            else N_("{count} divisions are called {text}: give the code of one: {some}")
        )
        more = len(found) - MOST_NAMED
        raise DivisionError(form.format(count=len(found), text=repr(name), some=some, most=more))

    def _successors(self, code: str, year: int) -> tuple[tuple[str, str], ...]:
        """What an abolished one became, with names as of a year; nothing where that is not certain."""
        return tuple((other, self.name(other, year) or other) for other in sorted(self.heirs(code)))

    def _none(self, wanted: str, code: str, year: int) -> str:
        """That there is no such division, with the narrowest one around a wrong code."""
        for outer in (f"{code[:4]}00", f"{code[:2]}0000"):
            if outer != code and (name := self.name(outer, year)) is not None:
                form = N_("there is no division {text} (GB/T 2260); {code} is {name}")
                return form.format(text=wanted, code=outer, name=name)
        return N_("there is no division {text} (GB/T 2260)").format(text=wanted)

    def _find_local(self, part: str, within: str) -> str | None:
        stem = within.rstrip("0") if within else ""
        found = [code for code, name in self._local.items() if name.endswith(part) and code.startswith(stem)]
        return found[0] if len(found) == 1 else None


def _read(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in _rows(path, lines):
            if len(row) >= 2 and re.fullmatch(r"\d{6}", row[0].strip()):
                yield row[0].strip(), row[1].strip()
            elif row and not row[0].startswith("#") and row[0] != "code":
                raise ValueError(f"{path}: not a code of six digits and a name: {','.join(row)[:60]}")


def _rows(path: Path, lines: TextIO) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines)
    except csv.Error as error:
        raise ValueError(f"{path}: is no table: {error}") from None


def _then(code: str, year: int) -> str | None:
    """The name that a code had in a year."""
    for first, last, name in _table().get(code, ()):
        if first <= year <= last:
            return name
    return None


def _child(within: str, name: str, year: int, depth: int) -> str | None:
    """The division of this name inside another (anywhere if that is empty); None if there is none or several."""
    found = [
        code
        for code in _names().get(_stem(name), ())
        if _fits(code, within, depth) and _matches(_then(code, year), name)
    ]
    exact = [code for code in found if _then(code, year) == name]
    chosen = exact or found
    if len(chosen) > 1:  # a city and its own district of one name: the level that was asked for
        level = [
            code for code in chosen if code.endswith(("0000", "00", "")[depth]) and (depth < 2) == code.endswith("00")
        ]
        chosen = level or chosen
    return chosen[0] if len(chosen) == 1 else None


def _fits(code: str, within: str, depth: int) -> bool:
    stem = within[:2] if within.endswith("0000") else within[:4] if within.endswith("00") else within
    return code.startswith(stem) and code != within and (depth > 0 or code.endswith("0000"))


def _matches(division: str | None, name: str) -> bool:
    return division is not None and _stem(division) == _stem(name)


def _stem(name: str) -> str:
    for ending in _ENDINGS:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name[: -len(ending)]
    return name


def _heir(code: str) -> str | None:
    """The one division that an abolished one became; None where it is there, or where that is not certain."""
    if code not in _table():
        return None
    _, last, name = max(_table()[code], key=lambda dated: dated[1])
    if last == 9999:
        return None
    begun = [
        (other, dated[2])
        for other in _names().get(_stem(name), ())
        if other != code and other[:2] == code[:2] and other.endswith("00") == code.endswith("00")
        for dated in _table()[other]
        if abs(dated[0] - last) <= 1 and _stem(dated[2]) == _stem(name)
    ]
    same = {other for other, its in begun if its == name} or {other for other, _ in begun}
    return same.pop() if len(same) == 1 else None


@cache
def _heirs() -> dict[str, str]:
    """The last heir of every abolished code that has one."""
    found = {}
    for code in _table():
        heir, seen = _heir(code), {code}
        while heir is not None and heir not in seen:
            seen.add(heir)
            found[code] = heir
            heir = _heir(heir)
    return found


@cache
def _table() -> dict[str, list[tuple[int, int, str]]]:
    """Code to names with their years. A year in which one name ends and another begins belongs to the new one."""
    table: dict[str, list[tuple[int, int, str]]] = {}
    for _, province, _, properties, children in numdb.get("cn/loc").prefixes:
        table[province + "0000"] = [(0, 9999, properties["province"])]
        for _, rest, _, inner, _ in children:
            names = [_dated(text) for text in inner.get("county", "").split(",") if text]
            if rest != "0000":
                table[province + rest] = sorted(names, reverse=True)
    return table


def _dated(text: str) -> tuple[int, int, str]:
    found = _YEARS.fullmatch(text)
    return (int(found[1] or 0), int(found[2] or 9999), found[3]) if found else (0, 9999, text)


@cache
def _names() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, names in _table().items():
        for _, _, name in names:
            found.setdefault(_stem(name), []).append(code)
    return {name: list(dict.fromkeys(codes)) for name, codes in found.items()}
