"""One enterprise, one site, one address: all that is seen of it on one sheet."""

from __future__ import annotations

from exporters.forms.documents.labels import CATEGORIES, N_
from exporters.forms.documents.model import Cell, Column, DocumentTable
from exporters.forms.fitting import visible
from sensor.console.address_bar import LANGUAGE, WEEK
from sensor.console.blocks import (
    ChangeForm,
    ConsoleBlock,
    ConsolePage,
    Fact,
    Facts,
    FormField,
    ListedRow,
    Listing,
    PagePart,
    Sayings,
)
from sensor.console.desk import Visit
from sensor.console.figures import (
    figure_columns,
    kind_text,
    owner_text,
    place_text,
    premises_text,
    seen_columns,
    week_table,
)
from sensor.console.listing import basis_sentence, empty_sentence
from sensor.console.pages.cases import case_columns, case_row
from sensor.console.pages.findings import finding_columns, finding_row
from sensor.console.pages.owners import address_columns, address_row, site_row
from sensor.console.refusal import RefusalError
from sensor.ledger.read.lists.asked import AskedOwners
from sensor.ledger.read.lists.cut import ListCut
from sensor.ledger.read.lists.owners import ListedSite, Seen
from sensor.ledger.read.lists.records import AskedCases, AskedFindings
from sensor.ledger.read.owners import SiteOwner
from sensor.model.attribution import Enterprise
from sensor.model.scope import NAMING_ROLES
from sensor.model.summary import Line

SINGLE_ASKED = (LANGUAGE, WEEK)
#: Rows of each list that a sheet shows; the list itself has all.
MOST_ROWS = 20
NO_ENTERPRISE = N_("There is no such enterprise, or it is not yours to see.")
NO_SITE = N_("There is no such site, or it is not yours to see.")
NO_PERSON = N_("There is no private person here whose name could be shown.")
NO_ADDRESS = N_("No mining was seen of this address, or it is not yours to see.")


def enterprise(visit: Visit, enterprise_id: str) -> ConsolePage:
    """An organisation."""
    asked = AskedOwners(enterprise_id=enterprise_id)
    found = visit.reader.enterprises(asked, ListCut(None, 1))
    if not found:
        raise RefusalError(404, NO_ENTERPRISE)
    whose, seen = found[0].enterprise, found[0].seen
    _ = visit._
    sites = visit.reader.sites(asked)
    facts = Facts(
        "",
        (
            Fact(_("Credit code"), whose.uscc or visit.cells.unknown().text, None, whose.uscc is not None),
            Fact(_("Kind of owner"), _(CATEGORIES.get(whose.category or "", whose.category or "")) or "–"),
            Fact(_("Industry"), visible(whose.industry) if whose.industry else visit.cells.unknown().text),
            Fact(_("Also called"), ", ".join(map(visible, whose.aliases)) or "–"),
            Fact(_("Identified by"), _("its code") if whose.identified_by == "code" else _("its name alone")),
        ),
    )
    rows = [site_row(visit, site) for site in sites]
    columns = (
        Column("site", _("Site"), "count"),
        Column("owner", _("Whose")),
        Column("division", _("Place")),
        Column("premises", _("Premises")),
        Column("kind", _("Kind of site")),
        Column("addresses", _("Addresses"), "count"),
        *figure_columns(visit),
        *seen_columns(visit),
    )
    site_ids = [site.site_id for site in sites]
    parts = (
        PagePart(
            "figures",
            _("What it amounts to"),
            _sheet_figures(visit, visit.week.by_enterprise.get(enterprise_id, []), seen),
        ),
        PagePart("sites", _("Sites"), (_list("sites", "", columns, rows, ""),)),
        PagePart("addresses", _("Addresses"), (_addresses(visit, asked, enterprise=enterprise_id),)),
        PagePart("cases", _("Cases"), (_cases(visit, AskedCases(site_ids=site_ids)),)),
    )
    return ConsolePage("enterprises", visible(whose.name), opening=(facts,), parts=parts)


def person_of(visit: Visit, site_id: int) -> Enterprise:
    """The private person of a site. Raises RefusalError where there is none, or the site is not the viewer's."""
    whose = _site(visit, site_id).owner.enterprise
    if whose is None or not whose.individual:
        raise RefusalError(404, NO_PERSON)
    return whose


def _site(visit: Visit, site_id: int) -> ListedSite:
    found = visit.reader.sites(AskedOwners(site_id=site_id), ListCut(None, 1))
    if not found:
        raise RefusalError(404, NO_SITE)
    return found[0]


