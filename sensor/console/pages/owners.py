"""Enterprises, sites, addresses and pools: their lists."""

from __future__ import annotations

from exporters.forms.documents.labels import CATEGORIES, CLASSES, N_
from exporters.forms.documents.model import Cell, Column
from exporters.forms.fitting import visible
from sensor.console.address_bar import (
    ADDRESS,
    ALGORITHM,
    DIVISION,
    ENTERPRISE,
    GRADE,
    NAME,
    OF_LISTS,
    SINCE,
    SITE,
    STATE,
    UNTIL,
    Parameter,
    choice,
)
from sensor.console.blocks import ConsolePage, DownloadFile, ListedRow
from sensor.console.desk import Visit
from sensor.console.figures import (
    figure_cells,
    figure_columns,
    kind_text,
    owner_text,
    place_text,
    premises_text,
    seen_cells,
    seen_columns,
    state_text,
)
from sensor.console.listing import RecordList, empty_sentence, list_page
from sensor.console.ranges import addresses_within
from sensor.ledger.read.lists.asked import AskedOwners
from sensor.ledger.read.lists.cut import ListKey
from sensor.ledger.read.lists.owners import ListedAddress, ListedEnterprise, ListedPool, ListedSite

KIND = choice("kind", N_("Kind of site"), list(CLASSES.items()))
POOL = Parameter("pool", N_("Pool"))
ENTERPRISES_ASKED = (NAME, DIVISION, GRADE, STATE, ALGORITHM, SINCE, UNTIL, *OF_LISTS)
SITES_ASKED = (NAME, DIVISION, KIND, GRADE, STATE, SINCE, UNTIL, ENTERPRISE, *OF_LISTS)
ADDRESSES_ASKED = (ADDRESS, NAME, DIVISION, GRADE, STATE, ALGORITHM, POOL, SINCE, UNTIL, ENTERPRISE, SITE, *OF_LISTS)
POOLS_ASKED = (POOL, DIVISION, ALGORITHM, SINCE, UNTIL, *OF_LISTS)


def asked_owners(visit: Visit) -> AskedOwners:
    """What was asked of any of these lists."""
    asked = visit.asked
    kind, pool = asked.get(KIND), asked.get(POOL)
    return AskedOwners(
        name=asked.get(NAME),
        division=visit.asked_division,
        grade=asked.get(GRADE),
        algorithm=asked.get(ALGORITHM),
        state=asked.get(STATE),
        enterprise_id=asked.get(ENTERPRISE),
        site_id=asked.get(SITE),
        site_ids=None if kind is None else visit.week.sites_of_kind(kind),
        addresses=addresses_within(visit.reader, asked.get(ADDRESS)),
        pools=None if pool is None else (pool,),
        from_ns=visit.since_ns,
        to_ns=visit.until_ns,
    )


def enterprises(visit: Visit) -> ConsolePage | DownloadFile:
    """The list of projects: organisations at which mining was seen."""
    note = visit._("Organisations at which mining was seen, those seen last first.")
    return list_page(visit, enterprises_list(visit), ENTERPRISES_ASKED, note)


def enterprises_list(visit: Visit) -> RecordList[ListedEnterprise]:
    """The list, as it was asked for."""
    _, asked = visit._, asked_owners(visit)
    columns = (
        Column("name", _("Name")),
        Column("uscc", _("Credit code")),
        Column("category", _("Kind of owner")),
        Column("division", _("Place")),
        Column("premises", _("Premises")),
        Column("case", _("Case")),
        Column("addresses", _("Addresses"), "count"),
        *figure_columns(visit),
        *seen_columns(visit),
    )
    return RecordList(
        "enterprises",
        _("Organisations"),
        columns,
        lambda cut: visit.reader.enterprises(asked, cut),
        lambda found: ListKey(found.seen.last_ns, found.enterprise.enterprise_id),
        lambda found: enterprise_row(visit, found),
        empty_sentence(visit, _("No enterprise with such mining was found.")),
    )


def enterprise_row(visit: Visit, found: ListedEnterprise) -> ListedRow:
    """An organisation as a row."""
    enterprise, seen = found.enterprise, found.seen
    lines = visit.week.by_enterprise.get(enterprise.enterprise_id, ())
    names = list(dict.fromkeys(str(place_text(visit, enterprise, site) or "") for site in found.sites))
    streets = list(dict.fromkeys(str(premises_text(enterprise, site) or "") for site in found.sites))
    cells: tuple[Cell, ...] = (
        visible(enterprise.name),
        enterprise.uscc or visit.cells.unknown(),
        visit._(CATEGORIES.get(enterprise.category, enterprise.category))
        if enterprise.category
        else visit.cells.unknown(),
        visit.cells.several(filter(None, names), 2),
        visit.cells.several(filter(None, streets), 2),
        visit.cells.several(state_text(visit, state) for state in dict.fromkeys(found.states)),
        seen.addresses,
        *figure_cells(visit, lines),
        *seen_cells(visit, seen),
    )
    its = visit.href(f"/enterprises/{enterprise.enterprise_id}")
    many = visit.href("/addresses", enterprise=enterprise.enterprise_id)
    return ListedRow(cells, {"name": its, "addresses": many})


