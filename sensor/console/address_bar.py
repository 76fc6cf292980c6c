"""What stands in the address bar behind the path: names that are readable and stay, each at most once, each checked.

An unknown name is refused, as is a value that is none: a filter that is silently left out shows more than was asked
for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal
from urllib.parse import parse_qsl

from exporters.forms.documents.labels import GRADES, N_, STATES
from sensor.console.refusal import RefusalError
from sensor.ledger.read.lists.cut import ListKey
from sensor.model.address import canonical, parse_network
from sensor.model.evidence import Grade

#: Characters of a value, and how many names there may be.
MOST_CHARACTERS, MOST_NAMES = 200, 24
#: And of a place in a list, in which a name from the network may stand with each character escaped.
MOST_KEY_CHARACTERS = 2_000
#: What can be asked for at least.
MOST_COUNT = 1_000_000
#: What may stand around a value without being part of it, as it is pasted: spaces, also full-width ones.
SPACES = " \u3000"
#: Of the place of a row, 63 bits; years of days that are asked for, whose nanoseconds have no more.
MOST_RANK, FIRST_YEAR, LAST_YEAR = (1 << 63) - 1, 1970, 2200
FORMATS = ("csv", "xlsx", "json")


class ValueRefusedError(ValueError):
    """A value that is none."""


@dataclass(frozen=True)
class Parameter:
    """One name: what it takes, and how a form asks for it."""

    name: str
    title: str = ""
    parse: Callable[[str], Any] = str
    choices: Sequence[tuple[str, str]] = ()  # value and title
    kind: Literal["text", "date", "choice", "hidden"] = "text"
    hint: str = ""
    most: int = MOST_CHARACTERS


def chosen_from(choices: Sequence[tuple[str, str]]) -> Callable[[str], str]:
    """A value of a closed set."""
    values = {value for value, _ in choices}

    def parse(text: str) -> str:
        if text not in values:
            raise ValueRefusedError
        return text

    return parse


def choice(
    name: str, title: str, choices: Sequence[tuple[str, str]], kind: Literal["choice", "hidden"] = "choice"
) -> Parameter:
    """A parameter of a closed set."""
    return Parameter(name, title, chosen_from(choices), choices, kind)


def _grade(text: str) -> Grade:
    found = next((grade for grade in Grade if grade.label == text), None)
    if found is None:
        raise ValueRefusedError
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueRefusedError
    return int(text)


def _count(text: str) -> int:
    number = _number(text)
    if not 1 <= number <= MOST_COUNT:
        raise ValueRefusedError
    return number


def at_least(name: str, title: str) -> Parameter:
    """A parameter of so many or more."""
    return Parameter(name, title, _count)


def _range(text: str) -> tuple[str, str]:
    """Address or range, in the one form that records have."""
    return ("address", canonical(text)) if "/" not in text else ("network", str(parse_network(text)))


def _key(text: str) -> ListKey:
    rank, dot, name = text.partition(".")
    digits = rank.removeprefix("-")
    if not dot or not name or not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        raise ValueRefusedError
    if abs(int(rank)) > MOST_RANK:
        raise ValueRefusedError
    return ListKey(int(rank), name)


def _day(text: str) -> date:
    """A day of which a database can count the nanoseconds."""
    day = date.fromisoformat(text)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueRefusedError
    return day


def _columns(text: str) -> tuple[str, ...]:
    """Keys of columns, each once; a list checks whether it has them."""
    keys = tuple(text.split(","))
    if len(set(keys)) < len(keys) or not all(key.isidentifier() and key.isascii() for key in keys):
        raise ValueRefusedError
    return keys


LANGUAGE = Parameter("lang", parse=chosen_from((("zh", ""), ("en", ""))), kind="hidden")
WEEK = Parameter("week", N_("Week"), hint="2026-W10")
FORMAT = Parameter("format", parse=chosen_from([(name, "") for name in FORMATS]), kind="hidden")
AFTER = Parameter("after", parse=_key, kind="hidden", most=MOST_KEY_CHARACTERS)
COLUMNS = Parameter("columns", parse=_columns, kind="hidden")
#: What every list of a week's records takes beside its filters.
OF_LISTS = (WEEK, LANGUAGE, COLUMNS, FORMAT, AFTER)
NAME = Parameter("name", N_("Name, code or street has"))
DIVISION = Parameter("division", N_("Division, code or name"), hint="320500")
GRADE = Parameter(
    "grade", N_("Evidence at least"), _grade, [(key, GRADES[key][0]) for key in reversed(GRADES)], "choice"
)
STATE = choice("state", N_("Case is"), list(STATES.items()))
SINCE = Parameter("since", N_("Mining seen since"), _day, kind="date")
UNTIL = Parameter("until", N_("and until"), _day, kind="date")
ADDRESS = Parameter("address", N_("Address or range"), _range, hint="198.51.100.0/24")
ALGORITHM = Parameter("algorithm", N_("Algorithm"))
ENTERPRISE = Parameter("enterprise", N_("Enterprise's identity"), kind="hidden")
SITE = Parameter("site", N_("Site's number"), _number, kind="hidden")
CASE = Parameter("case", N_("Case's number"), _number, kind="hidden")


@dataclass(frozen=True)
class AskedValues:
    """What was asked: the values as they are understood, and as they were written."""

    values: Mapping[str, Any] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)

    def get(self, parameter: Parameter) -> Any:
        """The value of a parameter; None where it was not asked."""
        return self.values.get(parameter.name)


def read_address_bar(query: bytes, parameters: Sequence[Parameter], *, of_a_form: bool = True) -> AskedValues:
    """The values of a query. Raises RefusalError (400) for anything that is not understood. An empty value, as a form
    sends it, is one that was not asked; of a program it is none."""
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=bool(query), errors="strict",
            max_num_fields=MOST_NAMES,
        )  # fmt: skip
    except ValueError:
        raise RefusalError(400, N_("What stands behind the question mark of the address cannot be read.")) from None
    by_name = {parameter.name: parameter for parameter in parameters}
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    seen: set[str] = set()
    for name, text in pairs:
        if name not in by_name:
            raise RefusalError(400, N_("There is no filter {name} on this page."), name=name[:40])
        if name in seen:
            raise RefusalError(400, N_("{name} is asked for twice."), name=name)
        seen.add(name)
        plain = text.strip(SPACES)
        if not plain and of_a_form:
            continue
        values[name], written[name] = _value(by_name[name], plain), plain
    return AskedValues(values, written)


def can_stand(text: str, most: int = MOST_CHARACTERS) -> bool:
    """Whether a text can be a value: a name from the network may be longer, and not print."""
    return bool(text.strip(SPACES)) and len(text) <= most and text.isprintable()


def _value(parameter: Parameter, text: str) -> Any:
    refused = RefusalError(400, N_("{name} cannot be {value}."), name=parameter.name, value=text[:40])
    if not can_stand(text, parameter.most):
        raise refused
    try:
        return parameter.parse(text)
    except (ValueError, OverflowError):
        raise refused from None
