"""Records for tests: any that the types allow, and plain findings of a given miner."""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from typing import Any

from hypothesis import strategies as st

from sensor.model.evidence import Evidence, Grade
from sensor.model.finding import Finding
from sensor.model.flow import FlowKey, FlowSummary
from sensor.model.quantities import Shares

SECOND = 1_000_000_000
BEGAN = 1_700_000_000 * SECOND
#: Everything a string of Python can hold, lone surrogates too: escaped ones are valid JSON.
TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(1 << 70), 1 << 70),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
    object: st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=2), max_leaves=3
    ),
    Grade: st.sampled_from(Grade),
}


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, *(any_of(hints[name]) for name in hint._fields))
    if dataclasses.is_dataclass(hint):
        return st.builds(hint, **{name: any_of(one) for name, one in typing.get_type_hints(hint).items()})
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(any_of, inner))
    if origin is list:
        return st.lists(any_of(inner[0]), max_size=2)
    if origin is tuple:
        return st.lists(any_of(inner[0]), max_size=3).map(tuple) if inner[-1] is ... else st.tuples(*map(any_of, inner))
    if origin is collections.abc.Sequence:
        return st.lists(any_of(inner[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(any_of(inner[0]), any_of(inner[1]), max_size=2)
    raise TypeError(f"no strategy for {hint}")


def flow(number: int, began_s: float = 0, lasted_s: float = 60, miner: str = "192.0.2.7") -> FlowSummary:
    """One connection, told by its number."""
    first_ns = BEGAN + int(began_s * SECOND)
    key = FlowKey(miner, 40_000 + number % 20_000, "198.51.100.9", 3333, "TCP", number, f"1:flow{number}")
    shares = Shares(3, 2, 1, 0, 0)
    last_ns = first_ns + int(lasted_s * SECOND)
    return FlowSummary(key, first_ns, last_ns, "stratum-v1", "wallet.rig", "rig", None, shares, (), False, "syn", "lo")


def finding(number: int = 1, flows: tuple[FlowSummary, ...] = (), **changes: Any) -> Finding:
    """A finding of the given connections; its totals are theirs."""
    flows = flows or (flow(number, miner=f"10.0.{number >> 8 & 255}.{number & 255}"),)
    shares = Shares()
    for one in flows:
        shares.add(one.shares)
    evidence = Evidence(
        Grade.ACCEPTED,
        "stratum-v1",
        flows[0].first_ns,
        flows[0].key.community_id,
        "miner",
        0,
        "{}",
        {"message": "submit"},
    )
    made = Finding(
        finding_id=f"finding-{number}",
        state="updated",
        grade=Grade.ACCEPTED,
        confidence=0.99,
        signature_id=1001,
        signature_rev=1,
        signature="Stratum",
        dialect="stratum-v1",
        framing="json-lines",
        transport="tcp",
        coin="BTC",
        algorithm="sha256d",
        login="wallet.rig",
        worker="rig",
        workers=("rig",),
        agent=None,
        software=None,
        pool_ip="198.51.100.9",
        pool_port=3333,
        miner_ip=flows[0].key.src_ip,
        shares=shares,
        hashes_per_share=2.0**32,
        work_hashes=2.0**32 * shares.submitted,
        claimed_hashrate_hps=None,
        first_ns=min(one.first_ns for one in flows),
        last_ns=max(one.last_ns for one in flows),
        active_seconds=sum(one.last_ns - one.first_ns for one in flows) / SECOND,
        jobs=len(flows),
        flows=list(flows),
        flow_count=len(flows),
        evidence=[evidence],
        midstream=False,
        capture_loss=0.0,
        reasons=("12 of 12 shares were acknowledged",),
    )
    return dataclasses.replace(made, **changes)


def as_seen_by(one: Finding, *sensors: str) -> Finding:
    """The finding as a ledger has it that was told of it by these sensors."""
    flows = [dataclasses.replace(flow, seen_by=sensors) for flow in one.flows]
    return dataclasses.replace(one, flows=flows, seen_by=sensors)
