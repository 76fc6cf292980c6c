"""A list as a page shows it and as an export has it: the same rows in the same order with the same cells, a page at a
time or all of them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar
from urllib.parse import urlencode

from exporters.forms.documents import data as json_form
from exporters.forms.documents import workbook
from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Absent, Cell, Column, Document, DocumentSection, DocumentTable, RangeCell
from exporters.forms.documents.sheets import guarded
from sensor.console.address_bar import AFTER, COLUMNS, FORMAT, FORMATS, LANGUAGE, Parameter
from sensor.console.blocks import (
    ChangeForm,
    ColumnLink,
    ConsolePage,
    DownloadFile,
    FilterField,
    Filters,
    FormField,
    ListedRow,
    Listing,
    PagePart,
    Sayings,
)
from sensor.console.desk import Visit
from sensor.console.refusal import RefusalError
from sensor.ledger.read.lists.cut import ListCut, ListKey
from sensor.model.version import VERSION

#: Rows of a page, and of an export at most.
PAGE_ROWS, MOST_EXPORTED = 50, 100_000
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
EmptyReason = Literal["no-division", "not-yours", "not-watched", "nothing-found"]
Record = TypeVar("Record")


@dataclass(frozen=True)
class RecordList(Generic[Record]):
    """A kind of list: how its records are read, what their key is, and how each becomes a row."""

    key: str
    title: str
    columns: tuple[Column, ...]
    read: Callable[[ListCut], list[Record]]
    key_of: Callable[[Record], ListKey]
    row: Callable[[Record], ListedRow]
    empty: str


def listing(visit: Visit, of: RecordList[Record]) -> Listing:
    """The page that was asked for."""
    after = visit.asked.get(AFTER)
    try:
        found = of.read(ListCut(after, PAGE_ROWS + 1))
    except ValueError:  # a key of another list
        raise RefusalError(400, N_("{name} cannot be {value}."), name=AFTER.name, value=str(after)) from None
    shown = found[:PAGE_ROWS]
    rows = [of.row(record) for record in shown]
    behind = of.key_of(shown[-1]) if len(found) > PAGE_ROWS else None
    exports = tuple((name.upper(), visit.here(format=name, after=None)) for name in FORMATS) if shown else ()
    return Listing(
        _table(visit, of, rows),
        tuple(row.links for row in rows),
        None if after is None else visit.here(after=None),
        None if behind is None else visit.here(after=f"{behind.rank}.{behind.name}"),
        exports,
        tuple(of.key_of(record).name for record in shown),
        tuple(row.steps for row in rows),
        columns=column_links(visit, of.columns),
        all_columns_href=visit.here(columns=None) if COLUMNS.name in visit.asked.written else None,
    )


def export(visit: Visit, of: RecordList[Record]) -> DownloadFile:
    """All of the list as a file. Raises RefusalError where it is too long for one."""
    found = of.read(ListCut(None, MOST_EXPORTED + 1))
    if len(found) > MOST_EXPORTED:
        raise RefusalError(400, N_("The list has more than {most} rows: ask for less."), most=f"{MOST_EXPORTED:,}")
    table = _table(visit, of, [of.row(record) for record in found])
    form = visit.asked.get(FORMAT)
    name = f"minewatch-{of.key}-{visit.period.name}.{form}"
    identities = tuple(of.key_of(record).name for record in found)
    return DownloadFile(name, CONTENT_TYPES[form], _WRITERS[form](visit, table), identities)


def _table(visit: Visit, of: RecordList[Record], rows: Sequence[ListedRow]) -> DocumentTable:
    """The columns that were asked for, in that order; without any asked for all of them."""
    places = _places(visit, of.columns)
    cells = tuple(tuple(row.cells[place] for place in places) for row in rows)
    return DocumentTable(of.key, of.title, tuple(of.columns[place] for place in places), cells, of.empty)


def _places(visit: Visit, columns: Sequence[Column]) -> list[int]:
    """Where the columns that were asked for stand in a row. Raises RefusalError for one that the list does not have."""
    asked: tuple[str, ...] | None = visit.asked.get(COLUMNS)
    if asked is None:
        return list(range(len(columns)))
    by_key = {column.key: place for place, column in enumerate(columns)}
    if not by_key.keys() >= set(asked):
        value = visit.asked.written[COLUMNS.name][:40]
        raise RefusalError(400, N_("{name} cannot be {value}."), name=COLUMNS.name, value=value)
    return [by_key[key] for key in asked]


def column_links(visit: Visit, columns: Sequence[Column]) -> tuple[ColumnLink, ...]:
    """Each column with the address of the same page with or without it. A column that is added stands where it does in
    the whole list, unless the order is the reader's own: then at the end."""
    keys = [column.key for column in columns]
    shown = [keys[place] for place in _places(visit, columns)]
    in_order = shown == [key for key in keys if key in shown]
    found = []
    for column in columns:
        if column.key in shown:
            rest = [key for key in shown if key != column.key]
        else:
            rest = [*shown, column.key]
            rest = [key for key in keys if key in rest] if in_order else rest
        href = None if not rest else visit.here(columns=None if rest == keys else ",".join(rest))
        found.append(ColumnLink(column.title, column.key in shown, href))
    return tuple(found)