def sites(visit: Visit) -> ConsolePage | DownloadFile:
    """Premises at which mining was seen, organisations' and persons'."""
    note = visit._("Premises at which mining was seen, those seen last first.")
    return list_page(visit, sites_list(visit), SITES_ASKED, note)


def sites_list(visit: Visit) -> RecordList[ListedSite]:
    """The list, as it was asked for."""
    _, asked = visit._, asked_owners(visit)
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
    return RecordList(
        "sites",
        _("Sites"),
        columns,
        lambda cut: visit.reader.sites(asked, cut),
        lambda found: ListKey(found.seen.last_ns, str(found.site_id)),
        lambda found: site_row(visit, found),
        empty_sentence(visit, _("No site with such mining was found.")),
    )


def site_row(visit: Visit, found: ListedSite) -> ListedRow:
    """Premises as a row."""
    owner = found.owner
    cells: tuple[Cell, ...] = (
        found.site_id,
        owner_text(visit, owner.enterprise, owner.site),
        place_text(visit, owner.enterprise, owner.site),
        premises_text(owner.enterprise, owner.site),
        kind_text(visit, visit.week.site(found.site_id)),
        found.seen.addresses,
        *figure_cells(visit, visit.week.by_site.get(found.site_id, ())),
        *seen_cells(visit, found.seen),
    )
    links = {"site": visit.href(f"/sites/{found.site_id}"), "addresses": visit.href("/addresses", site=found.site_id)}
    if owner.enterprise is not None and not owner.enterprise.individual:
        links["owner"] = visit.href(f"/enterprises/{owner.enterprise.enterprise_id}")
    return ListedRow(cells, links)


def addresses(visit: Visit) -> ConsolePage | DownloadFile:
    """Addresses that mined."""
    note = visit._("Addresses that mined, those seen last first.")
    return list_page(visit, addresses_list(visit), ADDRESSES_ASKED, note)


def addresses_list(visit: Visit) -> RecordList[ListedAddress]:
    """The list, as it was asked for."""
    _, asked = visit._, asked_owners(visit)
    return RecordList(
        "addresses",
        _("Addresses"),
        address_columns(visit),
        lambda cut: visit.reader.addresses(asked, cut),
        lambda found: ListKey(found.seen.last_ns, found.address),
        lambda found: address_row(visit, found),
        empty_sentence(visit, _("No address with such mining was found.")),
    )


def address_columns(visit: Visit) -> tuple[Column, ...]:
    """Of `address_row`."""
    _ = visit._
    return (
        Column("address", _("Address")),
        Column("owner", _("Whose")),
        Column("division", _("Place")),
        Column("pools", _("Pools")),
        *figure_columns(visit),
        *seen_columns(visit),
    )


def address_row(visit: Visit, found: ListedAddress) -> ListedRow:
    """An address as a row."""
    owner, lines = found.owner, visit.week.by_address.get(found.address, ())
    pools = visit.cells.several(sorted({pool for line in lines for pool in line.pools}), 2)
    cells: tuple[Cell, ...] = (
        found.address,
        owner_text(visit, owner.enterprise, owner.site),
        place_text(visit, owner.enterprise, owner.site),
        pools,
        *figure_cells(visit, lines),
        *seen_cells(visit, found.seen),
    )
    links = {"address": visit.href(f"/addresses/{found.address}")}
    if found.site_id:
        links["owner"] = visit.href(f"/sites/{found.site_id}")
    return ListedRow(cells, links)


def pools(visit: Visit) -> ConsolePage | DownloadFile:
    """Where mining went to."""
    _, asked = visit._, asked_owners(visit)
    columns = (
        Column("pool", _("Pool")),
        Column("coins", _("Coins")),
        Column("addresses", _("Addresses"), "count"),
        Column("sites", _("Sites"), "count"),
        *seen_columns(visit),
    )
    of = RecordList(
        "pools",
        _("Pools"),
        columns,
        lambda cut: visit.reader.pools(asked, cut),
        lambda found: ListKey(found.seen.last_ns, found.pool),
        lambda found: pool_row(visit, found),
        empty_sentence(visit, _("No pool was found.")),
    )
    note = _("Pools by name, else by host or address, those mined at last first.")
    return list_page(visit, of, POOLS_ASKED, note)


def pool_row(visit: Visit, found: ListedPool) -> ListedRow:
    """A pool as a row."""
    cells: tuple[Cell, ...] = (
        visible(found.pool),
        visit.cells.several(found.coins) or visit.cells.unknown(),
        found.seen.addresses,
        found.seen.sites,
        *seen_cells(visit, found.seen),
    )
    return ListedRow(cells, visit.named_links("addresses", "/addresses", "pool", found.pool))
