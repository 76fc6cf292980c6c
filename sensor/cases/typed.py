"""What people type of a command, in a form of the console or behind an option of the command line, as values. Pure.

An empty field is not known, which is another thing than 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sensor.cases.commands import KIND_TWICE as KIND_TWICE
from sensor.cases.commands import MAX_MODEL_CHARACTERS, TOO_LONG
from sensor.cases.states import CaseError
from sensor.model.casework import MACHINE_KINDS, FieldResult, FoundMachines, MachineKind
from sensor.model.time import MINUTE_NS, midnight_ns

#: With or without commas between thousands, as field reports write them; a point before at most three places.
NUMBER = re.compile(r"(\d{1,3}(?:,\d{3}){1,4}|\d{1,12})(\.\d{1,3})?", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
#: Full-width forms that an input method of Chinese leaves.
FULL_WIDTH = str.maketrans("０１２３４５６７８９．，", "0123456789.,")
NO_NUMBER = "{text} is no number: write digits, as 1300 or 1,300.5"
NO_COUNT = "{text} is no number of machines: write digits, as 540"
NO_DATE = "{text} is no date: write it as 2026-03-31"
NO_KIND = "{text} is no kind of machine; there are {choices}"
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2200, 1, 1)


def due_ns(text: str, zone: ZoneInfo) -> int | None:
    """The last minute of a day; None for no text. Raises CaseError."""
    plain = text.strip().translate(FULL_WIDTH)
    if not plain:
        return None
    try:
        day = date.fromisoformat(plain) if DAY.fullmatch(plain) else LAST_DAY
    except ValueError:
        day = LAST_DAY
    if not FIRST_DAY <= day < LAST_DAY:
        raise CaseError(NO_DATE, text=repr(text.strip()[:40]))
    return midnight_ns(day + timedelta(days=1), zone) - MINUTE_NS


def number(text: str) -> float | None:
    """A number, None for no text. Raises CaseError: also for a sign, an exponent, anything beside digits."""
    plain = text.strip().translate(FULL_WIDTH)
    if not plain:
        return None
    if not NUMBER.fullmatch(plain):
        raise CaseError(NO_NUMBER, text=repr(text.strip()[:40]))
    return float(plain.replace(",", ""))


def count(text: str) -> int | None:
    """A number of machines, None for no text. Raises CaseError."""
    plain = text.strip().translate(FULL_WIDTH)
    if not plain:
        return None
    if not NUMBER.fullmatch(plain) or "." in plain:
        raise CaseError(NO_COUNT, text=repr(text.strip()[:40]))
    return int(plain.replace(",", ""))


def field_result(machines: Mapping[MachineKind, tuple[str, str]], hours: str, kwh: str) -> FieldResult:
    """What was found: of each kind the count and the model as they are typed. Raises CaseError."""
    found = []
    for kind in MACHINE_KINDS:
        counted, model = machines.get(kind, ("", ""))
        its, name = count(counted), " ".join(model.split())
        if len(name) > MAX_MODEL_CHARACTERS:
            raise CaseError(TOO_LONG, most=str(MAX_MODEL_CHARACTERS))
        if its is not None or name:
            found.append(FoundMachines(kind, its, name))
    return FieldResult(tuple(found), number(hours), number(kwh))


def machines_text(text: str) -> tuple[MachineKind, tuple[str, str]]:
    """`asic=540` or `asic=540:Antminer S19`: kind, count and model. Raises CaseError."""
    kind, _equals, rest = text.partition("=")
    counted, _colon, model = rest.partition(":")
    for each in MACHINE_KINDS:
        if kind.strip().lower() == each:
            return each, (counted, model)
    raise CaseError(NO_KIND, text=repr(kind.strip()[:40]), choices=", ".join(MACHINE_KINDS))
