"""Nodes of cryptocurrencies' peer-to-peer networks: no mining, and shown as what they are."""

from __future__ import annotations

from exporters.forms.documents.labels import N_
from exporters.forms.documents.model import Cell, Column
from exporters.forms.fitting import short, visible
from sensor.console.address_bar import (
    ADDRESS,
    AFTER,
    COLUMNS,
    DIVISION,
    FORMAT,
    LANGUAGE,
    SINCE,
    UNTIL,
    Parameter,
    choice,
)
from sensor.console.blocks import ConsolePage, DownloadFile, ListedRow
from sensor.console.desk import Visit
from sensor.console.listing import RecordList, empty_sentence, list_page
from sensor.console.ranges import within_range
from sensor.ledger.read.lists.cut import ListKey
from sensor.ledger.read.lists.nodes import AskedNodes
from sensor.model.node import Node
from sensor.model.text import endpoint_text

PROTOCOLS = (
    ("bitcoin-p2p", "Bitcoin P2P"),
    ("monero-levin", "Monero Levin"),
    ("devp2p-rlpx", "devp2p RLPx"),
    ("devp2p-discv4", "devp2p discv4"),
)
PROTOCOL = choice("protocol", N_("Protocol"), PROTOCOLS)
NODES_ASKED: tuple[Parameter, ...] = (
    ADDRESS, PROTOCOL, DIVISION, SINCE, UNTIL, LANGUAGE, COLUMNS, FORMAT, AFTER
)  # fmt: skip


def nodes(visit: Visit) -> ConsolePage | DownloadFile:
    """The list, those seen last first."""
    _, asked = visit._, visit.asked
    of_nodes = AskedNodes(
        addresses=within_range(asked.get(ADDRESS), visit.reader.every_node_address),
        protocol=asked.get(PROTOCOL),
        division=visit.asked_division,
        from_ns=visit.since_ns,
        to_ns=visit.until_ns,
    )
    columns = (
        Column("address", _("Address")),
        Column("protocol", _("Protocol")),
        Column("network", _("Network")),
        Column("coin", _("Coin")),
        Column("peer", _("Talks with")),
        Column("agent", _("Agent")),
        Column("confidence", _("Sure"), "part"),
        Column("first_seen", _("First seen"), "moment"),
        Column("last_seen", _("Last seen"), "moment"),
    )
    of = RecordList(
        "nodes",
        _("Nodes"),
        columns,
        lambda cut: visit.reader.nodes(of_nodes, cut),
        lambda node: ListKey(node.last_ns, node.node_id),
        lambda node: node_row(visit, node),
        empty_sentence(visit, _("No node was found.")),
    )
    note = _("Nodes of peer-to-peer networks, those seen last first. They are no mining: in no figure, and no case.")
    return list_page(visit, of, NODES_ASKED, note)


def node_row(visit: Visit, node: Node) -> ListedRow:
    """A node as a row."""
    cells, peer = visit.cells, endpoint_text(node.key.dest_ip, node.key.dest_port)
    values: tuple[Cell, ...] = (
        node.key.src_ip,
        dict(PROTOCOLS).get(node.protocol, visible(node.protocol)),
        visible(node.network) if node.network else cells.unknown(),
        visible(node.coin) if node.coin else cells.unknown(),
        f"{short(node.host, 60)} · {peer}" if node.host else peer,
        short(node.agent, 72) if node.agent else visit._("none seen"),
        round(node.confidence, 4),
        cells.moment(node.first_ns),
        cells.moment(node.last_ns),
    )
    return ListedRow(values)
