"""Sensors: whether what is shown can be trusted. How many findings each has told is on no page: it is no division's."""

from __future__ import annotations

from collections.abc import Sequence

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Absent, Cell, Column, DocumentTable, rounded
from exporters.forms.fitting import visible
from sensor.console.address_bar import LANGUAGE, WEEK
from sensor.console.blocks import ConsolePage, PagePart, Sayings
from sensor.console.desk import Visit
from sensor.console.listing import filters
from sensor.ledger.read.sensors import SensorSummary
from sensor.model.coverage import Coverage
from sensor.model.policy import PolicyState

SENSORS_ASKED = (WEEK, LANGUAGE)
#: Kinds of parcels, and characters of a reason that a cell has room for.
PARCELS = {"signatures": N_("signatures"), "tables": N_("tables"), "books": N_("books"), "policy": N_("policy")}
REASON_SHOWN = 200
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
        Column("policy", _("From the centre")),
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
        _policies(visit, sensor.policies),
    )


def _policies(visit: Visit, states: Sequence[PolicyState]) -> Cell:
    """The parcels in use, and why others were refused."""
    _ = visit._
    texts = []
    for state in states:
        if state.state == "refused":
            sentence = _("{kind} {version} refused: {reason}")
            reason = visible(state.reason or "")[:REASON_SHOWN]
            texts.append(sentence.format(kind=_kind(visit, state), version=state.version or "?", reason=reason))
        elif state.state == "withdrawn":
            texts.append(_("{kind} {version} withdrawn").format(kind=_kind(visit, state), version=state.version))
        else:
            texts.append(f"{_kind(visit, state)} {state.version}")
    return "; ".join(texts) or None


def _kind(visit: Visit, state: PolicyState) -> str:
    return visit._(PARCELS.get(state.kind, visible(state.kind)))


def _unwatched(visit: Visit) -> tuple[Absent, Absent]:
    absent = visit.cells.not_observed()
    return absent, absent
