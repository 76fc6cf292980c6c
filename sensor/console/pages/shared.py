"""What several sensors, addresses or sites have in common: payees, pools, names of rigs, organisations."""

from __future__ import annotations

import re
from dataclasses import replace

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Cell, Column
from exporters.forms.fitting import visible
from sensor.console.address_bar import DIVISION, GRADE, OF_LISTS, SINCE, UNTIL, Parameter, at_least, choice
from sensor.console.blocks import ConsolePage, DownloadFile, ListedRow
from sensor.console.desk import Visit
from sensor.console.figures import grade_text, rate_text, seen_cells, seen_columns
from sensor.console.listing import RecordList, empty_sentence, list_page
from sensor.ledger.read.lists.cut import ListCut, ListKey
from sensor.ledger.read.lists.shared import CHOSEN_BY_SENDER, AskedShared, ListedShared

KINDS = (
    ("wallet", N_("Wallet or account")),
    ("pool", N_("Pool")),
    ("worker", N_("Name of a machine")),
    ("enterprise", N_("Organisation")),
)
#: The page that a name leads to, and the filter there.
LEADS_TO = {"wallet": ("/findings", "wallet"), "pool": ("/addresses", "pool"), "worker": ("/search", "text")}
BY = choice("by", N_("Shared by"), KINDS)
NAME = Parameter("name", N_("This very name"))
SENSORS, ADDRESSES, SITES = (
    at_least("sensors", N_("Sensors, at least")),
    at_least("addresses", N_("Addresses, at least")),
    at_least("sites", N_("Sites, at least")),
)
USUAL = choice("usual", N_("Usual names"), (("yes", N_("too")),))
UNCOUNTED = choice("uncounted", N_("What is in no figure"), (("yes", N_("too")),))
#: Of a name in the address bar: these, and whatever does not print, stand as six hexadecimal digits.
_ESCAPED, _ESCAPE = frozenset("\\ \u3000"), re.compile(r"\\([0-9a-f]{6})")
SHARED_ASKED = (
    *(BY, NAME, SENSORS, ADDRESSES, SITES, DIVISION, GRADE, SINCE, UNTIL, USUAL, UNCOUNTED),
    *OF_LISTS,
)


def shared(visit: Visit) -> ConsolePage | DownloadFile:
    """The list, those seen last first."""
    _, asked = visit._, _asked(visit)
    notes = [
        _("What two sensors, addresses or sites or more have in common, seen last first; or as many as asked for.")
    ]
    if asked.by in CHOSEN_BY_SENDER:
        notes.append(_("Whoever sends such a name has chosen it: that it is shared is a hint, and proves nothing."))
        if not asked.usual_names:
            notes.append(_("Names that everybody has (x, worker1, default) join nothing."))
    if not asked.uncounted:
        notes.append(
            _("Left out: attempts, observers and probes, suppressed findings, false alarms and weak findings.")
        )
        if asked.by != "enterprise":
            notes.append(_("So are donations of programs."))
    return list_page(visit, shared_list(visit), SHARED_ASKED, " ".join(notes))


def _asked(visit: Visit) -> AskedShared:
    asked = visit.asked
    return AskedShared(
        by=asked.get(BY) or "wallet",
        name=asked.get(NAME),
        sensors=asked.get(SENSORS),
        addresses=asked.get(ADDRESSES),
        sites=asked.get(SITES),
        grade=asked.get(GRADE),
        division=visit.asked_division,
        from_ns=visit.since_ns,
        to_ns=visit.until_ns,
        usual_names=asked.get(USUAL) is not None,
        uncounted=asked.get(UNCOUNTED) is not None,
    )


def shared_list(visit: Visit) -> RecordList[ListedShared]:
    """The list, as it was asked for."""
    _, asked = visit._, _asked(visit)
    columns = (
        Column("name", _(dict(KINDS)[asked.by])),
        Column("sensors", _("Sensors"), "count"),
        Column("addresses", _("Addresses"), "count"),
        Column("sites", _("Sites"), "count"),
        Column("holders", _("Holders"), "count"),
        Column("unnamed", _("Addresses of nobody"), "count"),
        Column("findings", _("Findings"), "count"),
        Column("hashrate", _("Hashrate while mining")),
        Column("least_grade", _("Weakest evidence")),
        *seen_columns(visit),
    )
    return RecordList(
        "shared",
        _("Shared"),
        columns,
        lambda cut: visit.reader.shared(asked, plain(cut)),
        lambda found: ListKey(found.seen.last_ns, escaped(found.name)),
        lambda found: _row(visit, found),
        empty_sentence(visit, _("Nothing is shared by so many.")),
    )


def escaped(name: str) -> str:
    """A name from the network as it can stand in the address bar."""
    return "".join(char if char.isprintable() and char not in _ESCAPED else f"\\{ord(char):06x}" for char in name)


def plain(cut: ListCut) -> ListCut:
    """The cut behind a name as it is. Raises ValueError for what no column has."""
    if cut.after is None:
        return cut
    name = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), cut.after.name)
    if "\0" in name:
        raise ValueError("a NUL")
    name.encode()  # a lone surrogate
    return replace(cut, after=ListKey(cut.after.rank, name))


def _row(visit: Visit, found: ListedShared) -> ListedRow:
    unknown = visit.cells.unknown()
    cells: tuple[Cell, ...] = (
        visible(found.name if found.enterprise is None else found.enterprise.name),
        found.sensors or unknown,
        found.seen.addresses,
        found.seen.sites or unknown,
        found.enterprises or unknown,
        found.unnamed,
        found.findings,
        _rates(visit, found),
        grade_text(visit, found.least_grade.label),
        *seen_cells(visit, found.seen),
    )
    if found.by == "enterprise":
        return ListedRow(cells, {"name": visit.href(f"/enterprises/{found.name}")})
    return ListedRow(cells, visit.named_links("name", *LEADS_TO[found.by], found.name))


def _rates(visit: Visit, found: ListedShared) -> str:
    """By algorithm; they are never added."""
    if found.rates is None:
        return visit._("too many findings to add up")
    texts = []
    for rate in found.rates:
        name = visible(rate.algorithm or visit._("algorithm not known"))
        text = rate_text(visit, rate.hashrate_hps, rate.work_unit, at_least=rate.unrated > 0)
        texts.append(f"{name} {text}")
    return "; ".join(texts) or visit.cells.unknown().text
