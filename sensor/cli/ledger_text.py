"""How the actions of `minewatch ledger` put a case into words, safe for a terminal, and rows into columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from rich.cells import cell_len

from exporters.redaction.persons import shown_name, shown_site
from sensor.model.summary import Case
from sensor.model.text import printable
from sensor.model.time import day_text

#: No ledger counts further: what is more is the number of no case.
MOST_CASES = (1 << 63) - 1


def subject(case: Case, persons: bool) -> str:
    """Whose case it is, and where; a person is not named unless asked for."""
    site = shown_site(case.enterprise, case.site, persons)
    parts = (site.division_name or site.division, site.address) if site else ()
    place = " ".join(part for part in parts if part) if case.enterprise else ""
    name = shown_name(case.enterprise, persons) if case.enterprise else case.address or f"site {case.site_id}"
    return safe(f"{name}, {place}" if place else name)


def due_text(case: Case, now_ns: int, zone: tzinfo) -> str:
    """The day by which the next step is awaited, and whether that is over."""
    return "-" if case.due_ns is None else day_text(case.due_ns, zone) + (" overdue" if case.overdue(now_ns) else "")


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


def page_text(whole: str, total: int, first: int, shown: int) -> str:
    """The line below a list: what there is in all, and which of it is shown, if not all."""
    if shown == total:
        return whole
    return f"{first + 1} to {first + shown} of {whole}" if shown else f"none shown of {whole}"
