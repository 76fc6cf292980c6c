"""Which of several tables of one kind and name is in force: the newest, whoever gave it.

A table that states its day replaces a shipped one of its kind and name, if it is not older. So an operator takes a
newer table without a release, and a release with a still newer one takes its place again. A table without a day, or of
another name, replaces nothing: its rows come before the shipped ones. So do those of weights, classes and sites in any
case: one of them without an entry would leave a hole. Knows days and names; reads no files, and looks at no row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from sensor.signatures.model import DatedTable

SHIPPED = "signatures/"
#: Kinds of tables each of whose rows stands alone.
REPLACEABLE = ("agents", "devices", "efficiencies", "pools", "resolvers", "wallets")


def by_precedence(tables: Iterable[DatedTable]) -> list[DatedTable]:
    """The same tables in their order, each with the file that stands in its place, if one does.

    Of a kind and name that is shipped, the table with the latest day stands, of equal days the one given last; a
    shipped one without a day is older than any.
    """
    given = list(tables)
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place, table in enumerate(given):
        if table.kind in REPLACEABLE and (table.dated is not None or table.file.startswith(SHIPPED)):
            groups[table.kind, table.name].append(place)
    for places in groups.values():
        if not given[places[0]].file.startswith(SHIPPED):
            continue
        newest = max(places, key=lambda place: (given[place].dated or date.min, place))
        for place in places:
            if place != newest:
                given[place] = replace(given[place], instead=given[newest].file)
    return given
