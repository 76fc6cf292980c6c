"""Cases: their list, and one with its forms, files and history. `sensor/console/people/casework.py` takes the forms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Cell, Column, DocumentTable
from exporters.forms.fitting import visible
from exporters.redaction.persons import without_names
from sensor.cases import states
from sensor.cases.commands import LOGIN
from sensor.console.address_bar import DIVISION, LANGUAGE, NAME, OF_LISTS, STATE, WEEK, Parameter, choice
from sensor.console.blocks import (
    CaseHistory,
    ConsolePage,
    DoneNote,
    DownloadFile,
    Fact,
    Facts,
    HistoryStep,
    ListedRow,
    Listing,
    PagePart,
    Sayings,
)
from sensor.console.casework.bulk import with_choices
from sensor.console.casework.forms import RefusedForm, forms_of, may_work
from sensor.console.casework.sentences import (
    CONCLUSION_TITLES,
    DONE_SENTENCES,
    found_cells,
    step_text,
    who_text,
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
from sensor.console.pages.field import field_blocks
from sensor.console.refusal import RefusalError
from sensor.ledger.read.lists.cut import ListKey
from sensor.ledger.read.lists.records import NOBODY, AskedCases, due_rank
from sensor.model.casework import CaseAttachment
from sensor.model.summary import Case, Change
from sensor.model.time import moment

ME, NO_ONE = "me", "nobody"


def normal_assignee(text: str) -> str:
    """Me, nobody, or a login. Raises ValueError for what is none of them."""
    login = text.lower()
    if not LOGIN.fullmatch(login):
        raise ValueError
    return login


OPEN = choice("open", N_("Open"), (("yes", N_("yes")), ("no", N_("no"))))
ASSIGNED = Parameter("assigned", N_("Assigned to: me, nobody or a login"), normal_assignee, hint="me")
CONCLUDED = choice("conclusion", N_("Conclusion"), list(CONCLUSION_TITLES.items()))
#: What was just done, said on the page that follows.
DONE = choice("done", "", [(action, "") for action in DONE_SENTENCES], kind="hidden")
OVERDUE = choice("overdue", N_("Overdue"), (("yes", N_("yes")),))
CASES_ASKED = (NAME, DIVISION, STATE, OPEN, OVERDUE, ASSIGNED, CONCLUDED, *OF_LISTS)
CASE_ASKED = (LANGUAGE, WEEK, DONE)
#: Addresses of a case that are named.
MOST_ADDRESSES = 40
NO_CASE = N_("There is no such case, or it is not yours to see.")


def cases(visit: Visit) -> ConsolePage | DownloadFile:
    """The list, what is due first at the top."""
    page = list_page(visit, cases_list(visit), CASES_ASKED, visit._("Cases, what is due first at the top."))
    return page if isinstance(page, DownloadFile) or not may_work(visit) else with_choices(visit, page)


def cases_list(visit: Visit) -> RecordList[Case]:
    """The list, as it was asked for."""
    _, asked = visit._, asked_cases(visit)
    return RecordList(
        "cases",
        _("Cases"),
        case_columns(visit),
        lambda cut: visit.reader.cases(asked, cut),
        lambda found: ListKey(due_rank(found), str(found.case_id)),
        lambda found: case_row(visit, found),
        empty_sentence(visit, _("No such case.")),
    )


def asked_cases(visit: Visit) -> AskedCases:
    """What was asked of the list."""
    is_open, overdue = visit.asked.get(OPEN), visit.asked.get(OVERDUE)
    return AskedCases(
        state=visit.asked.get(STATE),
        open=None if is_open is None else is_open == "yes",
        overdue_at_ns=None if overdue is None else visit.now_ns,
        name=visit.asked.get(NAME),
        division=visit.asked_division,
        assignee=_assignee(visit),
        conclusion=visit.asked.get(CONCLUDED),
    )


def _assignee(visit: Visit) -> str | None:
    text: str | None = visit.asked.get(ASSIGNED)
    return visit.viewer.login if text == ME else NOBODY if text == NO_ONE else text


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
        Column("assignee", _("Assigned to")),
        Column("conclusion", _("Conclusion")),
        Column("measures", _("Measures")),
        Column("found_machines", _("Machines found")),
        Column("found_hours", _("Hours that they ran"), "figure", "h"),
        Column("found_kwh", _("kWh as metered"), "figure", "kWh"),
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
        case.work.assignee,
        *found_cells(visit, case),
    )
    links = {"case": visit.href(f"/cases/{case.case_id}")}
    if case.site_id is not None:
        links["subject"] = visit.href(f"/sites/{case.site_id}")
    elif case.address:
        links["subject"] = visit.href(f"/addresses/{case.address}")
    return ListedRow(cells, links, str(len(case.changes)))


def case(visit: Visit, case_id: int, refused: RefusedForm | None = None) -> ConsolePage:
    """One case; with a form that was refused as it was sent."""
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
    files = visit.reader.attachments(found)
    forms, field = forms_of(visit, found, files, refused), field_blocks(visit, found)
    done = visit.asked.get(DONE)
    return ConsolePage(
        "cases",
        _("Case {number}").format(number=case_id),
        " · ".join(filter(None, subtitle)),
        (f"state-{found.state}", state_text(visit, found.state) + (f" · {_days_text(visit, days)}" if days else "")),
        opening=() if done is None or refused is not None else (DoneNote(_(DONE_SENTENCES[done])),),
        parts=(
            PagePart("known", _("What it is about"), (_facts(visit, found), Sayings("", (follows,)))),
            *((PagePart("work", _("Work on it"), forms),) if forms else ()),
            *((PagePart("field", _("What was found"), field),) if field else ()),
            PagePart("figures", _("What it amounts to"), (Sayings("", (basis_sentence(visit),)), table)),
            *((PagePart("files", _("Attachments"), (_attachments(visit, found, files),)),) if files else ()),
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
        Fact(_("Next step due"), _due_text(visit, found, due)),
        Fact(_("Assigned to"), found.work.assignee or _("nobody")),
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


def _why(visit: Visit, change: Change, found: Case) -> str:
    """Why a step was taken: what the sensor wrote is translated, what people wrote is not."""
    why = without_names(change.why, found.enterprise, found.site, persons=False)
    return visit.wording.recorded(why) if change.who == states.SENSOR else why


def _due_text(visit: Visit, found: Case, due: Cell) -> str:
    if not isinstance(due, datetime):
        return str(due)
    own = found.work.own_due_ns is not None
    text = f"{due:%Y-%m-%d %H:%M}"
    return visit._("{moment}, a date of its own").format(moment=text) if own else text


def _attachments(visit: Visit, found: Case, files: Sequence[CaseAttachment]) -> Listing:
    """Files with where they are handed out; removed ones without."""
    _ = visit._
    columns = (
        Column("number", _("Attachment"), "count"),
        Column("name", _("Name"), wide=True),
        Column("kind", _("Kind")),
        Column("size", _("Bytes"), "count"),
        Column("added", _("Attached"), "moment"),
        Column("by", _("By")),
        Column("removed", _("Removed"), wide=True),
        Column("sha256", "SHA-256", wide=True),
    )
    rows: list[tuple[Cell, ...]] = []
    links: list[dict[str, str]] = []
    for file in files:
        name = visible(without_names(file.name, found.enterprise, found.site, persons=False))
        gone = None
        if file.removed_ns is not None:
            why = without_names(file.removed_why or "", found.enterprise, found.site, persons=False)
            gone = (
                f"{moment(file.removed_ns, visit.desk.zone):%Y-%m-%d} {who_text(visit, file.removed_by or '')}: {why}"
            )
        row = (file.number, name, file.kind, file.size_bytes, visit.cells.moment(file.added_ns))
        rows.append((*row, visible(who_text(visit, file.added_by)), gone and visible(gone), file.sha256 or None))
        there = file.removed_ns is None and may_work(visit)
        href = visit.href(f"/cases/{found.case_id}/attachments/{file.number}")
        links.append({"name": href} if there else {})
    return Listing(DocumentTable("attachments", "", columns, tuple(rows), ""), tuple(links))


def _history(visit: Visit, found: Case) -> CaseHistory:
    steps = tuple(
        HistoryStep(
            f"{moment(change.at_ns, visit.desk.zone):%Y-%m-%d %H:%M}",
            state_text(visit, change.state),
            change.state,
            visible(who_text(visit, change.who)),
            visible(_why(visit, change, found)),
            visible(step_text(visit, found, change)),
        )
        for change in found.changes
    )
    return CaseHistory("", steps)
