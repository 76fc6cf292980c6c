"""The audit for its reader: the newest rows, how the chain stands, and a check of all of it when asked for. It changes
nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Cell, Column, DocumentTable
from exporters.forms.fitting import visible
from sensor.audit.chain import StoredRow
from sensor.audit.store import ROWS, AuditReader
from sensor.audit.verify import verify
from sensor.console.address_bar import LANGUAGE, Parameter, chosen_from, read_address_bar
from sensor.console.blocks import ConsolePage, Fact, Facts, Listing, PagePart, Sayings
from sensor.console.desk import Desk, Visit
from sensor.console.listing import PAGE_ROWS, filters
from sensor.console.web import render

AUDIT = "/audit"
ACTOR = Parameter("actor", N_("Who acted"), hint="account:li")
ACTION = Parameter("action", N_("Action"), hint="account.change")
BEFORE = Parameter("before", parse=lambda text: _row_number(text), kind="hidden")
CHECK = Parameter("check", parse=chosen_from((("all", ""),)), kind="hidden")
#: Characters of a cell.
MOST_SHOWN = 400
#: Faults of the chain that a page says.
MOST_FAULTS = 20


def _row_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError
    return int(text)


def audit_router(desk: Desk, opened: Callable[[], AuditReader]) -> APIRouter:
    """The route; `opened` gives a reader, which is closed after each page."""
    router = APIRouter()

    @router.api_route(AUDIT, methods=["GET", "HEAD"], name="audit")
    def show(request: Request) -> Response:
        asked = read_address_bar(request.scope["query_string"], (ACTOR, ACTION, BEFORE, CHECK, LANGUAGE))
        viewer = request.state.viewer
        language = asked.get(LANGUAGE) or viewer.language
        visit = Visit(desk, viewer, AUDIT, asked, language, request.state.token)
        reader = opened()
        try:
            return HTMLResponse(render.html(visit, _page(visit, reader)))
        finally:
            reader.close()

    return router


def _page(visit: Visit, reader: AuditReader) -> ConsolePage:
    _, asked = visit._, visit.asked
    conditions = [ROWS.c[name].contains(text, autoescape=True) for name, text in _asked_columns(visit).items()]
    rows = reader.newest(PAGE_ROWS + 1, asked.get(BEFORE), conditions)
    shown = rows[:PAGE_ROWS]
    columns = (
        Column("sequence", _("Row"), "count"),
        Column("at", _("When"), "moment"),
        Column("who", _("Who acted")),
        Column("action", _("Action")),
        Column("objects", _("Of what"), wide=True),
        Column("more", _("With what"), wide=True),
    )
    table = DocumentTable("audit", "", columns, tuple(_cells(visit, row) for row in shown), _("No row has this."))
    behind = visit.here(before=str(shown[-1].sequence), check=None) if len(rows) > PAGE_ROWS else None
    first = visit.here(before=None, check=None) if asked.get(BEFORE) is not None else None
    listing = Listing(table, tuple({} for _row in shown), first, behind)
    parts = (
        PagePart("chain", _("The chain"), _chain(visit, reader)),
        PagePart("rows", _("Rows"), (filters(visit, (ACTOR, ACTION)), listing)),
    )
    return ConsolePage("audit", _("Audit"), parts=parts)


def _asked_columns(visit: Visit) -> dict[str, str]:
    given = {name: visit.asked.get(parameter) for name, parameter in (("actor", ACTOR), ("action", ACTION))}
    return {name: text for name, text in given.items() if text is not None}


def _chain(visit: Visit, reader: AuditReader) -> tuple[Facts | Sayings, ...]:
    """How it stands; held against its own hashes where that was asked for."""
    _ = visit._
    head = reader.head(visit.now_ns)
    if head is None:
        return (Sayings("", (_("There is no row yet."),)),)
    facts = [Fact(_("Rows"), f"{head.rows:,}"), Fact(head.algorithm, head.digest, code=True)]
    if visit.asked.get(CHECK) is None:
        check = visit.here(check="all", before=None)
        return (Facts("", (*facts, Fact(_("Check"), _("hold every row against its hash"), check))),)
    verdict = verify(reader.rows())
    if verdict.sound:
        sentences = [
            _("All rows are sound. A tail that was cut off shows only against an anchor: minewatch audit verify.")
        ]
    else:
        faults = [visible(visit.wording.recorded(fault.sentence)) for fault in verdict.faults[:MOST_FAULTS]]
        sentences = [_("The audit was tampered with, or its store is damaged:"), *faults]
    return Facts("", tuple(facts)), Sayings("", tuple(sentences))


def _cells(visit: Visit, row: StoredRow) -> tuple[Cell, ...]:
    record = _record(row)
    objects = record.get("objects")
    named = " ".join(map(str, objects)) if isinstance(objects, list) else ""
    at_ns = row.at_ns if isinstance(row.at_ns, int) else None
    sequence = row.sequence if isinstance(row.sequence, int) else None
    return (
        sequence,
        visit.cells.moment(at_ns),
        visible(str(row.actor))[:MOST_SHOWN],
        visible(f"{row.action} {record.get('phase') or ''}".strip())[:MOST_SHOWN],
        visible(named)[:MOST_SHOWN],
        visible(_more(record))[:MOST_SHOWN],
    )


def _more(record: dict[str, object]) -> str:
    parts = []
    for name in ("query", "before", "after"):
        values = record.get(name)
        if isinstance(values, dict) and values:
            parts.append(f"{name}: " + ", ".join(f"{key}={value}" for key, value in values.items()))
    actor = record.get("actor")
    if isinstance(actor, dict) and actor.get("address"):
        parts.append(f"from {actor['address']}")
    return "; ".join(parts + ([f"why: {record['why']}"] if record.get("why") else []))


def _record(row: StoredRow) -> dict[str, object]:
    try:
        record = json.loads(row.record) if isinstance(row.record, bytes) else None
    except (ValueError, RecursionError):
        record = None
    return record if isinstance(record, dict) else {}
