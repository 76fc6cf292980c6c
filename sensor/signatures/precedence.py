"""Which of several tables of one kind and name is in force: the newest, whoever gave it.

A table that states its day replaces a shipped one of its kind and name, if it is not older. So an operator takes a
newer table without a release, and a release with a still newer one takes its place again. A table without a day, or of
another name, replaces nothing: its rows come before the shipped ones. So do those of weights, classes and sites in any
case: one of them without an entry would leave a hole. A dialect, framing or node protocol of the user's own takes the
place of the shipped one of its name and id if its `rev` is higher. Knows days, names and numbers; reads no files, and
looks at no row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from sensor.signatures.model import DatedTable, Dialect, Framing, NodeSignature

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


def without_replaced(
    signatures: Sequence[Dialect | Framing | NodeSignature],
) -> list[Dialect | Framing | NodeSignature]:
    """Signatures without those shipped in whose place one of the user's own stands."""
    own = {
        (type(signature), signature.header.name, signature.header.id): signature.header.rev
        for signature in signatures
        if not signature.header.file.startswith(SHIPPED)
    }

    def is_replaced(signature: Dialect | Framing | NodeSignature) -> bool:
        header = signature.header
        newest = own.get((type(signature), header.name, header.id), 0)
        return header.file.startswith(SHIPPED) and newest > header.rev

    return [signature for signature in signatures if not is_replaced(signature)]