def site(visit: Visit, site_id: int, *, named: bool = False) -> ConsolePage:
    """Premises; of a private person with name and street only where that was asked for, and is in the audit."""
    asked, found = AskedOwners(site_id=site_id), _site(visit, site_id)
    _, owner, seen = visit._, found.owner, found.seen
    of_week = visit.week.site(site_id)
    kind = kind_text(visit, of_week)
    organisation = owner.enterprise if owner.enterprise and not owner.enterprise.individual else None
    href = visit.href(f"/enterprises/{organisation.enterprise_id}") if organisation else None
    facts = Facts(
        "",
        (
            Fact(_("Whose"), owner_text(visit, owner.enterprise, owner.site), href),
            Fact(_("Place"), _text(place_text(visit, owner.enterprise, owner.site), visit)),
            Fact(_("Premises"), _text(premises_text(owner.enterprise, owner.site), visit)),
            Fact(_("Kind of site"), _text(kind, visit)),
        ),
    )
    person = _person(visit, site_id, owner, named=named)
    reasons = of_week.site_class.reasons if of_week else ()
    why: tuple[ConsoleBlock, ...] = (
        (Sayings(_("Why this kind"), tuple(visible(visit.wording.recorded(text)) for text in reasons), True),)
        if reasons
        else ()
    )
    parts = (
        PagePart("figures", _("What it amounts to"), _sheet_figures(visit, visit.week.by_site.get(site_id, []), seen)),
        *((PagePart("kind", _("Kind of site"), why),) if why else ()),
        PagePart("addresses", _("Addresses"), (_addresses(visit, asked, site=str(site_id)),)),
        PagePart("findings", _("Findings"), (_findings(visit, AskedFindings(site_id=site_id), site=str(site_id)),)),
        PagePart("cases", _("Cases"), (_cases(visit, AskedCases(site_ids=[site_id])),)),
    )
    title = _("Site {number}: {owner}").format(number=site_id, owner=owner_text(visit, owner.enterprise, owner.site))
    return ConsolePage("sites", title, opening=(facts, *person), parts=parts)


def _person(visit: Visit, site_id: int, owner: SiteOwner, *, named: bool) -> tuple[ConsoleBlock, ...]:
    """Who the private person of a site is, or the form that asks for it; nothing for whoever may not."""
    _, whose = visit._, owner.enterprise
    if whose is None or not whose.individual or visit.token is None or visit.viewer.role not in NAMING_ROLES:
        return ()
    if named:
        street = visible(owner.site.address) if owner.site and owner.site.address else visit.cells.unknown().text
        facts = (Fact(_("The person's name"), visible(whose.name)), Fact(_("Premises"), street))
        return (Facts(_("Shown for your reason, which is in the audit"), facts),)
    note = _("It is shown on one page, once. Who asked, and why, stands in the audit before.")
    return (
        ChangeForm(
            "person",
            _("Name and street of this person"),
            visit.href(f"/sites/{site_id}/person"),
            _("Show"),
            visit.token,
            (FormField("reason", _("Why you need it")),),
            note=note,
        ),
    )


def address(visit: Visit, text: str) -> ConsolePage:
    """An address."""
    asked = AskedOwners(addresses=[text])
    found = visit.reader.addresses(asked, ListCut(None, 1))
    findings = AskedFindings(miners=[text])
    if not found and not visit.reader.findings(findings, ListCut(None, 1)):
        raise RefusalError(404, NO_ADDRESS)
    _ = visit._
    lines = visit.week.by_address.get(text, [])
    seen = found[0].seen if found else None
    parts = (
        PagePart("figures", _("What it amounts to"), _sheet_figures(visit, lines, seen)),
        PagePart("whose", _("Whose address it was"), (_owners(visit, text),)),
        PagePart("findings", _("Findings"), (_findings(visit, findings, address=text),)),
        PagePart("cases", _("Cases"), (_cases(visit, AskedCases(address=text)),)),
    )
    return ConsolePage("addresses", text, parts=parts)


def _sheet_figures(visit: Visit, lines: list[Line], seen: Seen | None) -> tuple[ConsoleBlock, ...]:
    return Sayings("", (basis_sentence(visit),)), week_table(visit, lines, seen)


def _owners(visit: Visit, text: str) -> DocumentTable:
    _ = visit._
    columns = (
        Column("from", _("From"), "moment"),
        Column("until", _("Until"), "moment"),
        Column("owner", _("Whose")),
        Column("division", _("Place")),
        Column("sources", _("Sources")),
    )
    rows: list[tuple[Cell, ...]] = []
    for first_ns, last_ns, answer in visit.reader.owners_of(text):
        sources = visit.cells.several(sorted({claim.source for claim in answer.claims}))
        owner = owner_text(visit, answer.enterprise, answer.site)
        place = place_text(visit, answer.enterprise, answer.site)
        rows.append((visit.cells.moment(first_ns), visit.cells.moment(last_ns), owner, place, sources))
    title = _("What books said of it while it mined")
    return DocumentTable("owners", title, columns, tuple(rows), _("No book said whose it is, or none of yours."))


def _addresses(visit: Visit, asked: AskedOwners, **filters: str) -> Listing:
    found = visit.reader.addresses(asked, ListCut(None, MOST_ROWS))
    rows = [address_row(visit, its) for its in found]
    empty = empty_sentence(visit, visit._("No address with such mining was found."))
    return _list("addresses", visit.href("/addresses", **filters), address_columns(visit), rows, empty)


def _findings(visit: Visit, asked: AskedFindings, **filters: str) -> Listing:
    found = visit.reader.findings(asked, ListCut(None, MOST_ROWS))
    rows = [finding_row(visit, its) for its in found]
    empty = empty_sentence(visit, visit._("No such finding."))
    return _list("findings", visit.href("/findings", **filters), finding_columns(visit), rows, empty)


def _cases(visit: Visit, asked: AskedCases) -> Listing:
    rows = [case_row(visit, its) for its in visit.reader.cases(asked, ListCut(None, MOST_ROWS))]
    return _list("cases", "", case_columns(visit), rows, visit._("No case is about it."))


def _list(key: str, href: str, columns: tuple[Column, ...], rows: list[ListedRow], empty: str) -> Listing:
    table = DocumentTable(key, "", columns, tuple(row.cells for row in rows), empty)
    return Listing(table, tuple(row.links for row in rows), None, href if href and len(rows) == MOST_ROWS else None)


def _text(cell: Cell, visit: Visit) -> str:
    return cell if isinstance(cell, str) else visit.cells.unknown().text
