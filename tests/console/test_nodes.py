"""Nodes are listed as what they are, each in the division where its address was while it was seen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from sensor.console.desk import Desk
from sensor.ledger import Ledger
from sensor.model.node import Node
from tests.console.province import FOREIGN, SUZHOU, client, desk_of, fill, viewer
from tests.ledger.mining import DAY, HOUR, MONDAY
from tests.model.test_wire import NODE


def node(name: str, address: str, at_ns: int = MONDAY + 5 * HOUR, **changes: object) -> Node:
    """A node at an address, seen for an hour."""
    key = dataclasses.replace(NODE.key, src_ip=address, dest_ip="203.0.113.77", dest_port=8333)
    its = {"node_id": name, "key": key, "first_ns": at_ns, "last_ns": at_ns + HOUR, "agent": f"/{name}:1.0/", **changes}
    return dataclasses.replace(NODE, **its)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    ledger = Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('nodes')}/ledger.db")
    fill(ledger, (0, 1, 2))
    records = (
        node("own", "10.0.0.1"),
        node("later", "10.0.0.1", MONDAY + 20 * DAY),  # when nobody is known to have had the address
        node("foreign", "10.0.2.1"),
        node("nowhere", "192.0.2.99"),
        node("hostile", "10.0.1.1", agent="<script>alert(1)</script>", network="=cmd()", protocol="a-new-one"),
    )
    ledger.record(records, MONDAY + 30 * DAY)
    yield desk_of(ledger, MONDAY + 30 * DAY)
    ledger.close()


def test_who_sees_everything_sees_all_of_them_with_what_is_known(nodes: Desk) -> None:
    text = client(nodes, viewer("lead", language="en")).get("/nodes").text
    for name in ("/own:1.0/", "/later:1.0/", "/foreign:1.0/", "/nowhere:1.0/", "203.0.113.77:8333", "mainnet", "BTC"):
        assert name in text
    assert "They are no mining" in text


def test_a_viewer_of_a_division_sees_those_whose_address_lay_in_it_while_they_were_seen(nodes: Desk) -> None:
    browser = client(nodes, viewer("officer", SUZHOU, language="en"))
    for path in ("/nodes", "/nodes?format=csv", "/nodes?format=json", "/nodes?address=10.0.0.0/8"):
        text = browser.get(path).text
        assert "/own:1.0/" in text, path
        for name in ("/later:1.0/", "/foreign:1.0/", "/nowhere:1.0/", *FOREIGN):
            assert name not in text, (path, name)
    assert "/foreign:1.0/" not in browser.get("/nodes?address=10.0.2.1").text


def test_filters_are_those_of_the_address_bar(nodes: Desk) -> None:
    browser = client(nodes, viewer("lead", language="en"))
    assert "/own:1.0/" in browser.get("/nodes?division=320505").text
    assert "/foreign:1.0/" not in browser.get("/nodes?division=320505").text
    assert "/later:1.0/" not in browser.get("/nodes?until=2023-11-25").text
    assert "/own:1.0/" not in browser.get("/nodes?since=2023-11-30").text
    assert "a-new-one" not in browser.get("/nodes?protocol=bitcoin-p2p").text
    assert browser.get("/nodes?protocol=a-new-one").status_code == 400
    assert browser.get("/nodes?week=2023-W47").status_code == 400


def test_hostile_names_of_a_node_are_text(nodes: Desk) -> None:
    browser = client(nodes, viewer("lead", language="en"))
    assert "<script>" not in browser.get("/nodes").text
    assert ",=cmd" not in browser.get("/nodes?format=csv").text
