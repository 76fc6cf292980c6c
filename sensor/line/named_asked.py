"""The listed host that was asked for in a clear flow: of a proxy (CONNECT, SOCKS), or of a web server (Host), as far as
the dialects' readers see it. Pure.
"""

from __future__ import annotations

from typing import NamedTuple

from sensor.line.flow_facts import TCP, FlowFacts
from sensor.line.judge import Spoken
from sensor.line.named_hints import Statement, community_of, of_host, subject_of
from sensor.model.domain import host_text
from sensor.model.observation import Subject
from sensor.model.text import split_endpoint
from sensor.names.catalogue import listed, seen_in_connection
from sensor.names.sessions import ConnectionEnds
from sensor.signatures.pools import PoolTable


class AskedHost(NamedTuple):
    """What the name comes to, of whom, and in which connection (Community ID)."""

    statement: Statement
    subject: Subject
    flow: str


def asked_in(facts: FlowFacts, spoken: Spoken | None, pools: PoolTable) -> AskedHost | None:
    """The listed host that was asked for in a flow; `spoken` is what was spoken in it, if a dialect was."""
    asked = facts.carriage.pool_host or (spoken.endpoint if spoken is not None else None)
    opened = facts.opened
    if asked is None or opened.proto != TCP:
        return None
    host, port = split_endpoint(asked) or (asked, opened.resp_port)
    found = listed(pools, host_text(host.encode("utf-8", "replace")))
    if found is None:
        return None
    both = ((opened.orig_addr, opened.orig_port), (opened.resp_addr, opened.resp_port))
    client = facts.carriage.asked_by or 0
    ends = ConnectionEnds(*both[client], *both[1 - client], facts.first_ns, opened.source, opened.vlans)
    subject = subject_of(ends, found.host)
    if spoken is not None:
        subject = Subject(spoken.miner_ip, spoken.pool_ip, spoken.pool_port, subject.point, found.host)
    claim = seen_in_connection(found, "asked", port, facts.last_ns - facts.first_ns)
    by = "proxy" if facts.carriage.pool_host else "host"
    return AskedHost(of_host(found, claim, by), subject, community_of(ends))