def _document(visit: Visit, table: DocumentTable) -> Document:
    meta = tuple((name, text) for name, text in visit.asked.written.items() if name not in (FORMAT.name, AFTER.name))
    identity: dict[str, object] = {
        "maker": f"minewatch {VERSION}",
        "from": visit.period.first.isoformat(),
        "until": visit.period.last.isoformat(),
        "time_zone": visit.desk.zone.key,
        "hours_watched": round(visit.week.watched_hours, 2),
    }
    section = DocumentSection(table.key, table.title, (table,))
    return Document(visit.language, table.title, basis_sentence(visit), meta, (section,), identity)


def basis_sentence(visit: Visit) -> str:
    """What figures of a page are of: the week, and how much of it was watched."""
    week, period = visit.week, visit.period
    return visit._(
        "Figures are of {first} to {last} ({zone}): watched {hours} of {whole} hours, {part} % of the sensors' hours."
    ).format(
        first=period.first,
        last=period.last,
        zone=visit.desk.zone.key,
        hours=f"{week.watched_hours:,.4g}",
        whole=f"{week.summary.seconds / 3_600:,.4g}",
        part=f"{100 * week.coverage.part:.3g}",
    )


def _csv(visit: Visit, table: DocumentTable) -> bytes:
    """A line of titles, and a line for each row; a range takes three columns. With a byte order mark, without which
    Excel reads Chinese as something else."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    _ = visit._
    heads: list[str] = []
    for column in table.columns:
        unit = f" ({column.unit})" if column.unit else ""
        bounds = (f"{column.title}, {_('low')}{unit}", f"{column.title}, {_('high')}{unit}") if column.ranged else ()
        heads += [f"{column.title}{unit}", *bounds]
    writer.writerow([guarded(head) for head in heads])
    for row in table.rows:
        line: list[Cell] = []
        for column, cell in zip(table.columns, row, strict=True):
            line += _three(cell) if column.ranged else [cell]
        writer.writerow([guarded(cell) for cell in line])
    return text.getvalue().encode("utf-8-sig", "replace")


def _three(cell: Cell) -> list[Cell]:
    if isinstance(cell, RangeCell):
        return [cell.best, cell.low, cell.high]
    return [cell.text if isinstance(cell, Absent) else cell, None, None]


def _json(visit: Visit, table: DocumentTable) -> bytes:
    whole = json.loads(json_form.write(_document(visit, table)))
    block = whole["sections"][0]["blocks"][0]
    identity = {name: whole[name] for name in ("maker", "from", "until", "time_zone", "hours_watched")}
    filters = {entry["name"]: entry["value"] for entry in whole["meta"]}
    head = {
        **identity,
        "language": visit.language,
        "title": table.title,
        "basis": whole["subtitle"],
        "filters": filters,
    }
    answer = {**head, "columns": block["columns"], "rows": block["rows"]}
    return (json.dumps(answer, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _xlsx(visit: Visit, table: DocumentTable) -> bytes:
    return workbook.write(_document(visit, table))


_WRITERS = {"csv": _csv, "json": _json, "xlsx": _xlsx}


def filters(visit: Visit, parameters: Sequence[Parameter], *, search: bool = False) -> Filters:
    """The form of a page's filters, filled in as they were asked."""
    written, _ = visit.asked.written, visit._
    fields = tuple(
        FilterField(
            parameter.name,
            _(parameter.title),
            parameter.kind,
            written.get(parameter.name, ""),
            tuple((value, _(title)) for value, title in parameter.choices),
            parameter.hint,
        )
        for parameter in parameters
        if parameter.kind != "hidden"
    )
    unseen = [parameter.name for parameter in parameters if parameter.kind == "hidden" and parameter.name in written]
    languages = [(LANGUAGE.name, visit.language)] if visit.language != visit.viewer.language else []
    asked = [name for name in written if name not in (LANGUAGE.name, FORMAT.name, AFTER.name, COLUMNS.name)]
    return Filters(
        visit.path,
        fields,
        (
            *((name, written[name]) for name in unseen if name not in (FORMAT.name, AFTER.name, LANGUAGE.name)),
            *languages,
        ),
        visit.href(visit.path) if asked else None,
        bool(asked),
        search,
    )


