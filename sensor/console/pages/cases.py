"""Cases: their list, and one with its history. They are read here; what moves them is another part."""

from __future__ import annotations

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Cell, Column
from exporters.forms.fitting import visible
from exporters.redaction.persons import without_names
from sensor.cases import states
from sensor.console.address_bar import AFTER, COLUMNS, DIVISION, FORMAT, LANGUAGE, NAME, STATE, WEEK, choice
from sensor.console.blocks import (
    CaseHistory,
    ConsolePage,
    DownloadFile,
    Fact,
    Facts,
    HistoryStep,
    ListedRow,
    PagePart,
    Sayings,
)
from sensor.console.desk import Visit
from sensor.console.figures import (
    case_subject_text,
    days_over,
    due_cell,
    kind_text,
    place_text,
    premises_text,
    state_text,
    week_table,
)
from sensor.console.listing import RecordList, basis_sentence, empty_sentence, list_page
from sensor.console.refusal import RefusalError
from sensor.ledger.read.lists.cut import ListKey
from sensor.ledger.read.lists.records import AskedCases, due_rank
from sensor.model.summary import Case
from sensor.model.time import moment

OPEN = choice("open", N_("Open"), (("yes", N_("yes")), ("no", N_("no"))))
OVERDUE = choice("overdue", N_("Overdue"), (("yes", N_("yes")),))
CASES_ASKED = (NAME, DIVISION, STATE, OPEN, OVERDUE, WEEK, LANGUAGE, COLUMNS, FORMAT, AFTER)
CASE_ASKED = (LANGUAGE, WEEK)
#: Addresses of a case that are named.
MOST_ADDRESSES = 40
NO_CASE = N_("There is no such case, or it is not yours to see.")


def cases(visit: Visit) -> ConsolePage | DownloadFile:
    """The list, what is due first at the top."""
    _, asked = visit._, asked_cases(visit)
    of = RecordList(
        "cases",
        _("Cases"),
        case_columns(visit),
        lambda cut: visit.reader.cases(asked, cut),
        lambda found: ListKey(due_rank(found), str(found.case_id)),
        lambda found: case_row(visit, found),
        empty_sentence(visit, _("No such case.")),
    )
    return list_page(visit, of, CASES_ASKED, _("Cases, what is due first at the top."))


def asked_cases(visit: Visit) -> AskedCases:
    """What was asked of the list."""
    is_open, overdue = visit.asked.get(OPEN), visit.asked.get(OVERDUE)
    return AskedCases(
        state=visit.asked.get(STATE),
        open=None if is_open is None else is_open == "yes",
        overdue_at_ns=None if overdue is None else visit.now_ns,
        name=visit.asked.get(NAME),
        division=visit.asked_division,
    )


def case_columns(visit: Visit) -> tuple[Column, ...]:
    """Of `case_row`."""
    _ = visit._
    return (
        Column("case", _("Case"), "count"),
        Column("subject", _("Whose")),
        Column("division", _("Place")),
        Column("premises", _("Premises")),
        Column("state", _("State")),
        Column("since", _("Since"), "moment"),
        Column("due", _("Next step due"), "moment"),
        Column("days_over", _("Days over"), "count"),
        Column("opened", _("Opened"), "moment"),
        Column("last_seen", _("Mining last seen"), "moment"),
    )


def case_row(visit: Visit, case: Case) -> ListedRow:
    """A case as a row."""
    cells: tuple[Cell, ...] = (
        case.case_id,
        case_subject_text(visit, case),
        place_text(visit, case.enterprise, case.site),
        premises_text(case.enterprise, case.site),
        state_text(visit, case.state),
        visit.cells.moment(case.since_ns),
        due_cell(visit, case),
        days_over(visit, case),
        visit.cells.moment(case.opened_ns),
        visit.cells.moment(case.last_ns),
    )
    links = {"case": visit.href(f"/cases/{case.case_id}")}
    if case.site_id is not None:
        links["subject"] = visit.href(f"/sites/{case.site_id}")
    elif case.address:
        links["subject"] = visit.href(f"/addresses/{case.address}")
    return ListedRow(cells, links)


def case(visit: Visit, case_id: int) -> ConsolePage:
    """One case."""
    found = visit.reader.case(case_id)
    if found is None:
        raise RefusalError(404, NO_CASE)
    _, lines = visit._, [line for line in visit.week.summary.lines if line.case_id == case_id]
    table = week_table(visit, lines)
    days = days_over(visit, found)
    subtitle = [case_subject_text(visit, found), str(place_text(visit, found.enterprise, found.site) or "")]
    comma = "、" if visit.language == "zh" else ", "
    allowed = comma.join(state_text(visit, state) for state in states.FOLLOWS[found.state])
    follows = _("It can go to: {states}.").format(states=allowed)
    return ConsolePage(
        "cases",
        _("Case {number}").format(number=case_id),
        " · ".join(filter(None, subtitle)),
        (f"state-{found.state}", state_text(visit, found.state) + (f" · {_days_text(visit, days)}" if days else "")),
        parts=(
            PagePart("known", _("What it is about"), (_facts(visit, found), Sayings("", (follows,)))),
            PagePart("figures", _("What it amounts to"), (Sayings("", (basis_sentence(visit),)), table)),
            PagePart("history", _("History"), (_history(visit, found),)),
        ),
    )


def _days_text(visit: Visit, days: Cell) -> str:
    return visit._("{days} days over").format(days=days)


def _facts(visit: Visit, found: Case) -> Facts:
    _, zone = visit._, visit.desk.zone
    due = due_cell(visit, found)
    facts = [
        Fact(_("State"), f"{state_text(visit, found.state)} ({moment(found.since_ns, zone):%Y-%m-%d %H:%M})"),
        Fact(_("Next step due"), due if isinstance(due, str) else f"{due:%Y-%m-%d %H:%M}"),
        Fact(
            _("Mining seen"),
            f"{moment(found.first_ns, zone):%Y-%m-%d %H:%M} – {moment(found.last_ns, zone):%Y-%m-%d %H:%M}",
        ),
    ]
    if found.site_id is not None:
        kind = kind_text(visit, visit.week.site(found.site_id))
        facts.append(Fact(_("Site"), str(found.site_id), visit.href(f"/sites/{found.site_id}")))
        facts.append(Fact(_("Kind of site"), kind if isinstance(kind, str) else visit.cells.unknown().text))
    if found.enterprise is not None and not found.enterprise.individual:
        its = visit.href(f"/enterprises/{found.enterprise.enterprise_id}")
        facts.append(Fact(_("Enterprise"), visible(found.enterprise.name), its))
    addresses = visit.reader.case_addresses(found)
    shown = ", ".join(map(visible, addresses[:MOST_ADDRESSES]))
    more = f" +{len(addresses) - MOST_ADDRESSES}" if len(addresses) > MOST_ADDRESSES else ""
    facts.append(Fact(_("Addresses"), f"{shown}{more}" or visit.cells.unknown().text, None, True))
    facts.append(Fact(_("Findings"), _("all of this case"), visit.href("/findings", case=found.case_id)))
    return Facts("", tuple(facts))


def _history(visit: Visit, found: Case) -> CaseHistory:
    steps = tuple(
        HistoryStep(
            f"{moment(change.at_ns, visit.desk.zone):%Y-%m-%d %H:%M}",
            state_text(visit, change.state),
            change.state,
            visible(change.who),
            visible(without_names(change.why, found.enterprise, found.site, persons=False)),
        )
        for change in found.changes
    )
    return CaseHistory("", steps)
