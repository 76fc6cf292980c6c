"""What became of several cases that one form was about."""

from __future__ import annotations

from collections.abc import Sequence

from exporters.forms.documents.model import Cell, Column, DocumentTable
from sensor.console.blocks import ConsolePage, Fact, Facts, Listing, PagePart
from sensor.console.casework.bulk import BulkAnswer
from sensor.console.desk import Visit
from sensor.console.figures import case_subject_text, state_text


def answers_page(visit: Visit, answers: Sequence[BulkAnswer], back: str) -> ConsolePage:
    """Those that were done and those that were not, with why, and the way back to the list."""
    _ = visit._
    done = [each for each in answers if each.refused is None]
    refused = [each for each in answers if each.refused is not None]
    title = _("{done} cases done, {refused} not done").format(done=len(done), refused=len(refused))
    parts = [PagePart("back", "", (Facts("", (Fact(_("Cases"), _("back to the list"), back),)),))]
    if refused:
        parts.append(PagePart("refused", _("Not done"), (_list(visit, "refused", refused),)))
    if done:
        parts.append(PagePart("done", _("Done"), (_list(visit, "done", done),)))
    return ConsolePage("cases", title, parts=tuple(parts))


def _list(visit: Visit, key: str, answers: Sequence[BulkAnswer]) -> Listing:
    _ = visit._
    columns = [Column("case", _("Case"), "count"), Column("subject", _("Whose")), Column("state", _("State"))]
    if key == "refused":
        columns.append(Column("why", _("Why not"), wide=True))
    rows: list[tuple[Cell, ...]] = []
    links: list[dict[str, str]] = []
    for answer in answers:
        case = visit.reader.case(answer.case_id)
        its = (None, None) if case is None else (case_subject_text(visit, case), state_text(visit, case.state))
        rows.append((answer.case_id, *its, *((answer.refused,) if key == "refused" else ())))
        links.append({} if case is None else {"case": visit.href(f"/cases/{answer.case_id}")})
    return Listing(DocumentTable(key, "", tuple(columns), tuple(rows), ""), tuple(links))
