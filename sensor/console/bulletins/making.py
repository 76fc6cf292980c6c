"""One bulletin of a viewer's divisions as files, step by step. Persons have no names on it.

The ledger is asked through the viewer's reader alone, so that it can be of nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from exporters.forms.documents import data, page, sheets, workbook
from exporters.forms.documents.bulletin import document
from sensor.bulletin import aggregate
from sensor.bulletin.aggregate import Frame
from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.period import Period, shown_days
from sensor.console.desk import Desk
from sensor.console.web.undisturbed import undisturbed
from sensor.ledger.read.lists.desk import DeskReader
from sensor.model.audit_head import AuditHead
from sensor.model.figures import Figures
from sensor.model.range import Range, total
from sensor.model.scope import Viewer
from sensor.model.summary import Place, Summary
from sensor.model.time import SECOND_NS
from sensor.model.version import VERSION

#: The forms of each, as the command line makes them.
WRITERS = {"html": page.write, "csv": sheets.write, "xlsx": workbook.write, "json": data.write}
#: Bytes of all files of one bulletin.
MOST_BYTES = 16 << 20
#: Steps beside those of days: two periods are read, sums are made, and each form is written.
OTHER_STEPS = 3 + len(WRITERS)

#: Told how many steps are done, and of how many; it may end the work by raising.
Advance = Callable[[int, int], None]


class BulletinTooLargeError(Exception):
    """The files came to more than their bound."""


@dataclass(frozen=True)
class BulletinOrder:
    """What is to be made, and for whom: nobody else is shown it."""

    period: Period
    language: str
    viewer: Viewer
    reader: DeskReader

    @property
    def name(self) -> str:
        """Of its files, without the suffix."""
        return f"bulletin-{self.period.name}.{self.language}"


class BulletinMaker:
    """Makes them over one desk; `audit_head` is asked for each, and printed on it."""

    def __init__(self, desk: Desk, audit_head: Callable[[], AuditHead | None] = lambda: None) -> None:
        self._desk, self._audit_head = desk, audit_head

    def files(self, order: BulletinOrder, advance: Advance) -> dict[str, bytes]:
        """The files by their forms. Raises LedgerError, BulletinTooLargeError, and what `advance` raises."""
        days = shown_days(order.period)
        steps, done = OTHER_STEPS + len(days), 0

        def step() -> None:
            nonlocal done
            done += 1
            advance(done, steps)

        advance(0, steps)
        figures = self._figures(order, days, step)
        written = datetime.fromtimestamp(self._desk.clock() / SECOND_NS, UTC)
        whole = document(figures, order.language, VERSION, written, self._audit_head())
        step()
        found: dict[str, bytes] = {}
        for form, write in WRITERS.items():
            found[form] = write(whole)
            if sum(map(len, found.values())) > MOST_BYTES:
                raise BulletinTooLargeError
            step()
        return found

    def _figures(self, order: BulletinOrder, days: list[Period], step: Callable[[], None]) -> Figures:
        desk, period, reader = self._desk, order.period, order.reader
        summaries = []
        for span in (period, period.before):
            summaries.append(self._summary(reader, span))
            step()
        places = {line.place for line in summaries[0].lines}
        energies = []
        for day in days:
            energies.append((day.first, self._energy(reader, day, places)))
            step()
        owners = OwnerDisplay(desk.divisions, period.last.year)
        frame = Frame(period, None, owners, desk.rates)  # the summaries have the viewer's divisions and no others
        figures = aggregate.figures(summaries[0], summaries[1], energies, frame)
        return _of_divisions(figures, order.viewer, owners)

    def _summary(self, reader: DeskReader, span: Period) -> Summary:
        desk = self._desk
        return undisturbed(lambda: reader.summary(span.from_ns, span.to_ns, desk.grounds, desk.weights))

    def _energy(self, reader: DeskReader, day: Period, places: set[Place]) -> Range:
        level = self._desk.grounds.level
        found = undisturbed(lambda: reader.energy_by_place(day.from_ns, day.to_ns, level))
        return total(kwh for place, kwh in found.items() if place in places)


def _of_divisions(figures: Figures, viewer: Viewer, owners: OwnerDisplay) -> Figures:
    """The same, which says of which divisions it is."""
    if isinstance(viewer.divisions, str):
        return figures
    codes = sorted(viewer.divisions)
    names = ", ".join(owners.name(code) or code for code in codes)
    return dataclasses.replace(figures, region=",".join(codes), region_name=names)