def empty_reason(visit: Visit) -> EmptyReason:
    """Why a list is empty, if it is."""
    if visit.scope.stems == ():
        return "no-division"
    if visit.asks_beyond:
        return "not-yours"
    return "not-watched" if visit.week.coverage.part <= 0.0 else "nothing-found"


def empty_sentence(visit: Visit, nothing: str) -> str:
    """Why a list is empty: not the viewer's, not watched, or nothing found while watched."""
    _, week, reason = visit._, visit.week, empty_reason(visit)
    if reason == "no-division":
        return _("No division was granted to you, so nothing is shown.")
    if reason == "not-yours":
        return _("This division is not one of yours.")
    if reason == "not-watched":
        return _("Not watched: no sensor listened from {first} to {last}. What is not seen here may be there.").format(
            first=visit.period.first, last=visit.period.last
        )
    return f"{nothing} " + _("Sensors listened for {hours} h of the week that is shown.").format(
        hours=f"{week.watched_hours:,.4g}"
    )


def _saving(visit: Visit, route: str) -> tuple[ChangeForm, ...]:
    """The form that keeps this list with its filters under a name; nothing where there are no accounts."""
    if visit.personal is None or visit.token is None:
        return ()
    _, left = visit._, (AFTER.name, FORMAT.name, LANGUAGE.name)
    query = urlencode({name: text for name, text in visit.asked.written.items() if name not in left})
    name = FormField("name", _("Name of the view"))
    hidden = (("route", route), ("query", query))
    return (ChangeForm("view", _("Keep these filters"), "/views", _("Keep"), visit.token, (name,), hidden),)


def list_page(
    visit: Visit, of: RecordList[Record], parameters: Sequence[Parameter], note: str
) -> ConsolePage | DownloadFile:
    """A list with its form and what its figures rest on; or all of it as a file."""
    if visit.asked.get(FORMAT) is not None:
        return export(visit, of)
    page = listing(visit, of)
    about = Sayings("", (note, basis_sentence(visit)))
    part = PagePart("list", "", (filters(visit, parameters), about, page, *_saving(visit, of.key)))
    return ConsolePage(of.key, of.title, parts=(part,), listing=page)
