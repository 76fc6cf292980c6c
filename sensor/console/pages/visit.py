"""The parts of the overview that are of one account: what changed since its last visit, and the views it keeps."""

from __future__ import annotations

from urllib.parse import parse_qsl

from exporters.forms.documents.model import Column, DocumentTable
from exporters.forms.fitting import visible
from sensor.console.blocks import ChangeForm, ConsoleBlock, FormField, Listing, PagePart, Sayings
from sensor.console.desk import Visit
from sensor.console.figures import grade_text
from sensor.console.pages.cases import case_columns, case_row
from sensor.console.pages.findings import finding_owner_text, pool_text
from sensor.ledger.read.lists.records import ListedFinding
from sensor.model.time import moment

#: Findings, and cases, that are named.
MOST_NAMED = 10


def changed_part(visit: Visit) -> tuple[PagePart, ...]:
    """What came in and moved since the account's last visit; nothing where there is no account, or this is its first
    visit."""
    if visit.personal is None:
        return ()
    since_ns = visit.personal.last_visit_ns(visit.viewer.login, visit.now_ns)
    if since_ns is None:
        return ()
    _, found = visit._, visit.reader.changed_since(since_ns, MOST_NAMED)
    since = moment(since_ns, visit.desk.zone)
    sentence = _("Since {time}: {findings} new findings, {cases} cases that were opened or moved.")
    counts = sentence.format(time=f"{since:%Y-%m-%d %H:%M}", findings=found.findings, cases=found.cases)
    blocks: list[ConsoleBlock] = [Sayings("", (counts,))]
    if found.newest_findings:
        more = visit.href("/findings", since=f"{since:%Y-%m-%d}") if found.findings > MOST_NAMED else None
        blocks.append(_findings(visit, found.newest_findings, more))
    if found.newest_cases:
        rows = [case_row(visit, case) for case in found.newest_cases]
        table = DocumentTable(
            "moved", _("Cases, those that moved last first"), case_columns(visit), tuple(row.cells for row in rows), ""
        )
        blocks.append(Listing(table, tuple(row.links for row in rows)))
    return (PagePart("changed", _("Since your last visit"), tuple(blocks)),)


def _findings(visit: Visit, found: list[ListedFinding], more: str | None) -> Listing:
    _, cells = visit._, visit.cells
    columns = (
        Column("miner", _("Miner")),
        Column("pool", _("Pool")),
        Column("owner", _("Whose")),
        Column("grade", _("Evidence")),
        Column("first_seen", _("First seen"), "moment"),
    )
    rows, links = [], []
    for each in found:
        item = each.stored.finding
        owner, grade = finding_owner_text(visit, item), grade_text(visit, item.grade.label)
        rows.append((item.miner_ip, pool_text(visit, item), owner, grade, cells.moment(item.first_ns)))
        its = {"miner": visit.href(f"/findings/{item.finding_id}")}
        links.append({**its, "owner": visit.href(f"/sites/{each.site_id}")} if each.site_id else its)
    table = DocumentTable("new", _("New findings, the newest first"), columns, tuple(rows), "")
    return Listing(table, tuple(links), None, more)


def _filters(query: str) -> str:
    """Filters as people read them."""
    return ", ".join(f"{name}={visible(text)}" for name, text in parse_qsl(query)) or "–"


def views_part(visit: Visit) -> tuple[PagePart, ...]:
    """The lists that the account keeps under names."""
    views = () if visit.personal is None else visit.personal.views(visit.viewer.login)
    if not views or visit.token is None:
        return ()
    _ = visit._
    columns = (Column("name", _("View")), Column("filters", _("Filters")))
    rows = tuple((visible(view.name), _filters(view.query)) for view in views)
    hrefs = tuple({"name": f"/{view.route}?{view.query}" if view.query else f"/{view.route}"} for view in views)
    names = tuple((view.name, visible(view.name)) for view in views)
    remove = ChangeForm(
        "remove-view",
        _("Remove a view"),
        "/views/remove",
        _("Remove"),
        visit.token,
        (FormField("name", _("View"), "choice", "", names),),
    )
    return (PagePart("views", _("My views"), (Listing(DocumentTable("views", "", columns, rows, ""), hrefs), remove)),)
