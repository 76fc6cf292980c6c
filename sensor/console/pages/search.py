"""One box: address, range, name, code, wallet, pool or machine; what is found by its kind."""

from __future__ import annotations

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Cell, Column, DocumentTable
from exporters.forms.fitting import short
from sensor.console.address_bar import LANGUAGE, Parameter
from sensor.console.blocks import ConsolePage, ListedRow, Listing, PagePart, Sayings
from sensor.console.desk import Visit
from sensor.console.figures import owner_text, place_text, seen_cells, seen_columns
from sensor.console.listing import empty_sentence, filters
from sensor.console.pages.owners import pool_row
from sensor.console.ranges import addresses_within
from sensor.ledger.read.lists.owners import ListedAddress, ListedEnterprise
from sensor.ledger.read.lists.search import FoundLogin
from sensor.model.address import canonical, parse_network

TEXT = Parameter("text", N_("Address, range, name, code, wallet, pool or machine"))
SEARCH_ASKED = (TEXT, LANGUAGE)
#: Results of each kind.
MOST_RESULTS = 20


def search(visit: Visit) -> ConsolePage:
    """The box, and what was found."""
    _, text = visit._, visit.asked.get(TEXT)
    title = _("Search")
    form = filters(visit, (TEXT,), search=True)
    if text is None:
        note = _("Organisations are found by parts of name, code and street; persons are found by no name.")
        return ConsolePage("search", title, opening=(form, Sayings("", (note,))))
    found = visit.reader.search(text, _addresses_meant(visit, text), MOST_RESULTS)
    kinds: tuple[tuple[str, str, tuple[Column, ...], list[ListedRow]], ...] = (
        ("addresses", _("Addresses"), _address_columns(visit), [_address(visit, each) for each in found.addresses]),
        (
            "enterprises",
            _("Organisations"),
            _name_columns(visit),
            [_enterprise(visit, its) for its in found.enterprises],
        ),
        ("wallets", _("Wallets and accounts"), _login_columns(visit), [_wallet(visit, its) for its in found.wallets]),
        ("workers", _("Machines by name"), _login_columns(visit), [_worker(visit, each) for each in found.workers]),
        ("pools", _("Pools"), _pool_columns(visit), [pool_row(visit, each) for each in found.pools]),
    )
    parts = tuple(
        PagePart(key, name, (_list(visit, key, columns, rows),)) for key, name, columns, rows in kinds if rows
    )
    nothing = Sayings("", (empty_sentence(visit, _("Nothing of yours fits.")),))
    return ConsolePage("search", title, opening=(form,) if parts else (form, nothing), parts=parts)


def _addresses_meant(visit: Visit, text: str) -> list[str] | None:
    """The addresses that a text stands for; None where it is neither address nor range."""
    try:
        return [canonical(text)]
    except ValueError:
        pass
    try:
        return addresses_within(visit.reader, ("network", str(parse_network(text)))) if "/" in text else None
    except ValueError:
        return None


def _list(visit: Visit, key: str, columns: tuple[Column, ...], rows: list[ListedRow]) -> Listing:
    shown = rows[:MOST_RESULTS]
    more = (visit._("There are more: ask for less."),) if len(rows) > MOST_RESULTS else ()
    table = DocumentTable(key, "", columns, tuple(row.cells for row in shown), "", notes=more)
    return Listing(table, tuple(row.links for row in shown))


def _address_columns(visit: Visit) -> tuple[Column, ...]:
    _ = visit._
    return (
        Column("address", _("Address")),
        Column("owner", _("Whose")),
        Column("division", _("Place")),
        *seen_columns(visit),
    )


def _address(visit: Visit, found: ListedAddress) -> ListedRow:
    owner = found.owner
    cells: tuple[Cell, ...] = (
        found.address,
        owner_text(visit, owner.enterprise, owner.site),
        place_text(visit, owner.enterprise, owner.site),
        *seen_cells(visit, found.seen),
    )
    return ListedRow(cells, {"address": visit.href(f"/addresses/{found.address}")})


def _name_columns(visit: Visit) -> tuple[Column, ...]:
    _ = visit._
    names = (Column("name", _("Name")), Column("uscc", _("Credit code")), Column("addresses", _("Addresses"), "count"))
    return *names, *seen_columns(visit)


def _enterprise(visit: Visit, found: ListedEnterprise) -> ListedRow:
    code = found.enterprise.uscc or visit.cells.unknown()
    cells: tuple[Cell, ...] = (
        short(found.enterprise.name, 120), code, found.seen.addresses, *seen_cells(visit, found.seen)
    )  # fmt: skip
    return ListedRow(cells, {"name": visit.href(f"/enterprises/{found.enterprise.enterprise_id}")})


def _login_columns(visit: Visit) -> tuple[Column, ...]:
    _ = visit._
    count = Column("addresses", _("Addresses"), "count")
    return Column("name", _("Name")), count, Column("last_seen", _("Last seen"), "moment")


def _wallet(visit: Visit, found: FoundLogin) -> ListedRow:
    cells: tuple[Cell, ...] = (short(found.name, 120), found.addresses, visit.cells.moment(found.last_ns))
    return ListedRow(cells, visit.named_links("name", "/findings", "wallet", found.name))


def _worker(visit: Visit, found: FoundLogin) -> ListedRow:
    cells: tuple[Cell, ...] = (short(found.name, 120), found.addresses, visit.cells.moment(found.last_ns))
    return ListedRow(cells, visit.named_links("name", "/findings", "worker", found.name))


def _pool_columns(visit: Visit) -> tuple[Column, ...]:
    _ = visit._
    return (
        Column("pool", _("Pool")),
        Column("coins", _("Coins")),
        Column("addresses", _("Addresses"), "count"),
        Column("sites", _("Sites"), "count"),
        *seen_columns(visit),
    )
