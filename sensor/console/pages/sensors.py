"""Sensors: whether what is shown can be trusted. How many findings each has told is on no page: it is no division's."""

from __future__ import annotations

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Absent, Cell, Column, DocumentTable, rounded
from exporters.forms.fitting import visible
from sensor.console.address_bar import LANGUAGE, WEEK
from sensor.console.blocks import ConsolePage, PagePart, Sayings
from sensor.console.desk import Visit
from sensor.console.listing import filters
from sensor.ledger.read.sensors import SensorSummary
from sensor.model.coverage import Coverage

SENSORS_ASKED = (WEEK, LANGUAGE)
KINDS = {"live": N_("listens"), "replay": N_("replays captures")}


def sensors(visit: Visit) -> ConsolePage:
    """The page."""
    _, period = visit._, visit.period
    coverage = visit.reader.coverage(period.from_ns, period.to_ns)
    columns = (
        Column("sensor", _("Sensor")),
        Column("kind", _("What it does")),
        Column("running", _("State")),
        Column("first_report", _("First report"), "moment"),
        Column("last_report", _("Last report"), "moment"),
        Column("hours", _("Hours watched this week"), "figure", "h"),
        Column("part", _("Part watched"), "part"),
        Column("clock", _("Clock")),
    )
    rows = tuple(_row(visit, sensor, coverage) for sensor in visit.reader.sensors())
    table = DocumentTable("sensors", "", columns, rows, _("No sensor ever reported to this ledger."))
    note = _("Sensors stand at lines of an operator and belong to no division: everybody sees when they listened.")
    subtitle = _("{first} to {last}").format(first=period.first, last=period.last)
    part = PagePart("list", "", (filters(visit, (WEEK,)), Sayings("", (note,)), table))
    return ConsolePage("sensors", _("Sensors"), subtitle, parts=(part,))


def _row(visit: Visit, sensor: SensorSummary, coverage: Coverage) -> tuple[Cell, ...]:
    _ = visit._
    its = next((each for each in coverage.sensors if each.sensor_id == sensor.sensor_id), None)
    seconds = its.seconds if its is not None else 0.0
    watched: tuple[Cell, Cell] = (rounded(seconds / 3_600), rounded(seconds / coverage.period_seconds))
    state = _("retired") if sensor.retired_ns is not None else _("running") if sensor.running else _("not running")
    clock = _("differs: {note}").format(note=visible(sensor.clock_note)) if sensor.clock_note else _("as others'")
    return (
        visible(sensor.sensor_id),
        _(KINDS.get(sensor.kind, sensor.kind)),
        state,
        visit.cells.moment(sensor.first_ns),
        visit.cells.moment(sensor.last_ns),
        *(watched if seconds else _unwatched(visit)),
        clock,
    )


def _unwatched(visit: Visit) -> tuple[Absent, Absent]:
    absent = visit.cells.not_observed()
    return absent, absent
