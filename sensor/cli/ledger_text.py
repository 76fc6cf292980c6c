"""How the actions of `minewatch ledger` put a case into words, safe for a terminal, and rows into columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from rich.cells import cell_len

from exporters.forms.documents.labels import STATES
from exporters.forms.documents.languages import ENGLISH, Language
from exporters.redaction.persons import PERSON, shown_name, shown_site
from sensor.model.case_state import State
from sensor.model.summary import Case
from sensor.model.text import N_, printable
from sensor.model.time import day_text

#: No ledger counts further: what is more is the number of no case.
MOST_CASES = (1 << 63) - 1


def subject(case: Case, persons: bool, language: Language = ENGLISH) -> str:
    """Whose case it is, and where; a person is not named unless asked for."""
    _ = language.translate
    site = shown_site(case.enterprise, case.site, persons)
    parts = (site.division_name or site.division, site.address) if site else ()
    place = " ".join(part for part in parts if part) if case.enterprise else ""
    name = case.address or _("site {number}").format(number=case.site_id)
    if case.enterprise:
        name = shown_name(case.enterprise, persons)
        name = _(name) if name == PERSON else name
    return safe(_("{name}, {place}").format(name=name, place=place) if place else name)


def due_text(case: Case, now_ns: int, zone: tzinfo, language: Language = ENGLISH) -> str:
    """The day by which the next step is awaited, and whether that is over."""
    if case.due_ns is None:
        return "-"
    day = day_text(case.due_ns, zone)
    return language.translate(N_("{day} overdue")).format(day=day) if case.overdue(now_ns) else day


def state_text(state: State, language: Language) -> str:
    """A state in words; in English its name, as options have it."""
    return language.label(state, STATES)


def safe(text: str) -> str:
    """Text without anything that could steer a terminal."""
    return printable(text, "·")


def counted(count: int, singular: str, plural: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{count} {singular if count == 1 else plural}"


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest text on a terminal."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def case_number(text: str) -> int | None:
    """The number of a case as it is written; None for anything else."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    return min(int(digits[:19]), MOST_CASES)


def page_text(whole: str, total: int, first: int, shown: int, language: Language = ENGLISH) -> str:
    """The line below a list: what there is in all, and which of it is shown, if not all."""
    if shown == total:
        return whole
    form = N_("{first} to {last} of {whole}") if shown else N_("none shown of {whole}")
    return language.translate(form).format(first=first + 1, last=first + shown, whole=whole)
