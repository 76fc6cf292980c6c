"""What all visits share: the ledger that is read, the table of divisions, the zone; and one visit with its scope."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from exporters.forms.documents.columns import Cells
from exporters.forms.documents.labels import N_
from exporters.forms.documents.languages import Language
from exporters.forms.documents.translations import Translate
from sensor.attribution.books.divisions import DivisionError, Divisions
from sensor.attribution.books.jurisdiction import scope_of, viewers_scope
from sensor.bulletin.owners import OwnerDisplay
from sensor.bulletin.period import Period, PeriodError, checked, week_of
from sensor.console.address_bar import DIVISION, LANGUAGE, SINCE, UNTIL, WEEK, AskedValues, can_stand
from sensor.console.atlas.plate import MapPlate
from sensor.console.language import console_language
from sensor.console.office import CaseOffice
from sensor.console.personal import PersonalDesk
from sensor.console.refusal import RefusalError
from sensor.console.week import WeekFigures
from sensor.console.week_cache import FiguresCache
from sensor.ledger.read.finding_times import TimesMemory
from sensor.ledger.read.lists.desk import DeskReader
from sensor.model.coverage import DEFAULT_GROUNDS, Grounds
from sensor.model.figures import Rates
from sensor.model.scope import Scope, Viewer
from sensor.model.time import DAY_NS, day_of, midnight_ns
from sensor.signatures.sites import SiteWeights

DAYS = 7


@dataclass
class Desk:
    """What the pages are made of."""

    engine: Engine
    divisions: Divisions
    zone: ZoneInfo
    weights: SiteWeights
    rates: Rates
    grounds: Grounds = DEFAULT_GROUNDS
    evidence: Path | None = None  # the folder of captures
    office: CaseOffice | None = None  # for case work; without one cases are only read
    plate: MapPlate | None = None  # the operator's map
    banner: str | None = None  # stands over every page
    clock: Callable[[], int] = time.time_ns
    cache: FiguresCache = field(default_factory=FiguresCache)
    memory: TimesMemory = field(default_factory=TimesMemory)

    @property
    def year(self) -> int:
        """This year, of which the table of divisions is read."""
        return day_of(self.clock(), self.zone).year


@dataclass
class Visit:
    """One viewer at one page: his scope, his language, what he asked."""

    desk: Desk
    viewer: Viewer
    path: str
    asked: AskedValues
    language: str
    token: str | None = None  # of the session, for forms; None: nobody signed in
    personal: PersonalDesk | None = None  # what the viewer's account keeps; None: there are no accounts

    @cached_property
    def reader(self) -> DeskReader:
        """The ledger as far as it is the viewer's. The only way from a page to it."""
        try:
            scope = viewers_scope(self.viewer, self.desk.divisions, self.desk.year)
        except DivisionError:  # what was granted does not exist: nothing is seen
            raise RefusalError(403, N_("Your account has a division that does not exist.")) from None
        return DeskReader(self.desk.engine, scope, self.desk.memory)

    @property
    def scope(self) -> Scope:
        """The divisions that are seen."""
        return self.reader.scope

    @cached_property
    def _(self) -> Translate:
        return self.wording.translate

    @property
    def wording(self) -> Language:
        """The visit's language, also for what the sensor recorded."""
        return console_language(self.language)

    @cached_property
    def cells(self) -> Cells:
        """Makes cells in the visit's language and the desk's zone."""
        return Cells(self._, self.desk.zone)

    @cached_property
    def owners(self) -> OwnerDisplay:
        """How owners are shown: persons never by their names."""
        return OwnerDisplay(self.desk.divisions, self.desk.year)

    @cached_property
    def now_ns(self) -> int:
        """The wall clock, the same for all of a page."""
        return self.desk.clock()

    @cached_property
    def period(self) -> Period:
        """The week that is shown: the one that was asked for, else the seven days to the last that was watched."""
        zone, text = self.desk.zone, self.asked.get(WEEK)
        try:
            if text is not None:
                return week_of(text, zone, day_of(self.now_ns, zone))
            newest_ns = self.reader.newest_ns()
            last = day_of(self.now_ns if newest_ns is None else newest_ns - 1, zone)
            return checked(last - timedelta(days=DAYS - 1), last, zone)
        except PeriodError:
            raise RefusalError(400, N_("{name} cannot be {value}."), name="week", value=str(text)) from None

    @cached_property
    def week(self) -> WeekFigures:
        """The figures of that week."""
        return self.week_of_period(self.period)

    def week_to(self, last_ns: int) -> WeekFigures:
        """The figures of the seven days that end with a moment's."""
        last = day_of(last_ns, self.desk.zone)
        return self.week_of_period(checked(last - timedelta(days=DAYS - 1), last, self.desk.zone))

    def week_of_period(self, period: Period) -> WeekFigures:
        """The figures of a period, made once for each scope and a while."""
        desk = self.desk

        def make() -> WeekFigures:
            summary = self.reader.summary(period.from_ns, period.to_ns, desk.grounds, desk.weights)
            return WeekFigures(period, summary, desk.rates, self.scope).with_sums()

        return desk.cache.get(self.scope, f"week {period.name}", make, lambda its: len(its.summary.lines))

    @cached_property
    def asked_division(self) -> Scope | None:
        """The division that was asked for, with what it became; None where none was."""
        text = self.asked.get(DIVISION)
        if text is None:
            return None
        try:
            division = self.desk.divisions.division(text, self.desk.year)
        except DivisionError:
            raise RefusalError(400, N_("There is no division {value} (GB/T 2260)."), value=text) from None
        return scope_of([division.code], self.desk.divisions, self.desk.year)

    @property
    def asks_beyond(self) -> bool:
        """Whether the division that was asked for lies wholly outside of what the viewer sees."""
        asked, scope = self.asked_division, self.scope
        if asked is None or asked.stems is None or scope.stems is None:
            return False
        return not any(mine.startswith(stem) or stem.startswith(mine) for stem in asked.stems for mine in scope.stems)

    @property
    def since_ns(self) -> int | None:
        """Where what is asked begins."""
        return _midnight(self.asked.get(SINCE), self.desk.zone)

    @property
    def until_ns(self) -> int | None:
        """Where what is asked ends: behind the day that was named."""
        day_ns = _midnight(self.asked.get(UNTIL), self.desk.zone)
        return None if day_ns is None else day_ns + DAY_NS

    def href(self, path: str, /, **parameters: str | int | None) -> str:
        """The address of a page in the visit's language, with these filters."""
        values: Mapping[str, Any] = {name: value for name, value in parameters.items() if value is not None}
        if self.language != self.viewer.language and "lang" not in values:
            values = {**values, LANGUAGE.name: self.language}
        query = urlencode(values)
        return f"{quote(path)}?{query}" if query else quote(path)

    def named_links(self, column: str, path: str, parameter: str, name: str) -> dict[str, str]:
        """Where a column of a row leads by a name from the network; nowhere if that cannot stand in the address bar."""
        return {column: self.href(path, **{parameter: name})} if can_stand(name) else {}

    def here(self, **changes: str | None) -> str:
        """The address of this page with other values of some filters; None takes one away."""
        return self.href(self.path, **{**self.asked.written, **changes})

    def moment_text(self, at: datetime) -> str:
        """A moment as people read it."""
        return at.strftime("%Y-%m-%d %H:%M")


def _midnight(day: date | None, zone: ZoneInfo) -> int | None:
    return None if day is None else midnight_ns(day, zone)
